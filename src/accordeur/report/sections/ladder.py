"""The oracle ladder: why retrieval helps on this task, or does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.data import Report
from accordeur.report.ladder_words import gap_name, heading, incomplete, left_out, measure_name
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import interval, points, signed
from accordeur.report.sections.section import Section, folded, scrolled

_RUNGS = {
    "closed book": "no document at all: what the model knows by itself",
    "gold passage": "the passages in which the answer stands, taken from the row's places",
    "best retriever": "for each row the set of passages, of all rankings tried, with most of the "
    "answer",
    "real retriever": "the passages that the ranking in use finds",
    "distractors": "the passages found by the ranking in use, those with the answer left out",
}

_SEARCHED = (
    "The search by itself, without a model: how much of the answer's places the passages hold, and "
    "how high the first passage with some of it stands."
)


def ladder(report: Report) -> Section | None:
    """Rungs, gaps, and the search by itself; `None` for a run without documents."""
    found = report.record.get("ladder")
    if not found:
        return None
    notes = [
        tag("p", prose(said), class_="note")
        for said in (incomplete(found), left_out(found))
        if said
    ]
    if not found["rungs"]:
        return Section("ladder", "Why retrieval helps, or not", join(*notes))
    said = f"{heading(found)[:1].upper()}{heading(found)[1:]}."
    told = [tag("div", tag("dt", name), tag("dd", words)) for name, words in _RUNGS.items()]
    return Section(
        "ladder",
        "Why retrieval helps, or not",
        join(
            tag("p", prose(said), class_="note"),
            tag("ul", [tag("li", prose(sentence)) for sentence in _sentences(found)]),
            scrolled(_rungs(found), "Rungs"),
            folded("The gaps in numbers", scrolled(_gaps(found), "Gaps"))
            if found["gaps"]
            else None,
            tag("p", prose(_SEARCHED), class_="note") if found["retrieval"] else None,
            scrolled(_searches(found), "The search by itself") if found["retrieval"] else None,
            *notes,
            folded("How to read this ladder", tag("dl", told, class_="notes")),
        ),
    )


def _sentences(found: Mapping[str, Any]) -> list[str]:
    told = [one["sentence"] for one in found["gaps"]]
    return told + ([found["where_found"]["sentence"]] if found.get("where_found") else [])


def _rungs(found: Mapping[str, Any]) -> Markup:
    body = [
        tag(
            "tr",
            tag("th", one["name"], scope="row"),
            tag("td", points(one["score"]), class_="number"),
            tag("td", interval(one["interval"]), class_="number"),
            tag("td", str(one["n"]), class_="number"),
            tag("td", "sees labels" if one["privileged"] else ""),
        )
        for one in found["rungs"]
    ]
    return _table(("Prompt with", "Dev", "95 %", "n", ""), body)


def _gaps(found: Mapping[str, Any]) -> Markup:
    body = [
        tag(
            "tr",
            tag("th", gap_name(one), scope="row"),
            tag("td", signed(one["difference"]), class_="number"),
            tag("td", interval(one["interval"], sign=True), class_="number"),
            tag("td", str(one["n"]), class_="number"),
        )
        for one in found["gaps"]
    ]
    return _table(("Gap", "Points", "95 %", "n"), body)


def _searches(found: Mapping[str, Any]) -> Markup:
    names = list(found["retrieval"][0]["measures"])
    body = [
        tag(
            "tr",
            tag("th", one["ranking"] + (" (in use)" if place == 0 else ""), scope="row"),
            [_measure(one["measures"][name]) for name in names],
        )
        for place, one in enumerate(found["retrieval"])
    ]
    return _table(("Search by itself", *map(measure_name, names)), body)


def _measure(one: Mapping[str, Any]) -> Markup:
    return tag("td", points(one["value"]), tag("small", interval(one["interval"])), class_="number")


def _table(heads: tuple[str, ...], body: list[Markup]) -> Markup:
    head = tag("tr", [tag("th", word, scope="col") for word in heads])
    return tag("table", tag("thead", head), tag("tbody", body), class_="plain")
