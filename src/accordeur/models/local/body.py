"""What computes hidden states: the interface between the engine and a network.

Shapes use B rows, T positions of one row, P prefix positions, L layers, H heads, K key/value heads,
D head size, V vocabulary, E width of the hidden state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Prefix:
    """Keys and values of tokens that many rows start with.

    Attributes:
        tokens: the tokens, from the very first position.
        keys, values: per layer, [K, P, D], after the rotary embedding.
    """

    tokens: tuple[int, ...]
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]

    @property
    def length(self) -> int:
        """P."""
        return len(self.tokens)

    def start(self, length: int) -> Prefix:
        """Its first tokens, which know of no later ones in a network that reads left to right."""
        if length == self.length:
            return self
        keys = tuple(layer[:, :length].contiguous() for layer in self.keys)
        values = tuple(layer[:, :length].contiguous() for layer in self.values)
        return Prefix(self.tokens[:length], keys, values)

    @property
    def bytes(self) -> int:
        """Memory of keys and values."""
        return sum(tensor.nbytes for tensor in (*self.keys, *self.values))


@dataclass(frozen=True, slots=True)
class Layout:
    """What the positions of a batch are: left-padded row text, then the nodes of one tree.

    Attributes:
        lengths: real tokens of each row's text; the padding stands before them.
        width: columns of row text, the largest of `lengths`.
        depths: depth of each tree node below the row's last token, from 0; empty without a tree.
        sees: bool [nodes, nodes]; a node sees itself and its ancestors.
    """

    lengths: tuple[int, ...]
    width: int
    depths: Tensor
    sees: Tensor

    @property
    def nodes(self) -> int:
        """Tree nodes per row."""
        return int(self.depths.numel())

    @property
    def columns(self) -> int:
        """T, positions per row with padding."""
        return self.width + self.nodes

    def positions(self, offset: int) -> Tensor:
        """Position of every column in its own sequence, [B, T], after `offset` prefix tokens."""
        lengths = torch.tensor(self.lengths)[:, None]
        text = torch.arange(self.width)[None] - (self.width - lengths)
        tree = lengths + self.depths[None]
        return torch.cat((text.clamp_min(0), tree), dim=1) + offset

    def real(self) -> Tensor:
        """True where a column of row text is not padding, bool [B, width]."""
        lengths = torch.tensor(self.lengths)[:, None]
        return torch.arange(self.width)[None] >= self.width - lengths

    def visible(self) -> Tensor:
        """Which column sees which, bool [B, T, T]; padding sees itself, or softmax gives NaN."""
        rows, width, columns = len(self.lengths), self.width, self.columns
        seen = torch.zeros(rows, columns, columns, dtype=torch.bool)
        real = self.real()
        causal = torch.ones(width, width, dtype=torch.bool).tril()
        seen[:, :width, :width] = causal & real[:, None, :]
        seen[:, width:, :width] = real[:, None, :]
        seen[:, width:, width:] = self.sees
        return seen | torch.eye(columns, dtype=torch.bool)


def text_layout(lengths: Sequence[int]) -> Layout:
    """The layout of rows without a tree."""
    empty = torch.zeros(0, dtype=torch.long)
    return Layout(tuple(lengths), max(lengths), empty, torch.zeros(0, 0, dtype=torch.bool))


class Body(Protocol):
    """A network without its head."""

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        ...

    @property
    def vocabulary(self) -> int:
        """V, rows of the embedding table; virtual tokens are numbered from here."""
        ...

    def with_virtual(self, vectors: Tensor) -> Body:
        """The same network with virtual tokens, [n, E], whose ids follow the vocabulary's."""
        ...

    def extend(self, tokens: Sequence[int], past: Prefix | None) -> Prefix:
        """Keys and values of `past` followed by `tokens`."""
        ...

    def hidden(self, tokens: Tensor, layout: Layout, prefix: Prefix | None) -> Tensor:
        """Final hidden states of the last text column and of all nodes, ready for the head.

        Args:
            tokens: [B, T].
            layout: what the T columns are.
            prefix: what all rows start with.

        Returns:
            [B, 1 + nodes, E].
        """
        ...

    def start(
        self, tokens: Tensor, layout: Layout, prefix: Prefix | None, room: int
    ) -> tuple[Tensor, Any]:
        """Begin decoding: hidden states [B, E] of the last tokens, and a state for `step`.

        Args:
            tokens, layout, prefix: as `hidden`, without a tree.
            room: steps that will follow at most.
        """
        ...

    def step(self, state: Any, tokens: Tensor) -> Tensor:
        """One more token [B] for every row; hidden states [B, E]."""
        ...

    def keep(self, state: Any, rows: Tensor) -> None:
        """Go on with these rows only, [B'] indices."""
        ...
