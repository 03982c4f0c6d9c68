"""Results as files that other programs read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from accordeur.bench.matrix.evaluate import Evaluated
from accordeur.core.errors import UsageError
from accordeur.core.model import Generated, Usage
from accordeur.core.rendering import Rendered

Evaluate = Callable[..., Evaluated]

CONFIG = """
name: nasty <texts>
prompts: [{label: "p|1", raw: "{{ q }}"}]
models: [openai/scripted]
cases:
  - {q: plain, other: [1, 2]}
  - {q: "=1+1", id: formula}
  - {q: markup}
  - {q: lost}
check: [{not-contains: script}]
"""
ANSWERS: dict[str, str | Generated] = {
    "plain": "Grüße \U0001f600",
    "=1+1": "=cmd|' /C calc'!A0",
    "markup": "</pre><script>alert(1)</script>\x1b[31m\ud800",
    "lost": Generated("", False, 0.0, Usage(), "connection reset"),
}


def answer(prompt: Rendered) -> str | Generated:
    return ANSWERS[prompt.messages[-1].text]


@pytest.fixture
def written(run: Evaluate, tmp_path: Path) -> Path:
    names = ("json", "jsonl", "csv", "xml", "html")
    outputs = tuple(tmp_path / f"out.{name}" for name in names)
    done = run(CONFIG, answer, outputs=outputs, use_cache=False)
    assert done.exit_code == 100
    return tmp_path


def test_json_and_json_lines_hold_the_same_rows(written: Path) -> None:
    data = json.loads((written / "out.json").read_text())
    rows = [json.loads(line) for line in (written / "out.jsonl").read_text().splitlines()]
    assert data["results"] == rows
    assert [one["status"] for one in rows] == ["pass", "pass", "fail", "error"]
    assert rows[2]["output"] == ANSWERS["markup"]
    assert rows[1]["case"] == "formula"
    assert data["columns"][0]["n"] == 3


def test_csv_runs_nothing_in_a_spreadsheet(written: Path) -> None:
    with open(written / "out.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["output"] == "'=cmd|' /C calc'!A0"
    assert rows[1]["var q"] == "'=1+1"
    assert rows[0]["var other"] == "[1, 2]"
    assert rows[3]["status"] == "error"
    assert len(rows) == 4


def test_junit_is_xml_with_failures_and_errors(written: Path) -> None:
    suite = ElementTree.parse(written / "out.xml").getroot()[0]
    assert suite.get("tests") == "4"
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    kinds = [[child.tag for child in case] for case in suite]
    assert kinds == [[], [], ["failure"], ["error"]]
    assert "<script>" in (suite[2][0].text or "")


def test_the_page_escapes_what_models_say(written: Path) -> None:
    html = (written / "out.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert "\x1b" not in html
    assert "nasty &lt;texts&gt;" in html
    assert "connection reset" in html


def test_rows_that_did_not_pass_can_be_asked_alone(written: Path, run: Evaluate) -> None:
    from accordeur.bench.matrix.selection import Selection, failing_ids

    for name in ("out.json", "out.jsonl"):
        ids = failing_ids(written / name)
        done = run(CONFIG, answer, selection=Selection(failing=ids), use_cache=False)
        assert done.summary["cases"] == 2
    assert len(failing_ids(written / "out.json", errors_only=True)) == 1


def test_endings_are_checked_before_anything_is_asked(run: Evaluate, tmp_path: Path) -> None:
    for name in ("out.pdf", "missing/out.json"):
        with pytest.raises(UsageError):
            run(CONFIG, lambda prompt: 1 / 0, outputs=(tmp_path / name,))
