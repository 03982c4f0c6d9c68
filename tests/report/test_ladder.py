"""The ladder and withholding, in words, on the terminal and on the page."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from tests.report.conftest import RUNS

from accordeur.report.console import ladder_table
from accordeur.report.data import Report, read_report
from accordeur.report.ladder_words import incomplete, left_out, measure_name, searched_words
from accordeur.report.sections.ladder import ladder
from accordeur.report.sections.withholding import withholding

BOUNDS = {"low": 0.5, "high": 0.75, "level": 0.95, "method": "Wilson"}
FOUND: dict[str, Any] = {
    "status": "measured",
    "reason": "",
    "n": 30,
    "unanswerable": 10,
    "without_place": 1,
    "k": 3,
    "retriever": "fusion 0.5",
    "rungs": [
        {"name": "closed book", "score": 0.125, "interval": BOUNDS, "n": 30, "privileged": False},
        {"name": "gold passage", "score": 0.625, "interval": None, "n": 30, "privileged": True},
    ],
    "gaps": [
        {
            "higher": "gold passage",
            "lower": "closed book",
            "difference": 0.5,
            "interval": BOUNDS,
            "n": 30,
            "sentence": "It gains <b>50</b> points.",
        }
    ],
    "retrieval": [
        {
            "ranking": "fusion 0.5",
            "k": 3,
            "measures": {
                "mrr@10": {"value": 0.4, "interval": BOUNDS},
                "span_recall@3": {"value": 0.6, "interval": None},
                "hit@3": {"value": 0.7, "interval": None},
            },
        }
    ],
}


def printed(record: dict[str, Any], width: int = 80) -> str:
    out = io.StringIO()
    made = ladder_table(record)
    assert made is not None
    Console(file=out, width=width, color_system=None).print(made)
    return out.getvalue()


def with_ladder(place: Path, found: dict[str, Any] | None) -> Report:
    report = read_report(RUNS["text"]().write(place).folder)
    return replace(report, record={**report.record, "ladder": found})


def test_the_terminal_shows_rungs_sentences_and_the_search() -> None:
    said = printed({"ladder": FOUND})
    assert "closed book" in said
    assert "12.5" in said
    assert "· It gains <b>50</b> points." in said
    assert "span recall@3 60.0, MRR@10 40.0 [50.0, 75.0]" in said
    assert "10 rows without an answer and 1 row that name no place" in " ".join(said.split())
    assert all(len(line) <= 80 for line in said.splitlines())


def test_what_was_not_measured_says_why() -> None:
    cut = {**FOUND, "status": "cut", "reason": "the time budget was spent"}
    assert incomplete(cut) == "The ladder was not measured to its end: the time budget was spent."
    none = {
        **FOUND,
        "status": "skipped",
        "reason": "no place",
        "rungs": [],
        "retrieval": [],
        "n": 0,
    }
    assert printed({"ladder": none}).strip() == "The ladder was not measured: no place."
    assert (searched_words(none), left_out(none)) == ("", "")


def test_a_run_without_documents_shows_nothing(tmp_path: Path) -> None:
    assert ladder_table({"ladder": None}) is None
    assert ladder_table({}) is None
    report = with_ladder(tmp_path, None)
    assert ladder(report) is None
    assert withholding(report) is None


def test_the_page_escapes_and_says_which_rungs_see_labels(tmp_path: Path) -> None:
    section = ladder(with_ladder(tmp_path, FOUND))
    assert section is not None
    html = str(section.html())
    assert "&lt;b&gt;50&lt;/b&gt;" in html
    assert html.count("sees labels") == 1
    assert "nDCG" not in html
    assert measure_name("ndcg@10") == "nDCG@10"
