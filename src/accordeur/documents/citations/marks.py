"""What a model writes to say where it has something from: `[2]`, `[1, 3]`, and quotations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_MARK = re.compile(
    r"[ \t]*\[(?:passages?|sources?)?\s*(\d{1,3}(?:\s*(?:,|;|and|-|–)\s*\d{1,3})*)\]", re.I
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_QUOTATION = re.compile(r"“([^”\n]{8,})”|\"([^\"\n]{8,})\"|«([^»\n]{8,})»")
_RANGE = 9
"""Longest range that `[2-5]` may mean; a longer one is a year or a page."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark in an answer.

    Attributes:
        start, end: its characters, a space before it included.
        numbers: that it names, in order.
    """

    start: int
    end: int
    numbers: tuple[int, ...]


def marks(answer: str) -> list[Mark]:
    """The marks of an answer, in order. What stands in code (`a[1]`) is none."""
    code = [match.span() for match in _CODE.finditer(answer)]
    return [
        Mark(match.start(), match.end(), tuple(_numbers(match[1])))
        for match in _MARK.finditer(answer)
        if not any(start <= match.start() < end for start, end in code)
    ]


def _numbers(text: str) -> Iterator[int]:
    for part in re.split(r"\s*(?:,|;|and)\s*", text):
        first, *rest = (int(one) for one in re.split(r"\s*[-–]\s*", part))
        last = rest[-1] if rest else first
        yield from range(first, last + 1) if first <= last <= first + _RANGE else (first, last)


def quotations(answer: str) -> list[str]:
    """What an answer puts in quotation marks, of at least three words."""
    found = (next(filter(None, match.groups())) for match in _QUOTATION.finditer(answer))
    return [one for one in found if len(one.split()) > 2]


def stands_in(quotation: str, text: str) -> tuple[int, int] | None:
    """Where a quotation stands in a text, in the text's own characters; `None` where it does not.

    White space, letter case, and the forms of quotation marks and dashes may differ; a full stop or
    comma at the quotation's end need not be there.
    """
    wanted, _ = _folded(quotation.rstrip(" .,;:…"))
    held, places = _folded(text)
    at = held.find(wanted) if wanted else -1
    if at < 0:
        return None
    return places[at], places[at + len(wanted) - 1] + 1


_ALIKE = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-"})


def _folded(text: str) -> tuple[str, list[int]]:
    """The text folded for comparing, and the place in the text of each of its characters."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for one in unicodedata.normalize("NFKC", letter).casefold().translate(_ALIKE):
            blank = one.isspace()
            if blank and (not letters or letters[-1] == " "):
                continue
            letters.append(" " if blank else one)
            places.append(place)
    if letters and letters[-1] == " ":
        letters.pop()
        places.pop()
    return "".join(letters), places
