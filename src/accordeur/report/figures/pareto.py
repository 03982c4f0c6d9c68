"""Quality against total cost, with the Pareto front and the band of candidates that are close.

It shows what the decision saw: the estimate on dev without the optimism of choosing.
"""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.report.data import Entry
from accordeur.report.figures.axes import (
    Linear,
    Log,
    log_range,
    plain_tick,
    points_tick,
    score_range,
    x_axis,
    y_axis,
)
from accordeur.report.figures.marks import figure, legend, marker, place_labels, svg
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import count, money, points
from accordeur.report.plain_text import shorten


def pareto_figure(
    entries: Sequence[Entry], metric: str, currency: str, queries: int, tolerance: float
) -> Markup | None:
    """The figure; `None` when no entry has both an estimate and a price."""
    priced = [entry for entry in entries if _place(entry) is not None]
    if not priced:
        return None
    absent = [
        f"`{entry.name}`" for entry in entries if _place(entry) is None and entry.measured("dev")
    ]
    caption = join(
        f"{metric[:1].upper()}{metric[1:]} estimated on dev against the total cost of "
        f"{count(queries)} queries ({currency}, logarithmic). Circles use the language model, "
        "squares do not. The stepped line is the Pareto front: nothing measured is both better "
        f"and cheaper. Inside the hatched band an entry is within {points(tolerance)} points of "
        "the best; the cheapest there is the pick.",
        prose(f" Not eligible or not priced: {', '.join(absent)}.") if absent else None,
    )
    return figure(
        lambda width: _draw(priced, metric, currency, tolerance, width), caption, legend(priced)
    )


def _place(entry: Entry) -> tuple[float, float] | None:
    """Total cost and estimate."""
    total, estimate = entry.cost.get("total"), entry.number_of("est")
    return None if total is None or estimate is None else (float(total), estimate)


def pareto_front(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Of (cost, quality), those that none beats in both, by rising cost."""
    front: list[tuple[float, float]] = []
    for cost, quality in sorted(places, key=lambda one: (one[0], -one[1])):
        if not front or quality > front[-1][1]:
            front.append((cost, quality))
    return front


def _draw(
    entries: Sequence[Entry], metric: str, currency: str, tolerance: float, width: int
) -> Markup:
    narrow = width < 600
    height = 330 if narrow else 400
    left, right, top, bottom = 44.0, width - 14.0, 14.0, height - 52.0
    places = [place for entry in entries if (place := _place(entry)) is not None]
    best = max(quality for _, quality in places)
    low, high = score_range([quality for _, quality in places] + [best - tolerance])
    costs = [cost for cost, _ in places if cost > 0] or [1.0]
    x = Log(*log_range(costs, 2.2), left + 16, right - 16)
    y = Linear(low, high, bottom, top)
    front = pareto_front(places)
    path = f"M{x(front[0][0]):.1f} {bottom:.1f}V{y(front[0][1]):.1f}"
    for cost, quality in front[1:]:
        path += f"H{x(cost):.1f}V{y(quality):.1f}"
    path += f"H{right:.1f}"
    band_top, band_bottom = y(best), y(best - tolerance)
    parts = [
        _hatch(width),
        x_axis(x, bottom, top, f"total cost, {currency}", plain_tick, 3 if narrow else 8),
        y_axis(y, left, right, points_tick, 6),
        tag(
            "rect",
            class_="band",
            fill=f"url(#close-{width})",
            x=left,
            y=band_top - 1,
            width=right - left,
            height=max(band_bottom - band_top, 2) + 1,
        ),
        tag("path", class_="front", d=path),
    ]
    marks = [(x(cost), y(quality)) for cost, quality in places]
    named = [
        (at[0], at[1], shorten(entry.name, 26))
        for at, entry in sorted(zip(marks, entries, strict=True), key=lambda one: not one[1].pick)
    ]
    parts += place_labels(named, left, right, top - 10, bottom)
    # The pick is drawn last, so that it lies on top of what ties with it.
    order = sorted(zip(entries, marks, strict=True), key=lambda one: one[0].pick)
    parts += [marker(entry, *at) for entry, at in order]
    return svg(width, height, _spoken(entries, metric, currency), *parts)


def _hatch(width: int) -> Markup:
    """A pattern, so that the band is seen without colour. Each drawing needs its own: browsers do
    not paint with a pattern of a hidden one."""
    line = tag("path", class_="hatch", d="M-1 1l2 -2M0 6l6 -6M5 7l2 -2")
    pattern = tag(
        "pattern", line, id=f"close-{width}", width=6, height=6, patternUnits="userSpaceOnUse"
    )
    return tag("defs", pattern)


def _spoken(entries: Sequence[Entry], metric: str, currency: str) -> str:
    said = []
    for entry in entries:
        place = _place(entry)
        if place:
            cost, quality = place
            said.append(f"{entry.name} {points(quality)} for {money(cost, currency)}")
    return f"{metric} against total cost: " + "; ".join(said)
