"""Exact nearest-neighbour search by inner product, without an index structure.

The similarity of two vectors is their inner product in float64, rounded to float32. The rounding
hides the last bits, which depend on how a matrix product was cut into blocks, so equal vectors get
equal similarities and the result does not depend on which queries were asked together. The order is
total: higher similarity first, then lower position.

Almost all vectors are far from a query, and float32 is enough to see it. With b a bound of
float32's error in an inner product and t the m-th best of the rough similarities, whatever is among
the m best has a rough similarity of at least t - 2b: the m rough best are really at least t - b, so
the m-th best is, too, and a vector as good as that has a rough similarity b below it at most. These
few are computed again in float64. Vectors may lie in a memory-mapped file: they are read once, in
order.

Bound: N. Higham, Accuracy and Stability of Numerical Algorithms (2002), 3.1, for any order of sums.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from accordeur.core.model import FloatArray

IndexArray = npt.NDArray[np.intp]

UNIT = 1.001
"""Length that no vector of an embedder exceeds."""

_BLOCK_VECTORS = 16_384  # 25 MB at dimension 384
_BLOCK_QUERIES = 256
_FEW = 2
"""Queries whose products are made one by one."""

_UNIT = 2.0**-24
"""Unit roundoff of float32."""

_TINY = 2.0**-126
"""Smallest normal float32: less may count as 0 in a product."""

_LOWEST = np.finfo(np.float32).min


class VectorIndex:
    """Vectors to search among.

    Args:
        vectors: float32 [n, d], an array or a memory map; unit length makes the inner product a
            cosine.
        ids: a name for each vector, for callers that map positions back.
        longest: no vector is longer, and all are finite; looked up in all of them where it is not
            given, which reads them once.

    Raises:
        ValueError: not a matrix, not finite, or not as many ids as vectors.
    """

    def __init__(
        self, vectors: FloatArray, ids: Sequence[str] | None = None, *, longest: float | None = None
    ) -> None:
        matrix = np.asarray(vectors, dtype=np.float32)
        if matrix.ndim != 2:
            raise ValueError(f"vectors must have shape [n, d], got {matrix.shape}")
        if ids is not None and len(ids) != len(matrix):
            raise ValueError(f"{len(ids)} ids for {len(matrix)} vectors")
        self.longest = _longest(matrix) if longest is None else longest
        if not np.isfinite(self.longest):
            raise ValueError("vectors hold NaN or infinity")
        self.vectors = matrix
        self.ids = None if ids is None else tuple(ids)

    def __len__(self) -> int:
        """n, the number of vectors."""
        return len(self.vectors)

    def search(
        self,
        queries: FloatArray,
        k: int,
        exclude: Sequence[Collection[int]] | None = None,
        *,
        only: IndexArray | None = None,
    ) -> tuple[IndexArray, FloatArray]:
        """The k vectors of highest inner product with each query.

        Args:
            queries: float32 [q, d].
            k: how many, at least 1.
            exclude: per query, positions that may not be found.
            only: positions that may be found, rising, each once; all by default.

        Returns:
            Positions [q, m] and similarities [q, m], m = min(k, n), best first, ties to the lower
            position; n is the length of `only` where it is given. Where exclusion leaves fewer than
            m, the rest is -1 and -infinity.

        Raises:
            ValueError: k is below 1, shapes do not fit, or a query is not finite.
        """
        asked = np.asarray(queries, dtype=np.float32)
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if asked.ndim != 2 or asked.shape[1] != self.vectors.shape[1]:
            raise ValueError(
                f"queries must have shape [q, {self.vectors.shape[1]}], got {asked.shape}"
            )
        if not np.isfinite(asked).all():
            raise ValueError("queries hold NaN or infinity")
        if exclude is not None and len(exclude) != len(asked):
            raise ValueError(f"{len(exclude)} exclusions for {len(asked)} queries")
        m = min(k, len(self) if only is None else len(only))
        positions = np.full((len(asked), m), -1, dtype=np.intp)
        similarities = np.full((len(asked), m), -np.inf, dtype=np.float32)
        for start in range(0, len(asked) if m else 0, _BLOCK_QUERIES):
            some = asked[start : start + _BLOCK_QUERIES]
            left_out = None if exclude is None else exclude[start : start + _BLOCK_QUERIES]
            for row, near in enumerate(self._near(some, m, left_out, only), start):
                exact = self._exact(asked[row], near)
                best = np.lexsort((near, -exact))[:m]
                positions[row, : len(best)] = near[best]
                similarities[row, : len(best)] = exact[best]
        return positions, similarities

    def _near(
        self,
        queries: FloatArray,
        m: int,
        exclude: Sequence[Collection[int]] | None,
        only: IndexArray | None,
    ) -> Iterator[IndexArray]:
        """Of each query, rising positions among which the m best are."""
        margin = 2 * self._errors(queries)
        # Where float32 may overflow, every rough similarity counts as a candidate's.
        blind = margin[:, None] > 2 * _UNIT * float(np.finfo(np.float32).max)
        best = np.full((len(queries), m), -np.inf, dtype=np.float32)
        kept: list[tuple[IndexArray, IndexArray, FloatArray]] = []
        for place, block in self._blocks(m, only):
            with np.errstate(over="ignore", invalid="ignore"):
                rough = _products(queries, block)
            if blind.any():
                rough[blind[:, 0]] = 0.0
            for row, positions in enumerate(exclude or ()):
                out = np.isin(place, list(positions)) if positions else None
                if out is not None:
                    rough[row, out] = -np.inf
            if not kept:
                best = np.partition(rough, rough.shape[1] - m, axis=1)[:, -m:]
            rows, columns = np.nonzero(rough >= self._floor(best, margin)[:, None])
            values = rough[rows, columns]
            if kept:
                _improve(best, rows, values)
            kept.append((rows, place[columns], values))
        rows = np.concatenate([one[0] for one in kept])
        places = np.concatenate([one[1] for one in kept])
        values = np.concatenate([one[2] for one in kept])
        still = values >= self._floor(best, margin)[rows]
        rows, places = rows[still], places[still]
        order = np.argsort(rows, kind="stable")
        cuts = np.searchsorted(rows[order], np.arange(1, len(queries)))
        yield from np.split(places[order], cuts)

    def _blocks(self, m: int, only: IndexArray | None) -> Iterator[tuple[IndexArray, FloatArray]]:
        """Positions and vectors, at least m in the first block."""
        step = max(_BLOCK_VECTORS, m)
        for start in range(0, len(self) if only is None else len(only), step):
            if only is None:
                block = self.vectors[start : start + step]
                yield np.arange(start, start + len(block), dtype=np.intp), block
            else:
                places = np.asarray(only[start : start + step], dtype=np.intp)
                yield places, self.vectors[places]

    def _errors(self, queries: FloatArray) -> npt.NDArray[np.float64]:
        """b of each query: how far a rough similarity may be from the true one, [q]. Two of the
        roundings are those of the true one and of t - 2b."""
        size = self.vectors.shape[1]
        lengths = np.linalg.norm(queries.astype(np.float64), axis=1)
        errors: npt.NDArray[np.float64] = (
            1.01 * (size + 4) * _UNIT * lengths * self.longest + (size + 4) * _TINY
        )
        return errors

    @staticmethod
    def _floor(best: FloatArray, margin: npt.NDArray[np.float64]) -> FloatArray:
        """The lowest rough similarity of a candidate, [q]; what is excluded lies below."""
        floor: FloatArray = np.maximum(best.min(axis=1) - margin, _LOWEST).astype(np.float32)
        return floor

    def _exact(self, query: FloatArray, positions: IndexArray) -> FloatArray:
        """Similarities of vectors to a query, [positions]."""
        wide = query.astype(np.float64)
        found = [
            self.vectors[positions[start : start + _BLOCK_VECTORS]].astype(np.float64) @ wide
            for start in range(0, len(positions), _BLOCK_VECTORS)
        ]
        with np.errstate(over="ignore"):
            exact: FloatArray = np.concatenate([*found, wide[:0]]).astype(np.float32)
        return exact + np.float32(0)  # -0.0 is 0.0


def _products(queries: FloatArray, block: FloatArray) -> FloatArray:
    """Inner products in float32, in whatever order of sums is fastest, [q, n].

    A product with a single vector is bound by reading the matrix, and NumPy's `einsum` reads it 1.6
    times as fast as OpenBLAS's matrix-vector product does (benchmarks/retrieval, `exact`).
    """
    if len(queries) > _FEW:
        return queries @ block.T
    return np.stack([np.einsum("nd,d->n", block, query) for query in queries])


def _improve(best: FloatArray, rows: IndexArray, values: FloatArray) -> None:
    """Put values into the rows' m best, which stand in no order."""
    m = best.shape[1]
    for row in np.unique(rows):
        joined = np.concatenate((best[row], values[rows == row]))
        best[row] = np.partition(joined, len(joined) - m)[-m:]


def _longest(vectors: FloatArray) -> float:
    """The largest length of a vector; not finite where one of them is not."""
    longest = 0.0
    for start in range(0, len(vectors), _BLOCK_VECTORS):
        block = vectors[start : start + _BLOCK_VECTORS].astype(np.float64)
        longest = np.maximum(longest, np.einsum("nd,nd->n", block, block).max(initial=0.0))
    return float(np.sqrt(longest))
