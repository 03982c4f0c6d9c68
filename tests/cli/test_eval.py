"""`accordeur eval` as people type it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.testing.endpoint import Messages, ScriptedEndpoint
from accordeur.testing.toy import write_label_task

Say = Callable[..., Any]


@pytest.fixture(autouse=True)
def own_evals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCORDEUR_EVALS", str(tmp_path / "evals"))
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def config(tmp_path: Path, text: str) -> Path:
    place = tmp_path / "config.yaml"
    place.write_text(text, encoding="utf-8")
    return place


ECHO = 'prompts: ["{{ q }}", "{{ q }}!"]\nmodels: [echo]\ncases: [{q: yes}, {q: no}]\n'


def test_a_table_with_rates_and_intervals(tmp_path: Path, say: Say) -> None:
    place = config(tmp_path, f'{ECHO}check: [{{contains: "!"}}]\n')
    said = say("eval", "-c", place, "--compare", "1", "2")
    assert said.code == 100
    assert "[34.2, 100.0]" in said.out
    assert "Column 1 stayed below the threshold of 100.0 %." in said.out
    assert "column 2 passes +100.0 points against column 1" in said.out
    assert "2 cases under 2 columns: 4 answers" in said.err
    assert say("eval", "-c", place, "--filter-prompts", "!").code == 0
    assert say("eval", "-c", place, "--threshold", "0").code == 0


def test_mistakes_end_with_a_hint(tmp_path: Path, say: Say) -> None:
    place = config(tmp_path, f"{ECHO}check: [{{javascript: x}}]\n")
    said = say("eval", "-c", place)
    assert (said.code, said.out) == (1, "")
    assert "hint: use `python` with --allow-code" in said.err
    assert say("eval", "-c", tmp_path / "none.yaml").code == 1
    assert say("eval").code == 2
    assert say("eval", "-c", place, "--repeat", "0").code == 2
    assert say("eval", "-c", place, "-o", "out.pdf").code == 2
    assert say("eval", "-c", place, "--threshold", "90").code == 2


def test_an_endpoint_with_its_prices(tmp_path: Path, say: Say) -> None:
    say("models", "prices", "openai/scripted", "--input", "1000", "--output", "1000")
    text = 'prompts: ["{{ q }}"]\nproviders: ["openai:chat:scripted"]\ntests:\n'
    text += "  - {vars: {q: [a, b]}, assert: [{type: cost, threshold: 0.003}]}\n"
    place = config(tmp_path, text)
    with ScriptedEndpoint(lambda messages: messages[-1]["content"]) as server:
        here = ("--base-url", server.base_url)
        said = say("eval", "-c", place, *here, "-o", "out.json")
        assert said.code == 0, said.err
        assert "written  out.json" in said.out
        (column,) = json.loads((tmp_path / "out.json").read_text())["columns"]
        assert column["cost"] == pytest.approx(0.004)
        spent = say("eval", "-c", place, *here, "--no-cache", "--max-calls", "2")
        assert spent.code == 1
        assert "the limit of 2 calls is reached" in spent.err
        assert "--resume" in spent.err


def test_a_dead_endpoint_says_what_to_do(tmp_path: Path, say: Say) -> None:
    with ScriptedEndpoint(faults={"401": 1.0}) as server:
        place = config(tmp_path, ECHO.replace("echo", "openai/scripted"))
        said = say("eval", "-c", place, "--base-url", server.base_url)
        assert said.code == 1
        assert "OPENAI_API_KEY" in said.err


def test_a_killed_evaluation_goes_on(tmp_path: Path, say: Say) -> None:
    def answer(messages: Messages) -> str:
        return messages[-1]["content"]

    rows = "".join(f"question {number}\n" for number in range(120))
    (tmp_path / "cases.csv").write_text(f"q\n{rows}")
    text = 'prompts: ["{{ q }}"]\nmodels: [openai/scripted]\ncases: cases.csv\n'
    place = config(tmp_path, f'{text}check: [{{contains: "{{{{ q }}}}"}}]\n')
    with ScriptedEndpoint(answer, delay=0.05) as server:
        options = ["eval", "-c", str(place), "--base-url", server.base_url, "-j", "2", "--no-cache"]
        program = subprocess.Popen(
            [sys.executable, "-m", "accordeur.cli", *options],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=dict(os.environ),
        )
        while len(server.seen.answered) < 40:
            assert program.poll() is None
            time.sleep(0.02)
        program.send_signal(signal.SIGKILL)
        program.wait()
        said = say(*options, "--resume")
        assert said.code == 0, said.err
        assert "were done before" in said.err
        assert "120/120" in said.out
        asked = {text: n for text, n in server.seen.answered.items() if text.startswith("question")}
        assert len(asked) == 120
        again = sum(n > 1 for n in asked.values())
        assert again <= 8  # what was answered and not yet on the disk when it was killed


def test_code_runs_with_leave_alone(tmp_path: Path, say: Say) -> None:
    place = config(tmp_path, f'{ECHO}check: [{{python: "len(output) < 9"}}]\n')
    refused = say("eval", "-c", place)
    assert refused.code == 1
    assert "--allow-code" in refused.err
    assert say("eval", "-c", place, "--allow-code").code == 0


def test_what_models_say_cannot_drive_the_terminal(tmp_path: Path, say: Say) -> None:
    place = config(
        tmp_path,
        'prompts: ["{{ q }}"]\nmodels: [echo]\n'
        'cases: [{q: "\\e[2J[bold]x"}]\ncheck: [{equals: y}]\n',
    )
    said = say("eval", "-c", place)
    assert "\x1b" not in said.out
    assert "[bold]x" in said.out


def test_a_bundle_takes_part(tmp_path: Path, say: Say) -> None:
    task = write_label_task(tmp_path / "task")
    place = task / "task.yaml"
    only = "limits: {language_model: true}\n"
    place.write_text(place.read_text(encoding="utf-8") + only, encoding="utf-8")
    with ScriptedEndpoint(lambda messages: "card") as server:
        here = ("--base-url", server.base_url)
        assert say("run", task, "-m", "openai/scripted", "--levers", "as-is", *here).code == 0
        winner = next((tmp_path / "runs").glob("*/winner"))
        text = f"models: [{winner}, openai/scripted]\ncases: [{{input: my card}}]\n"
        config_file = config(tmp_path, f"{text}check: [{{equals: card}}]\n")
        said = say("eval", "-c", config_file, *here)
        assert said.code == 0, said.err
        elsewhere = say("eval", "-c", config_file)
        assert elsewhere.code == 1
        assert "name the address" in elsewhere.err


def test_memory_does_not_grow_with_cases(tmp_path: Path) -> None:
    peaks = []
    for count in (200, 6_000):
        rows = "".join(f"case {number} {'word ' * 40}\n" for number in range(count))
        (tmp_path / "cases.csv").write_text(f"q\n{rows}")
        text = 'prompts: ["{{ q }}"]\nmodels: [echo]\ncases: cases.csv\ncheck: [{contains: word}]\n'
        place = config(tmp_path, text)
        code = (
            "import resource, sys; from accordeur.cli.main import main; "
            f"code = main(['eval', '-c', {str(place)!r}, '-o', {str(tmp_path / 'o.jsonl')!r}]); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); "
            "sys.exit(code)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[1] < 1.15 * peaks[0]
