"""`accordeur run` from beginning to end, without a language model."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.observer import EntryView
from accordeur.cli.watching.lines import Lines

from .conftest import Finished

Say = Callable[..., Any]


def test_progress_goes_to_stderr_and_results_to_stdout(made: Finished) -> None:
    err, out = made.said.err, made.said.out
    order = ["Found", "Plan: ", "floor:majority: ", "[00:", "report"]
    assert all(word in err for word in order)
    assert err.index("Found") < err.index("Plan: ") < err.index("floor:majority: ")
    assert "Found" not in out
    assert out.index("◆ ") < out.index("Verdict") < out.index("report ") < out.index("next:")


def test_the_end_names_report_bundle_and_the_next_commands(made: Finished) -> None:
    out = made.said.out
    for line in (
        f"report  runs/{made.name}/report.html",
        f"bundle  runs/{made.name}/winner",
        f'accordeur answer runs/{made.name}/winner "your text"',
        f"accordeur runs show {made.name}",
        "accordeur init FOLDER --data",
    ):
        assert line in out
    assert (made.folder / "report.html").stat().st_size > 1000
    assert (made.folder / "winner" / "bundle.json").is_file()


def test_all_answers_are_written_as_csv(made: Finished) -> None:
    with open(made.runs.parent / "answers.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["split"] for row in rows} == {"dev", "test"}
    assert f"{len(rows)} answers are in " in made.said.out


def test_the_same_command_again_reads_the_run_back(finished: Finished, say: Say) -> None:
    before = (finished.folder / "record.json").read_bytes()
    again = say("run", finished.task, "-m", "none", "-o", "record.json")
    assert again.code == 0
    assert "finished already" in again.err
    assert Path("record.json").read_bytes() == before
    assert json.loads(before)["run"] == finished.name


@pytest.mark.parametrize("ending", ["jsonl", "html"])
def test_other_endings_of_the_output(ending: str, finished: Finished, say: Say) -> None:
    assert say("run", "-c", finished.task, "-m", "none", "-o", f"out.{ending}").code == 0
    text = Path(f"out.{ending}").read_text(encoding="utf-8")
    if ending == "html":
        assert text.lower().startswith("<!doctype html>")
    else:
        assert all(json.loads(line)["run"] == finished.name for line in text.splitlines())


def test_a_dry_run_shows_the_plan_and_makes_nothing(task: Path, say: Say) -> None:
    said = say("run", task, "-m", "none", "--dry-run")
    assert said.code == 0
    assert "Plan: " in said.err
    assert "exact leakage" in said.err
    assert said.out == ""
    assert not list(Path("runs").glob("*/plan.json"))


def test_ctrl_c_says_what_is_done_and_how_to_go_on(
    task: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Lines.entry

    def stop(self: Lines, view: EntryView) -> None:
        told(self, view)
        if view.name == "floor:naive-bayes":
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Lines, "entry", stop)
    said = say("run", task, "-m", "none")
    assert said.code == 130
    assert said.out == ""
    assert "Traceback" not in said.err
    end = said.err[said.err.index("Stopped.") :]
    assert end.startswith("Stopped. 2 of ")
    assert "floor:majority: " in end
    assert "floor:naive-bayes: " in end
    command = end.strip().splitlines()[-1].split()
    assert command[:3] == ["accordeur", "run", "--resume"]

    monkeypatch.undo()
    # `undo` takes the fixture's folders back, too; they are where they were.
    monkeypatch.setenv("ACCORDEUR_RUNS", str(task.parent / "runs"))
    monkeypatch.setenv("ACCORDEUR_CACHE", str(task.parent / "cache"))
    monkeypatch.chdir(task.parent)
    shown = say("runs", "show")
    assert "stopped (levers)" in shown.out
    assert f"accordeur run --resume {command[3]}" in shown.out
    resumed = say("run", "--resume", command[3])
    assert resumed.code == 0
    assert "An earlier run of this plan was interrupted" in resumed.err
    assert "Verdict" in resumed.out


def test_a_language_model_is_measured_beside_the_floors(task: Path, tiny: Path, say: Say) -> None:
    said = say(
        "run", task, "-m", tiny, "--levers", "few-shot", "--set", "few-shot.k=2",
        "--set", "few-shot.choose=draw", "--no-cache", "--deterministic", "--seed", "3",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "The first dev row as the model receives it:" in said.err
    assert "│ <|im_start|>user" in said.err
    assert "few-shot: " in said.err
    (record,) = Path("runs").glob("*/record.json")
    data = json.loads(record.read_text())
    assert data["plan"]["seed"] == 3
    assert {"as-is", "few-shot"} < {one["name"] for one in data["entries"]}
    (lever,) = [one["levers"][0] for one in data["plan"]["entries"] if one["name"] == "few-shot"]
    assert lever["settings"]["k"] == [2]
