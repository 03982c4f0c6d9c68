"""Matrix products of a network, in the shape that the processor's library multiplies fastest.

`x @ W.T` of few rows is what `torch.nn.functional.linear` is slowest at on a CPU. Measured with MKL
in float32 on two AVX2 cores (docs/benchmarks.md): one row is computed by one thread only, and for 2
to 256 rows the same product taken from the other side, `W @ x.T`, is 1.1 to 3 times as fast. From
some 500 rows on the two are equal, and above some 1,000 the plain product suffers from the size of
its result.
"""

from __future__ import annotations

import torch
from torch import Tensor

FEW_ROWS = 256
"""Rows up to which the weight stands on the left."""

MOST_ROWS = 1_024
"""Rows multiplied at once."""

_SLICES = 8
"""Slices of a weight that threads share when there is a single row."""


def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`rows @ weight.T + bias`.

    Args:
        rows: [N, K].
        weight: [O, K], contiguous.
        bias: [O] or `None`.

    Returns:
        [N, O]; for few rows in column order, which element-wise operations keep and the next
        product takes as it is.
    """
    if rows.dtype != torch.float32 or rows.device.type != "cpu":
        return torch.nn.functional.linear(rows, weight, bias)
    if len(rows) == 1:
        found = _single(rows, weight)
    elif len(rows) <= FEW_ROWS:
        found = torch.mm(weight, rows.t()).t()
    elif len(rows) <= MOST_ROWS:
        return torch.nn.functional.linear(rows, weight, bias)
    else:
        found = rows.new_empty(len(rows), len(weight))
        for start in range(0, len(rows), MOST_ROWS):
            part = slice(start, start + MOST_ROWS)
            torch.mm(rows[part], weight.t(), out=found[part])
    return found if bias is None else found.add_(bias)


def _single(row: Tensor, weight: Tensor) -> Tensor:
    """One row: slices of the weight are a batch, which threads share."""
    outputs, inputs = weight.shape
    if outputs % _SLICES or torch.get_num_threads() == 1:
        return torch.nn.functional.linear(row, weight)
    slices = weight.view(_SLICES, outputs // _SLICES, inputs)
    return torch.bmm(slices, row.t().expand(_SLICES, inputs, 1)).view(1, outputs)
