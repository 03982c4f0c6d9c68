"""Forecasts grow with the work, and the effort is the largest that fits."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from accordeur.bench.forecast import (
    DEFAULT_EFFORT,
    MOST_EFFORT,
    SAFETY,
    Rows,
    RowTokens,
    Speed,
    _as_answered,
    _new_tokens,
    choose_effort,
    measure_speed,
    plan_seconds,
)
from accordeur.bench.stacks import Stack, parse_stacks
from accordeur.core.errors import PlanError
from accordeur.core.lever import Forecast
from accordeur.levers.floor import floors_for
from accordeur.levers.retrieve import Retrieve
from accordeur.testing.puzzle import KnowingModel
from accordeur.testing.toy import label_task

TASK = label_task()
TOKENS = RowTokens(row=40.0, answers=20.0, new=0.0, shown=30.0)
SPEED = Speed(prompt=500.0, decode=50.0, single=0.01)
STACKS = [
    *(Stack(lever.name, (lever,), floor=True) for lever in floors_for(TASK.brief)),
    *parse_stacks("all", {})[0],
]


def total(effort: int, speed: Speed = SPEED, tokens: RowTokens = TOKENS) -> float:
    return sum(plan_seconds(STACKS, TASK, tokens, speed, effort).values())


@settings(max_examples=40, deadline=None)
@given(
    effort=some.integers(1, MOST_EFFORT - 1),
    prompt=some.floats(1.0, 1e5),
    row=some.floats(1.0, 2000.0),
    new=some.sampled_from([0.0, 12.0]),
    rows=some.sampled_from([Rows(20, 20, 20), Rows(200, 120, 240)]),
)
def test_more_effort_longer_rows_and_a_slower_model_never_take_less_time(
    effort: int, prompt: float, row: float, new: float, rows: Rows
) -> None:
    def total(effort: int, speed: Speed, tokens: RowTokens) -> float:
        return sum(plan_seconds(STACKS, TASK, tokens, speed, effort, rows=rows).values())

    speed, tokens = Speed(prompt, 50.0, 0.01), replace(TOKENS, row=row, new=new)
    seconds = total(effort, speed, tokens)
    assert total(effort + 1, speed, tokens) >= seconds - 1e-9
    assert total(effort, Speed(prompt / 2, 50.0, 0.01), tokens) >= seconds - 1e-9
    assert total(effort, speed, replace(tokens, row=2 * row)) >= seconds - 1e-9


def test_every_entry_is_forecast() -> None:
    seconds = plan_seconds(STACKS, TASK, TOKENS, SPEED, 4)
    assert list(seconds) == [stack.name for stack in STACKS]
    assert all(one > 0 for one in seconds.values())
    assert seconds["few-shot"] > seconds["as-is"]


@pytest.mark.parametrize("times", [1.0, 1.3, 2.0, 1000.0])
def test_the_effort_is_the_largest_that_fits(times: float) -> None:
    budget = times * (2.001 + total(1)) / SAFETY
    effort = choose_effort(STACKS, TASK, TOKENS, SPEED, budget, overhead=2.0)
    assert 2.0 + total(effort) <= SAFETY * budget
    assert effort == MOST_EFFORT or 2.0 + total(effort + 1) > SAFETY * budget


def test_a_larger_budget_never_gives_less_effort_and_none_gives_the_default() -> None:
    efforts = [
        choose_effort(STACKS, TASK, TOKENS, SPEED, budget, overhead=2.0)
        for budget in ((2.001 + total(effort)) / SAFETY for effort in (1, 3, 6, 12))
    ]
    assert efforts == sorted(efforts)
    assert len(set(efforts)) > 2
    assert choose_effort(STACKS, TASK, TOKENS, SPEED, None, overhead=2.0) == DEFAULT_EFFORT


@settings(max_examples=25, deadline=None)
@given(some.floats(0.5, 20.0))
def test_a_budget_that_is_too_small_is_refused_with_one_that_is_enough(overhead: float) -> None:
    with pytest.raises(PlanError, match="smallest plan needs about") as caught:
        choose_effort(STACKS, TASK, TOKENS, SPEED, 1.0, overhead=overhead)
    minutes = float(caught.value.hint.split("--budget ")[1].split("m")[0])
    assert choose_effort(STACKS, TASK, TOKENS, SPEED, 60 * minutes, overhead=overhead) >= 1


def test_the_speed_is_measured_once_so_the_same_command_gives_the_same_plan(
    tmp_path: Path,
) -> None:
    asked: list[int] = []
    model = KnowingModel(on_batch=lambda prompts, indices: asked.append(len(indices)))
    first = measure_speed(model, tmp_path)
    calls = len(asked)
    assert calls > 0
    assert measure_speed(model, tmp_path) == first
    assert len(asked) == calls
    (place,) = (tmp_path / "speed").iterdir()
    place.write_text("{", encoding="utf-8")
    assert measure_speed(model, tmp_path).prompt > 0
    assert len(asked) == 2 * calls


def test_a_speed_measured_beside_other_work_is_that_of_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits(prompts: object, indices: object) -> None:
        time.sleep(0.2)  # as if another process had the processor

    def speed(load: float) -> float:
        monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load), raising=False)
        model = KnowingModel(on_batch=waits)
        model.identity = replace(model.identity, threads=1)
        return measure_speed(model, tmp_path / str(load)).prompt

    assert speed(float(os.cpu_count() or 1)) > 5 * speed(0.0)


def test_fewer_rows_are_advised_only_where_they_help() -> None:
    rows = TASK.dev * 40
    task = replace(TASK, dev=tuple(replace(row, id=str(i)) for i, row in enumerate(rows)))
    speed = Speed(prompt=500.0, decode=50.0, single=50.0)
    smallest = 2.0 + sum(plan_seconds(STACKS, task, TOKENS, speed, 1).values())
    advised = 0
    for share in (0.9, 0.7, 0.5, 0.3, 0.01):
        with pytest.raises(PlanError) as caught:
            choose_effort(STACKS, task, TOKENS, speed, share * smallest, overhead=2.0)
        _, found, limit = caught.value.hint.partition("--limit ")
        if not found:
            continue
        advised += 1
        few = Rows.of(task, int(limit))
        seconds = plan_seconds(STACKS, task, TOKENS, speed, 1, rows=few)
        assert 2.0 + sum(seconds.values()) <= SAFETY * share * smallest
    assert 0 < advised < 5, "a hundredth of the time suffices for no number of rows"


def test_votes_and_calls_are_counted_apart() -> None:
    levers = parse_stacks(
        "reason,reason+self-consistency,critique,critique+self-consistency,lora,reason+lora,"
        "lora+self-consistency",
        {},
    )[0]
    long = replace(TASK, dev=TASK.dev * 9)
    speed = Speed(prompt=500.0, decode=50.0, single=50.0)
    whole = plan_seconds(levers, long, TOKENS, speed, 2, screening=False)
    assert whole["critique+self-consistency"] > 3.5 * whole["critique"]
    assert whole["reason+self-consistency"] > 2 * whole["reason"]
    assert whole["reason+lora"] > whole["lora"]
    screened = plan_seconds(levers, long, TOKENS, speed, 2)
    written = plan_seconds(levers, long, replace(TOKENS, new=9.0), speed, 2)
    assert written["critique"] > 1.2 * screened["critique"], "it survives more often"
    assert screened["critique"] < 0.7 * whole["critique"]
    assert screened["reason+self-consistency"] < screened["reason"] < 0.7 * whole["reason"]
    assert screened["lora"] == pytest.approx(whole["lora"])
    assert screened["lora+self-consistency"] < 0.7 * whole["lora+self-consistency"]
    # What screening was expected to spare beneath training is asked there after all.
    assert screened["reason+lora"] > 1.2 * whole["reason+lora"]
    short = replace(TASK, dev=TASK.dev)
    few = [plan_seconds(levers, short, TOKENS, speed, 2, screening=one) for one in (True, False)]
    assert few[0] == few[1], "few rows are never screened"


def test_queries_are_a_call_of_their_own_whatever_stands_on_them() -> None:
    """Written once per row, however many answers are sampled from what they find."""
    one: dict[str, Any] = {"k": (1,), "modes": ("lexical",), "weights": (0.5,), "abstain": False}
    written = Retrieve(**one, queries=("rewrite",))
    plain = replace(written, queries=())

    def seconds(lever: Retrieve) -> float:
        stack = Stack("retrieve", (lever,))
        return plan_seconds([stack], TASK, TOKENS, SPEED, 2)["retrieve"]

    dev = len(TASK.dev)
    assert seconds(written) > seconds(plain) + dev * 0.6 * 48 / SPEED.decode
    alone, together = Forecast(query_tokens=48), Forecast(query_tokens=48, samples=5)
    fixed = _new_tokens(alone, TOKENS) - _new_tokens(Forecast(), TOKENS)
    assert _new_tokens(together, TOKENS) - _new_tokens(Forecast(samples=5), TOKENS) == fixed
    assert _as_answered(Forecast(samples=5), 0, alone).query_tokens == 48
