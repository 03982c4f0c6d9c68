"""Total cost against the number of queries: F + Q * c of every priced entry, log-log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.data import Entry
from accordeur.report.figures.axes import Log, plain_tick, x_axis, y_axis
from accordeur.report.figures.marks import figure, svg
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import count, money

_DASHES = ("", "7 4", "2 3", "10 3 2 3", "14 4", "5 2 5 6", "1 5", "9 3 2 3 2 3")
_SAMPLES = 48


def break_even_figure(
    entries: Sequence[Entry],
    pairs: Sequence[Mapping[str, Any]],
    currency: str,
    queries: int,
) -> Markup | None:
    """The figure with the break-even points of the pick; `None` when no entry is priced."""
    priced = [entry for entry in entries if _price(entry) is not None]
    if not priced:
        return None
    caption = join(
        f"Total cost ({currency}) against queries, both logarithmic: what was spent to make it, "
        f"then so much per query. The vertical line is the stated volume, {count(queries)}. Each "
        "line ends in its number and has its own pattern."
    )
    return figure(
        lambda width: _draw(priced, currency, queries, width),
        caption,
        _key(priced),
        _crossings(priced, pairs, currency),
    )


def _price(entry: Entry) -> tuple[float, float] | None:
    """One-off cost and cost per query."""
    make, use = entry.cost.get("make"), entry.cost.get("use")
    return None if make is None or use is None else (float(make), float(use))


def _draw(entries: Sequence[Entry], currency: str, queries: int, width: int) -> Markup:
    narrow = width < 600
    height = 350 if narrow else 420
    left, right, top, bottom = 52.0, width - 44.0, 22.0, height - 52.0
    decade = math.ceil(math.log10(max(queries, 10)))
    first, last = 10.0 ** max(decade - 4, 0), 10.0 ** (decade + 1)
    x = Log(first, last, left, right)
    prices = {entry.name: price for entry in entries if (price := _price(entry)) is not None}
    totals = [make + use * q for make, use in prices.values() for q in (first, last)]
    positive = [value for value in totals if value > 0] or [1.0]
    y = Log(min(positive) / 1.5, max(positive) * 1.5, bottom, top)
    stated = x(queries)
    parts = [
        x_axis(x, bottom, top, "queries", plain_tick, 4 if narrow else 8),
        y_axis(y, left, right, plain_tick, 7),
        tag("line", class_="stated", x1=stated, x2=stated, y1=top, y2=bottom),
        tag("text", plain_tick(queries), class_="tick", x=stated, y=top - 8, text_anchor="middle"),
    ]
    ends = _spread(
        [(y(prices[one.name][0] + prices[one.name][1] * last), one) for one in entries], top
    )
    for entry in entries:
        make, use = prices[entry.name]
        samples = [first * (last / first) ** (place / _SAMPLES) for place in range(_SAMPLES + 1)]
        line = "L".join(f"{x(q):.1f} {y(make + use * q):.1f}" for q in samples)
        parts.append(_line(entry, f"M{line}"))
    for at, entry in ends:
        pick = " pick" if entry.pick else ""
        end = y(prices[entry.name][0] + prices[entry.name][1] * last)
        parts.append(tag("line", class_="leader", x1=right, x2=right + 12, y1=end, y2=at))
        parts.append(tag("text", str(entry.number), class_=f"name{pick}", x=right + 16, y=at + 4))
    return svg(width, height, _spoken(entries, currency, queries), *parts)


def _line(entry: Entry, path: str) -> Markup:
    kind = "floor" if entry.floor else "lever"
    pick = " pick" if entry.pick else ""
    return tag(
        "path",
        tag("title", f"{entry.number} {entry.name}"),
        class_=f"cost {kind}{pick}",
        d=path,
        stroke_dasharray=_DASHES[(entry.number - 1) % len(_DASHES)] or None,
    )


def _spread(
    ends: list[tuple[float, Entry]], top: float, gap: float = 14.0
) -> list[tuple[float, Entry]]:
    """Ends of lines moved apart, so that their numbers do not overlap: up, then down from the top
    where there is no more room."""
    up: list[float] = []
    ordered = sorted(ends, key=lambda one: -one[0])
    for at, _ in ordered:
        up.append(min(at, up[-1] - gap) if up else at)
    down: list[float] = []
    for at in reversed(up):
        down.append(max(at, down[-1] + gap if down else top))
    return list(zip(reversed(down), (entry for _, entry in ordered), strict=True))


def _key(entries: Sequence[Entry]) -> Markup:
    items = []
    for entry in sorted(entries, key=lambda one: one.number):
        swatch = tag("svg", _line(entry, "M0 8H44"), width=44, height=16, aria_hidden="true")
        name = tag("span", entry.name, dir="auto")
        pick = tag("em", " pick") if entry.pick else None
        items.append(tag("li", swatch, " ", tag("b", str(entry.number)), " ", name, pick))
    return tag("ol", items, class_="legend", role="list", aria_label="Lines by number")


def _crossings(
    entries: Sequence[Entry], pairs: Sequence[Mapping[str, Any]], currency: str
) -> Markup | None:
    """When the pick is cheaper than each other entry, as the record has it."""
    pick = next((entry for entry in entries if entry.pick), None)
    if pick is None:
        return None
    known = {(pair["a"], pair["b"]): pair["queries"] for pair in pairs}
    rows = []
    for other in entries:
        if other is pick:
            continue
        said = _cheaper(known.get((pick.name, other.name)), known.get((other.name, pick.name)))
        make, use = _price(other) or (None, None)
        cells = (tag("td", money(make)), tag("td", money(use)), tag("td", said))
        rows.append(tag("tr", tag("th", prose(f"`{other.name}`"), scope="row"), cells))
    if not rows:
        return None
    head = [
        tag("th", word, scope="col")
        for word in (
            "against",
            f"to make, {currency}",
            f"per query, {currency}",
            f"{pick.name} is cheaper",
        )
    ]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", rows), class_="plain")
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Break-even")


def _cheaper(ours: object, theirs: object) -> str:
    """From which volume the pick is cheaper, or up to which."""
    if ours == "always":
        return "always"
    if isinstance(ours, int | float):
        return f"from {count(math.ceil(ours))} queries"
    if isinstance(theirs, int | float):
        return f"up to {count(math.floor(theirs))} queries"
    return "never" if ours == "never" else "unknown"


def _spoken(entries: Sequence[Entry], currency: str, queries: int) -> str:
    said = [f"{entry.name} {money(entry.cost.get('total'), currency)}" for entry in entries]
    return f"Total cost at {count(queries)} queries: " + "; ".join(said)
