"""Tokens to vectors, virtual tokens among them.

A virtual token is a number from V on, V being the rows of the vocabulary's own table. To everything
but this lookup it is a token like any other: prefixes that hold some are cached, shared and counted
as ever. The model can never write one, since the head knows the vocabulary alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Embedding:
    """The lookup of one network.

    Attributes:
        table: the vocabulary's vectors, from ids of any shape to [..., E].
        vocabulary: V, rows of the table.
        virtual: [n, E], vectors of tokens V to V + n - 1; `None` without any.
    """

    table: Callable[[Tensor], Tensor]
    vocabulary: int
    virtual: Tensor | None = None

    def __call__(self, tokens: Tensor) -> Tensor:
        """Vectors [..., E] of ids [...]."""
        if self.virtual is None:
            return self.table(tokens)
        usual = self.table(tokens.clamp_max(self.vocabulary - 1))
        own = self.virtual[(tokens - self.vocabulary).clamp_min(0)]
        return torch.where((tokens >= self.vocabulary)[..., None], own.to(usual.dtype), usual)
