"""What trained entries lost of what the base model could do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.data import Report
from accordeur.report.forgetting_words import (
    accuracies,
    blind,
    perplexities,
    same_answers,
    scale,
    switched_off,
)
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import interval, significant
from accordeur.report.sections.section import Section, folded, scrolled

_HEAD = ("Entry", "Perplexity", "Ratio", "Other task", "Difference", "Same answer", "Switched off")

_HOW_TO_READ = (
    (
        "Perplexity",
        "of general text, base model → adapted model, each passage written as the answer to one "
        "neutral user turn. Lower is better. It is the exponential of the mean negative "
        "log-likelihood of a token, ends of turn included.",
    ),
    (
        "Ratio",
        "adapted by base; above 1 is a loss. The 95 % interval resamples passages, the same for "
        "both models.",
    ),
    (
        "Other task",
        "accuracy in points, base → adapted, on rows of a task the entry was not made for, with "
        "that task's own instruction and no calibration. Intervals: Wilson; the difference is "
        "paired.",
    ),
    ("Same answer", "share of those rows on which both give the same answer, right or wrong."),
    (
        "Active",
        "weights are simply there. A soft prompt stands where it was trained, at the start of the "
        "first user turn, with the words that stood before it, and what is asked follows. "
        "Demonstrations and calibration of a trained entry are left out. Entries without trained "
        "parts (only with `--forgetting full`) are asked behind their instruction and "
        "demonstrations.",
    ),
    ("Switched off", "what is left without the adaptation, and how that was checked."),
)


def forgetting(report: Report) -> Section | None:
    """The table; `None` when nothing was to be checked."""
    found = list((report.record.get("forgetting") or {}).get("entries") or ())
    if not found:
        return None
    numbers = {entry.name: entry.number for entry in report.entries}
    head = [
        tag("th", word, scope="col", class_="number" if 0 < place < 6 else None)
        for place, word in enumerate(_HEAD)
    ]
    body = [_line(one, numbers.get(one["name"])) for one in found]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="plain")
    said = scale(found)
    caption = (
        "Measured off the task after everything was decided; nothing here took part in the choice."
    )
    if said:
        caption = f"{caption} Asked of base and adapted model alike: {said}."
    warning = blind(found)
    notes = [tag("div", tag("dt", name), tag("dd", prose(told))) for name, told in _HOW_TO_READ]
    return Section(
        "forgetting",
        "What it forgot",
        join(
            tag("p", prose(caption), class_="note"),
            tag("p", prose(warning), class_="note") if warning else None,
            scrolled(table, "What it forgot"),
            folded("How to read this table", tag("dl", notes, class_="notes")),
        ),
    )


def _line(one: Mapping[str, Any], number: int | None) -> Markup:
    name = one["name"] if number is None else f"{number} {one['name']}"
    heading = tag("th", name, scope="row", dir="auto")
    if one["status"] != "measured":
        why = f"Not measured: {one['reason']}."
        return tag("tr", heading, tag("td", prose(why), colspan=len(_HEAD) - 1))
    general, other = one["general"], one["other"]
    perplexity, ratio = perplexities(one)
    spreads = [_plain(general[side]["interval"]) for side in ("base", "active")]
    accuracy, difference = accuracies(one)
    same, bounds = same_answers(one)
    sides = [interval(other[side]["interval"]) for side in ("base", "active")] if other else []
    passages, n = f"n {general['passages']}", f"n {other['n']}" if other else ""
    return tag(
        "tr",
        heading,
        _cell(perplexity, " → ".join(spreads), passages),
        _cell(*ratio.split(" ", 1), passages),
        _cell(accuracy, " → ".join(sides), n),
        _cell(*_apart(difference), n),
        _cell(same, bounds, n),
        tag("td", f"{switched_off(one)}.", class_="words"),
    )


def _apart(difference: str) -> tuple[str, str]:
    """The number and its interval; a sentence stays whole."""
    number, bracket, rest = difference.partition(" [")
    return number, f"[{rest}" if bracket else ""


def _plain(bounds: Mapping[str, Any] | None) -> str:
    if bounds is None:
        return ""
    return f"[{significant(bounds['low'])}, {significant(bounds['high'])}]"


def _cell(number: str, *under: str) -> Markup:
    return tag("td", number, [tag("small", line) for line in under if line], class_="number")
