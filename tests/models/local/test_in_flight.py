"""Answers written step by step against those written to their end."""

from __future__ import annotations

from accordeur.core.model import Sampling
from accordeur.models.local.in_flight import Order, Written
from accordeur.models.local.model import LocalModel

from ..conftest import ask

TEXTS = ("Where is my card?", "hello", "I want my money back at once, please, all of it.", "no")
LIMITS = (3, 11, 7, 1)


def written(model: LocalModel, samplings: list[Sampling], drop: int = -1) -> list[list[Written]]:
    orders = [
        Order(model.fit(ask(text), 12), sampling, top)
        for text, sampling, top in zip(TEXTS, samplings, (0, 0, 2, 0), strict=True)
    ]
    flight = model.begin(orders)
    rows: list[list[Written]] = [[] for _ in TEXTS]
    while flight.open:
        for one in flight.step():
            rows[one.row].append(one)
        flight.drop([drop] if drop >= 0 and len(rows[drop]) == 2 else [])
    return rows


def alone(model: LocalModel, text: str, sampling: Sampling) -> str:
    (batch,) = model.generate([ask(text)], sampling)
    return batch.results[0].text


def test_every_row_is_answered_to_its_own_limit_as_if_it_were_alone(tiny: LocalModel) -> None:
    samplings = [Sampling(limit) for limit in LIMITS]
    rows = written(tiny, samplings)
    for text, sampling, row in zip(TEXTS, samplings, rows, strict=True):
        tokens = [one.token for one in row if not one.ended]
        assert tiny.chat.decode(tokens) == alone(tiny, text, sampling)
        assert [one.last for one in row] == [False] * (len(row) - 1) + [True]
        assert len(row) <= sampling.max_tokens


def test_rows_with_settings_of_their_own_draw_their_own_numbers(tiny: LocalModel) -> None:
    samplings = [
        Sampling(3),
        Sampling(11, temperature=1.5, seed=4),
        Sampling(7, temperature=0.9, top_p=0.5, seed=5),
        Sampling(1, temperature=1.5, seed=4),
    ]
    for text, sampling, row in zip(TEXTS, samplings, written(tiny, samplings), strict=True):
        tokens = [one.token for one in row if not one.ended]
        assert tiny.chat.decode(tokens) == alone(tiny, text, sampling)


def test_a_row_that_is_dropped_leaves_the_others_as_they_are(tiny: LocalModel) -> None:
    samplings = [Sampling(limit) for limit in LIMITS]
    whole, less = written(tiny, samplings), written(tiny, samplings, drop=1)
    assert len(less[1]) == 2
    for row in (0, 2, 3):
        assert [one.token for one in less[row]] == [one.token for one in whole[row]]


def test_the_likeliest_tokens_hold_the_greedy_one(tiny: LocalModel) -> None:
    row = written(tiny, [Sampling(limit) for limit in LIMITS])[2]
    for one in row:
        assert len(one.top) == 2
        assert one.top[0][0] == one.token
        assert abs(one.top[0][1] - one.logprob) < 1e-5
