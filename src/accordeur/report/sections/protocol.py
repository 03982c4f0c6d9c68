"""What was decided, when the held-out split was opened, and what did not come to an end."""

from __future__ import annotations

from accordeur.report.data import Entry, Report
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import count, interval, points, rows, signed, times
from accordeur.report.sections.section import Section, facts, folded, scrolled
from accordeur.report.sections.verdict import sureness


def protocol(report: Report) -> Section:
    """The decision, the opening, what was stopped, all pairs."""
    return Section(
        "protocol",
        "Decision and opening",
        join(_decision(report), _unfinished(report), _pairs(report), _damage(report)),
    )


def _decision(report: Report) -> Markup:
    decision = report.record.get("decision") or {}
    held_out = report.record.get("held_out")
    tied = decision.get("tied_with") or ()
    pick = decision.get("pick")
    configuration = decision.get("configuration")
    said = None
    if pick:
        inside = configuration and configuration not in (pick, "as given")
        said = prose(f"`{pick}`" + (f", {configuration}" if inside else ""))
    blocked = decision.get("blocked")
    return facts(
        ("Pick", said),
        ("No pick because", prose(str(blocked)) if blocked else None),
        ("Sureness", sureness(decision)),
        ("Tied with", prose(", ".join(f"`{name}`" for name in tied)) if tied else None),
        ("Ranked by", str(decision["ranked_by"]) if decision.get("ranked_by") else None),
        ("Tolerance", f"{points(decision.get('tolerance'))} points"),
        ("Best with a language model", _name(decision.get("best_language_model"))),
        ("Decision written before opening, SHA-256", _code(decision.get("hash"))),
        ("Held-out", _opening(held_out)),
    )


def _opening(held_out: dict[str, int | None] | None) -> str:
    if not held_out:
        return "There is no held-out split, or it was not opened: the verdict is unconfirmed."
    said = f"{rows(int(held_out['n'] or 0))}; opened after the decision was written"
    openings = held_out.get("openings")
    if openings is None:
        return f"{said}."
    return f"{said}. Held-out opened {times(int(openings))} across all runs."


def _unfinished(report: Report) -> Markup:
    """Everything stopped, cut, refused, failed, or finished but not eligible, and why."""
    stories = [(entry, why) for entry in report.entries if (why := _why(entry)) is not None]
    heading = tag("h3", "Stopped, cut, refused, failed or not eligible")
    if not stories:
        return join(heading, tag("p", "Nothing: every entry finished and could have been picked."))
    items = [
        tag("div", tag("dt", prose(f"`{entry.name}` {word}")), tag("dd", prose(reason)))
        for entry, (word, reason) in stories
    ]
    return join(heading, tag("dl", items, class_="notes"))


def _why(entry: Entry) -> tuple[str, str] | None:
    reason = str(entry.data.get("reason") or "")
    if entry.status != "finished":
        return entry.status, reason or "No reason was recorded."
    because = str(entry.data.get("ineligible_because") or "")
    return ("not eligible", because) if because else None


def _pairs(report: Report) -> Markup | None:
    """Differences of all pairs with intervals, no tests."""
    pairs = report.record.get("pairs") or ()
    if not pairs:
        return None
    head = [tag("th", word, scope="col") for word in ("A", "B", "A less B", "95 % interval")]
    body = [
        tag(
            "tr",
            tag("td", tag("code", pair["a"], dir="auto")),
            tag("td", tag("code", pair["b"], dir="auto")),
            tag("td", signed(pair["difference"]), class_="number"),
            tag("td", interval(pair.get("interval"), sign=True) or "–", class_="number"),
        )
        for pair in pairs
    ]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="plain")
    split = "held-out" if pairs[0].get("split") == "test" else "dev"
    summary = f"All {count(len(pairs))} pairs on {split} rows: differences and intervals, no tests"
    return folded(summary, scrolled(table, "All pairs"))


def _damage(report: Report) -> Markup | None:
    if not report.damage:
        return None
    items = [tag("li", prose(sentence)) for sentence in report.damage]
    return join(tag("h3", "Damage found in the run's folder"), tag("ul", items))


def _name(name: str | None) -> Markup | None:
    return prose(f"`{name}`") if name else None


def _code(text: str | None) -> Markup | None:
    return tag("code", text, class_="hash") if text else None
