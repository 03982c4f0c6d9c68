"""The comparison and the verdict on a terminal."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from rich.console import Console

from accordeur.cli.tables.comparison import (
    comparison_table,
    ranked,
    show_comparison,
    show_verdict,
)

from ..scripted_run import HOSTILE


def side(score: float, n: int) -> dict[str, Any]:
    low, high = score - 0.08, score + 0.08
    interval = {"low": low, "high": high, "level": 0.95, "method": "wilson"}
    return {"score": score, "n": n, "interval": interval, "statuses": {"ok": n}, "missing": 0}


def entry(name: str, dev: float, test: float | None, total: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "status": "finished",
        "reason": "",
        "configuration": "k=8 drawn",
        "dev": side(dev, 120),
        "test": None if test is None else side(test, 240),
        "est": dev - 0.01,
        "against_as_is": None if test is None else {"difference": test - 0.5},
        "cost": {
            "total": total,
            "currency": "USD",
            "queries": 10_000,
            "cold_seconds": 0.55,
            "fit_seconds": 23.1,
        },
    }


RECORD: dict[str, Any] = {
    "task": {"metric": "accuracy", "metric_title": "accuracy", "counts": {"dev": 120}},
    "decision": {"pick": "floor:embedding-logistic"},
    "held_out": {"n": 240},
    "entries": [
        entry("as-is", 0.5, 0.5, 1234.5),
        entry("floor:embedding-logistic", 0.66, 0.692, 0.000071),
        entry("few-shot+calibration", 0.61, 0.6, None),
        {"name": "few-shot", "status": "stopped", "reason": f"behind {HOSTILE}", "dev": None},
    ],
    "verdict": {
        "headline": "Use `floor:embedding-logistic`: clear.",
        "paragraph": f"Use `floor:embedding-logistic`: clear. It says {HOSTILE}.",
        "sentences": ["Shrinkage: 66.0 to 69.2.", HOSTILE],
    },
}


def printed(record: dict[str, Any], width: int) -> str:
    console = Console(width=width, markup=False, emoji=False, highlight=False, record=True)
    with console.capture():
        show_comparison(console, record)
        show_verdict(console, record)
    return console.export_text()


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_number_is_cut_and_no_line_is_too_long(width: int) -> None:
    text = printed(RECORD, width)
    assert max(map(len, text.splitlines())) <= width
    for number in ("66.0", "65.0", "69.2 [61.2, 77.2]", "+19.2", "7.1×10⁻⁵", "1,234"):
        assert number in text
    assert "unknown" in text  # an unknown price is a value


def test_the_pick_is_marked_without_colour() -> None:
    (line,) = [line for line in printed(RECORD, 80).splitlines() if line.startswith("→  ")]
    assert "floor:embedding-logistic" in line


def test_the_best_comes_first_and_what_has_no_score_is_told_below() -> None:
    assert [one["name"] for one in ranked(RECORD)] == [
        "floor:embedding-logistic",
        "few-shot+calibration",
        "as-is",
    ]
    assert "few-shot stopped: behind" in printed(RECORD, 120)


def test_without_a_held_out_split_the_interval_is_of_dev() -> None:
    record = {**copy.deepcopy(RECORD), "held_out": None}
    text = printed(record, 80)
    assert "dev, 95 %" in text
    assert "66.0 [58.0, 74.0]" in text
    assert "held-out" not in text


def test_failed_answers_are_counted_beside_the_score() -> None:
    record = copy.deepcopy(RECORD)
    record["entries"][0]["test"]["statuses"] = {"ok": 237, "parse failure": 3}
    assert "as-is: 3 parse failure" in printed(record, 80)


def test_the_verdict_cannot_drive_the_terminal() -> None:
    text = printed(RECORD, 80)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]" in text


def test_a_record_without_a_pick_or_a_score_is_shown_all_the_same() -> None:
    record = {**copy.deepcopy(RECORD), "decision": None, "entries": [RECORD["entries"][3]]}
    assert comparison_table(record, 80).row_count == 0
    assert "few-shot stopped" in printed(record, 80)
