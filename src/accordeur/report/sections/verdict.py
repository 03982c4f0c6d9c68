"""The verdict: headline, the paragraph a manager reads, the figures beneath it, the sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.data import Report
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import (
    DASH,
    count,
    interval,
    money,
    p_value,
    points,
    rows,
    share,
    signed,
    times,
)
from accordeur.report.sections.section import facts

_WORDS = {"clear": "clear", "likely": "likely", "tie": "tie"}


def verdict(report: Report) -> Markup:
    """The top of the page."""
    record = report.record
    said = record["verdict"]
    headline, paragraph = str(said["headline"]), str(said["paragraph"])
    rest = paragraph.removeprefix(headline).strip()
    sentences = [tag("li", prose(sentence)) for sentence in said.get("sentences") or ()]
    return tag(
        "section",
        tag("h1", prose(headline), id="verdict-title"),
        tag("p", prose(rest), class_="lead") if rest else None,
        _figures(report),
        tag("ul", sentences, class_="sentences") if sentences else None,
        id="verdict",
        aria_labelledby="verdict-title",
    )


def sureness(decision: Mapping[str, Any]) -> str | None:
    """`clear, 94 % of resamples`; `None` without a decision."""
    word = decision.get("word")
    if not word:
        return None
    said = _WORDS.get(word, str(word))
    if decision.get("too_few"):
        said = "too few examples"
    if decision.get("unconfirmed"):
        said += ", unconfirmed"
    if decision.get("sureness") is not None:
        said += f" ({share(decision['sureness'])} of resamples)"
    return said


def _figures(report: Report) -> Markup | None:
    decision = report.record.get("decision") or {}
    if not decision.get("pick"):
        return None
    held_out = report.record.get("held_out") or {}
    pick = next((entry for entry in report.entries if entry.pick), None)
    cost = pick.cost if pick else {}
    openings = held_out.get("openings")
    return facts(
        ("Sureness", sureness(decision)),
        ("Dev → estimate → held-out", _shrinkage(report)),
        ("Gain over the prompt as given", _gain(held_out)),
        (
            f"Cost of {count(report.queries)} queries",
            money(cost.get("total"), report.currency) if cost else None,
        ),
        ("Smallest difference these rows can see", _detectable(decision)),
        (
            "Held-out rows",
            f"{rows(int(held_out['n']))}, opened {times(int(openings))} over all runs"
            if openings is not None
            else None,
        ),
        class_="figures",
    )


def _shrinkage(report: Report) -> Markup | None:
    """Dev, estimate and held-out score of the pick, from the held-out part or its entry."""
    held_out = report.record.get("held_out") or {}
    found = held_out.get("shrinkage")
    pick = next((entry for entry in report.entries if entry.pick), None)
    if found is None and pick is not None:
        dev = pick.measured("dev")
        found = {"dev": dev["score"] if dev else None, "est": pick.number_of("est"), "test": None}
    if found is None:
        return None
    return join(" → ".join(points(found.get(name)) for name in ("dev", "est", "test")))


def _gain(held_out: Mapping[str, Any]) -> Markup | None:
    primary = held_out.get("primary")
    if not primary or primary["candidate"] == "as-is":
        return None
    said = f"{signed(primary['difference'])} {interval(primary.get('interval'), sign=True)}"
    test = f"{primary.get('test') or ''} {p_value(primary.get('p'))}".strip()
    outcome = str(primary.get("outcome") or "")
    return join(said, tag("small", f"{test}: {outcome}" if outcome else test))


def _detectable(decision: Mapping[str, Any]) -> Markup | None:
    """What the rows can see, and how many would settle it."""
    smallest = decision.get("detectable_difference")
    needed = decision.get("rows_needed")
    if smallest is None and needed is None:
        return None
    return join(
        f"{points(smallest)} points" if smallest is not None else DASH,
        tag("small", f"{count(needed)} dev rows would settle the gap") if needed else None,
    )
