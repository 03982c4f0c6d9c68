"""The comparison table an engineer reads, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.data import Entry, Report
from accordeur.report.markup import Child, Markup, join, prose, tag
from accordeur.report.numbers import (
    DASH,
    count,
    interval,
    money,
    p_value,
    points,
    seconds,
    signed,
)
from accordeur.report.sections.further_metrics import further_metrics
from accordeur.report.sections.section import Section, folded, scrolled

_HOW_TO_READ = (
    ("Dev", "score on the development rows, where the choice was made, with its 95 % interval."),
    (
        "Estimate",
        "what remains of the dev score once the luck of choosing among configurations is removed. "
        "The decision uses this.",
    ),
    ("Optimism", "dev less estimate: the part of the dev score that choosing explains."),
    ("Held-out", "score on rows that were opened once, after the decision was written."),
    (
        "Against as-is",
        "difference to the prompt as given on the same rows. The pick is tested once; all others "
        "form one family, whose p is Holm-adjusted.",
    ),
    ("Total, to make, per query", "cost at the stated volume, one-off cost, cost of one query."),
    ("Alone, p95", "seconds of one query alone, median and 95th percentile."),
    (
        "Tokens",
        "logical: what a caller without sharing would pay for; computed: what was computed.",
    ),
    ("Not ok", "rows with no usable answer. They count as wrong; errors count as missing."),
)


def comparison(report: Report) -> Section:
    """Every entry in one table."""
    columns = _columns(report)
    held_out = any(entry.measured("test") for entry in report.entries)
    if not held_out:
        columns = [column for column in columns if column[0] not in ("Held-out", "Against as-is")]
    head = [
        tag("th", word, scope="col", data_sort=kind, class_="number" if kind == "number" else None)
        for word, kind, _ in columns
    ]
    body = [
        tag(
            "tr",
            [show(entry) for _, _, show in columns],
            class_="pick" if entry.pick else None,
        )
        for entry in report.entries
    ]
    table = tag(
        "table",
        tag("thead", tag("tr", head)),
        tag("tbody", body),
        class_="sortable comparison",
    )
    notes = [
        tag("div", tag("dt", name), tag("dd", meaning))
        for name, meaning in _HOW_TO_READ
        if held_out or name not in ("Held-out", "Against as-is")
    ]
    return Section(
        "comparison",
        "Comparison",
        join(
            tag("p", _caption(report), class_="note"),
            scrolled(table, "Comparison of all entries"),
            further_metrics(report.entries),
            folded("How to read this table", tag("dl", notes, class_="notes")),
        ),
    )


def _caption(report: Report) -> str:
    counts = report.task.get("counts") or {}
    said = ", ".join(
        f"{counts[name]:,} {word}"
        for name, word in (("train", "train"), ("dev", "dev"), ("test", "held-out"))
        if counts.get(name)
    )
    metric = report.metric[:1].upper() + report.metric[1:]
    return f"{metric} in points; {said} rows. Amounts in {report.currency}."


def _columns(report: Report) -> list[tuple[str, str, Any]]:
    """Heading, kind of sorting, and the cell of an entry."""
    queries = count(report.queries)
    return [
        ("Entry", "text", _name),
        ("Dev", "number", lambda entry: _score(entry.measured("dev"))),
        ("Estimate", "number", lambda entry: _plain(entry, "est", points)),
        ("Optimism", "number", lambda entry: _plain(entry, "optimism", signed)),
        ("Held-out", "number", lambda entry: _score(entry.measured("test"))),
        ("Against as-is", "number", _against),
        (f"Total, {queries}", "number", lambda entry: _amount(entry, "total")),
        ("To make", "number", lambda entry: _amount(entry, "make")),
        ("Per query", "number", lambda entry: _amount(entry, "use")),
        ("Alone, p95", "number", _latency),
        ("Tokens", "number", _tokens),
        ("Not ok", "number", _failures),
        ("Status", "text", _status),
        ("What it would need", "text", _needs),
    ]


def _cell(value: float | None, *content: Child) -> Markup:
    """A number's cell; unknown values sort last."""
    return tag("td", *content, class_="number", data_value=None if value is None else repr(value))


def _name(entry: Entry) -> Markup:
    title = entry.title if entry.title != entry.name else ""
    configuration = entry.configuration
    if configuration in ("as given", entry.name):
        configuration = ""
    detail = ", ".join(part for part in (title, configuration) if part)
    return tag(
        "th",
        tag("b", str(entry.number)),
        " ",
        tag("span", entry.name, class_="entry", dir="auto"),
        tag("em", " ◆ pick") if entry.pick else None,
        tag("small", tag("b", _word(entry))) if _word(entry) != "finished" else None,
        tag("small", detail, dir="auto") if detail else None,
        scope="row",
        data_value=entry.name,
    )


def _word(entry: Entry) -> str:
    """What became of an entry, in a word or two."""
    if entry.status != "finished":
        spent = entry.data.get("seconds")
        return entry.status if spent is None else f"{entry.status} after {seconds(spent)}"
    if entry.data.get("eligible") is False:
        return "not eligible"
    return "within tolerance" if entry.data.get("close") else "finished"


def _status(entry: Entry) -> Markup:
    reason = entry.data.get("reason") or entry.data.get("ineligible_because") or ""
    return tag(
        "td", _word(entry), tag("small", prose(str(reason))) if reason else None, class_="status"
    )


def _score(measured: Mapping[str, Any] | None) -> Markup:
    if measured is None:
        return _cell(None, DASH)
    bounds = interval(measured.get("interval"))
    n = f"n {count(measured.get('n'))}"
    return _cell(
        float(measured["score"]),
        tag("span", points(measured["score"]), class_="score"),
        tag("small", bounds) if bounds else None,
        tag("small", n),
    )


def _plain(entry: Entry, name: str, show: Any) -> Markup:
    value = entry.number_of(name)
    return _cell(value, show(value))


def _against(entry: Entry) -> Markup:
    pair = entry.data.get("against_as_is")
    if not pair:
        return _cell(None, "reference" if entry.name == "as-is" else DASH)
    holm = pair.get("p_holm")
    said = p_value(pair.get("p"))
    if holm is not None:
        said += f", Holm {p_value(holm).removeprefix('p ').removeprefix('= ')}"
    elif entry.pick:
        said += ", primary"
    return _cell(
        float(pair["difference"]),
        tag("span", signed(pair["difference"]), class_="score"),
        tag("small", interval(pair.get("interval"), sign=True)),
        tag("small", said),
    )


def _amount(entry: Entry, name: str) -> Markup:
    if not entry.cost:
        return _cell(None, DASH)
    value = entry.cost.get(name)
    return _cell(value, money(value))


def _latency(entry: Entry) -> Markup:
    cold, slow = entry.cost.get("cold_seconds"), entry.cost.get("latency_p95")
    asked = entry.cost.get("latency_queries")
    return _cell(
        cold,
        seconds(cold),
        tag("small", seconds(slow)) if slow is not None else None,
        tag("small", f"n {asked}") if asked else None,
    )


def _tokens(entry: Entry) -> Markup:
    tokens = entry.data.get("tokens") or {}
    logical, computed = tokens.get("logical"), tokens.get("computed")
    if not logical:
        return _cell(None if logical is None else 0.0, "none" if entry.floor else DASH)
    said = tag("small", f"{count(computed)} computed") if computed is not None else None
    return _cell(logical, count(logical), said)


def _failures(entry: Entry) -> Markup:
    """Rows without a usable answer, per split and status."""
    lines = []
    total: float | None = None
    for split, word in (("dev", "dev"), ("test", "held-out")):
        measured = entry.data.get(split)
        if not measured:
            continue
        failed = {
            status: n for status, n in (measured.get("statuses") or {}).items() if status != "ok"
        }
        total = (total or 0) + sum(failed.values())
        if failed:
            said = ", ".join(f"{count(n)} {status}" for status, n in failed.items())
            lines.append(tag("small", f"{word}: {said}"))
    if total is None:
        return _cell(None, DASH)
    return _cell(total, tag("span", count(total)), lines)


def _needs(entry: Entry) -> Markup:
    needs = str(entry.data.get("needs") or "")
    return tag("td", prose(needs) if needs else DASH, class_="needs")
