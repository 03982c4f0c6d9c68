"""What `all` leaves out when the budget is short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from accordeur.bench.forecast import RowTokens, Speed
from accordeur.bench.observer import Silent
from accordeur.bench.options import Options
from accordeur.bench.preparation import Preparation
from accordeur.bench.stacks import LEFT_OUT_FIRST, LEFT_OUT_LAST, Refusal, Stack, parse_stacks
from accordeur.bench.within_budget import LEAST_EFFORT, ByTokens, within_budget
from accordeur.core.errors import PlanError
from accordeur.levers.floor import floors_for
from accordeur.models.source import Models
from accordeur.tasks import load_task
from accordeur.testing.tiny import tiny_model
from accordeur.testing.toy import label_task, write_label_task


@pytest.mark.usefixtures("one_thread")
def test_it_leaves_out_as_little_as_needed_and_gives_the_rest_enough(tmp_path: Path) -> None:
    folder = write_label_task(tmp_path / "task")
    task = load_task(folder)
    options = Options(str(folder), model=str(tiny_model(tmp_path / "tiny")))
    source = Models(dtype="float32")

    def planned(budget: float | None, effort: int | None = None) -> tuple[int, list[str], set[str]]:
        asked = replace(options, budget=budget, effort=effort)
        prepared = Preparation(task, asked, "all", Silent(), source)
        prepared.load()
        plan = prepared.plan()
        kept = {entry["name"] for entry in plan.to_json()["entries"]}
        return plan.effort, [one.name for one in plan.refused], kept

    without_steps = "reason+lora"
    assert planned(None)[1] == [without_steps]
    assert planned(10_000.0, effort=1)[:2] == (1, [without_steps])
    order = [name for name in LEFT_OUT_FIRST + LEFT_OUT_LAST if name != without_steps]
    left_out = set()
    most = 0
    for budget in (10_000.0, *(40.0 - step for step in range(27))):
        try:
            effort, refused, kept = planned(budget)
        except PlanError:
            break
        assert refused.pop(0) == without_steps
        assert refused == [name for name in order if name in refused], "in this order"
        assert kept.isdisjoint(refused)
        assert len(refused) >= most, "a shorter budget leaves out no less"
        most = len(refused)
        left_out.add(most)
        if kept & set(LEFT_OUT_FIRST):
            assert effort >= LEAST_EFFORT
    assert 0 in left_out
    assert len(left_out) > 1, "some budget was too short"


TASK = label_task()
FLOORS = [Stack(lever.name, (lever,), floor=True) for lever in floors_for(TASK.brief)]
STACKS = parse_stacks("all", {})[0]


@settings(max_examples=60, deadline=None)
@given(
    budget=some.floats(30.0, 3000.0),
    decode=some.sampled_from([5.0, 50.0, 500.0]),
    new=some.sampled_from([0.0, 12.0]),
)
def test_nothing_that_fits_is_left_out_and_the_budget_named_would_do(
    budget: float, decode: float, new: float
) -> None:
    def forecaster(budget: float) -> ByTokens:
        tokens = RowTokens(row=40.0, answers=0.0 if new else 20.0, new=new, shown=30.0)
        speed = Speed(prompt=500.0, decode=decode, single=decode / 5)
        return ByTokens(TASK, tokens, speed, 10.0, budget, fixed=None, screening=True)

    def planned(budget: float) -> tuple[int, list[Stack], list[Refusal]]:
        return within_budget(FLOORS, STACKS, forecaster(budget), everything=True, fixed=None)

    try:
        effort, kept, refused = planned(budget)
    except PlanError:
        without = [one for one in STACKS if one.name == "as-is"]
        with pytest.raises(PlanError):
            forecaster(budget).effort([*FLOORS, *without])
        return
    for one in refused:
        more = [stack for stack in STACKS if stack in kept or stack.name == one.name]
        try:
            with_it = forecaster(budget).effort([*FLOORS, *more])
        except PlanError:
            with_it = 0
        assert with_it < effort, f"{one.name} fits"
        minutes = int(one.reason.split("--budget ")[1].split("m")[0])
        assert one.name in {stack.name for stack in planned(60.0 * minutes)[1]}


def test_a_cheap_lever_comes_back_where_a_dear_one_went() -> None:
    @dataclass(frozen=True)
    class Fixed:
        """Seconds by name within ten."""

        takes: dict[str, float]

        def effort(self, stacks: Sequence[Stack]) -> int:
            return LEAST_EFFORT if sum(self.seconds(stacks, 0).values()) <= 10 else 1

        def seconds(self, stacks: Sequence[Stack], effort: int) -> dict[str, float]:
            return {one.name: self.takes.get(one.name, 0.0) for one in stacks}

        def enough(self, stacks: Sequence[Stack], effort: int) -> str:
            return f"{sum(self.seconds(stacks, effort).values()):.0f} s"

    takes = {"decompose": 2.0, "critique": 9.0, "lora": 7.0}
    effort, kept, refused = within_budget([], STACKS, Fixed(takes), everything=True, fixed=None)
    assert effort == LEAST_EFFORT
    assert [(one.name, one.reason) for one in refused] == [
        ("critique", "it does not fit the budget; 16 s would do")
    ]
    assert [one.name for one in kept] == [one.name for one in STACKS if one.name != "critique"]
