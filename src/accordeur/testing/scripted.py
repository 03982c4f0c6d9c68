"""A language model that says what it is told to, and what goes with it: no weights, no torch.

For tests of everything around a model: whoever writes one says what it scores and replies, sees
every batch as it is computed, and may stop the world there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

import numpy as np

from accordeur.core.errors import ModelError
from accordeur.core.fingerprint import digest
from accordeur.core.model import (
    Batch,
    Capability,
    Embedder,
    FloatArray,
    Generated,
    Model,
    ModelIdentity,
    Sampling,
    Scored,
    Usage,
)
from accordeur.core.rendering import Rendered

_R = TypeVar("_R")

OnBatch = Callable[[Sequence[Rendered], Sequence[int]], None]
"""Told all prompts of a call and the indices of a batch, once computed and before it is handed on.

Whatever it raises ends the call, with this batch lost.
"""


def asked(prompt: Rendered) -> str:
    """The row's own text: the last data segment of the last message, empty without one."""
    parts = prompt.messages[-1].segments
    return next((part.text for part in reversed(parts) if part.kind == "data"), "")


def shown(prompt: Rendered) -> int:
    """How many demonstrations a prompt shows."""
    return len({one.demonstration for one in prompt.messages} - {None})


def chance(*texts: str) -> float:
    """A number in [0, 1) that depends on the texts alone."""
    data = "\x1f".join(texts).encode()
    return int.from_bytes(hashlib.sha256(data).digest()[:6], "big") / 2**48


class ScriptedModel:
    """A `core.model.Model` of plain Python functions.

    Args:
        score: nats of a continuation after a prompt; default a number in (-1, 0] by their hash.
        reply: what is generated after a prompt; default "OK".
        name: its name; equal names are equal models to plans and caches.
        batch_rows: rows of a batch, formed from the whole list.
        on_batch: told about every batch.
        capabilities: what it can do.
        context: its context window, in words.
    """

    def __init__(
        self,
        *,
        score: Callable[[Rendered, str], float] | None = None,
        reply: Callable[[Rendered], str] | None = None,
        name: str = "scripted",
        batch_rows: int = 8,
        on_batch: OnBatch | None = None,
        capabilities: Collection[Capability] = (Capability.SCORE, Capability.GENERATE),
        context: int = 4096,
    ) -> None:
        self._score = score or (lambda prompt, text: -chance(asked(prompt), text))
        self._reply = reply or (lambda prompt: "OK")
        self._batch_rows = batch_rows
        self._on_batch = on_batch
        self.identity = ModelIdentity(name, digest(name), "scripted 1", "float32")
        self.capabilities = frozenset(capabilities)
        self.context_window = context

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Scored]]:
        """As scripted."""

        def one(prompt: Rendered) -> Scored:
            scores = tuple(float(self._score(prompt, text)) for text in continuations)
            return Scored(scores, self._usage(prompt, 0))

        yield from self._batches(prompts, done, one)

    def generate(
        self, prompts: Sequence[Rendered], sampling: Sampling, *, done: Collection[int] = ()
    ) -> Iterator[Batch[Generated]]:
        """As scripted, cut after `sampling.max_tokens` words."""

        def one(prompt: Rendered) -> Generated:
            words = re.findall(r"\S+\s*", self._reply(prompt))
            kept = words[: sampling.max_tokens]
            text = "".join(kept).rstrip()
            return Generated(text, len(kept) == len(words), -0.5, self._usage(prompt, len(kept)))

        yield from self._batches(prompts, done, one)

    def _batches(
        self, prompts: Sequence[Rendered], done: Collection[int], work: Callable[[Rendered], _R]
    ) -> Iterator[Batch[_R]]:
        finished = frozenset(done)
        for start in range(0, len(prompts), self._batch_rows):
            indices = tuple(range(start, min(start + self._batch_rows, len(prompts))))
            if finished.issuperset(indices):
                continue
            results = tuple(work(prompts[index]) for index in indices)
            if self._on_batch is not None:
                self._on_batch(prompts, indices)
            yield Batch(indices, results, 0.001 * len(indices), len(indices))

    def _usage(self, prompt: Rendered, new: int) -> Usage:
        words = self.prompt_tokens(prompt)[0]
        return Usage(input_tokens=words, output_tokens=new, computed_tokens=words)

    def stream(self, prompt: Rendered, sampling: Sampling) -> Iterator[str]:
        """The reply, word by word."""
        for batch in self.generate([prompt], sampling):
            yield from re.findall(r"\S+\s*", batch.results[0].text)

    def count_tokens(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def prompt_text(self, prompt: Rendered) -> str:
        """Turns as `role: text` lines."""
        return "\n".join(f"{turn.role}: {turn.text}" for turn in prompt.turns())

    def prompt_tokens(self, prompt: Rendered) -> tuple[int, int]:
        """Words in all, and in shared segments."""
        parts = [part for message in prompt.messages for part in message.segments]
        total = sum(self.count_tokens(part.text) for part in parts)
        return total, sum(self.count_tokens(part.text) for part in parts if part.shared)

    def forget(self) -> None:
        """It remembers nothing."""


class HashedEmbedder:
    """A `core.model.Embedder`: words hashed into a few dimensions. Same words, same direction.

    Args:
        dimension: of a vector.
    """

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension
        self.identity = ModelIdentity("local/minilm", digest("hashed"), "scripted 1", "float32")

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]."""
        table = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(table, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[int(chance(word) * self.dimension)] += 1.0 if chance(word, "sign") < 0.5 else -1
            length = float(np.linalg.norm(row))
            if length == 0.0:
                row[0], length = 1.0, 1.0
            row /= length
        return table


class ScriptedSource:
    """A `core.model.ModelSource` of one language model and one embedding model.

    Args:
        model: goes by any name; `None` for a machine without one.
        embedder: default `HashedEmbedder()`.
    """

    def __init__(self, model: Model | None = None, embedder: Embedder | None = None) -> None:
        self._model = model
        self._embedder = embedder or HashedEmbedder()

    def model(self, name: str) -> Model:
        """The language model.

        Raises:
            ModelError: there is none.
        """
        if self._model is None:
            raise ModelError(f"There is no model named `{name}`.")
        return self._model

    def embedder(self, name: str) -> Embedder:
        """The embedding model."""
        return self._embedder
