"""Entries that revise or reason: what the second look changed, and where chains went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.data import Report
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import count
from accordeur.report.sections.section import Section, folded, scrolled

_REVISIONS = ("Entry", "Configuration", "Rows", "n", "Wrong → right", "Right → wrong", "Changed")
_ERRORS = ("Entry", "Configuration", "Rows", "n", "Sound", "Detour")
_KINDS = {
    "calculation": "Calculation",
    "step": "Other step",
    "missing": "Missing",
    "answer": "Answer",
}
_TOLD = {
    "calculation": "Wrong calculation",
    "step": "Another step",
    "missing": "Step missing",
    "answer": "Wrong answer behind right steps",
}
_SPLITS = {"dev": "dev", "test": "held-out"}


def reasoning(report: Report) -> Section | None:
    """Both tables; nothing when no entry revised or reasoned."""
    measured = [
        (entry.name, one)
        for entry in report.entries
        for one in (entry.data.get("reasoning") or {}).get("measured", ())
    ]
    parts = [_revisions(measured), _first_errors(measured)]
    if not any(parts):
        return None
    return Section("reasoning", "On the way to the answer", join(*parts))


def _revisions(measured: list[tuple[str, Mapping[str, Any]]]) -> Markup | None:
    rows, verdicts = [], []
    for name, one in measured:
        found = one["revisions"]
        if found is None:
            continue
        numbers = [found[key] for key in ("n", "wrong_to_right", "right_to_wrong", "changed")]
        rows.append(_row(name, one, [count(number) for number in numbers]))
        if words := second_look(found):
            told = f"{_SPLITS[one['split']]}, {one['configuration']}"
            verdicts.append(tag("p", tag("code", name, dir="auto"), f" ({told}): {words}"))
    if not rows:
        return None
    note = (
        "The first draft beside the final answer, row by row; right is a score of at least 0.5. "
        "`asked again` is the placebo: a second answer without any critique, measured on dev and "
        "never chosen. What self-correction gains beyond it comes from the critique, the rest from "
        "answering twice."
    )
    return join(
        verdicts,
        scrolled(_table(_REVISIONS, rows), "Revisions"),
        tag("p", prose(note), class_="note"),
    )


def second_look(found: Mapping[str, Any]) -> str:
    """What revising did, as a sentence; empty where it turned no answer."""
    gained, lost, n = (found[key] for key in ("wrong_to_right", "right_to_wrong", "n"))
    if gained == lost == 0:
        return ""
    effect = "hurts" if lost > gained else "helps" if gained > lost else "gains nothing"
    return (
        f"the second look {effect}: of {count(n)} answers it turned {count(lost)} from right to "
        f"wrong and {count(gained)} from wrong to right."
    )


def _first_errors(measured: list[tuple[str, Mapping[str, Any]]]) -> Markup | None:
    rows, shown = [], []
    heads = (*_ERRORS, *_KINDS.values(), "At step")
    for name, one in measured:
        found = one["first_errors"]
        if found is None:
            continue
        cells = [count(found[key]) for key in ("n", "sound", "detours")]
        cells += [count(found["kinds"].get(kind, 0)) for kind in _KINDS]
        places = ", ".join(f"{step}: {rows}" for step, rows in found["places"].items())
        rows.append(_row(name, one, [*cells, places]))
        shown.append(_chains(name, one, found["shown"]))
    if not rows:
        return None
    note = (
        "The chain beside the row's worked steps, line by line. Sound followed them to the right "
        "answer, detour was right by other lines. Wrong answers by their first error: an equation "
        "that does not hold, another step (reasoning in other words counts as one), a step that is "
        "missing, or a wrong answer behind right steps; and how many at which step."
    )
    return join(
        scrolled(_table(heads, rows), "First errors"), tag("p", prose(note), class_="note"), shown
    )


def _chains(name: str, one: Mapping[str, Any], shown: Mapping[str, Any]) -> Markup | None:
    if not shown or one["split"] != "dev":
        return None
    parts = []
    for kind, example in shown.items():
        lines = []
        for line in example["chain"].splitlines():
            wrong = bool(example["line"]) and line.strip() == example["line"]
            lines.append(tag("mark", line) if wrong else line)
            lines.append("\n")
        due = f" Due was: {example['expected']}" if example["expected"] else ""
        parts.append(tag("p", tag("b", _TOLD[kind]), f", row {example['row']}.{due}"))
        parts.append(tag("pre", lines, dir="auto"))
    return folded(f"Chains of {name}, {one['configuration']}", *parts)


def _row(name: str, one: Mapping[str, Any], cells: list[str]) -> Markup:
    return tag(
        "tr",
        tag("th", tag("code", name, dir="auto"), scope="row"),
        tag("td", one["configuration"]),
        tag("td", _SPLITS[one["split"]]),
        [tag("td", cell, class_="number") for cell in cells],
    )


def _table(heads: tuple[str, ...], rows: list[Markup]) -> Markup:
    head = tag("tr", [tag("th", word, scope="col") for word in heads])
    return tag("table", tag("thead", head), tag("tbody", rows), class_="plain")
