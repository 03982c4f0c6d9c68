"""Passages into a prompt: which of them fit, and between which delimiters they stand.

The order of sacrifice is fixed. Passages go first, the lowest in rank before the others and each of
them whole; then demonstrations, then the beginning of the row, as for any prompt that does not fit
(DESIGN P3). So no question is cut to make room for a passage, and no passage is shown in part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from accordeur.core.span import Span
from accordeur.documents.passage import Found

CountTokens = Callable[[str], int]

GAP = 2
"""Characters, a blank line, that may stand between two passages that are shown as one."""

_MARK = re.compile(r"\[(/?\d+)\]")
_BLOCK = re.compile(r"^\[(\d+)\] [^\n]*\n(.*?)\n\[/\1\]$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A stretch of a document as it is shown.

    Attributes:
        span: where it stands.
        text: of that place; the characters between two joined passages are new lines here.
        score: of the best passage in it.
        page: of its first character, where the document has pages.
        headings: titles that it stands under, outermost first.
    """

    span: Span
    text: str
    score: float
    page: int | None = None
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Packed:
    """What is shown, and what became of the rest.

    Attributes:
        shown: best first; the first one is number 1.
        dropped: passages for which there was no room.
        duplicates: passages whose text is shown already.
        merged: passages that were joined to another one.
    """

    shown: tuple[Shown, ...] = ()
    dropped: int = 0
    duplicates: int = 0
    merged: int = 0

    @property
    def text(self) -> str:
        """The passages between their delimiters; empty where nothing is shown."""
        return delimited(self.shown)


def delimited(shown: Sequence[Shown]) -> str:
    """Passages with their numbers: `[1]`, the titles, the text, `[/1]`, a blank line between.

    A passage cannot close itself or open another: a number in square brackets inside one is written
    in round ones, so every character stays at its place.
    """
    return "\n\n".join(_block(one, number) for number, one in enumerate(shown, start=1))


def texts_of(delimited: str) -> list[str]:
    """The texts of passages between their delimiters, as they are shown."""
    return [found[2] for found in _BLOCK.finditer(delimited)]


def _block(one: Shown, number: int) -> str:
    return f"[{number}] {_titles(one)}\n{_unmarked(one.text)}\n[/{number}]"


def _titles(one: Shown) -> str:
    """Where it stands: the document, then its headings."""
    return _unmarked(" > ".join((one.span.document, *one.headings))).replace("\n", " ")


def _unmarked(text: str) -> str:
    return _MARK.sub(r"(\1)", text)


def pack(found: Sequence[Found], room: int, count_tokens: CountTokens) -> Packed:
    """Choose what is shown: passages in their order, each whole, as long as there is room.

    A passage that overlaps one of the same document, or stands next to it, is joined to it. One
    that is too long for the room that is left makes place for shorter ones behind it.

    Args:
        found: best first.
        room: tokens that all of it may take, delimiters included.
        count_tokens: of the model that is to read them.
    """
    counts: dict[str, int] = {}

    def tokens(shown: Sequence[Shown]) -> int:
        total = 0
        for number, one in enumerate(shown, start=1):
            block = f"{_block(one, number)}\n\n"
            if block not in counts:
                counts[block] = count_tokens(block)
            total += counts[block]
        return total

    packed = Packed()
    texts: set[str] = set()
    for one in found:
        text = " ".join(one.passage.text.split())
        if not text or text in texts:
            packed = replace(packed, duplicates=packed.duplicates + 1)
            continue
        shown, joined = _with(packed.shown, _shown(one))
        if tokens(shown) > room:
            packed = replace(packed, dropped=packed.dropped + 1)
            continue
        texts.add(text)
        packed = replace(packed, shown=shown, merged=packed.merged + joined)
    while packed.shown and count_tokens(packed.text) > room:  # tokens need not add up
        packed = replace(packed, shown=packed.shown[:-1], dropped=packed.dropped + 1)
    return packed


def _shown(one: Found) -> Shown:
    passage = one.passage
    return Shown(passage.span, passage.text, one.score, passage.page, passage.headings)


def _with(shown: Sequence[Shown], fresh: Shown) -> tuple[tuple[Shown, ...], int]:
    """The stretches with one more, and how many it was joined to; order by the best passage."""
    kept: list[Shown] = []
    place, joined = None, 0
    for one in shown:
        if _touch(one, fresh):
            fresh = _join(one, fresh)
            joined += 1
            place = len(kept) if place is None else place
        else:
            kept.append(one)
    kept.insert(len(kept) if place is None else place, fresh)
    return tuple(kept), joined


def _touch(one: Shown, other: Shown) -> bool:
    first, second = sorted((one.span, other.span))
    whole = all(len(each.text) == len(each.span) for each in (one, other))
    return whole and first.document == second.document and second.start <= first.end + GAP


def _join(one: Shown, other: Shown) -> Shown:
    """Both as one stretch; what is known of its beginning stays, and the better score."""
    first, second = sorted((one, other), key=lambda each: (each.span.start, -each.span.end))
    between = "\n" * max(0, second.span.start - first.span.end)
    behind = second.text[max(0, first.span.end - second.span.start) :]
    end = max(first.span.end, second.span.end)
    span = Span(first.span.document, first.span.start, end)
    score = max(one.score, other.score)
    return replace(first, span=span, text=f"{first.text}{between}{behind}", score=score)
