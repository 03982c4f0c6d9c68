"""Bad flags are refused with a message of their own, before a model library is loaded.

One process tries them all, so that what is loaded at the end was loaded by none of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accordeur.testing.toy import write_label_task

CASES: dict[str, tuple[str, int, str, str]] = {
    "no task": ("run", 2, "No task is named.", "accordeur run FOLDER"),
    "a task twice": ("run TASK -c other", 2, "The task is named twice", "accordeur run"),
    "a task that is not there": ("run nowhere", 1, "nowhere", ""),
    "negative budget": ("run TASK --budget=-10m", 2, "`-10m` is not a positive", "--budget 10m"),
    "a budget in words": ("run TASK --budget soon", 2, "`soon` is not a positive", "--budget"),
    "no rows": ("run TASK --limit 0", 2, "`--limit 0` keeps no row", "--limit 100"),
    "a negative seed": ("run TASK --seed=-1", 2, "`--seed -1` is negative", "--seed 0"),
    "no latency": ("run TASK --max-latency 0", 2, "`--max-latency 0` is not", "--max-latency 2.0"),
    "an unknown lever": ("run TASK --levers few-shots", 1, "`few-shots`", "`few-shot`"),
    "an unknown lever of a stack": ("run TASK --levers few-shot+x", 1, "`x`", "known: "),
    "an empty lever": ("run TASK --levers ,", 1, "No lever is named", "--levers"),
    "an unknown model": ("run TASK -m smollm", 1, "`smollm`", "`local/smollm2`"),
    "a setting without a value": ("run TASK --set few-shot.k", 2, "lever.setting=value", "--set"),
    "an unknown setting": ("run TASK --set few-shot.kk=1", 1, "`kk`", "`k`"),
    "a setting of no lever": ("run TASK --set nothing.k=1", 1, "`nothing`", "known: "),
    "a setting of a lever that is not pulled": (
        "run TASK --levers as-is --set few-shot.k=1",
        2,
        "not pulled",
        "--levers as-is,few-shot",
    ),
    "a setting twice": ("run TASK --set few-shot.k=1 --set few-shot.k=2", 2, "set twice", "--set"),
    "a setting out of range": ("run TASK --set few-shot.k=0", 1, "`k`", "--set few-shot.k=4,8,16"),
    "an unknown check": ("run TASK --allow exakt", 2, "`exakt`", "`exact`"),
    "an unknown scope": ("run TASK --forgetting all", 2, "`all`", "known: trained, full, off"),
    "an output nobody writes": ("run TASK -o out.pdf", 2, "`.pdf`", ".json, .jsonl, .csv, .html"),
    "an output nowhere": ("run TASK -o no/where.csv", 2, "does not exist", "mkdir -p no"),
    "a task beside resume": ("run TASK --resume x", 2, "knows its task", "--resume x"),
    "a flag beside resume": ("run --resume x --seed 3", 2, "`--seed` has no meaning", "leave it"),
    "an unknown run": ("run --resume x", 1, "There is no run `x`", "accordeur run TASK"),
    "a metric nobody knows": ("run BADMETRIC", 1, "`acuracy`", "`accuracy`"),
    "answer without a question": ("answer x", 2, "either a text or `--input`", "accordeur answer"),
    "answer of nothing": ("answer nowhere hello", 1, "no bundle and no run", "winner"),
    "answers as a picture": ("answer x --input r.jsonl -o a.png", 2, "`.png`", "-o a.jsonl"),
    "a report as a picture": ("report x -o a.png", 2, "`.png`", "a.html"),
    "an export as a picture": ("runs export x -o a.png", 2, "`.png`", ".jsonl, .json, .csv"),
    "one run compared": ("runs compare x", 2, "needs two runs", "accordeur runs compare x"),
    "a negative number of runs": ("runs list -n -1", 2, "negative", "runs list -n 20"),
    "an unknown embedded model": ("models pull smolm", 1, "`smolm`", "known: smollm2, minilm"),
    "nothing to forget": ("cache prune", 2, "Say what to forget", "--older-than 30"),
    "a size in words": ("cache prune --max-size big", 2, "`big` is not a size", "500MB"),
    "init of nothing": ("init new --data nowhere.csv", 1, "nowhere.csv", ""),
    "init with an unknown metric": (
        "init new --data D --metric rogue-l",
        1,
        "`rogue-l`",
        "`rouge-l",
    ),
    "init without data": (
        "init new --input text",
        2,
        "`--input` goes with `--data`",
        "--data FILE",
    ),
}

CHILD = """
import contextlib, io, json, sys
from accordeur.cli.main import main
said = {}
for name, arguments in json.load(sys.stdin).items():
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = main(arguments)
    said[name] = [code, err.getvalue(), "torch" in sys.modules or "transformers" in sys.modules]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, bool]]:
    home = tmp_path_factory.mktemp("bad")
    task = write_label_task(home / "task")
    bad = write_label_task(home / "badmetric")
    text = (bad / "task.yaml").read_text().replace("metric: accuracy", "metric: acuracy")
    (bad / "task.yaml").write_text(text)
    places = {"TASK": str(task), "BADMETRIC": str(bad), "D": str(task / "train.jsonl")}
    arguments = {
        name: [places.get(word, word) for word in line.split()]
        for name, (line, *_) in CASES.items()
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={**os.environ, "ACCORDEUR_RUNS": str(home / "runs")},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert not (home / "runs").exists()
    return found


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str, refusals: dict[str, tuple[int, str, bool]]) -> None:
    _, wanted, message, hint = CASES[name]
    code, said, loaded = refusals[name]
    first, _, advice = said.partition("\n\nhint: ")
    assert code == wanted, said
    assert message in first
    assert hint in advice
    assert "Traceback" not in said
    assert not loaded, "a model library was loaded"


def test_each_has_a_message_of_its_own(refusals: dict[str, tuple[int, str, bool]]) -> None:
    messages = [said for _, said, _ in refusals.values()]
    assert [said for said in messages if messages.count(said) > 1] == []


def test_the_data_of_a_run_is_looked_at_before_a_model_is_loaded(tmp_path: Path) -> None:
    task = write_label_task(tmp_path / "task")
    (task / "dev.jsonl").write_text("")
    code = "import sys; from accordeur.cli.main import main; c = main(['run', sys.argv[1]]);"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} print(c, 'torch' in sys.modules)", str(task)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "False"]
    assert "dev.jsonl` is empty" in done.stderr
