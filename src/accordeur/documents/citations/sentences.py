"""A text cut into sentences that can be quoted.

A sentence ends at `.`, `!`, `?` or `…` (closing quotes and brackets included) before white space,
unless a small letter follows or a common abbreviation stands before; at `。`, `！` or `？`; at an
empty line; and around headings, table rows and list items of Markdown. A line end inside a
paragraph ends nothing: documents are often wrapped. (`parts.classifier.lead` ends a sentence at
every line, as summaries are scored.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ABBREVIATIONS = (
    r"mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|cf|no|nos|fig|sec|ch|p|pp|approx|dept|inc|ltd|co|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_SHORT = re.compile(rf"(?:^|[^\w.])(?:{_ABBREVIATIONS}|[a-z])\.$", re.IGNORECASE)
_STOP = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s+(\S))|[。！？][”’」』)]*")

_ITEM = r"(?:[-*+•]|\d{1,3}[.)])[ \t]+"
_MARKER = re.compile(rf"(?:[ \t]*(?:{_ITEM}|\#{{1,6}}[ \t]+|>[ \t]?))+")
_ALONE = re.compile(r"[ \t]*(?:#{1,6}[ \t]|\||```|---+[ \t]*$)|.*[^|\s][ \t]+\|[ \t]+\S")
_OPENS = re.compile(rf"[ \t]*(?:{_ITEM}|>)")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """First character and end of each sentence, white space and Markdown's markers left out."""
    for start, end in _blocks(text):
        if marker := _MARKER.match(text, start, end):
            start = marker.end()
        for stop in (*_stops(text, start, end), end):
            first, last = _trimmed(text, start, stop)
            if first < last:
                yield first, last
            start = stop


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs, list items, headings, table rows: what no sentence goes beyond."""
    start = at = 0
    for line in text.splitlines(keepends=True):
        alone = _ALONE.match(line) is not None
        if alone or not line.strip() or _OPENS.match(line):
            yield start, at
            start = at
        at += len(line)
        if alone:
            yield start, at
            start = at
    yield start, len(text)


def _stops(text: str, start: int, end: int) -> Iterator[int]:
    for match in _STOP.finditer(text, start, end):
        following = match[1] or ""
        before = text[max(start, match.start() - 12) : match.start() + 1]
        if not (following.islower() or (match[0] == "." and _SHORT.search(before))):
            yield match.end()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
