"""The likeliest stretch of given texts: beam search that never leaves them.

A hypothesis is the tokens written so far and the places of the texts at which it stands. The tokens
that may follow are those whose bytes come next at one of these places; the end of the turn may
follow where a quote may end. What is compared is the sum of log-probabilities, end of turn
included, under the model as it is: nothing is renormalised over what is allowed, so a stretch that
the model finds unlikely stays unlikely however few the others are. Sums only fall, so the search is
over when no open hypothesis can beat the best finished one.

Source: lexically constrained beam search, Hokamp and Liu 2017 (arXiv:1704.07138), is about words
that must appear; here the constraint is the texts themselves, as the trie of De Cao et al. 2021
(GENRE, arXiv:2010.00904) is for names. Different from both, the texts are those of one prompt, and
places are followed instead of a trie of all their stretches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from accordeur.core.model import Quotable
from accordeur.models.local.body import Body, Prefix, text_layout
from accordeur.models.local.head import Head
from accordeur.models.local.scoring import pad_left

BEAM = 4
"""Hypotheses that are followed."""

LONGEST = 24
"""Bytes of a token that is looked for in a text."""

Place = tuple[int, int, int]
"""Number of a text, the byte at which a hypothesis stands, and the least byte at which it ends."""


class Vocabulary:
    """Tokens by the bytes they stand for; of several for the same bytes, the first.

    Args:
        tokens: bytes of every token; none for those that no text is made of.
    """

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self._tokens = tokens
        self._ids: dict[bytes, int] = {}
        for at, data in enumerate(tokens):
            if 0 < len(data) <= LONGEST:
                self._ids.setdefault(data, at)

    def text(self, tokens: Sequence[int]) -> str:
        """Of tokens that are a stretch of a text."""
        return b"".join(self._tokens[at] for at in tokens).decode()

    def following(self, data: bytes, at: int) -> Iterator[tuple[int, int]]:
        """Tokens that come next in a text, each with the byte behind it."""
        for end in range(at + 1, min(at + LONGEST, len(data)) + 1):
            token = self._ids.get(data[at:end])
            if token is not None:
                yield token, end


class _Text:
    """A quotable text in bytes."""

    def __init__(self, number: int, quotable: Quotable) -> None:
        self.data = quotable.text.encode()
        byte, offsets = 0, []
        for letter in quotable.text:
            offsets.append(byte)
            byte += len(letter.encode())
        offsets.append(byte)
        self.ends = frozenset(offsets[end] for end in quotable.ends)
        self.starts = [
            (number, offsets[start], offsets[least]) for start, least in quotable.starts.items()
        ]


@dataclass(frozen=True, slots=True)
class _Open:
    """A hypothesis.

    Attributes:
        tokens: written.
        places: where it stands, one at least.
        logprob: sum, nats.
    """

    tokens: tuple[int, ...]
    places: tuple[Place, ...]
    logprob: float


@dataclass(frozen=True, slots=True)
class Quoted:
    """What was found.

    Attributes:
        tokens: of the stretch; empty where there is none.
        logprob: sum over them and the end of turn, nats.
        computed: positions that were computed beyond the prompt.
    """

    tokens: tuple[int, ...] = ()
    logprob: float = 0.0
    computed: int = 0


@torch.inference_mode()
def quote(
    body: Body,
    head: Head,
    row: Sequence[int],
    prefix: Prefix | None,
    stop: frozenset[int],
    vocabulary: Vocabulary,
    texts: Sequence[Quotable],
    max_tokens: int,
) -> Quoted:
    """The likeliest stretch.

    Args:
        body, head: the network.
        row: tokens behind the prefix, one at least.
        prefix: what the row starts with.
        stop: tokens that end an answer.
        vocabulary: of the model.
        texts: what may be quoted.
        max_tokens: of the stretch, its end included.
    """
    held = [_Text(number, one) for number, one in enumerate(texts)]
    starts = tuple(place for one in held for place in one.starts)
    if not starts:
        return Quoted()
    ends = torch.tensor(sorted(stop), device=body.device)
    layout = text_layout([len(row)])
    tokens = pad_left([row], layout.width).to(body.device)
    hidden, state = body.start(tokens, layout, prefix, max_tokens)
    hypotheses = [_Open((), starts, 0.0)]
    best = Quoted(logprob=float("-inf"))
    computed = 0
    for left in range(max_tokens - 1, -1, -1):
        logprobs = head.logits(hidden).float().log_softmax(dim=-1)
        ended = logprobs[:, ends].amax(dim=-1).tolist()
        for one, end in zip(hypotheses, ended, strict=True):
            total = one.logprob + end
            if total > best.logprob and _may_end(one, held):
                best = Quoted(one.tokens, total)
        parents, following = _grown(hypotheses, logprobs, held, vocabulary)
        if not left or not following or following[0].logprob <= best.logprob:
            break
        kept = torch.tensor(parents)
        body.keep(state, kept)
        newest = torch.tensor([one.tokens[-1] for one in following], device=body.device)
        hidden = body.step(state, newest)
        computed += len(following)
        hypotheses = following
    if not best.tokens:
        return Quoted(computed=computed)
    return Quoted(best.tokens, best.logprob, computed)


def _may_end(one: _Open, texts: Sequence[_Text]) -> bool:
    return bool(one.tokens) and any(
        at >= least and at in texts[number].ends for number, at, least in one.places
    )


def _grown(
    hypotheses: Sequence[_Open],
    logprobs: torch.Tensor,
    texts: Sequence[_Text],
    vocabulary: Vocabulary,
) -> tuple[list[int], list[_Open]]:
    """The likeliest hypotheses one token longer, best first, and whose each is."""
    made: list[tuple[float, int, int]] = []
    places: dict[tuple[int, int], list[Place]] = {}
    for at, one in enumerate(hypotheses):
        for number, byte, least in one.places:
            for token, end in vocabulary.following(texts[number].data, byte):
                places.setdefault((at, token), []).append((number, end, least))
    pairs = list(places)
    if not pairs:
        return [], []
    rows, tokens = zip(*pairs, strict=True)
    values = logprobs[list(rows), list(tokens)].tolist()
    for (at, token), value in zip(pairs, values, strict=True):
        made.append((hypotheses[at].logprob + value, at, token))
    made.sort(key=lambda found: (-found[0], found[1], found[2]))
    found = made[:BEAM]
    grown = [
        _Open((*hypotheses[at].tokens, token), tuple(places[at, token]), total)
        for total, at, token in found
    ]
    return [at for _, at, _ in found], grown
