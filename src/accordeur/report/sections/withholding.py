"""Entries that are silent where they are not certain enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.data import Report
from accordeur.report.figures.axes import Linear, points_tick, y_axis
from accordeur.report.figures.marks import figure, svg
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import interval, points, rows, share, signed
from accordeur.report.sections.section import Section, scrolled

_HEADS = ("Entry", "Configuration", "Answered", "Wrong", "Dev", "Against always answering", "n")


def withholding(report: Report) -> Section | None:
    """Curve and thresholds of each such entry; `None` without one."""
    found = [
        (entry.name, one)
        for entry in report.entries
        if (one := entry.data.get("withholding")) is not None
    ]
    if not found:
        return None
    lines = [_line(name, line) for name, one in found for line in one["thresholds"]]
    head = tag("tr", [tag("th", word, scope="col") for word in _HEADS])
    table = tag("table", tag("thead", head), tag("tbody", lines), class_="plain")
    return Section(
        "withholding",
        "When it is better silent",
        join(
            tag(
                "p",
                prose(
                    "Each answer comes with an estimate that it is right, learned on train rows. "
                    "Withholding an answer scores where the documents hold none, and costs the "
                    "point of an answer that was right. Measured on dev."
                ),
                class_="note",
            ),
            [_figure(name, one) for name, one in found],
            scrolled(table, "Thresholds") if lines else None,
        ),
    )


def _line(name: str, one: Mapping[str, Any]) -> Markup:
    against = f"{signed(one['difference'])} {interval(one['interval'], sign=True)}".strip()
    numbers = (
        share(one["coverage"]),
        share(one["risk"]),
        points(one["score"]),
        against,
        str(one["n"]),
    )
    return tag(
        "tr",
        tag("th", tag("code", name, dir="auto"), scope="row"),
        tag("td", one["configuration"]),
        [tag("td", number, class_="number") for number in numbers],
    )


def _figure(name: str, one: Mapping[str, Any]) -> Markup:
    unanswerable = one["unanswerable"]
    caption = join(
        tag("code", name, dir="auto"),
        f": share of wrong answers when only the most certain ones are given, on {rows(one['n'])} "
        f"of dev, {unanswerable} of them without an answer. Mean over all shares: "
        f"{share(one['area'])}.",
    )
    return figure(lambda width: _draw(one["points"], width), caption)


def _draw(curve: Sequence[Sequence[float]], width: int) -> Markup:
    height = 260
    left, right, top, bottom = 44.0, width - 20.0, 20.0, height - 48.0
    x, y = Linear(0, 1, left, right), Linear(0, 1, bottom, top)
    places = " L".join(f"{x(coverage):.1f} {y(risk):.1f}" for _, coverage, risk, _ in curve)
    parts = [
        y_axis(y, left, right, points_tick, 6),
        tag("path", class_="curve", d=f"M{places}", fill="none"),
        tag("line", class_="axis", x1=left, x2=right, y1=bottom, y2=bottom),
        *(
            tag(
                "text", f"{at} %", class_="tick", x=x(at / 100), y=bottom + 17, text_anchor="middle"
            )
            for at in (0, 25, 50, 75, 100)
        ),
        tag(
            "text",
            "questions answered",
            class_="axis-title",
            x=(left + right) / 2,
            y=bottom + 36,
            text_anchor="middle",
        ),
    ]
    last = curve[-1]
    said = f"wrong answers against questions answered; all answered: {points(last[2])} wrong"
    return svg(width, height, said, *parts)
