"""The loss of a batch of answers, with the prefix that its rows share computed once.

Keys and values of the prefix are computed in a batch of one and expanded to the rows; autograd sums
the rows' gradients into them. The gradient is that of computing every row whole, up to rounding
(tested). Logits are made at the positions of the answers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from accordeur.models.local.adapter import Loaded, empty_cache
from accordeur.training.answer_loss import answer_loss
from accordeur.training.attention import KeysAndValues, Layout, able, attending
from accordeur.training.rows import TrainingRow


def batch_loss(
    loaded: Loaded,
    rows: Sequence[TrainingRow],
    prefix: Tensor | None,
    stored: KeysAndValues = (),
) -> tuple[Tensor, int]:
    """Summed negative log-likelihood of the rows' answers, nats, and its number of tokens.

    Args:
        loaded: a causal transformer.
        rows: each with the same prefix.
        prefix: embeddings of the shared prefix, [P, E], which gradients may flow into; `None`
            without one.
        stored: keys and values of positions before it, which gradients may flow into.
    """
    base = loaded.model.base_model
    device = loaded.head.weight.device
    width = max(row.own for row in rows)
    layout = Layout(0 if prefix is None else len(prefix), len(rows), width, stored)
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    places: list[int] = []
    targets: list[int] = []
    for at, row in enumerate(rows):
        text = (*row.row, *row.answer[:-1])
        tokens[at, : len(text)] = torch.tensor(text)
        first = at * width + len(row.row) - 1
        places.extend(range(first, first + len(row.answer)))
        targets.extend(row.answer)
    # Padding stands on the right, where no position that counts looks.
    embedded = base.get_input_embeddings()(tokens.to(device))
    run = _at_once if able(base) else _in_two
    hidden = run(base, layout, prefix, embedded)[torch.tensor(places, device=device)]
    return answer_loss(hidden, loaded.head, torch.tensor(targets, device=device)), len(targets)


def _at_once(base: Any, layout: Layout, prefix: Tensor | None, rows: Tensor) -> Tensor:
    """Hidden states of the rows, [rows * width, E]: prefix and rows as one sequence."""
    own = rows.flatten(0, 1)
    with attending(base, layout):
        output = base(
            inputs_embeds=(own if prefix is None else torch.cat((prefix, own)))[None],
            position_ids=layout.positions()[None].to(rows.device),
            # Four dimensions pass as they are; what may be seen is the layout's.
            attention_mask=rows.new_zeros(1, 1, 1, 1),
            use_cache=False,
        )
    hidden: Tensor = output.last_hidden_state[0, layout.prefix :]
    return hidden


def _in_two(base: Any, layout: Layout, prefix: Tensor | None, rows: Tensor) -> Tensor:
    """The same in two passes, for attention that cannot be exchanged."""
    length = layout.before
    cache = _prefix_cache(base, prefix, layout.stored, layout.rows)
    bias = layout.mask(layout.width, length + layout.width, None, rows)
    output = base(
        inputs_embeds=rows,
        position_ids=torch.arange(length, length + layout.width, device=rows.device)[None],
        attention_mask=bias[None, None],
        past_key_values=cache,
        use_cache=length > 0,
    )
    hidden: Tensor = output.last_hidden_state.flatten(0, 1)
    return hidden


def _prefix_cache(base: Any, prefix: Tensor | None, stored: KeysAndValues, rows: int) -> Any:
    """Keys and values of the prefix for so many rows."""
    alone = empty_cache()
    for index, (keys, values) in enumerate(stored):
        alone.update(keys[None], values[None], index)
    if prefix is not None:
        past = stored[0][0].shape[1] if stored else 0
        places = torch.arange(past, past + len(prefix), device=prefix.device)
        base(
            inputs_embeds=prefix[None],
            position_ids=places[None],
            past_key_values=alone,
            use_cache=True,
        )
    expanded = empty_cache()
    for index, layer in enumerate(alone.layers):
        expanded.update(
            layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), index
        )
    return expanded
