"""The modules of a T5 model as a body: an encoder that reads prompts, a decoder that answers.

T5 (Raffel et al. 2020) and mT5 (Xue et al. 2021), FLAN models among them. The encoder runs once per
row of a batch. Label trees run through the decoder as one sequence: the mask lets a node see its
ancestors alone, and carries what is missing from the position bias. Those modules add a bias by the
distance of two columns; a node stands `depth` positions behind the start, wherever its column is,
so the mask adds the bias of the right distance and takes away the one of the columns. The decoder's
first layer holds that bias and all layers add it, hence one mask serves all.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from accordeur.core.errors import ModelError
from accordeur.models.local.body import Layout, Prefix
from accordeur.models.local.embedding import Embedding

FAMILIES = frozenset({"t5", "mt5"})
"""`model_type` of what this file computes."""


@dataclass(slots=True)
class _Decoding:
    """State between steps."""

    encoded: Tensor  # [B, S, E]
    real: Tensor  # bool [B, S], false at padding
    cache: Any


class EncoderDecoderBody:
    """A T5 network without its head.

    `hidden` and `start` read a layout's text columns with the encoder and its tree with the
    decoder, whose start token stands in for the last text column. No prefix can be computed ahead.

    Args:
        model: T5 or mT5 with a language model's head, of transformers.
        config: its configuration.
    """

    def __init__(self, model: Any, config: Any) -> None:
        self._encoder, self._decoder = model.encoder, model.decoder
        self._first = self._decoder.block[0].layer[0].SelfAttention
        self._scale = output_scale(config)
        self._start = start_token(config)
        table = self._encoder.embed_tokens
        self._weight: Tensor = table.weight
        self._embed = Embedding(table, int(table.weight.shape[0]))

    @property
    def vocabulary(self) -> int:
        """V, rows of the embedding table; virtual tokens are numbered from here."""
        return self._embed.vocabulary

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._weight.dtype

    def with_virtual(self, vectors: Tensor) -> EncoderDecoderBody:
        """The same network with virtual tokens, [n, E], for its encoder; weights are shared."""
        body = copy.copy(self)
        body._embed = replace(self._embed, virtual=vectors.to(self._weight))
        return body

    def extend(self, tokens: Sequence[int], past: Prefix | None) -> Prefix:
        """Refused: what an encoder makes of a token depends on all that follow.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            "An encoder reads a prompt from both sides; no part of it can be computed ahead.",
            hint="use a decoder-only model for levers that train keys and values",
        )

    def hidden(self, tokens: Tensor, layout: Layout, prefix: Prefix | None) -> Tensor:
        """Final hidden states of the decoder's start and of all nodes, [B, 1 + nodes, E]."""
        encoded, real = self._encoded(tokens[:, : layout.width], layout)
        start = tokens.new_full((len(tokens), 1), self._start)
        return self._decoded(
            torch.cat((start, tokens[:, layout.width :]), dim=1),
            encoded,
            real,
            attention_mask=self._tree_mask(layout),
            use_cache=False,
        )[0]

    def start(
        self, tokens: Tensor, layout: Layout, prefix: Prefix | None, room: int
    ) -> tuple[Tensor, _Decoding]:
        """Begin decoding; see `Body.start`."""
        encoded, real = self._encoded(tokens, layout)
        first = tokens.new_full((len(tokens), 1), self._start)
        hidden, cache = self._decoded(first, encoded, real, use_cache=True)
        return hidden[:, -1], _Decoding(encoded, real, cache)

    def step(self, state: _Decoding, tokens: Tensor) -> Tensor:
        """One more token for every row; hidden states [B, E]."""
        hidden, state.cache = self._decoded(
            tokens[:, None], state.encoded, state.real, past_key_values=state.cache, use_cache=True
        )
        return hidden[:, -1]

    def keep(self, state: _Decoding, rows: Tensor) -> None:
        """Go on with these rows only."""
        rows = rows.to(self.device)
        state.cache.batch_select_indices(rows)
        state.encoded, state.real = state.encoded[rows], state.real[rows]

    def _encoded(self, tokens: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """The encoder's states [B, S, E] of row texts, and which are of no padding, [B, S]."""
        real = layout.real().to(self.device)
        vectors = self._embed(tokens.to(self.device))
        return self._encoder(inputs_embeds=vectors, attention_mask=real).last_hidden_state, real

    def _decoded(
        self, tokens: Tensor, encoded: Tensor, real: Tensor, **settings: Any
    ) -> tuple[Tensor, Any]:
        """Hidden states [B, T, E], ready for the head, and the cache."""
        output = self._decoder(
            input_ids=tokens.to(self.device),
            encoder_hidden_states=encoded,
            encoder_attention_mask=real,
            **settings,
        )
        return output.last_hidden_state * self._scale, output.past_key_values

    def _tree_mask(self, layout: Layout) -> Tensor:
        """What the decoder adds to its attention over start and nodes, [1, H, T, T]."""
        count = 1 + layout.nodes
        depths = torch.cat((torch.zeros(1, dtype=torch.long), 1 + layout.depths)).to(self.device)
        seen = torch.zeros(count, count, dtype=torch.bool)
        seen[:, 0] = True
        seen[1:, 1:] = layout.sees
        columns = self._first.compute_bias(count, count, device=self.device)  # [1, H, T, T]
        right = columns[:, :, depths][..., depths]
        lowest = torch.finfo(self.dtype).min
        mask: Tensor = (right - columns).masked_fill(~seen.to(self.device), lowest)
        return mask.to(self.dtype)


def output_scale(config: Any) -> float:
    """Factor of the decoder's states before the head: the first T5 models have one."""
    if config.model_type == "t5" and config.scale_decoder_outputs:
        return float(config.d_model**-0.5)
    return 1.0


def start_token(config: Any) -> int:
    """The token a decoder starts from.

    Raises:
        ModelError: the configuration names none.
    """
    found = getattr(config, "decoder_start_token_id", None)
    found = config.pad_token_id if found is None else found
    if found is None:
        raise ModelError(
            "The model's configuration names no token that its decoder starts from.",
            hint="write `decoder_start_token_id` into its config.json",
        )
    return int(found)


def encoder_window(config: Any, tokenizer: Any) -> int:
    """Tokens of a prompt that the encoder takes.

    Positions are relative, so nothing breaks behind it; it is the length the model was made for:
    `n_positions` of its configuration, else the tokenizer's limit where it states one, else 512.
    """
    stated = getattr(config, "n_positions", None) or tokenizer.model_max_length
    return int(stated) if 0 < stated <= _LONGEST else 512


_LONGEST = 10**6
"""Tokenizers that state no limit are given 1e30 by transformers."""
