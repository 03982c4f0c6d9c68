"""Prices of P8, and break-even against counting query by query."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from accordeur.core.answer import Answer, Status
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import EndpointGone
from accordeur.core.measurement import Cost
from accordeur.core.model import Batch
from accordeur.core.task import Example, Prices
from accordeur.measure.cost import (
    QUERIES,
    Latency,
    Queries,
    break_even,
    local_cost,
    peak_memory,
    single_queries,
)
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.assemble import assemble
from accordeur.testing.puzzle import KnowingModel
from accordeur.testing.scripted import ScriptedSource
from accordeur.testing.toy import label_task

small = some.integers(0, 12)


@settings(max_examples=60, deadline=None)
@given(small, small, small, small)
@example(3, 2, 3, 2)
@example(3, 2, 5, 2)
@example(5, 2, 3, 2)
@example(0, 5, 9, 1)
@example(9, 1, 0, 5)
@example(4, 1, 4, 5)
def test_break_even_agrees_with_counting(make_a: int, use_a: int, make_b: int, use_b: int) -> None:
    """From the break-even on, and from no smaller volume on, a is not dearer than b."""
    found = break_even(make_a, use_a, make_b, use_b)
    volumes = [Fraction(n, 12) for n in range(13 * 12)]
    far = Fraction(10**6)

    def not_dearer(volume: Fraction) -> bool:
        return make_a + use_a * volume <= make_b + use_b * volume

    if found == "never":
        assert not not_dearer(far)
        return
    assert not_dearer(far)
    if found == "always":
        assert all(not_dearer(volume) for volume in volumes)
        return
    assert isinstance(found, float)
    assert found == pytest.approx((make_a - make_b) / (use_b - use_a))
    assert found > 0
    for volume in volumes:
        if abs(float(volume) - found) > 1e-6:
            assert not_dearer(volume) is (float(volume) > found)


def test_the_total_is_the_making_and_every_query() -> None:
    cost = local_cost(
        fit_seconds=360.0,
        train_labels=50,
        latency=Latency(0.72, 1.5, QUERIES),
        prices=Prices(hour=0.5, label=0.02, currency="EUR"),
        queries=1000,
        trained_parameters=7,
        size=99,
    )
    assert cost.make == pytest.approx(360 / 3600 * 0.5 + 50 * 0.02)
    assert cost.use == pytest.approx(0.72 / 3600 * 0.5)
    assert cost.total == pytest.approx(1.05 + 1000 * 0.0001)
    assert (cost.cold_seconds, cost.latency_p95) == (0.72, 1.5)
    assert (cost.currency, cost.trained_parameters, cost.bytes) == ("EUR", 7, 99)
    assert Cost.from_json(cost.to_json()) == cost


@pytest.mark.parametrize("unknown", ["make", "use"])
def test_an_unknown_price_makes_the_total_unknown(unknown: str) -> None:
    known: dict[str, Any] = {"make": 1.0, "use": 1.0, unknown: None}
    assert Cost(**known).total is None
    assert Cost(**known).to_json()["total"] is None


class Forgetful(KnowingModel):
    """Counts how often it was told to forget."""

    forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1


def answerer(model: KnowingModel, cache: AnswerCache | None = None) -> Answerer:
    candidate = Candidate(label_task().brief, "scripted")
    return assemble(candidate, ScriptedSource(model), cache=cache)


def test_single_queries_are_asked_one_at_a_time_after_one_that_warms_up() -> None:
    sizes: list[int] = []
    model = Forgetful(on_batch=lambda prompts, indices: sizes.append(len(prompts)))
    rows = label_task().train * 2
    latency = single_queries(answerer(model), rows)
    assert sizes == [1] * (QUERIES + 1)
    assert latency.queries == QUERIES
    assert 0 < latency.median <= latency.p95
    assert model.forgotten == 1
    assert single_queries(answerer(model), rows[:3]).queries == 3


def test_latency_of_no_rows_is_no_number() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        single_queries(answerer(KnowingModel()), [])


def test_peak_memory_is_that_of_this_process_in_bytes() -> None:
    before = peak_memory()
    block = bytearray(64 * 2**20)
    block[:: 2**12] = b"x" * len(block[:: 2**12])
    assert 10 * 2**20 < before < 2**40
    assert peak_memory() >= before
    assert list(itertools.islice(block, 1)) == [ord("x")]


class Flaky:
    """Answers some rows never, some at the second time; failing takes long."""

    def __init__(self, never: set[str], second: set[str]) -> None:
        self._never, self._second = never, second
        self.asked: list[str] = []

    def forget(self) -> None:
        """Nothing is kept."""

    def answer(self, requests: Any, *, done: Any = ()) -> Iterator[Batch[Answer]]:
        (request,) = requests
        text = request.text
        again = text in self.asked
        self.asked.append(text)
        if text in self._never or (text in self._second and not again):
            time.sleep(0.05)
            yield Batch((0,), (Answer("", Status.ERROR, error="cut off: x"),), 0.05)
        else:
            yield Batch((0,), (Answer("yes"),), 0.0)


def test_a_query_that_failed_is_no_latency() -> None:
    rows = [Example(str(at), f"row {at}", ("yes",), str(at)) for at in range(25)]
    answerer: Any = Flaky({"row 1"}, {"row 2", "row 3"})
    found = single_queries(answerer, rows)
    assert found.queries == 19
    assert found.p95 < 0.05
    assert answerer.asked.count("row 1") == 3
    answerer = Flaky({row.text for row in rows}, set())
    with pytest.raises(EndpointGone, match="No query was answered when asked alone: cut off: x"):
        single_queries(answerer, rows[:2])


def test_queries_that_are_known_are_not_asked() -> None:
    rows = [Example(str(at), f"row {at}", ("yes",), str(at)) for at in range(25)]
    kept: list[int] = []
    answerer: Any = Flaky(set(), set())
    known = Queries(True, {0: 1.0, 1: 2.0})
    found = single_queries(answerer, rows[:4], known, lambda one: kept.append(len(one.seconds)))
    assert answerer.asked == ["row 2", "row 3"]
    assert (found.queries, kept) == (4, [3, 4])
