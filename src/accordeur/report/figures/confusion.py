"""Confusion matrices, gold by predicted label. Only cells that are not zero are drawn.

Each cell has its count, so it can be read without colour; the diagonal is outlined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accordeur.report.data import Entry
from accordeur.report.figures.marks import svg, text_width
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.plain_text import shorten

_FEW = 24
_SHADES = 5


def confusion_panels(entries: Sequence[Entry]) -> Markup | None:
    """One folded panel per entry, the pick's open; `None` when no entry has a matrix.

    Our script turns the panels into a selector; without it each opens by itself.
    """
    shown = [entry for entry in entries if entry.data.get("confusion")]
    if not shown:
        return None
    first = next((entry for entry in shown if entry.pick), shown[0])
    panels = []
    for entry in sorted(shown, key=lambda one: one is not first):
        confusion = entry.data["confusion"]
        title = f"{entry.number} {entry.name}"
        panels.append(
            tag(
                "details",
                tag("summary", title),
                tag(
                    "div",
                    matrix(confusion, entry.name),
                    class_="scroll",
                    tabindex=0,
                    role="region",
                    aria_label=f"Confusion matrix of {entry.name}",
                ),
                _largest(confusion),
                open=entry is first,
                class_="panel",
                data_title=title,
            )
        )
    return tag("div", panels, class_="panels", data_label="Entry")


def matrix(confusion: Mapping[str, Any], name: str) -> Markup:
    """One matrix."""
    labels = [str(label) for label in confusion["labels"]]
    counts: list[list[int]] = confusion["matrix"]
    other: list[int] = confusion.get("other") or [0] * len(labels)
    columns = [*labels, "(no label)"] if any(other) else labels
    table = [[*row, extra] if any(other) else row for row, extra in zip(counts, other, strict=True)]
    cell = 30 if len(labels) <= _FEW else 20
    shown = [shorten(label, 22) for label in columns]
    size = 12 if len(labels) <= _FEW else 10.5
    left = max(text_width(label, size) for label in shown) + 26
    top = max(text_width(label, size) for label in shown) * 0.75 + 34
    most = max((max(row) for row in table), default=0)
    parts = [
        tag("text", "gold ↓", class_="axis-title", x=left - 10, y=top - 8, text_anchor="end"),
        tag("text", "predicted →", class_="axis-title", x=left, y=14),
    ]
    for place, label in enumerate(shown):
        x, y = left + place * cell + cell / 2, top - 8
        parts.append(
            tag("text", label, class_="label", transform=f"translate({x + 4:.1f} {y}) rotate(-48)")
        )
    for row_place, row in enumerate(table):
        y = top + row_place * cell
        parts.append(
            tag(
                "text",
                shown[row_place],
                class_="label",
                x=left - 10,
                y=y + cell / 2 + 4,
                text_anchor="end",
            )
        )
        parts += _row_cells(row, row_place, columns, left, y, cell, most)
    width = len(columns) * cell
    parts.append(_frame(left, top, width, len(labels) * cell, cell))
    slant = text_width(shown[-1], size) * 0.7
    classes = "confusion few" if len(labels) <= _FEW else "confusion many"
    picture = svg(
        left + width + slant + 12,
        top + len(labels) * cell + 6,
        f"Confusion matrix of {name}",
        *parts,
    )
    return tag("div", picture, class_=classes)


def _row_cells(
    row: Sequence[int],
    place: int,
    columns: Sequence[str],
    left: float,
    y: float,
    cell: int,
    most: int,
) -> list[Markup]:
    parts = []
    for column, count in enumerate(row):
        x = left + column * cell
        right = column == place
        if not count and not right:
            continue
        shade = -(-count * _SHADES // most) if most and count else 0
        title = f"{columns[place]} said as {columns[column]}: {count}"
        square = tag(
            "rect",
            tag("title", title),
            class_=f"shade-{shade}{' right' if right else ''}",
            x=x + 1,
            y=y + 1,
            width=cell - 2,
            height=cell - 2,
        )
        parts.append(square)
        if count:
            parts.append(
                tag(
                    "text",
                    str(count),
                    class_=f"count on-{shade}",
                    x=x + cell / 2,
                    y=y + cell / 2 + 4,
                    text_anchor="middle",
                )
            )
    return parts


def _frame(left: float, top: float, width: float, height: float, cell: int) -> Markup:
    """Hairlines between the rows and a frame."""
    lines = "".join(
        f"M{left:.1f} {top + place * cell:.1f}h{width:.1f}"
        for place in range(1, round(height / cell))
    )
    return join(
        tag("path", class_="grid", d=lines) if lines else None,
        tag("rect", class_="frame", x=left, y=top, width=width, height=height),
    )


def _largest(confusion: Mapping[str, Any], most: int = 6) -> Markup | None:
    """The largest confusions in words."""
    labels: list[str] = confusion["labels"]
    pairs = [
        (count, gold, said)
        for gold, row in enumerate(confusion["matrix"])
        for said, count in enumerate(row)
        if gold != said and count
    ]
    if not pairs:
        return None
    pairs.sort(key=lambda one: (-one[0], one[1], one[2]))
    words = [
        f"`{labels[gold]}` said as `{labels[said]}` {count}×" for count, gold, said in pairs[:most]
    ]
    split = "held-out" if confusion.get("split") == "test" else confusion.get("split")
    return tag("p", prose(f"On {split} rows, most often: {', '.join(words)}."), class_="note")
