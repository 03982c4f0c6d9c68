"""Our own forward pass for the Llama family on a CPU: the same network, less work around it.

RMSNorm, rotary embedding (Su et al. 2021), grouped-query attention (Ainslie et al. 2023) and SwiGLU
(Shazeer 2020) as in Llama. Where we differ from the modules of transformers is in what is moved:

- Query, key and value maps are one product, gate and up maps another; the weights of the norms are
  folded into the maps that follow them.
- The query heads of a group stand beside each other as rows, so a key is read once per group.
- Keys of the shared prefix are never copied per row: the queries of all rows meet them in one call.
  Attention over the prefix and over a row's own positions are two calls whose results are merged
  by their log-normalisers, as in flash attention (Dao et al. 2022).
- Tree nodes in depth-first order see only a window of the tree, so they are taken in blocks, each
  with its own block of keys and the ancestors of its first node.
- The last layer computes only the positions that are asked for.

Keys of a `Prefix` made here stand in the same order as those of transformers.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from accordeur.core.model import Delta
from accordeur.models.local.body import Layout, Prefix, text_layout
from accordeur.models.local.embedding import Embedding
from accordeur.models.local.low_rank import LowRank, joined
from accordeur.models.local.product import product

FAMILIES = frozenset({"llama", "mistral", "qwen2"})

_MLP_TOKENS = 512
"""Tokens whose inner activations are held at once, so that they stay in the processor's cache."""

_TREE_BLOCK = 64


@dataclass(frozen=True, slots=True)
class _Layer:
    qkv: Tensor  # [(H + 2K) D, E], input norm folded in
    qkv_bias: Tensor | None
    out: Tensor  # [E, H D]
    gate_up: Tensor  # [2 I, E], second norm folded in
    down: Tensor  # [E, I]
    norms: tuple[Tensor, Tensor]  # [E] each, those that are folded in
    added: tuple[LowRank | None, ...] = (None, None, None, None)  # to qkv, out, gate_up, down


@dataclass(frozen=True, slots=True)
class _Block:
    """One call of attention over a row's own positions.

    Attributes:
        start, end: columns of the queries.
        keys: columns of the keys; `None` means columns 0 to `end`.
        bias: 0 or -inf, [B, 1, (end - start) G, keys].
    """

    start: int
    end: int
    keys: Tensor | None
    bias: Tensor


def supported(config: Any) -> bool:
    """Whether a transformers configuration describes a network this file computes."""
    rope = getattr(config, "rope_parameters", None) or {}
    return (
        config.model_type in FAMILIES
        and config.hidden_act == "silu"
        and not getattr(config, "mlp_bias", False)
        and rope.get("rope_type", "default") in ("default", "linear", "llama3")
    )


class LlamaBody:
    """A network of the Llama family.

    Args:
        weights: names as in transformers, without the leading `model.`.
        config: of transformers.
        frequencies: rotary frequencies, [D/2].
        rope_scale: factor of cosine and sine.
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        config: Any,
        frequencies: Tensor,
        rope_scale: float,
    ) -> None:
        self._heads = int(config.num_attention_heads)
        self._groups = int(config.num_key_value_heads)
        width = int(config.hidden_size)
        self._size = int(getattr(config, "head_dim", None) or width // self._heads)
        self._epsilon = float(config.rms_norm_eps)
        self._weight = weights["embed_tokens.weight"]
        self._embed = Embedding(functools.partial(_looked_up, self._weight), len(self._weight))
        self._norm = weights["norm.weight"]
        self._frequencies = frequencies.float()
        self._rope_scale = rope_scale
        self._layers = [
            _fuse(weights, f"layers.{at}.") for at in range(int(config.num_hidden_layers))
        ]

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._weight.dtype

    @property
    def group(self) -> int:
        """G, query heads per key/value head."""
        return self._heads // self._groups

    @property
    def vocabulary(self) -> int:
        """V, rows of the embedding table; virtual tokens are numbered from here."""
        return self._embed.vocabulary

    def with_virtual(self, vectors: Tensor) -> LlamaBody:
        """The same network with virtual tokens, [n, E]; weights are shared."""
        body = copy.copy(self)
        body._embed = replace(self._embed, virtual=vectors.to(self._weight))
        return body

    def with_deltas(self, deltas: Mapping[str, Delta]) -> LlamaBody | None:
        """The same network with low-rank updates beside its weights, which are shared.

        Args:
            deltas: by the names of transformers.

        Returns:
            `None` when one of them cannot stand beside a weight (DoRA, or a module that is none of
            a layer's maps).

        Raises:
            ModelError: an update has another shape than its map.
        """
        known = {f"model.layers.{at}.{name}" for at in range(len(self._layers)) for name in _MAPS}
        for name, one in deltas.items():
            if name not in known or one.magnitude is not None:
                return None
        body = copy.copy(self)
        body._layers = [
            _with_deltas(layer, f"model.layers.{at}.", deltas, self._widths)
            for at, layer in enumerate(self._layers)
        ]
        return body

    @property
    def _widths(self) -> tuple[int, int]:
        return self._heads * self._size, self._groups * self._size

    def extend(self, tokens: Sequence[int], past: Prefix | None) -> Prefix:
        """Keys and values of `past` followed by `tokens`."""
        layout = text_layout([len(tokens)])
        run = _Run(self, layout, past)
        self._walk(run, torch.tensor([list(tokens)]), last=0)
        before = past.tokens if past is not None else ()
        keys, values = [], []
        for at, (key, value) in enumerate(run.made):
            own = (key[0], value[0])
            if past is not None:
                own = (
                    torch.cat((past.keys[at], own[0]), 1),
                    torch.cat((past.values[at], own[1]), 1),
                )
            keys.append(own[0].contiguous())
            values.append(own[1].contiguous())
        return Prefix((*before, *tokens), tuple(keys), tuple(values))

    def hidden(self, tokens: Tensor, layout: Layout, prefix: Prefix | None) -> Tensor:
        """Final hidden states of the last text column and all nodes, [B, 1 + nodes, E]."""
        return self._walk(_Run(self, layout, prefix), tokens, last=1 + layout.nodes)

    def start(
        self, tokens: Tensor, layout: Layout, prefix: Prefix | None, room: int
    ) -> tuple[Tensor, _Decoding]:
        """Begin decoding; see `Body.start`."""
        run = _Run(self, layout, prefix)
        hidden = self._walk(run, tokens, last=1)[:, 0]
        rows, width = len(layout.lengths), layout.width
        offset = prefix.length if prefix is not None else 0
        # A single row gets a copy of the prefix: one call of attention a layer instead of two.
        own = prefix if rows == 1 else None
        before = own.length if own is not None else 0
        filled = before + width
        keys: list[Tensor] = []
        values: list[Tensor] = []
        for index, made in enumerate(run.made):
            shared = (own.keys[index], own.values[index]) if own is not None else (None, None)
            for source, start, kept in zip(made, shared, (keys, values), strict=True):
                space = source.new_zeros(rows, self._groups, filled + room, self._size)
                if start is not None:
                    space[0, :, :before] = start
                space[:, :, before:filled] = source
                kept.append(space)
        bias = torch.zeros(rows, 1, 1, filled + room, dtype=self.dtype)
        bias[:, 0, 0, before:filled].masked_fill_(~layout.real(), float("-inf"))
        positions = torch.tensor(layout.lengths) + offset
        rest = prefix if own is None else None
        return hidden, _Decoding(keys, values, bias, filled, positions, rest)

    def step(self, state: _Decoding, tokens: Tensor) -> Tensor:
        """One more token for every row; hidden states [B, E]."""
        cosine, sine = self.rotation(state.positions)
        hidden = self._embed(tokens)
        rows, at = len(tokens), state.filled
        for index, layer in enumerate(self._layers):
            query, key, value = self._project(layer, hidden, cosine, sine)
            state.keys[index][:, :, at] = key
            state.values[index][:, :, at] = value
            own = (state.keys[index][:, :, : at + 1], state.values[index][:, :, : at + 1])
            # [K, B, G, D] -> [B, K, G, D]
            bias = state.bias[..., : at + 1].expand(-1, -1, query.shape[2], -1)
            mixed, normaliser = _attend(query.transpose(0, 1), *own, bias)
            mixed, normaliser = mixed.transpose(0, 1), normaliser.transpose(0, 1)
            mixed = _with_prefix(query, mixed, normaliser, state.prefix, index)
            mixed = mixed.permute(1, 0, 2, 3).reshape(rows, -1)
            hidden = self._finish(layer, hidden, mixed)
        state.filled += 1
        state.positions = state.positions + 1
        return self._final(hidden)

    def keep(self, state: _Decoding, rows: Tensor) -> None:
        """Go on with these rows only."""
        for held in (state.keys, state.values):
            for at, tensor in enumerate(held):
                held[at] = tensor[rows]
        state.bias, state.positions = state.bias[rows], state.positions[rows]

    def _walk(self, run: _Run, tokens: Tensor, last: int) -> Tensor:
        """All layers over [B, T] tokens; hidden states of the last `last` columns.

        With `last` 0 the last layer only makes keys and values, and the result is empty.
        """
        rows, columns = tokens.shape
        hidden = self._embed(tokens.flatten())
        for index, layer in enumerate(self._layers):
            ending = index + 1 == len(self._layers)
            first = columns - last if ending else 0
            query, key, value = self._project(layer, hidden, run.cosine, run.sine)
            key = key.view(rows, columns, self._groups, self._size).transpose(1, 2)
            value = value.view(rows, columns, self._groups, self._size).transpose(1, 2)
            run.made.append((key, value))
            if first == columns:
                return hidden[:0]
            query = query.view(self._groups, rows, columns, -1, self._size)
            mixed = run.attend(query, key, value, index, first)
            if first:
                hidden = hidden.view(rows, columns, -1)[:, first:].flatten(0, 1)
            hidden = self._finish(layer, hidden, mixed)
        return self._final(hidden).view(rows, last, -1)

    def rotation(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of every position [N], each [N, 1, D/2]."""
        angles = (positions.float()[:, None] * self._frequencies)[:, None]
        scale = self._rope_scale
        return (angles.cos() * scale).to(self.dtype), (angles.sin() * scale).to(self.dtype)

    def _project(
        self, layer: _Layer, hidden: Tensor, cosine: Tensor, sine: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries [K, N, G, D], keys and values [N, K, D] of hidden states [N, E]."""
        joint = _mapped(layer, 0, _normalised(hidden, self._epsilon))
        # Attention reads heads whose numbers stand side by side.
        joint = joint.contiguous().view(len(hidden), -1, self._size)
        parts = [self._heads, self._groups, self._groups]
        query, key, value = torch.split(joint, parts, dim=1)
        query = query.view(len(hidden), self._groups, -1, self._size).permute(1, 0, 2, 3)
        return _rotate(query, cosine[None], sine[None]), _rotate(key, cosine, sine), value

    def _finish(self, layer: _Layer, hidden: Tensor, mixed: Tensor) -> Tensor:
        """Output map, feed-forward network and both residual sums; [N, E]."""
        hidden = hidden + _mapped(layer, 1, mixed)
        result = torch.empty_like(hidden)
        for start in range(0, len(hidden), _MLP_TOKENS):
            part = hidden[start : start + _MLP_TOKENS]
            gate, up = _mapped(layer, 2, _normalised(part, self._epsilon)).chunk(2, dim=-1)
            inner = torch.nn.functional.silu(gate).mul_(up)
            torch.add(part, _mapped(layer, 3, inner), out=result[start : start + len(part)])
        return result

    def _final(self, hidden: Tensor) -> Tensor:
        return _normalised(hidden, self._epsilon) * self._norm


@dataclass(slots=True)
class _Decoding:
    """State between steps.

    Attributes:
        keys, values: per layer [B, K, room, D], of which `filled` columns are in use.
        bias: 0 or -inf, [B, 1, 1, room]; padding is hidden.
        filled: columns in use.
        positions: [B], of the next token.
        prefix: what all rows start with; `None` where the cache of a single row holds it.
    """

    keys: list[Tensor]
    values: list[Tensor]
    bias: Tensor
    filled: int
    positions: Tensor
    prefix: Prefix | None


class _Run:
    """One pass over a layout: its rotation, its attention blocks, and the keys it makes."""

    def __init__(self, body: LlamaBody, layout: Layout, prefix: Prefix | None) -> None:
        offset = prefix.length if prefix is not None else 0
        self.cosine, self.sine = body.rotation(layout.positions(offset).flatten())
        self.made: list[tuple[Tensor, Tensor]] = []
        self._prefix = prefix
        group = body.group
        self._blocks = _blocks(layout, group, body.dtype)
        self._last = _blocks(layout, group, body.dtype, from_column=layout.width - 1)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, index: int, first: int) -> Tensor:
        """Attention of columns from `first` over the prefix and their own row.

        Args:
            query: [K, B, T, G, D].
            key, value: [B, K, T, D].
            index: of the layer.
            first: first column that is asked for.

        Returns:
            [B (T - first), H D].
        """
        groups, rows, columns, group, size = query.shape
        mixed = query.new_empty(groups, rows, columns - first, group, size)
        normaliser = torch.empty(groups, rows, columns - first, group)
        for block in self._last if first else self._blocks:
            asked = query[:, :, block.start : block.end].transpose(0, 1).flatten(2, 3)
            if block.keys is None:
                own = (key[:, :, : block.end], value[:, :, : block.end])
            else:
                own = (key.index_select(2, block.keys), value.index_select(2, block.keys))
            part, norm = _attend(asked, *own, block.bias)
            length = block.end - block.start
            at = slice(block.start - first, block.end - first)
            mixed[:, :, at] = part.view(rows, groups, length, group, size).transpose(0, 1)
            normaliser[:, :, at] = norm.view(rows, groups, length, group).transpose(0, 1)
        if self._prefix is not None:
            asked = query[:, :, first:].reshape(groups, -1, group, size)
            flat = mixed.view(groups, -1, group, size)
            norms = normaliser.view(groups, -1, group)
            mixed = _with_prefix(asked, flat, norms, self._prefix, index).view(mixed.shape)
        return mixed.permute(1, 2, 0, 3, 4).reshape(rows * (columns - first), -1)


def _with_prefix(
    query: Tensor, own: Tensor, normaliser: Tensor, prefix: Prefix | None, index: int
) -> Tensor:
    """Merge attention over a row's own positions with attention over the prefix.

    With outputs o1, o2 and log-normalisers z1, z2, attention over both sets of keys is
    sigmoid(z1 - z2) o1 + sigmoid(z2 - z1) o2.

    Args:
        query: [K, N, G, D].
        own: [K, N, G, D], attention over own positions.
        normaliser: [K, N, G], its log-normaliser.
    """
    if prefix is None:
        return own
    groups, rows, group, size = query.shape
    shape = (1, groups, rows * group, size)
    keys, values = prefix.keys[index][None], prefix.values[index][None]
    shared, shared_norm = _attend(query.reshape(shape), keys, values, None)
    share = torch.sigmoid(shared_norm.view(groups, rows, group) - normaliser)
    return torch.lerp(own, shared.view(query.shape), share[..., None].to(own.dtype))


def _attend(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Attention [B, K, Q, D] over keys [B, K, S, D], and its float32 log-normaliser [B, K, Q].

    The operator behind `scaled_dot_product_attention` on a CPU, called by its own name because only
    that gives the normaliser.
    """
    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(  # type: ignore[no-any-return]
        query, key, value, attn_mask=bias
    )


def _blocks(layout: Layout, group: int, dtype: torch.dtype, from_column: int = 0) -> list[_Block]:
    """Blocks of queries from a column on: the text, then the tree by windows."""
    seen = layout.visible()
    found = [_block(seen, from_column, layout.width, None, group, dtype)]
    for start in range(0, layout.nodes, _TREE_BLOCK):
        end = min(start + _TREE_BLOCK, layout.nodes)
        # In depth-first order a block sees itself and ancestors of its first node.
        above = layout.sees[start:end, :start].any(0).nonzero()[:, 0]
        tree = torch.cat((above, torch.arange(start, end))) + layout.width
        keys = torch.cat((torch.arange(layout.width), tree))
        first, last = layout.width + start, layout.width + end
        found.append(_block(seen, first, last, keys, group, dtype))
    return found


def _block(
    seen: Tensor, start: int, end: int, keys: Tensor | None, group: int, dtype: torch.dtype
) -> _Block:
    part = seen[:, start:end, :end] if keys is None else seen[:, start:end].index_select(2, keys)
    bias = torch.zeros(part.shape, dtype=dtype).masked_fill_(~part, float("-inf"))
    return _Block(start, end, keys, bias.repeat_interleave(group, dim=1)[:, None])


def _looked_up(weight: Tensor, tokens: Tensor) -> Tensor:
    return torch.nn.functional.embedding(tokens, weight)


def _normalised(hidden: Tensor, epsilon: float) -> Tensor:
    """RMSNorm without its weight."""
    wide = hidden.float()
    norm = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    scale = torch.rsqrt(norm.square() / hidden.shape[-1] + epsilon)
    return (wide * scale).to(hidden.dtype)


def _rotate(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary embedding of [..., D] whose halves form the pairs; contiguous."""
    low, high = heads.chunk(2, dim=-1)
    return torch.cat((low * cosine - high * sine, high * cosine + low * sine), dim=-1)


_ATTENTION = tuple(f"self_attn.{kind}_proj" for kind in "qkv")
_MAPS = (*_ATTENTION, "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")


def _mapped(layer: _Layer, which: int, rows: Tensor) -> Tensor:
    """One of a layer's four maps, with what stands beside it."""
    weight = (layer.qkv, layer.out, layer.gate_up, layer.down)[which]
    found = product(rows, weight, layer.qkv_bias if which == 0 else None)
    added = layer.added[which]
    return found if added is None else added.add(rows, found)


def _with_deltas(
    layer: _Layer, name: str, deltas: Mapping[str, Delta], widths: tuple[int, int]
) -> _Layer:
    queries, keys = widths
    inner = len(layer.gate_up) // 2
    maps = (
        (tuple(zip(_ATTENTION, (queries, keys, keys), strict=True)), layer.norms[0]),
        ((("self_attn.o_proj", len(layer.out)),), None),
        ((("mlp.gate_proj", inner), ("mlp.up_proj", inner)), layer.norms[1]),
        ((("mlp.down_proj", len(layer.down)),), None),
    )
    weights = (layer.qkv, layer.out, layer.gate_up, layer.down)
    added = tuple(
        joined(
            [(f"{name}{part}", size) for part, size in modules],
            weight.shape[1],
            deltas,
            norm,
            layer.out,
        )
        for (modules, norm), weight in zip(maps, weights, strict=True)
    )
    return replace(layer, added=added)


def _fuse(weights: Mapping[str, Tensor], name: str) -> _Layer:
    def of(part: str) -> Tensor:
        return weights[f"{name}{part}.weight"]

    def fused(parts: Sequence[str], norm: str) -> Tensor:
        together = torch.cat([of(part) for part in parts])
        if together.dtype == torch.float32:
            return together.mul_(of(norm))  # in place: a second copy would double the load time
        return (together.float() * of(norm).float()).to(together.dtype)

    biases = [weights.get(f"{name}{part}.bias") for part in _ATTENTION]
    bias = torch.cat([b for b in biases if b is not None]) if biases[0] is not None else None
    return _Layer(
        qkv=fused(_ATTENTION, "input_layernorm"),
        qkv_bias=bias,
        out=of("self_attn.o_proj"),
        gate_up=fused(["mlp.gate_proj", "mlp.up_proj"], "post_attention_layernorm"),
        down=of("mlp.down_proj"),
        norms=(of("input_layernorm"), of("post_attention_layernorm")),
    )
