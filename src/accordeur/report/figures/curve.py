"""The k-shot curve: score on dev against the number of demonstrations, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.figures.axes import Linear, points_tick, score_range, y_axis
from accordeur.report.figures.marks import figure, svg
from accordeur.report.markup import Markup, join, tag
from accordeur.report.numbers import interval, points


def curve_figure(curve: Sequence[Mapping[str, Any]], metric: str) -> Markup | None:
    """The figure; `None` when the record has no curve."""
    if len(curve) < 2:
        return None
    rows = sorted({int(point["n"]) for point in curve if point.get("n") is not None})
    said = f" (n = {rows[0]})" if len(rows) == 1 else ""
    caption = join(
        f"{metric[:1].upper()}{metric[1:]} on dev against demonstrations drawn at random, with "
        f"95 % intervals{said}. No demonstrations is the prompt as given."
    )
    return figure(lambda width: _draw(curve, metric, width), caption)


def _draw(curve: Sequence[Mapping[str, Any]], metric: str, width: int) -> Markup:
    height = 300
    left, right, top, bottom = 44.0, width - 20.0, 24.0, height - 52.0
    values = [
        float(point[name])
        for point in curve
        for name in ("score", "low", "high")
        if point.get(name) is not None
    ]
    y = Linear(*score_range(values), bottom, top)
    x = Linear(0, math.log2(1 + max(float(point["k"]) for point in curve)) or 1, left + 20, right)
    parts = [y_axis(y, left, right, points_tick, 6)]
    places = [(x(math.log2(1 + float(point["k"]))), y(float(point["score"]))) for point in curve]
    line = "L".join(f"{at:.1f} {height:.1f}" for at, height in places)
    parts.append(tag("path", class_="curve", d=f"M{line}"))
    for point, (at, score) in zip(curve, places, strict=True):
        parts.append(_point(point, at, score, y, bottom, at > right - 40))
    middle = (left + right) / 2
    parts.append(
        tag(
            "text",
            "demonstrations",
            class_="axis-title",
            x=middle,
            y=bottom + 38,
            text_anchor="middle",
        )
    )
    parts.append(tag("line", class_="axis", x1=left, x2=right, y1=bottom, y2=bottom))
    said = "; ".join(
        f"{point['k']} demonstrations {points(point['score'])} {interval(_bounds(point))}".strip()
        for point in curve
    )
    return svg(width, height, f"{metric} against demonstrations: {said}", *parts)


def _point(
    point: Mapping[str, Any], at: float, score: float, y: Linear, bottom: float, last: bool
) -> Markup:
    parts = []
    bounds = _bounds(point)
    if bounds:
        low, high = y(float(bounds["low"])), y(float(bounds["high"]))
        parts.append(tag("line", x1=at, x2=at, y1=low, y2=high))
        parts += [tag("line", x1=at - 4, x2=at + 4, y1=end, y2=end) for end in (low, high)]
    parts.append(tag("circle", cx=at, cy=score, r=4.5))
    k = tag("text", str(point["k"]), class_="tick", x=at, y=bottom + 17, text_anchor="middle")
    value = tag(
        "text",
        points(point["score"]),
        class_="value",
        x=at - 8 if last else at + 8,
        y=score - 8,
        text_anchor="end" if last else None,
    )
    return tag("g", tag("g", parts, class_="whisker dev"), k, value)


def _bounds(point: Mapping[str, Any]) -> dict[str, Any] | None:
    if point.get("low") is None or point.get("high") is None:
        return None
    return {"low": point["low"], "high": point["high"]}
