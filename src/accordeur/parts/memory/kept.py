"""What a memory worked out, kept beside the conversation so that it is not worked out twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, MutableMapping, Sequence

import numpy as np

from accordeur.core.model import Embedder, FloatArray
from accordeur.store.conversations import ConversationStore

_SUMMARY = "summary"
_STRETCH = 128
"""Texts embedded before they are kept: whoever loses patience loses little."""


class KeptSummaries(MutableMapping[str, str]):
    """Summaries of one conversation by the key of what they cover; none is ever removed."""

    def __init__(self, store: ConversationStore, conversation: str) -> None:
        self._store = store
        self._conversation = conversation
        known = store.notes(conversation, _SUMMARY)
        self._known = {key: text.decode("utf-8") for key, text in known.items()}

    def __getitem__(self, key: str) -> str:
        return self._known[key]

    def __setitem__(self, key: str, text: str) -> None:
        self._store.note(self._conversation, _SUMMARY, {key: text.encode("utf-8", "replace")})
        self._known[key] = text

    def __delitem__(self, key: str) -> None:
        raise TypeError("a summary is forgotten with its conversation")

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class KeptVectors:
    """Embeds texts of one conversation, each once.

    Args:
        embedder: gives the embedding model when the first text needs it.
        log: told when there is much to embed.
    """

    def __init__(
        self,
        store: ConversationStore,
        conversation: str,
        embedder: Callable[[], Embedder],
        log: Callable[[str], None],
    ) -> None:
        self._store = store
        self._conversation = conversation
        self._embedder = embedder
        self._log = log
        self._known: dict[str, FloatArray] | None = None

    def __call__(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]."""
        model = self._embedder()
        kind = f"vector {model.identity.digest}"
        if self._known is None:
            stored = self._store.notes(self._conversation, kind)
            self._known = {key: np.frombuffer(data, np.float32) for key, data in stored.items()}
        keys = [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if len(new) > _STRETCH:
            self._log(f"embedding {len(new):,} texts of this conversation, once")
        for start in range(0, len(new), _STRETCH):
            some = list(new)[start : start + _STRETCH]
            made = dict(zip(some, model.embed([new[key] for key in some]), strict=True))
            self._store.note(
                self._conversation, kind, {key: row.tobytes() for key, row in made.items()}
            )
            self._known.update(made)
        return np.stack([self._known[key] for key in keys])
