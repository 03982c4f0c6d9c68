"""What an index is built with, and the fingerprint that keeps unequal things apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accordeur.core.fingerprint import digest
from accordeur.core.model import Embedder
from accordeur.documents.chunking import ChunkSize

CHUNK_TOKENS = 200
"""Of chunks, where the embedder reads as much."""

OVERLAP = 32
"""Where chunks are at least four times as long; else a quarter of them."""

VERSION = 2
"""Of the way from a document to its passages and to what is embedded of them. 2: titles are
embedded with the text. An index of an older version is built again when it is next brought up to
date, and its vectors of texts that stayed are used."""

MAX_FILE_SIZE = 50_000_000
"""Bytes."""


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How documents are read and cut.

    Attributes:
        chunk_tokens: of a chunk at most, in the embedder's own tokens, special ones included.
        overlap: tokens that a chunk may repeat of the one before; `None` for the default.
        exclude: shell patterns of names that are left out.
        max_file_size: bytes; larger files are skipped and named.
    """

    chunk_tokens: int = CHUNK_TOKENS
    overlap: int | None = None
    exclude: tuple[str, ...] = ()
    max_file_size: int = MAX_FILE_SIZE

    def size(self, embedder: Embedder | None) -> ChunkSize:
        """The size of chunks: never more than is read by the embedder.

        Raises:
            UsageError: the numbers do not fit together.
        """
        most = embedder.max_tokens if embedder is not None else 0
        tokens = min(self.chunk_tokens, most) if most else self.chunk_tokens
        return ChunkSize(
            tokens, min(OVERLAP, tokens // 4) if self.overlap is None else self.overlap
        )

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "chunk_tokens": self.chunk_tokens,
            "overlap": self.overlap,
            "exclude": list(self.exclude),
            "max_file_size": self.max_file_size,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> IndexSettings:
        """From `to_json`."""
        return cls(
            int(data["chunk_tokens"]),
            data["overlap"],
            tuple(data["exclude"]),
            int(data["max_file_size"]),
        )


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """The embedder of an index: everything that must be the same for its vectors to mean the same.

    Attributes:
        name: by which it is found again; it may change, as a path does.
        digest: of its weights.
        dimension: of a vector.
        dtype: of the computation, where it is known.
        max_tokens: that it reads; 0 where not known.
    """

    name: str
    digest: str
    dimension: int
    dtype: str
    max_tokens: int

    @classmethod
    def of(cls, embedder: Embedder) -> EmbedderInfo:
        """What a loaded embedder is."""
        identity = embedder.identity
        return cls(
            identity.name, identity.digest, embedder.dimension, identity.dtype, embedder.max_tokens
        )

    @property
    def key(self) -> str:
        """Equal where vectors may stand side by side; the name, engine and threads do not count."""
        return digest([self.digest, self.dimension, self.dtype, self.max_tokens])

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def passages_key(size: ChunkSize, embedder: EmbedderInfo | None, version: int = VERSION) -> str:
    """Equal where passages of two builds may stand side by side: same cut, same vectors.

    Args:
        size: of chunks.
        embedder: if there are vectors.
        version: of the way from a document to passages and to what is embedded.
    """
    parts = [size.tokens, size.overlap, embedder.key if embedder else None]
    return digest([*parts, version] if version > 1 else parts)
