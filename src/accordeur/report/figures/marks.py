"""The marks of the figures. Shape, number and pattern carry the meaning; colour only repeats it.

A lever is a circle, a floor a square, the pick a filled mark with a ring. Every entry keeps its
number from the comparison table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accordeur.report.data import Entry
from accordeur.report.markup import Markup, tag

WIDE = 960
NARROW = 350

Draw = Callable[[int], Markup]


def svg(width: float, height: float, label: str, *children: Markup) -> Markup:
    """A picture with its own text alternative."""
    return tag(
        "svg",
        tag("title", label),
        *children,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=round(width),
        height=round(height),
        role="img",
    )


def figure(draw: Draw, caption: Markup, *more: Markup | None) -> Markup:
    """A figure for wide and for narrow screens, with its caption and what stands beneath."""
    return tag(
        "figure",
        tag("div", draw(WIDE), class_="wide"),
        tag("div", draw(NARROW), class_="narrow"),
        tag("figcaption", caption),
        *more,
    )


def marker(entry: Entry, x: float, y: float) -> Markup:
    """The entry's mark with its number."""
    kind = "floor" if entry.floor else "lever"
    parts = []
    if entry.pick:
        parts.append(tag("circle", class_="ring", cx=x, cy=y, r=14))
    if entry.floor:
        parts.append(tag("rect", class_="mark", x=x - 9, y=y - 9, width=18, height=18))
    else:
        parts.append(tag("circle", class_="mark", cx=x, cy=y, r=10))
    parts.append(tag("text", str(entry.number), x=x, y=y + 4, text_anchor="middle"))
    pick = " pick" if entry.pick else ""
    return tag("g", tag("title", f"{entry.number} {entry.name}"), parts, class_=f"m {kind}{pick}")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that a label or mark takes."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def text_width(text: str, size: float = 12.0) -> float:
    """A safe estimate of a text's width; wide characters count double."""
    return sum(1.05 if ord(character) > 0x2E7F else 0.6 for character in text) * size


def place_labels(
    points: Sequence[tuple[float, float, str]], left: float, right: float, top: float, bottom: float
) -> list[Markup]:
    """Names beside marks where there is room; a mark without room has its number alone.

    Args:
        points: x, y and name of each mark.
        left, right, top, bottom: the area labels may use.
    """
    taken = [Box(x - 15, y - 13, x + 15, y + 13) for x, y, _ in points]
    labels = []
    for x, y, name in points:
        width = text_width(name)
        tries = (
            (x + 17, y + 4, "start", Box(x + 16, y - 8, x + 17 + width, y + 8)),
            (x - 17, y + 4, "end", Box(x - 17 - width, y - 8, x - 16, y + 8)),
            (x, y - 18, "middle", Box(x - width / 2, y - 29, x + width / 2, y - 14)),
            (x, y + 27, "middle", Box(x - width / 2, y + 14, x + width / 2, y + 31)),
        )
        for text_x, text_y, anchor, box in tries:
            inside = box.left >= left and box.right <= right
            inside = inside and box.top >= top and box.bottom <= bottom
            if inside and not any(box.meets(other) for other in taken):
                taken.append(box)
                labels.append(
                    tag("text", name, class_="name", x=text_x, y=text_y, text_anchor=anchor)
                )
                break
    return labels


def legend(entries: Sequence[Entry]) -> Markup:
    """Numbers and names of the entries of a figure, for readers of the figure alone."""
    items = [
        tag(
            "li",
            tag("b", str(entry.number)),
            " ",
            tag("span", entry.name, dir="auto"),
            tag("em", " pick") if entry.pick else None,
        )
        for entry in sorted(entries, key=lambda one: one.number)
    ]
    return tag("ol", items, class_="legend", role="list", aria_label="Entries by number")
