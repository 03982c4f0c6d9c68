"""The frame of a section: heading, anchor, words, content."""

from __future__ import annotations

from dataclasses import dataclass

from accordeur.report.markup import Markup, tag


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        anchor: its id.
        title: its heading.
        content: what stands under it.
    """

    anchor: str
    title: str
    content: Markup

    def html(self) -> Markup:
        """The whole part."""
        return tag(
            "section",
            tag("h2", self.title, id=f"{self.anchor}-title"),
            self.content,
            id=self.anchor,
            aria_labelledby=f"{self.anchor}-title",
        )


def facts(*pairs: tuple[str, Markup | str | None], class_: str = "facts") -> Markup:
    """A list of names and values; pairs without a value are left out."""
    items = [
        tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value is not None
    ]
    return tag("dl", items, class_=class_)


def scrolled(table: Markup, label: str) -> Markup:
    """A table that scrolls by itself, by keyboard too, so that the page never does."""
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def folded(summary: str, *content: Markup | None) -> Markup:
    """Content behind a summary."""
    return tag("details", tag("summary", summary), *content)
