"""The train rows nearest to each request, by cosine of sentence embeddings.

Liu et al. 2022, "What Makes Good In-Context Examples for GPT-3?": demonstrations retrieved by
similarity. The nearest stands last, next to the row, where recency helps it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.model import FloatArray
from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.documents.vectors import VectorIndex
from accordeur.parts.demonstrations.demonstration import Demonstration, write_jsonl


@dataclass(frozen=True, slots=True)
class NearestDemonstrations:
    """A pool of train rows with their vectors, of which each request is shown the nearest.

    Attributes:
        pool: rows to choose from.
        vectors: unit vectors, float32 [pool, dimension].
        k: how many are shown.
        embedder: name of the embedding model.
        embedder_digest: of its weights; vectors of another model are refused.
    """

    slot: ClassVar[Slot] = "demonstrations"
    shared: ClassVar[bool] = False

    pool: tuple[Demonstration, ...]
    vectors: FloatArray = field(compare=False, repr=False)
    k: int
    embedder: str
    embedder_digest: str

    @property
    def trained_parameters(self) -> int:
        """None: vectors are looked up, not fitted."""
        return 0

    def describe(self) -> str:
        """A few words."""
        return f"{self.k} nearest of {len(self.pool)} demonstrations"

    def files(self) -> Mapping[str, bytes]:
        """Rows, settings and vectors."""
        from safetensors.numpy import save

        settings = {
            "choose": "nearest",
            "k": self.k,
            "embedder": self.embedder,
            "embedder_digest": self.embedder_digest,
        }
        return {
            "demonstrations.jsonl": write_jsonl(self.pool),
            "demonstrations.json": json.dumps(settings, indent=2, sort_keys=True).encode(),
            "demonstrations.safetensors": save({"vectors": np.ascontiguousarray(self.vectors)}),
        }

    @classmethod
    def from_settings(
        cls, pool: tuple[Demonstration, ...], settings: Mapping[str, Any], vectors: bytes
    ) -> NearestDemonstrations:
        """Inverse of `files`.

        Raises:
            BundleError: pool and vectors do not belong together.
        """
        from safetensors.numpy import load

        array = load(vectors)["vectors"].astype(np.float32)
        if array.ndim != 2 or array.shape[0] != len(pool):
            raise BundleError(
                "The demonstrations and their vectors do not belong together.",
                hint="save the bundle again from its run",
            )
        k = int(settings["k"])
        if k < 1 or not np.isfinite(array).all():
            raise ValueError("k must be positive and every vector finite")
        return cls(
            pool,
            array,
            k,
            str(settings["embedder"]),
            str(settings["embedder_digest"]),
        )

    def choose(
        self,
        requests: tuple[Request, ...],
        embed: Callable[[Sequence[str]], FloatArray],
    ) -> list[tuple[Demonstration, ...]]:
        """The k nearest rows of each request, nearest last, its own row and group left out."""
        queries = embed([request.text for request in requests])
        index = VectorIndex(self.vectors, [one.row for one in self.pool])
        exclude = [
            [
                position
                for position, one in enumerate(self.pool)
                if request.row is not None
                and (one.row == request.row or one.group == request.group)
            ]
            for request in requests
        ]
        found, _ = index.search(queries, self.k, exclude=exclude)
        return [
            tuple(self.pool[int(position)] for position in reversed(row) if position >= 0)
            for row in found
        ]
