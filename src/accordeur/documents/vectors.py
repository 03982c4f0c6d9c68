"""Exact nearest-neighbour search by inner product, without an index structure.

Similarities are computed in float64 and rounded to float32. The rounding hides the last bits, which
depend on how a matrix product was cut into blocks, so equal vectors get equal similarities and the
result does not depend on which queries were asked together.

The order is total: higher similarity first, then lower index. To select by it in one partition,
each pair becomes one 64-bit key, the similarity's bits (made monotone) above the inverted index.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from accordeur.core.model import FloatArray

IndexArray = npt.NDArray[np.intp]
_Keys = npt.NDArray[np.uint64]

_BLOCK_VECTORS = 8_192  # 25 MB in float64 at dimension 384
_BLOCK_QUERIES = 512

_SIGN = np.uint32(0x80000000)
_LOW = np.uint64(0xFFFFFFFF)
_ABSENT = np.uint64(0)  # below the key of every finite similarity


class VectorIndex:
    """Vectors to search among.

    Args:
        vectors: float32 [n, d]; unit length makes the inner product a cosine.
        ids: a name for each vector, for callers that map positions back.

    Raises:
        ValueError: not a matrix, not finite, or not as many ids as vectors.
    """

    def __init__(self, vectors: FloatArray, ids: Sequence[str]) -> None:
        matrix = np.asarray(vectors, dtype=np.float32)
        if matrix.ndim != 2:
            raise ValueError(f"vectors must have shape [n, d], got {matrix.shape}")
        if len(ids) != len(matrix):
            raise ValueError(f"{len(ids)} ids for {len(matrix)} vectors")
        if not np.isfinite(matrix).all():
            raise ValueError("vectors hold NaN or infinity")
        self.vectors = matrix
        self.ids = tuple(ids)

    def __len__(self) -> int:
        """n, the number of vectors."""
        return len(self.vectors)

    def search(
        self,
        queries: FloatArray,
        k: int,
        exclude: Sequence[Collection[int]] | None = None,
    ) -> tuple[IndexArray, FloatArray]:
        """The k vectors of highest inner product with each query.

        Args:
            queries: float32 [q, d].
            k: how many, at least 1.
            exclude: per query, positions that may not be found.

        Returns:
            Positions [q, m] and similarities [q, m], m = min(k, n), best first, ties to the lower
            position. Where exclusion leaves fewer than m, the rest is -1 and -infinity.

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
        m = min(k, len(self))
        best = np.full((len(asked), m), _ABSENT, dtype=np.uint64)
        for start in range(0, len(asked), _BLOCK_QUERIES):
            rows = slice(start, start + _BLOCK_QUERIES)
            left_out = None if exclude is None else exclude[rows]
            best[rows] = self._best(asked[rows], m, left_out)
        return _decode(best)

    def _best(
        self, queries: FloatArray, m: int, exclude: Sequence[Collection[int]] | None
    ) -> _Keys:
        """Keys of the m best of each query, best first: [q, m]."""
        wide = queries.astype(np.float64)
        best: _Keys = np.full((len(queries), m), _ABSENT, dtype=np.uint64)
        if m == 0:
            return best
        for start in range(0, len(self), _BLOCK_VECTORS):
            block = self.vectors[start : start + _BLOCK_VECTORS].astype(np.float64)
            keys = _encode((wide @ block.T).astype(np.float32), start)
            for row, positions in enumerate(exclude or ()):
                inside = [p - start for p in positions if start <= p < start + len(block)]
                keys[row, inside] = _ABSENT
            joined = np.concatenate([best, keys], axis=1)
            best = np.partition(joined, joined.shape[1] - m, axis=1)[:, -m:]
        best.sort(axis=1)
        return best[:, ::-1]


def _encode(similarities: FloatArray, start: int) -> _Keys:
    """Keys that order as (similarity, then lower position) do; positions begin at `start`."""
    bits = (similarities + np.float32(0)).view(np.uint32)  # -0.0 + 0.0 is 0.0
    monotone = np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(np.uint64)
    positions = np.arange(start, start + similarities.shape[1], dtype=np.uint64)
    keys: _Keys = (monotone << np.uint64(32)) | (_LOW - positions)
    return keys


def _decode(keys: _Keys) -> tuple[IndexArray, FloatArray]:
    """Positions and similarities of keys; -1 and -infinity where there is none."""
    absent = keys == _ABSENT
    monotone = (keys >> np.uint64(32)).astype(np.uint32)
    bits = np.where(monotone & _SIGN, monotone & ~_SIGN, ~monotone).astype(np.uint32)
    similarities = np.where(absent, np.float32(-np.inf), bits.view(np.float32))
    positions = np.where(absent, -1, (_LOW - (keys & _LOW)).astype(np.int64))
    return positions.astype(np.intp), similarities.astype(np.float32)
