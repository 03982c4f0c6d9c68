"""Scores of continuations for one batch of prompts (DESIGN P4)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from accordeur.models.local.body import Body, Layout, Prefix
from accordeur.models.local.head import Head
from accordeur.models.local.trie import Trie


@torch.inference_mode()
def score_rows(
    body: Body, head: Head, rows: Sequence[Sequence[int]], trie: Trie, prefix: Prefix | None
) -> Tensor:
    """s_j(x) = sum_t log p(y_jt | prefix, row, y_j<t), without length normalisation.

    Args:
        body, head: the network.
        rows: B token sequences, none empty, each following the prefix.
        trie: the continuations.
        prefix: what all rows start with.

    Returns:
        float32 [B, continuations], nats, on the CPU.
    """
    lengths = [len(row) for row in rows]
    layout = Layout(tuple(lengths), max(lengths), trie.depths, trie.sees)
    tokens = pad_left(rows, layout.width)
    tokens = torch.cat((tokens, trie.tokens.expand(len(rows), -1)), dim=1).to(body.device)
    hidden = body.hidden(tokens, layout, prefix)  # [B, 1 + nodes, E]
    normaliser = head.log_normaliser(hidden.flatten(0, 1)).view(hidden.shape[:2])
    sources, targets = trie.sources.to(body.device), trie.targets.to(body.device)
    logits = head.target_logits(hidden[:, sources], targets.expand(len(rows), -1))
    edges = logits - normaliser[:, sources]  # [B, edges]
    return (edges @ trie.paths.to(body.device).T).cpu()


def pad_left(rows: Sequence[Sequence[int]], width: int) -> Tensor:
    """Token rows as one [B, width] tensor, zeros before the shorter ones."""
    padded = torch.zeros(len(rows), width, dtype=torch.long)
    for at, row in enumerate(rows):
        padded[at, width - len(row) :] = torch.tensor(row)
    return padded
