"""The table of the reasoning benchmark."""

from __future__ import annotations

from typing import Any

from benchmarks.quality.reasoning import table


def result() -> dict[str, Any]:
    score = {"score": 0.25, "n": 8, "interval": {"low": 0.1, "high": 0.5}}
    told = {
        "configuration": "words",
        "split": "test",
        "revisions": {"n": 8, "wrong_to_right": 1, "right_to_wrong": 2, "changed": 5},
        "first_errors": {"n": 8, "sound": 2, "detours": 0, "kinds": {"step": 6}},
    }
    entry = {
        "status": "finished",
        "configuration": "words",
        "dev": score,
        "test": score,
        "cold_seconds": 1.5,
        "reasoning": {"measured": [told]},
    }
    stopped = {
        "status": "cut",
        "configuration": None,
        "dev": None,
        "test": None,
        "cold_seconds": None,
        "reasoning": None,
    }
    refused = {"reason+lora": "no train row carries `steps`"}
    return {"set": "sums", "entries": {"reason": entry, "few-shot": stopped}, "refused": refused}


def test_scores_revisions_errors_and_refusals_are_all_in_it() -> None:
    scores, revised, errors = table([result()]).strip().split("\n\n")
    assert "| sums | reason | words | 25.0 [10.0, 50.0] | 25.0 [10.0, 50.0] | 1.50 |" in scores
    assert "| sums | few-shot | cut | - | - | - |" in scores
    assert "refused: no train row carries `steps`" in scores
    assert "| sums | reason | words | test | 8 | 1 | 2 | 5 |" in revised
    assert "| sums | reason | words | test | 8 | 2 | 0 | step 6 |" in errors
