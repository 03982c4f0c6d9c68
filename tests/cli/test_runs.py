"""`accordeur runs ...` and `accordeur report`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.store import RunFolder

from .conftest import Finished
from .terminal_session import converse

Say = Callable[..., Any]


@pytest.fixture
def copied(made: Finished, tmp_path: Path) -> Path:
    """A copy of the run's folder of runs, which may be spoilt; this test looks there."""
    return Path(shutil.copytree(made.runs, tmp_path / "runs"))


def test_no_runs_is_no_error(say: Say) -> None:
    said = say("runs", "list")
    assert said.code == 0
    assert "There are no runs" in said.out
    assert "accordeur run TASK" in said.out


def test_list_names_state_and_pick(finished: Finished, say: Say) -> None:
    said = say("runs", "list")
    pick = json.loads((finished.folder / "record.json").read_text())["decision"]["pick"]
    (line,) = [line for line in said.out.splitlines() if finished.name in line]
    assert "finished" in line
    (row,) = json.loads(say("runs", "list", "--json").out)
    assert (row["run"], row["state"], row["pick"]) == (finished.name, "finished", pick)


def test_show_is_the_last_run_by_default(finished: Finished, say: Say) -> None:
    said = say("runs", "show")
    assert said.code == 0
    assert said.out.startswith(finished.name)
    assert "◆ " in said.out
    assert "Verdict" in said.out
    assert "report.html" in said.out
    assert say("runs", "show", finished.name[:7]).out == said.out


def test_show_as_json_is_the_record(finished: Finished, say: Say) -> None:
    record = json.loads((finished.folder / "record.json").read_text())
    assert json.loads(say("runs", "show", "--json").out) == record


def test_an_unknown_run_offers_the_nearest(finished: Finished, say: Say) -> None:
    said = say("runs", "show", "toy-mesages")
    assert said.code == 1
    assert f"did you mean `{finished.name}`?" in said.err


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
def test_export_writes_every_answer(ending: str, finished: Finished, say: Say) -> None:
    said = say("runs", "export", finished.name, "-o", f"out.{ending}")
    assert said.code == 0
    count = int(said.out.split()[0])
    text = Path(f"out.{ending}").read_text(encoding="utf-8")
    found = len(json.loads(text)) if ending == "json" else text.count("\n") - (ending == "csv")
    assert count == found > 0


def test_rows_to_label_are_exported_where_there_are_some(
    copied: Path, made: Finished, say: Say
) -> None:
    said = say("runs", "export", made.name, "--label-next", "-o", "label.jsonl")
    assert said.code == 1
    assert "ranked no unlabelled rows" in said.err
    (copied / made.name / "label-next.jsonl").write_text('{"id": "a", "input": "x"}\n')
    said = say("runs", "export", made.name, "--label-next", "-o", "label.jsonl")
    assert said.out == "1 row to label written to label.jsonl\n"


def test_report_says_where_it_is(finished: Finished, say: Say) -> None:
    assert say("report", finished.name).out.endswith("/report.html\n")
    assert say("report", "-o", "mine.html").out == "mine.html\n"
    assert Path("mine.html").read_text(encoding="utf-8").lower().startswith("<!doctype html>")


def test_removing_needs_a_yes(copied: Path, made: Finished, say: Say) -> None:
    said = say("runs", "rm", made.name)
    assert said.code == 2
    assert f"accordeur runs rm -y {made.name}" in said.err
    assert (copied / made.name).is_dir()
    said = say("runs", "rm", "-y", made.name[:8])
    assert (said.code, said.out) == (0, f"removed {made.name}\n")
    assert not (copied / made.name).exists()


@pytest.mark.parametrize(("answer", "gone"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_removing_asks_at_a_terminal(answer: str, gone: bool, copied: Path, made: Finished) -> None:
    code, _, shown = converse(copied.parent, ["runs", "rm", made.name], answer)
    assert f"Remove {made.name} for good?" in shown
    assert (copied / made.name).exists() is not gone
    assert code == (0 if gone else 1)


def test_a_live_run_is_not_removed(copied: Path, made: Finished, say: Say) -> None:
    with RunFolder.open(copied / made.name).lock():
        assert "running" in say("runs", "list").out
        said = say("runs", "rm", "-y", made.name)
    assert said.code == 1
    assert "A process works on the run" in said.err
    assert (copied / made.name).is_dir()


@pytest.fixture
def twin(copied: Path, made: Finished, say: Say) -> str:
    """A second run of the same task with another seed."""
    assert say("run", made.task, "-m", "none", "--seed", "1").code == 0
    (name,) = {one.name for one in copied.iterdir() if one.is_dir()} - {made.name}
    return name


def test_compare_puts_runs_side_by_side_and_pairs_their_picks(
    twin: str, made: Finished, say: Say
) -> None:
    said = say("runs", "compare", made.name, twin)
    assert said.code == 0, said.err
    assert made.name in said.out
    assert twin in said.out
    assert "floor:majority" in said.out
    assert "On the same 6 held-out rows the pick of" in said.out
    data = json.loads(say("runs", "compare", made.name, twin, "--json").out)
    (pair,) = data["picks"]
    first, second = (_pick(run, data) for run in data["runs"])
    assert pair["difference"] == pytest.approx(first - second)
    assert pair["n"] == 6


def _pick(run: dict[str, Any], data: dict[str, Any]) -> float:
    return float(run["entries"][run["pick"]]["test"]["score"])


def test_a_run_is_not_compared_with_itself(finished: Finished, say: Say) -> None:
    said = say("runs", "compare", finished.name, finished.name)
    assert said.code == 2
    assert "named twice" in said.err
