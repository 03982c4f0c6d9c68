"""The loss of a batch of answers under an encoder-decoder model.

The encoder reads the prompts, the decoder is given each answer's tokens up to the one it has to say
next (teacher forcing); logits are made at the positions of the answers alone. Nothing is shared
between rows: what an encoder makes of an instruction depends on the row behind it, so the shared
prefix that spares a decoder-only model most of its work does not exist here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from accordeur.models.local.adapter import Loaded
from accordeur.models.local.embedding import Embedding
from accordeur.models.local.encoder_decoder import output_scale, start_token
from accordeur.training.answer_loss import answer_loss
from accordeur.training.rows import TrainingRow


def encoder_decoder_loss(
    loaded: Loaded, rows: Sequence[TrainingRow], vectors: Tensor
) -> tuple[Tensor, int]:
    """Summed negative log-likelihood of the rows' answers, nats, and its number of tokens.

    Args:
        loaded: of the T5 family.
        rows: without a prefix.
        vectors: [n, E] of virtual tokens, numbered from the vocabulary on, which gradients may flow
            into; may be empty.
    """
    model, device = loaded.model, loaded.head.weight.device
    table = loaded.embeddings
    virtual = vectors.to(device) if len(vectors) else None
    embed = Embedding(table, int(table.weight.shape[0]), virtual)
    prompts, real = _padded([row.row for row in rows])
    # The decoder's first input is its start token; an answer's last token is never an input.
    start = start_token(loaded.config)
    inputs, said = _padded([(start, *row.answer[:-1]) for row in rows])
    real = real.to(device)
    encoded = model.encoder(inputs_embeds=embed(prompts.to(device)), attention_mask=real)
    decoded = model.decoder(
        input_ids=inputs.to(device),
        encoder_hidden_states=encoded.last_hidden_state,
        encoder_attention_mask=real,
        use_cache=False,
    )
    # Padding stands on the right, where no position that counts looks.
    hidden = decoded.last_hidden_state[said.to(device)] * output_scale(loaded.config)
    targets = torch.tensor([token for row in rows for token in row.answer], device=device)
    return answer_loss(hidden, loaded.head, targets), len(targets)


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token rows as one [B, T] tensor, zeros behind the shorter ones; bool [B, T], their tokens."""
    lengths = torch.tensor([len(row) for row in rows])[:, None]
    width = int(lengths.max())
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    for at, row in enumerate(rows):
        tokens[at, : len(row)] = torch.tensor(row)
    return tokens, torch.arange(width)[None] < lengths
