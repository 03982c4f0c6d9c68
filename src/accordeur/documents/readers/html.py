"""HTML: the text one would see, block by block, with its headings and what its head says of it.

What is not seen is left out: scripts, styles, templates, drawings, forms' choices, whatever has the
attribute `hidden`. Blocks stand on lines of their own, paragraphs between empty lines, items behind
a dash, cells of a row between bars; white space elsewhere is one space, as a browser shows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from html.parser import HTMLParser

from accordeur.documents.document import Document, Heading
from accordeur.documents.readers.decoding import decode, whole
from accordeur.documents.readers.metadata import tidy
from accordeur.documents.readers.written import Written

VERSION = 1

_UNSEEN_NAMES = """
script style template noscript svg math iframe object audio video canvas select textarea
"""
_PARAGRAPH_NAMES = """
p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre section article header footer main aside nav
figure form fieldset details hr address body
"""
_LINE_NAMES = "div li dt dd tr br caption figcaption summary option legend thead tbody"
# Elements that are always closed, so that a hidden one ends where it says.
_CLOSED_NAMES = "div section article span aside nav header footer main form details ul ol table"
_UNSEEN, _PARAGRAPHS, _LINES, _CLOSED = (
    frozenset(names.split())
    for names in (_UNSEEN_NAMES, _PARAGRAPH_NAMES, _LINE_NAMES, _CLOSED_NAMES)
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CELLS = frozenset(("td", "th"))
_META = {
    "author": "author",
    "date": "date",
    "keywords": "tags",
    "description": "description",
    "article:published_time": "date",
    "article:author": "author",
    "dc.title": "title",
    "dc.creator": "author",
    "dc.date": "date",
    "dcterms.created": "date",
    "og:title": "title",
}
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I)
_HEAD = 4_096
_SLICE = 65_536
# As browsers read these names (https://encoding.spec.whatwg.org).
_MEANS = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252"}


def read(data: bytes, name: str) -> Document:
    """The visible text of a page.

    Raises:
        Unreadable: it is no text.
    """
    found = _CHARSET.search(data[:_HEAD])
    declared = found[1].decode("ascii").lower() if found else ""
    text, notes = decode(data, _MEANS.get(declared, declared))
    return from_text(text, name, notes if not declared else ())


def from_text(html: str, name: str, notes: tuple[str, ...] = ()) -> Document:
    """The visible text of a page that is decoded already."""
    page = _Page()
    page.read(whole(html))
    metadata = tidy(page.metadata)
    first = next((one.title for one in page.headings if one.level == 1), "")
    if title := " ".join("".join(page.title).split()) or first:
        metadata["title"] = title[:1000]
    return Document(
        name, page.text.done(), headings=tuple(page.headings), metadata=metadata, notes=notes
    )


class _Page(HTMLParser):
    """What a page shows, gathered while it is parsed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = Written()
        self.headings: list[Heading] = []
        self.metadata: dict[str, str] = {}
        self.title: list[str] = []
        self._unseen = ""  # the element that hides what stands in it
        self._depth = 0  # of elements of its name
        self._titled = False
        self._pre = 0
        self._heading: tuple[int, int] | None = None
        self._cells = 0

    def read(self, html: str) -> None:
        """Parse a whole page.

        `close` of the standard parser would look through all the rest again for every `<` of an end
        that is left open, which takes hours for a megabyte made for it. What is never closed ends
        with the page and is left out, as browsers have it.
        """
        for start in range(0, len(html), _SLICE):
            self.feed(html[start : start + _SLICE])
        if self.rawdata and not self.rawdata.startswith("<"):
            self.handle_data(unescape(self.rawdata))

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """An element begins."""
        if self._unseen:
            self._depth += tag == self._unseen
            return
        given = dict(attrs)
        if tag in _UNSEEN or ("hidden" in given and tag in _CLOSED):
            self._unseen, self._depth = tag, 1
        elif tag == "title":
            self._titled = not self.title
        elif tag == "meta":
            self._meta(given)
        else:
            self._begin(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """`<br/>`; a slash in other elements means nothing, as browsers have it."""
        self.handle_starttag(tag, attrs)
        if tag in ("svg", "math"):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if self._unseen:
            self._depth -= tag == self._unseen
            if not self._depth:
                self._unseen = ""
            return
        if tag == "title":
            self._titled = False
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        if tag in _HEADINGS:
            self._end_heading()
        self._break(tag)

    def handle_data(self, data: str) -> None:
        """Text."""
        if self._titled:
            self.title.append(data)
        elif not self._unseen:
            self.text.add(data, as_is=bool(self._pre))

    def _begin(self, tag: str) -> None:
        self._break(tag)
        if tag in _HEADINGS:
            self._end_heading()
            self._heading = (_HEADINGS[tag], self.text.next_start())
        elif tag == "pre":
            self._pre += 1
        elif tag == "li":
            self.text.mark("- ")
        elif tag == "tr":
            self._cells = 0
        elif tag in _CELLS:
            if self._cells:
                self.text.mark(" | ")
            self._cells += 1

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.text.end_paragraph()
        elif tag in _LINES:
            self.text.end_line()

    def _end_heading(self) -> None:
        if self._heading is None:
            return
        level, start = self._heading
        self._heading = None
        if title := " ".join(self.text.since(start).split()):
            self.headings.append(Heading(start, level, title))

    def _meta(self, given: dict[str, str | None]) -> None:
        name = (given.get("name") or given.get("property") or "").lower()
        if name in _META and given.get("content"):
            self.metadata.setdefault(_META[name], str(given["content"]))
