"""Answers that are being written together, a token a step.

`generation` decodes a list to its end; this does the same work in steps that somebody else takes,
with settings of its own for every row. A server steps several of these in turn, gives pieces away
as they come, and drops rows whose reader has gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from accordeur.core.model import Sampling
from accordeur.models.local.body import Body, Prefix, text_layout
from accordeur.models.local.fitting import Prompt
from accordeur.models.local.generation import choose
from accordeur.models.local.head import Head
from accordeur.models.local.scoring import pad_left


@dataclass(frozen=True, slots=True)
class Order:
    """A text that somebody wants.

    Attributes:
        prompt: tokens that fit the context.
        sampling: how it is decoded.
        top: likeliest tokens to note at every step.
        again: how often the same was ordered before; a sampled text then differs.
    """

    prompt: Prompt
    sampling: Sampling
    top: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """One row.

    Attributes:
        tokens: what follows the prefix that all rows share; never empty.
        sampling: how this row is decoded.
        stream: its random numbers; unused when greedy.
        top: likeliest tokens to note at every step.
    """

    tokens: tuple[int, ...]
    sampling: Sampling
    stream: np.random.Generator
    top: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A token that a row was given.

    Attributes:
        row: its place among the rows asked.
        token: id.
        logprob: under the model itself (temperature 1, no nucleus), nats.
        top: the likeliest ids with their log-probabilities, best first.
        ended: the model ended its turn with it.
        last: nothing follows: it ended, or the limit is reached.
    """

    row: int
    token: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()
    ended: bool = False
    last: bool = False


class InFlight:
    """Rows in flight. Greedy rows get the tokens that `generation.decode` gives them.

    Args:
        body, head: the network.
        prefix: what all rows start with.
        stop: tokens that end an answer.
        asked: the rows, one at least.
    """

    def __init__(
        self,
        body: Body,
        head: Head,
        prefix: Prefix | None,
        stop: frozenset[int],
        asked: Sequence[Asked],
    ) -> None:
        self._body = body
        self._head = head
        self._stop = stop
        self._asked = tuple(asked)
        self._lengths = [0] * len(asked)
        self._held = list(range(len(asked)))  # rows of the network's state
        self._open = set(self._held)
        rows = [one.tokens for one in asked]
        layout = text_layout([len(row) for row in rows])
        room = max(one.sampling.max_tokens for one in asked)
        with torch.inference_mode():
            tokens = pad_left(rows, layout.width).to(body.device)
            self._hidden, self._state = body.start(tokens, layout, prefix, room)

    @property
    def open(self) -> int:
        """Rows that are still being written."""
        return len(self._open)

    def writes(self, row: int) -> bool:
        """Whether a row is still being written."""
        return row in self._open

    def drop(self, rows: Collection[int]) -> None:
        """Write no more to these rows."""
        self._open.difference_update(rows)

    def step(self) -> list[Written]:
        """One more token for every open row, in their order; nothing when none is open."""
        if not self._open:
            return []
        with torch.inference_mode():
            logits = self._head.logits(self._hidden)
            chosen = self._choose(logits)
            normaliser = torch.logsumexp(logits, dim=-1)
            picked = logits.gather(1, chosen[:, None])[:, 0] - normaliser
            written = [
                self._record(at, row, token, logprob, logits[at] - normaliser[at])
                for at, (row, token, logprob) in enumerate(
                    zip(self._held, chosen.tolist(), picked.tolist(), strict=True)
                )
                if row in self._open
            ]
            self._open.difference_update(one.row for one in written if one.last)
            if self._open:
                self._hidden = self._body.step(self._state, self._kept(chosen))
        return written

    def _choose(self, logits: Tensor) -> Tensor:
        """The next token of every held row, [B], chosen together where settings are the same."""
        settings: dict[tuple[float, float], list[int]] = {}
        for at, row in enumerate(self._held):
            sampling = self._asked[row].sampling
            settings.setdefault((sampling.temperature, sampling.top_p), []).append(at)
        chosen = torch.empty(len(self._held), dtype=torch.long, device=logits.device)
        for places in settings.values():
            index = torch.tensor(places, device=logits.device)
            asked = [self._asked[self._held[at]] for at in places]
            streams = [one.stream for one in asked]
            chosen[index] = choose(logits[index], asked[0].sampling, streams)
        return chosen

    def _record(self, at: int, row: int, token: int, logprob: float, logprobs: Tensor) -> Written:
        asked = self._asked[row]
        self._lengths[row] += 1
        ended = token in self._stop
        full = self._lengths[row] >= asked.sampling.max_tokens
        return Written(row, token, logprob, likeliest(logprobs, asked.top), ended, ended or full)

    def _kept(self, chosen: Tensor) -> Tensor:
        """Tokens of the rows that the state goes on with."""
        left = [at for at, row in enumerate(self._held) if row in self._open]
        # Leaving costs a copy of keys and values, so a few wait for each other.
        few = len(self._held) <= 8 or len(left) <= 0.875 * len(self._held)
        if len(left) == len(self._held) or not few:
            return chosen
        index = torch.tensor(left)
        self._body.keep(self._state, index)
        self._held = [self._held[at] for at in left]
        return chosen[index.to(chosen.device)]


def likeliest(logprobs: Tensor, count: int) -> tuple[tuple[int, float], ...]:
    """The `count` likeliest tokens of log-probabilities [V] with theirs, best first."""
    if not count:
        return ()
    best = logprobs.topk(count)
    return tuple(zip(best.indices.tolist(), best.values.tolist(), strict=True))
