"""Greedy and sampled decoding of a batch; rows that are finished leave it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from accordeur.core.model import Sampling
from accordeur.models.local.body import Body, Prefix, text_layout
from accordeur.models.local.head import Head
from accordeur.models.local.scoring import pad_left

COLD = 1e-5
"""Temperatures below are greedy: dividing by them overflows."""


@dataclass(slots=True)
class Decoded:
    """Tokens of one answer.

    Attributes:
        tokens: without the one that ended it.
        logprobs: of each generated token under the model itself (temperature 1, no nucleus), the
            ending one included, nats.
        finished: the model ended its turn.
    """

    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finished: bool = False

    @property
    def logprob(self) -> float:
        """Mean over generated tokens."""
        return float(np.mean(self.logprobs)) if self.logprobs else 0.0


def row_seed(seed: int, tokens: Sequence[int], occurrence: int) -> np.random.Generator:
    """The random stream of one row: its prompt and how often it came before, not its place."""
    data = np.asarray([seed, occurrence, *tokens], dtype=np.int64).tobytes()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(data).digest()[:16], "big"))


def decode(
    body: Body,
    head: Head,
    rows: Sequence[Sequence[int]],
    prefix: Prefix | None,
    sampling: Sampling,
    stop: frozenset[int],
    streams: Sequence[np.random.Generator] = (),
) -> list[Decoded]:
    """Answers to B rows, each following the prefix.

    Args:
        body, head: the network.
        rows: token sequences, none empty.
        prefix: what all rows start with.
        sampling: how to choose.
        stop: tokens that end an answer.
        streams: a random stream per row; unused when greedy.
    """
    answers = [Decoded() for _ in rows]
    for _ in decode_steps(body, head, rows, prefix, sampling, stop, answers, streams):
        pass
    return answers


def decode_steps(
    body: Body,
    head: Head,
    rows: Sequence[Sequence[int]],
    prefix: Prefix | None,
    sampling: Sampling,
    stop: frozenset[int],
    answers: Sequence[Decoded],
    streams: Sequence[np.random.Generator] = (),
) -> Iterator[None]:
    """As `decode`, filling `answers` and pausing after every step."""
    lengths = [len(row) for row in rows]
    layout = text_layout(lengths)
    active = list(range(len(rows)))
    with torch.inference_mode():
        tokens = pad_left(rows, layout.width).to(body.device)
        hidden, state = body.start(tokens, layout, prefix, sampling.max_tokens)
    for step in range(sampling.max_tokens):
        with torch.inference_mode():
            logits = head.logits(hidden)
            chosen = choose(logits, sampling, [streams[at] for at in active] if streams else ())
            picked = logits.gather(1, chosen[:, None])[:, 0] - torch.logsumexp(logits, dim=-1)
            _record(answers, active, chosen.tolist(), picked.tolist(), stop)
            left = [at for at, row in enumerate(active) if not answers[row].finished]
        yield
        if not left or step + 1 == sampling.max_tokens:
            return
        with torch.inference_mode():
            # Leaving costs a copy of keys and values, so a few wait for each other.
            if len(left) < len(active) and (len(active) <= 8 or len(left) <= 0.875 * len(active)):
                index = torch.tensor(left)
                body.keep(state, index)
                active = [active[at] for at in left]
                chosen = chosen[index.to(chosen.device)]
            hidden = body.step(state, chosen)


def _record(
    answers: Sequence[Decoded],
    active: Sequence[int],
    chosen: Sequence[int],
    logprobs: Sequence[float],
    stop: frozenset[int],
) -> None:
    for row, token, logprob in zip(active, chosen, logprobs, strict=True):
        answer = answers[row]
        if answer.finished:
            continue
        answer.logprobs.append(logprob)
        if token in stop:
            answer.finished = True
        else:
            answer.tokens.append(token)


def choose(logits: Tensor, sampling: Sampling, streams: Sequence[np.random.Generator]) -> Tensor:
    """The next token of every row, [B]."""
    if sampling.temperature < COLD:
        return logits.argmax(dim=-1)
    chances = (logits / sampling.temperature).softmax(dim=-1)
    order = None
    if sampling.top_p < 1:
        # The nucleus: the fewest tokens that hold `top_p`; the first one always.
        chances, order = chances.sort(dim=-1, descending=True)
        before = chances.cumsum(dim=-1) - chances
        kept = before < sampling.top_p
        kept[:, 0] = True  # float32 may read a tiny `top_p` as none
        chances = torch.where(kept, chances, 0.0)
    total = chances.cumsum(dim=-1)
    draws = torch.tensor([stream.random() for stream in streams], dtype=total.dtype)
    wanted = draws.to(total.device)[:, None] * total[:, -1:]
    place = torch.searchsorted(total, wanted, right=True).clamp_max(total.shape[1] - 1)
    return (place if order is None else order.gather(1, place))[:, 0]
