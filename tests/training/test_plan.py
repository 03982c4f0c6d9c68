"""The plan of a training: fixed before anything runs, and kept to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accordeur
from accordeur.cli.settings import check_levers
from accordeur.core.errors import UsageError
from accordeur.models.source import Models
from accordeur.testing.toy import write_label_task
from accordeur.training.plan import FEWEST, MOST, PASSES, TrainingPlan, default_steps

plans = st.builds(
    TrainingPlan,
    steps=st.integers(1, 500),
    batch_rows=st.integers(1, 32),
    effort=st.integers(1, 12),
    must_improve=st.booleans(),
    searched=st.integers(1, 6),
    members=st.integers(1, 4),
)


@given(plan=plans)
def test_checks_rise_to_the_last_step_and_the_search_halves(plan: TrainingPlan) -> None:
    assert plan.after == tuple(sorted(set(plan.after)))
    assert plan.after[-1] == plan.steps
    assert plan.after[0] >= 1
    counts = [settings for settings, _ in plan.rungs]
    assert counts == [plan.searched >> at for at in range(len(counts))]
    assert (plan.searched >> len(counts)) == 1
    assert all(1 <= steps <= plan.steps for _, steps in plan.rungs)


@given(plan=plans)
def test_without_search_and_members_the_effort_is_enough(plan: TrainingPlan) -> None:
    if plan.searched == plan.members == 1:
        assert len(plan.forecast()) <= plan.effort


def test_steps_follow_the_rows() -> None:
    assert default_steps(20, 8, effort=8) == FEWEST
    assert default_steps(500, 8, effort=8) == -(-PASSES * 500 // 8)
    assert default_steps(100_000, 8, effort=8) == MOST
    assert default_steps(500, 8, effort=1) < default_steps(500, 8, effort=3)
    assert default_steps(300, 8, effort=2) == 94
    assert default_steps(1000, 8, effort=2) == default_steps(100_000, 8, effort=2) == 100


def pull(
    tiny_folder: Path, home: Path, *, budget: float | None = None, **settings: object
) -> dict[str, object]:
    run = accordeur.run(
        write_label_task(home / "task"),
        model=str(tiny_folder),
        levers=["lora"],
        settings={"lora": {"batch_rows": 4, **settings}},
        effort=2,
        budget=budget,
        runs=home / "runs",
        forgetting="off",
        source=Models(dtype="float32"),
    )
    (entry,) = [one for one in run.record["entries"] if one["name"] == "lora"]
    assert run.record["decision"]["pick"], "the run went on"
    names = [row["configuration"] for row in run.record["ledger"] if row["entry"] == "lora"]
    return {**entry, "ledger": names}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))


def test_a_search_goes_through_the_ledger_and_halves(tiny_folder: Path, tmp_path: Path) -> None:
    entry = pull(tiny_folder, tmp_path, steps=8, tune=True, must_improve=False, learning_rate=0.01)
    ledger = entry["ledger"]
    assert isinstance(ledger, list)
    first = [
        "rate 0.01, rank 8, 2 steps",
        "rate 0.02, rank 8, 2 steps",
        "rate 0.004, rank 8, 2 steps",
        "rate 0.01, rank 16, 2 steps",
    ]
    assert ledger[:4] == first
    second = {name.replace("4 steps", "2 steps") for name in ledger[4:6]}
    assert len(second) == 2
    assert second < set(first)
    whole = [name.rpartition(", ")[0] for name in ledger[6:]]
    assert len(set(whole)) == 1
    assert f"{whole[0]}, 4 steps" in ledger[4:6]
    assert ledger[-1].endswith("step 8")


def test_a_loss_that_is_no_number_stops_the_lever_alone(tiny_folder: Path, tmp_path: Path) -> None:
    entry = pull(tiny_folder, tmp_path, steps=12, learning_rate=1e38)
    assert entry["status"] == "stopped"
    assert "broke down at step" in str(entry["reason"])


def test_a_training_that_cannot_end_in_time_is_not_begun(tiny_folder: Path, tmp_path: Path) -> None:
    entry = pull(tiny_folder, tmp_path, budget=60.0, steps=1_000_000)
    assert entry["status"] == "cut"
    assert "is forecast to take" in str(entry["reason"])


def test_tune_is_for_levers_that_are_trained() -> None:
    assert check_levers("lora,few-shot", [], tune=True) == {"lora": {"tune": True}}
    assert check_levers("lora", ["lora.rank=4"], tune=True)["lora"] == {"rank": 4, "tune": True}
    with pytest.raises(UsageError, match="none is pulled"):
        check_levers("few-shot", [], tune=True)
