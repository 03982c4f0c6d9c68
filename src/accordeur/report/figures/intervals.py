"""Scores with their intervals, dot and whisker: dev, the estimate without optimism, held-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.data import Entry
from accordeur.report.figures.axes import Linear, points_tick, score_range, x_axis
from accordeur.report.figures.marks import figure, svg, text_width
from accordeur.report.markup import Markup, join, tag
from accordeur.report.numbers import DASH, interval, points
from accordeur.report.plain_text import shorten

_NARROW = 600


def intervals_figure(entries: Sequence[Entry], metric: str) -> Markup | None:
    """The figure; `None` when nothing has a score."""
    shown = [entry for entry in entries if entry.measured("dev") or entry.measured("test")]
    if not shown:
        return None
    held_out = any(entry.measured("test") for entry in shown)
    key = [
        _key("dev", "dev"),
        _key("est", "estimate, optimism removed") if _any_estimate(shown) else None,
        _key("test", "held-out") if held_out else None,
    ]
    caption = join(
        f"{metric[:1].upper()}{metric[1:]} in points, with 95 % intervals. ",
        "The dotted line is the prompt as given. " if _reference(shown) is not None else None,
        tag("span", key, class_="key"),
    )
    return figure(lambda width: _draw(shown, metric, width), caption)


def _draw(entries: Sequence[Entry], metric: str, width: int) -> Markup:
    narrow = width < _NARROW
    row, top = (62, 8) if narrow else (46, 8)
    left, right = (12, width - 12) if narrow else (232, width - 178)
    bottom = top + row * len(entries)
    low, high = score_range([value for entry in entries for value in _values(entry)])
    scale = Linear(low, high, left, right)
    parts = [x_axis(scale, bottom, top, metric + ", points", points_tick, 5 if narrow else 8)]
    reference = _reference(entries)
    if reference is not None:
        x = scale(reference)
        parts.append(tag("line", class_="reference", x1=x, x2=x, y1=top, y2=bottom))
    for place, entry in enumerate(entries):
        y = top + row * place + row / 2
        parts += _row(entry, scale, y, width, narrow)
    label = "Scores with intervals: " + "; ".join(_spoken(entry) for entry in entries)
    return svg(width, bottom + 48, label, *parts)


def _row(entry: Entry, scale: Linear, y: float, width: int, narrow: bool) -> list[Markup]:
    most = 34 if narrow else 30
    name = shorten(f"{entry.number}  {entry.name}", most)
    pick = " pick" if entry.pick else ""
    parts = []
    centre = y + (9 if narrow else 0)
    if narrow:
        parts.append(tag("text", name, class_=f"name{pick}", x=2, y=y - 15))
        if entry.pick:
            x = 2 + text_width(name) + 8
            parts.append(tag("text", "◆ pick", class_="name pick", x=x, y=y - 15))
    else:
        parts.append(tag("text", name, class_=f"name{pick}", x=2, y=y + 4))
        if entry.pick:
            parts.append(tag("text", "◆ pick", class_="name pick", x=2, y=y + 19))
    dev, test = entry.measured("dev"), entry.measured("test")
    parts.append(_whisker("dev", dev, scale, centre - (7 if test else 0)))
    estimate = entry.number_of("est")
    if estimate is not None:
        x = scale(estimate)
        y_dev = centre - (7 if test else 0)
        parts.append(tag("line", class_="est", x1=x, x2=x, y1=y_dev - 7, y2=y_dev + 7))
    parts.append(_whisker("test", test, scale, centre + (7 if dev else 0)))
    if not narrow:
        best = test or dev or {}
        said = f"{points(best.get('score'))} {interval(best.get('interval'))}"
        parts.append(
            tag("text", said, class_=f"value{pick}", x=width - 2, y=y + 4, text_anchor="end")
        )
    return parts


def _whisker(kind: str, measured: Mapping[str, Any] | None, scale: Linear, y: float) -> Markup:
    """One score: a hollow dot for dev, a filled diamond for held-out, with its interval."""
    if measured is None:
        return Markup("")
    x = scale(float(measured["score"]))
    parts = []
    bounds = measured.get("interval")
    if bounds:
        start, end = scale(float(bounds["low"])), scale(float(bounds["high"]))
        parts.append(tag("line", x1=start, x2=end, y1=y, y2=y))
        parts += [tag("line", x1=at, x2=at, y1=y - 4, y2=y + 4) for at in (start, end)]
    if kind == "dev":
        parts.append(tag("circle", cx=x, cy=y, r=4.5))
    else:
        parts.append(tag("path", d=f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z"))
    return tag("g", parts, class_=f"whisker {kind}")


def _key(kind: str, word: str) -> Markup:
    """One mark of the key, drawn as in the figure."""
    mark = {
        "dev": tag("circle", cx=11, cy=8, r=4.5),
        "est": tag("line", class_="est", x1=11, x2=11, y1=1, y2=15),
        "test": tag("path", d="M11 2l6 6l-6 6l-6 -6z"),
    }[kind]
    line = None if kind == "est" else tag("line", x1=0, x2=22, y1=8, y2=8)
    picture = tag(
        "svg",
        tag("g", line, mark, class_=f"whisker {kind}"),
        width=22,
        height=16,
        aria_hidden="true",
    )
    return tag("span", picture, " ", word)


def _reference(entries: Sequence[Entry]) -> float | None:
    """The score of the prompt as given, held-out where it is known."""
    for entry in entries:
        if entry.name == "as-is":
            measured = entry.measured("test") or entry.measured("dev")
            return float(measured["score"]) if measured else None
    return None


def _any_estimate(entries: Sequence[Entry]) -> bool:
    return any(entry.number_of("est") is not None for entry in entries)


def _values(entry: Entry) -> list[float]:
    """Every score of an entry that is drawn."""
    values = []
    for split in ("dev", "test"):
        measured = entry.measured(split)
        if measured:
            values.append(float(measured["score"]))
            bounds = measured.get("interval")
            values += [float(bounds["low"]), float(bounds["high"])] if bounds else []
    return values


def _spoken(entry: Entry) -> str:
    parts = [f"{entry.number} {entry.name}"]
    for split, word in (("dev", "dev"), ("test", "held-out")):
        measured = entry.measured(split)
        if measured:
            score = points(measured["score"])
            parts.append(f"{word} {score} {interval(measured.get('interval'))}".strip())
    return ", ".join(parts) if len(parts) > 1 else f"{parts[0]} {DASH}"
