"""The README's ten lines, and what else a finished run offers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import accordeur as ac
from accordeur.bench.finished import Run
from accordeur.core.errors import AccordeurError, StoreError, UsageError
from accordeur.core.lever import Lever
from accordeur.levers.few_shot import FewShot
from accordeur.parts.bundle import load_bundle
from accordeur.parts.loaded import LoadedBundle
from accordeur.testing.puzzle import KnowingModel, gold_label, puzzle_labels
from accordeur.testing.scripted import ScriptedSource

Go = Callable[..., Run]


def test_from_a_task_to_an_answer_in_ten_lines(tmp_path: Path) -> None:
    source = ScriptedSource(KnowingModel(few_shot=1.0))
    folder = puzzle_labels(tmp_path / "task")

    task = ac.load_task(folder)
    run = ac.run(task, model="scripted", levers=["few-shot"], source=source)
    paragraph = str(run.verdict)
    table = run.comparison.table()
    report = run.report(tmp_path / "report.html")
    bundle = run.winner.save(tmp_path / "winner")
    answer = LoadedBundle(load_bundle(bundle), source).answer("Ticket 7: my card is gone")

    assert paragraph.startswith("Use `few-shot`")
    assert table.row_count == len(run.record["entries"])
    console = Console(width=200, record=True, file=(tmp_path / "table").open("w"))
    console.print(table)
    assert "few-shot" in console.export_text()
    assert report.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    assert (bundle / "bundle.json").is_file()
    assert answer.text == gold_label("Ticket 7: my card is gone")
    assert answer.probabilities is not None
    assert sum(answer.probabilities) == pytest.approx(1.0, abs=1e-5)


def test_a_run_is_opened_by_folder_name_or_its_beginning(tmp_path: Path, go: Go) -> None:
    run = go(puzzle_labels(tmp_path / "task"), levers="as-is")
    for reference in (run.folder, str(run.folder), run.name, run.name[:9]):
        assert ac.open_run(reference).record == run.record
    with pytest.raises(StoreError, match="no-such-run"):
        ac.open_run("no-such-run")


def test_an_unfinished_run_says_how_to_go_on(tmp_path: Path, go: Go) -> None:
    from accordeur.bench.observer import Silent

    class Impatient(Silent):
        def phase(self, name: str) -> None:
            if name == "levers":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(puzzle_labels(tmp_path / "task"), observer=Impatient())
    (place,) = (tmp_path / "runs").iterdir()
    with pytest.raises(StoreError, match="is not finished") as caught:
        ac.open_run(place.name)
    assert caught.value.hint == f"accordeur run --resume {place.name}"


def test_a_run_without_a_pick_has_no_winner(tmp_path: Path, go: Go) -> None:
    yaml = "limits: {cost_per_query: 0}\n"
    run = go(puzzle_labels(tmp_path / "task", yaml=yaml), levers="as-is")
    assert run.verdict.pick is None
    assert run.verdict.headline == "No recommendation: no candidate is eligible."
    assert "over the limit of 0 USD per query" in " ".join(run.verdict.sentences)
    with pytest.raises(StoreError, match="recommends nothing"):
        _ = run.winner


def test_lever_objects_keep_their_settings_and_cannot_be_resumed_by_name(
    tmp_path: Path, go: Go
) -> None:
    lever: Lever = FewShot(k=(3,), choose=("draw",))
    run = go(puzzle_labels(tmp_path / "task"), levers=[lever], settings=None)
    assert [row["configuration"] for row in run.record["ledger"]][-1] == "k=3 drawn"
    with pytest.raises(UsageError, match="does not say how it was started") as caught:
        ac.resume(run.name)
    assert "same" in caught.value.hint


def test_resume_goes_on_with_the_same_plan_by_name(tmp_path: Path, one_thread: None) -> None:
    """With floors alone, since a name can only bring back models of this machine."""
    from accordeur.bench.observer import Silent

    class Impatient(Silent):
        def phase(self, name: str) -> None:
            if name == "held-out":
                raise KeyboardInterrupt

    task = puzzle_labels(tmp_path / "task", {"train": 12, "dev": 10, "test": 8})
    with pytest.raises(KeyboardInterrupt):
        ac.run(task, model="none", limit=9, seed=3, observer=Impatient())
    (place,) = (tmp_path / "runs").iterdir()
    run = ac.resume(place.name)
    assert run.folder == place.absolute()
    assert run.record["plan"]["seed"] == 3
    assert run.record["task"]["counts"]["dev"] == 9


def test_everything_of_the_plan_makes_another_run(tmp_path: Path, go: Go) -> None:
    task = puzzle_labels(tmp_path / "task")
    first = go(task, levers="as-is")
    others = [
        go(task, levers="as-is", seed=1),
        go(task, levers="as-is", limit=40),
        go(task, levers="as-is", effort=5),
        go(task, KnowingModel(name="another"), levers="as-is"),
        go(task, levers="as-is", max_latency=9.0),
    ]
    assert len({run.name for run in (first, *others)}) == 6
    assert go(task, levers="as-is", budget=1e9, use_cache=False).name == first.name


@pytest.mark.parametrize(
    "options",
    [
        {"budget": -5.0},
        {"budget": 0.0},
        {"max_latency": 0.0},
        {"max_latency": -1.0},
        {"limit": 0},
        {"effort": 0},
        {"allow_leakage": ("far",)},
    ],
    ids=str,
)
def test_numbers_that_cannot_be_are_refused_before_anything_is_done(
    tmp_path: Path, go: Go, options: dict[str, object]
) -> None:
    with pytest.raises(AccordeurError) as caught:
        go(puzzle_labels(tmp_path / "task"), **options)
    assert isinstance(caught.value, UsageError)
    assert caught.value.hint
    assert not (tmp_path / "runs").exists()


def test_every_public_name_has_a_docstring() -> None:
    for name in ac.__all__:
        if name != "__version__":
            assert inspect.getdoc(getattr(ac, name)), name
