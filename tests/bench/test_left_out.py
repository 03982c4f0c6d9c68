"""What `all` leaves out when the budget is short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from accordeur.bench.observer import Silent
from accordeur.bench.options import Options
from accordeur.bench.preparation import LEAST_EFFORT, Preparation
from accordeur.bench.stacks import LEFT_OUT_FIRST
from accordeur.core.errors import PlanError
from accordeur.models.source import Models
from accordeur.tasks import load_task
from accordeur.testing.tiny import tiny_model
from accordeur.testing.toy import write_label_task


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
    order = [name for name in LEFT_OUT_FIRST if name != without_steps]
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
