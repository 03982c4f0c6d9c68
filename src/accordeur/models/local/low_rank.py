"""Low-rank updates beside a weight instead of in it: W x + s B (A x).

So many adapters stand on one copy of the base's weights, which merging would copy for each. Maps
that were joined (query, key and value) have an update for each of their parts; the A of all parts
are one product. Numbers differ from merged weights in rounding alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from accordeur.core.errors import ModelError
from accordeur.core.model import Delta
from accordeur.models.local.product import product


@dataclass(frozen=True, slots=True)
class Part:
    """The update of one of the maps that were joined.

    Attributes:
        b: [out, r], scale included.
        start: first output it changes.
        rank: first of its rows of A.
    """

    b: Tensor
    start: int
    rank: int


@dataclass(frozen=True, slots=True)
class LowRank:
    """The update of a joint map.

    Attributes:
        a: [ranks of all parts, in].
        parts: at least one.
    """

    a: Tensor
    parts: tuple[Part, ...]

    def add(self, rows: Tensor, found: Tensor) -> Tensor:
        """Add the update of [N, in] to what the weight made of it, [N, out], in place."""
        inner = product(rows, self.a)
        for part in self.parts:
            rank, outputs = part.b.shape[1], part.b.shape[0]
            own = inner[:, part.rank : part.rank + rank].contiguous()
            found[:, part.start : part.start + outputs] += product(own, part.b)
        return found


OTHER_BASE = "use the base model that the bundle names"


def check_shape(name: str, delta: Delta, outputs: int, inputs: int) -> None:
    """An update must have the shape of the weight it changes.

    Raises:
        ModelError: it has another.
    """
    a, b = delta.a.shape, delta.b.shape
    fits = len(a) == len(b) == 2 and a[0] == b[1] and (b[0], a[1]) == (outputs, inputs)
    if not fits or (delta.magnitude is not None and delta.magnitude.shape != (outputs,)):
        raise ModelError(
            f"The adapter of `{name}` has another shape than this model's weight.",
            hint=OTHER_BASE,
        )


def joined(
    modules: Sequence[tuple[str, int]],
    inputs: int,
    deltas: Mapping[str, Delta],
    norm: Tensor | None,
    like: Tensor,
) -> LowRank | None:
    """The update of maps that are joined in this order; `None` when none of them has one.

    Args:
        modules: their names and numbers of outputs.
        inputs: that all of them have.
        deltas: by name.
        norm: weights of the norm before them, folded into the maps; it goes into A alike.
        like: of the dtype and on the device that is wanted.

    Raises:
        ModelError: an update has another shape than its map.
    """
    first, parts, start, rank = [], [], 0, 0
    for name, outputs in modules:
        if name in deltas:
            delta = deltas[name]
            check_shape(name, delta, outputs, inputs)
            a = torch.from_numpy(delta.a).to(like.device)
            first.append(a if norm is None else a * norm.float())
            b = (torch.from_numpy(delta.b) * delta.scale).to(like)
            parts.append(Part(b, start, rank))
            rank += len(delta.a)
        start += outputs
    if not parts:
        return None
    return LowRank(torch.cat(first).to(like), tuple(parts))
