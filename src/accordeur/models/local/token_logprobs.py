"""Log-probabilities of every token of given sequences: what `echo` of a completion shows.

Sequences that start alike are one tree, so a prompt that stands before seventy-seven labels is
computed once. The first token of a sequence has no log-probability: nothing stands before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from accordeur.models.local.body import Body, Layout, Prefix
from accordeur.models.local.head import ROWS, Head
from accordeur.models.local.in_flight import likeliest
from accordeur.models.local.trie import Trie, build_trie

NODES = 2_048
"""Tokens of a tree, unless a single sequence is longer."""

Top = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Echoed:
    """One sequence.

    Attributes:
        logprobs: nats, one per token; `None` for the first and for those of the prefix.
        tops: the likeliest tokens at the place of each, best first; empty where none were asked
            for, and where `logprobs` has `None`.
    """

    logprobs: tuple[float | None, ...]
    tops: tuple[Top, ...]


@torch.inference_mode()
def token_logprobs(
    body: Body, head: Head, sequences: Sequence[tuple[int, ...]], prefix: Prefix | None, top: int
) -> list[Echoed]:
    """log p(token | what stands before it) of every token.

    Args:
        body, head: the network; it reads from left to right.
        sequences: tokens from the very first one, none empty; each holds more than the prefix.
        prefix: what all of them start with; its own tokens get no log-probabilities.
        top: likeliest tokens to note at every place.
    """
    found: list[Echoed] = [Echoed((), ())] * len(sequences)
    before = prefix.length if prefix is not None else 0
    for group in _groups(sequences, before):
        tails = [sequences[at][before + 1 :] for at in group]
        first = sequences[group[0]][before]
        blank: tuple[None, ...] = (None,) * (before + 1)
        inner = iter(_tree(body, head, first, [tail for tail in tails if tail], prefix, top))
        for at, tail in zip(group, tails, strict=True):
            made = next(inner) if tail else Echoed((), ())
            tops = ((),) * len(blank) + made.tops
            found[at] = Echoed(blank + made.logprobs, tops)
    return found


def _groups(sequences: Sequence[tuple[int, ...]], before: int) -> Iterator[list[int]]:
    """Places of sequences with the same first own token, as many as a tree should hold."""
    ordered = sorted(range(len(sequences)), key=lambda at: sequences[at])
    group: list[int] = []
    size = 0
    for at in ordered:
        own = len(sequences[at]) - before
        other = bool(group) and sequences[group[-1]][before] != sequences[at][before]
        if group and (other or size + own > NODES):
            yield group
            group, size = [], 0
        group.append(at)
        size += own
    if group:
        yield group


def _tree(
    body: Body,
    head: Head,
    first: int,
    tails: Sequence[tuple[int, ...]],
    prefix: Prefix | None,
    top: int,
) -> list[Echoed]:
    if not tails:
        return []
    trie = build_trie(tails)
    layout = Layout((1,), 1, trie.depths, trie.sees)
    tokens = torch.cat((torch.tensor([first]), trie.tokens))[None].to(body.device)
    hidden = body.hidden(tokens, layout, prefix)[0]  # [1 + nodes, E]
    logprobs = _edges(head, hidden, trie).tolist()
    tops = _tops(head, hidden, top)
    sources, targets = trie.sources.tolist(), trie.targets.tolist()
    found = []
    for path in trie.paths:
        # A path's edges stand in its own order: ancestors come first.
        edges = path.nonzero()[:, 0].tolist()
        found.append(
            Echoed(
                tuple(logprobs[edge] for edge in edges),
                tuple(
                    _told(tops[sources[edge]], targets[edge], logprobs[edge]) if top else ()
                    for edge in edges
                ),
            )
        )
    return found


def _told(top: Top, token: int, logprob: float) -> Top:
    """The likeliest tokens, the given one with the number told of it: harnesses compare the two."""
    return tuple((one, logprob if one == token else value) for one, value in top)


def _edges(head: Head, hidden: Tensor, trie: Trie) -> Tensor:
    """The log-probability of each edge, float32 [edges]."""
    sources, targets = trie.sources.to(hidden.device), trie.targets.to(hidden.device)
    logits = head.target_logits(hidden[sources], targets)
    # In bfloat16 the two are rounded apart: what is nearly certain may come out above certain.
    return (logits - head.log_normaliser(hidden)[sources]).clamp_max(0.0)


def _tops(head: Head, hidden: Tensor, top: int) -> list[Top]:
    """The likeliest tokens after each of [N, E] hidden states."""
    found: list[Top] = []
    for part in torch.split(hidden, ROWS) if top else ():
        logprobs = head.logits(part).log_softmax(dim=-1)
        found += [likeliest(row, top) for row in logprobs]
    return found
