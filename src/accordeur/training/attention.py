"""Attention over a sequence that is a prefix and then rows which all continue it.

Given to transformers as an attention function, so that every other layer sees one sequence: its
products run over the prefix once and over all rows together. Each row attends to the prefix and to
itself. The fused kernel never holds the scores of all pairs, which long texts need; on a CPU and
for short rows its backward pass takes several times as long as plain products and a softmax, which
hold them. Measured: docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

PLAIN_SCORES = 1 << 21
"""Scores of one layer up to which a CPU keeps them all for the backward pass."""

NAME = "accordeur_shared_prefix"

KeysAndValues = Sequence[tuple[Tensor, Tensor]]
"""Per layer, each [K, P, D]; empty without any."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where prefix and rows stand in the sequence.

    Attributes:
        prefix: positions of the prefix; 0 without one.
        rows, width: rows behind it, padded to one width.
        stored: keys and values of positions before the prefix.
    """

    prefix: int
    rows: int
    width: int
    stored: KeysAndValues = ()
    _masks: dict[Any, Tensor] = field(default_factory=dict)

    @property
    def before(self) -> int:
        """Positions before a row's first."""
        return self.prefix + (self.stored[0][0].shape[1] if self.stored else 0)

    def positions(self) -> Tensor:
        """Of the sequence, [prefix + rows * width]."""
        past = self.before - self.prefix
        own = torch.arange(self.before, self.before + self.width)
        return torch.cat((torch.arange(past, self.before), own.repeat(self.rows)))

    def mask(self, queries: int, keys: int, window: int | None, like: Tensor) -> Tensor:
        """What the last `queries` of `keys` positions may not see, [queries, keys] to be added."""
        known = (queries, keys, window)
        if known not in self._masks:
            hidden = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
            if window is not None:
                hidden |= torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries - window)
            mask = torch.zeros(queries, keys, dtype=like.dtype)
            self._masks[known] = mask.masked_fill_(hidden, torch.finfo(like.dtype).min).to(
                like.device
            )
        return self._masks[known]


_LAYOUT: ContextVar[Layout] = ContextVar("layout")


def able(base: Any) -> bool:
    """Whether a transformer's attention can be exchanged for this one.

    Not where scores are capped or sinks added: such models were loaded with an attention of their
    own.
    """
    return bool(base.config._attn_implementation == "sdpa" and base._supports_attention_backend)


@contextmanager
def attending(base: Any, layout: Layout) -> Iterator[None]:
    """Let a transformer attend in this layout, and as before afterwards."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attention)
    token = _LAYOUT.set(layout)
    base.set_attn_implementation(NAME)
    try:
        yield
    finally:
        base.set_attn_implementation("sdpa")
        _LAYOUT.reset(token)


def _attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """[1, T, heads, D] from query [1, heads, T, D], key and value [1, K, T, D]."""
    layout = _LAYOUT.get()
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    end = layout.prefix
    keys, values = key[0, :, :end], value[0, :, :end]
    if layout.stored:
        stored_keys, stored_values = layout.stored[module.layer_idx]
        keys, values = torch.cat((stored_keys, keys), 1), torch.cat((stored_values, values), 1)
    parts = []
    if end:
        mask = layout.mask(end, keys.shape[1], sliding_window, query)
        parts.append(attend(query[:, :, :end], keys[None], values[None], mask, scale))
    own = [
        one[0, :, end:].reshape(len(one[0]), layout.rows, layout.width, -1).transpose(0, 1)
        for one in (query, key, value)
    ]
    seen = [
        torch.cat((shared.expand(layout.rows, -1, -1, -1), mine), 2)
        for shared, mine in ((keys, own[1]), (values, own[2]))
    ]
    mask = layout.mask(layout.width, seen[0].shape[2], sliding_window, query)
    made = attend(own[0], seen[0], seen[1], mask, scale)
    parts.append(made.transpose(0, 1).flatten(1, 2)[None])
    return torch.cat(parts, 2).transpose(1, 2).contiguous(), None


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Softmax attention, [B, heads, Q, D].

    Args:
        query: [B, heads, Q, D].
        key, value: [B, K, L, D]; heads is a multiple of K.
        mask: added to the scores, [Q, L].
        scale: of the scores.
    """
    batch, heads, queries, _ = query.shape
    if query.device.type != "cpu" or batch * heads * mask.numel() > PLAIN_SCORES:
        return torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, scale=scale, enable_gqa=True
        )
    group = heads // key.shape[1]
    # Heads that share keys become more queries of them.
    scores = query.reshape(batch, key.shape[1], group * queries, -1) @ key.transpose(2, 3)
    scores = scores * scale + mask.repeat(group, 1)
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    return (weights @ value).reshape(batch, heads, queries, -1)
