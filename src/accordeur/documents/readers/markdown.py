"""Markdown: the text is the file, decoded; its headings are found, its front matter is read.

A front matter is YAML between two lines of three dashes at the very start (as Jekyll, Hugo and
Pandoc have it). It stays in the text, so that positions hold, but passages begin behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from accordeur.documents.document import Document, Heading
from accordeur.documents.readers.decoding import decode
from accordeur.documents.readers.metadata import tidy

VERSION = 1

_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.M)
_FRONT_LIMIT = 65_536
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_LONGEST_TITLE = 1_000
"""Characters of a line that may be a heading; some longer ones would take quadratic time."""

_NO_TITLE = re.compile(r" {4}|\t| {0,3}(?:>|[-+*][ \t]|\d+[.)][ \t]|\|)")


def read(data: bytes, name: str) -> Document:
    """The file as it is, with headings and the metadata of its front matter.

    Raises:
        Unreadable: it is no text.
    """
    text, notes = decode(data)
    body, metadata, note = _front_matter(text)
    headings = tuple(_headings(text, body))
    first = next((heading.title for heading in headings if heading.level == 1), "")
    if first:
        metadata.setdefault("title", first)
    return Document(name, text, body, (), headings, metadata, (*notes, *note))


def _front_matter(text: str) -> tuple[int, dict[str, str], tuple[str, ...]]:
    """Where the body begins, what stands before it, and what was wrong with that."""
    found = _FRONT.match(text, 0, _FRONT_LIMIT) if text.startswith("---") else None
    if found is None:
        return 0, {}, ()
    try:
        if "<<" in found[1]:  # merged mappings can double at every line
            raise ValueError("merge keys are not read")
        values: Any = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        return found.end(), {}, ("its front matter is not valid YAML",)
    if values is not None and not isinstance(values, dict):
        return 0, {}, ()  # a rule above a paragraph, no front matter
    return found.end(), tidy(values or {}), ()


def _headings(text: str, start: int) -> Iterator[Heading]:
    """ATX (`# Title`) and setext (underlined) headings outside of fenced code."""
    fence = ""
    above: tuple[int, str] | None = None  # a line of a paragraph, which an underline would title
    position = start
    for line in text[start:].splitlines(keepends=True):
        at, position = position, position + len(line)
        bare = line.rstrip("\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
        opened = _FENCE.match(bare)
        if len(bare) > _LONGEST_TITLE:
            above = None
            continue
        if fence:
            closes = opened and opened[1].startswith(fence) and not opened[2].strip()
            fence = "" if closes else fence
        elif opened and ("`" not in opened[2] or opened[1][0] == "~"):
            fence, above = opened[1], None
        elif atx := _ATX.match(bare):
            above = None
            if title := _plain(atx[2] or ""):
                yield Heading(at, len(atx[1]), title)
        elif above and (under := _UNDERLINE.match(bare)):
            yield Heading(above[0], 1 if under[1][0] == "=" else 2, _plain(above[1]))
            above = None
        else:
            above = None if not bare.strip() or _NO_TITLE.match(bare) else (at, bare)


def _plain(title: str) -> str:
    """A title without marks of emphasis, code and links."""
    title = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return " ".join(re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)", "", title).split())
