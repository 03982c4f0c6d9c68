"""The example browser: every candidate's answer to every row, side by side.

The rows go into the page as data; `assets/browser.js` shows one page of them at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.data import Report, Said
from accordeur.report.markup import join, payload, tag
from accordeur.report.sections.section import Section

_TOP = 5
"""Probabilities shown per answer, the largest ones; the accepted answer's is always among them."""

_MOST, _ALL = 1200, 3_000_000
"""Characters shown of each text written on the way, and of all of them: the page is one file that
opens at once. The whole stands in the run's folder."""


def examples(report: Report) -> Section | None:
    """The browser; `None` when the run has no rows or no answers."""
    if not report.rows or not report.answers:
        return None
    word = "held-out" if report.split == "test" else report.split
    content = join(
        tag(
            "p",
            f"{len(report.rows):,} {word} rows and what every candidate answered.",
            class_="note",
        ),
        tag(
            "noscript",
            tag(
                "p",
                "The browser needs JavaScript. The rows are in ",
                tag("code", f"rows-{report.split}.jsonl"),
                " of the run's folder, the answers in ",
                tag("code", f"answers/{report.split}/"),
                ".",
            ),
        ),
        tag("div", id="browser", class_="browser"),
        payload("examples-data", browser_data(report)),
    )
    return Section("examples", "Examples", content)


def browser_data(report: Report) -> dict[str, Any]:
    """Rows and answers, as compact as can be read back.

    Returns:
        `labels`: names; `kind`; `entries`: number, name, floor, pick; `rows`: id, input as
        [role, text] pairs, accepted answers or null, and per entry an answer or null: text, status,
        score, [[label index, probability], ...], error, [[name, text], ...] written on the way; the
        last two are left out where there is nothing to tell.
    """
    labels = [str(label["name"]) for label in report.task.get("labels") or ()]
    shown = [entry for entry in report.entries if entry.name in report.answers]
    texts = sum(len(one.trace) for said in report.answers.values() for one in said.values())
    most = min(_MOST, _ALL // max(1, texts))
    return {
        "kind": report.task["kind"],
        "labels": labels,
        "entries": [
            {"number": one.number, "name": one.name, "floor": one.floor, "pick": one.pick}
            for one in shown
        ],
        "rows": [
            {
                "id": str(row["id"]),
                "input": _pieces(row["input"]),
                "expected": _accepted(row["expected"]),
                "answers": [
                    _answer(report.answers[entry.name].get(str(row["id"])), row, labels, most)
                    for entry in shown
                ],
            }
            for row in report.rows
        ],
    }


def _pieces(content: Any) -> list[list[str]]:
    """An input as [name, text] pairs: turns by role, fields by name, a text without a name."""
    if isinstance(content, str):
        return [["", content]]
    if isinstance(content, Mapping):
        return [[str(name), str(text)] for name, text in content.items()]
    if isinstance(content, Sequence):
        return [
            [str(turn.get("role", "")), str(turn.get("content", ""))]
            for turn in content
            if isinstance(turn, Mapping)
        ]
    return [["", str(content)]]


def _accepted(expected: Any) -> list[str] | None:
    if expected is None:
        return None
    return [expected] if isinstance(expected, str) else [str(one) for one in expected]


def _answer(said: Said | None, row: Mapping[str, Any], labels: Sequence[str], most: int) -> Any:
    if said is None:
        return None
    score = None if said.score is None else round(said.score, 4)
    data: list[Any] = [said.text, said.status, score, _largest(said, row, labels)]
    trace = [[name, _shortened(text, most)] for name, text in said.trace]
    if trace:
        return [*data, said.error, trace]
    return [*data, said.error] if said.error else data


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} \u2026"


def _largest(said: Said, row: Mapping[str, Any], labels: Sequence[str]) -> list[list[float]] | None:
    values = said.probabilities
    if values is None or len(values) != len(labels):
        return None
    order = sorted(range(len(labels)), key=lambda place: -values[place])
    accepted = _accepted(row["expected"]) or []
    kept = order[:_TOP] + [place for place in order[_TOP:] if labels[place] in accepted]
    return [[place, round(values[place], 3)] for place in kept]
