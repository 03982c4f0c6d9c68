"""The passages of a bundle and their vectors: what an index holds, without where it came from.

On disk it is `index/passages.jsonl`, `index/vectors.npy` and `index/index.json`. They depend on the
documents and the settings alone, so equal documents give equal bytes, and no path of the machine
they were made on stands in them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.model import FloatArray, ModelSource
from accordeur.core.span import Span
from accordeur.documents.passage import Passage, Ranking, Searchable
from accordeur.documents.ranking.memory import PassageList
from accordeur.parts.answering.embedding import matching_embedder

PASSAGES = "index/passages.jsonl"
VECTORS = "index/vectors.npy"
ABOUT = "index/index.json"


@dataclass(frozen=True, eq=False)
class Collection:
    """Passages in the order of their numbers.

    Attributes:
        passages: numbered from 0.
        vectors: unit vectors, float32 [passages, dimension]; `None` where words alone are searched.
        embedder: name of the embedding model; `None` without vectors.
        embedder_digest: of its weights; vectors of another model are refused.
    """

    passages: tuple[Passage, ...]
    vectors: FloatArray | None = None
    embedder: str | None = None
    embedder_digest: str = ""

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """As they stand in a bundle."""
        about = {
            "passages": len(self.passages),
            "documents": len(self.documents),
            "embedder": self.embedder,
            "embedder_digest": self.embedder_digest,
        }
        lines = (
            json.dumps(_line(one), ensure_ascii=False, sort_keys=True) for one in self.passages
        )
        files = {
            ABOUT: json.dumps(about, indent=2, sort_keys=True).encode(),
            PASSAGES: "".join(f"{line}\n" for line in lines).encode(),
        }
        if self.vectors is not None:
            held = io.BytesIO()
            np.save(held, np.ascontiguousarray(self.vectors, dtype="<f4"), allow_pickle=False)
            files[VECTORS] = held.getvalue()
        return files

    @cached_property
    def documents(self) -> frozenset[str]:
        """Names of the documents that have passages."""
        return frozenset(one.span.document for one in self.passages)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Collection:
        """Inverse of `files`.

        Raises:
            BundleError: they are something else, or do not belong together.
        """
        known = digest({name: digest_bytes(files[name]) for name in _FILES if name in files})
        if (held := _READ.get(known)) is not None:
            return held  # the configurations of a run share one
        try:
            about = json.loads(files[ABOUT])
            # Not `splitlines`: it also breaks at characters such as U+2028.
            lines = files[PASSAGES].decode("utf-8").split("\n")[:-1]
            passages = tuple(_passage(json.loads(line), at) for at, line in enumerate(lines))
            vectors = None
            if VECTORS in files:
                vectors = np.load(io.BytesIO(files[VECTORS]), allow_pickle=False)
                if vectors.dtype != np.float32 or vectors.ndim != 2:
                    raise ValueError("vectors must be a float32 matrix")
                if len(vectors) != len(passages) or not np.isfinite(vectors).all():
                    raise ValueError("vectors and passages do not belong together")
            embedder = about["embedder"]
            if (embedder is None) != (vectors is None):
                raise ValueError("vectors come with the name of their model")
            name = None if embedder is None else str(embedder)
            made = cls(passages, vectors, name, str(about["embedder_digest"]))
            _READ[known] = made
            return made
        except (KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
            raise BundleError(
                f"The files of `index/` cannot be read: {error}.",
                hint="save the bundle again from its run",
            ) from error

    def opened(self, source: ModelSource, ranking: Ranking) -> Searchable:
        """What searches it, made once for all who hold this collection.

        Args:
            source: gives the embedding model, asked for when the ranking needs it.
            ranking: how it is to be searched.

        Raises:
            ModelError: the embedding model is not here, or has other weights.
        """
        dense = ranking.mode != "lexical" and self.vectors is not None
        embedder = (
            matching_embedder(source, self.embedder, self.embedder_digest)
            if dense and self.embedder is not None
            else None
        )
        known = _OPENED.setdefault(self, {})
        key = None if embedder is None else id(embedder)
        if key not in known:
            known[key] = (
                PassageList(self.passages)
                if embedder is None
                else PassageList(self.passages, self.vectors, embedder.embed)
            )
        return known[key]


_FILES = (ABOUT, PASSAGES, VECTORS)
_READ: WeakValueDictionary[str, Collection] = WeakValueDictionary()
"""Collections that are in memory, by the digest of their files."""

_OPENED: WeakKeyDictionary[Collection, dict[int | None, PassageList]] = WeakKeyDictionary()
"""Searches that are open: a part holds data alone, and several candidates share a collection."""


def _line(one: Passage) -> dict[str, Any]:
    line: dict[str, Any] = {**one.span.to_json(), "text": one.text}
    if one.page is not None:
        line["page"] = one.page
    if one.headings:
        line["headings"] = list(one.headings)
    if one.metadata:
        line["metadata"] = dict(one.metadata)
    return line


def _passage(line: Mapping[str, Any], number: int) -> Passage:
    page = line.get("page")
    return Passage(
        number,
        Span(str(line["document"]), int(line["start"]), int(line["end"])),
        str(line["text"]),
        None if page is None else int(page),
        tuple(str(one) for one in line.get("headings", ())),
        {str(name): str(value) for name, value in line.get("metadata", {}).items()},
    )
