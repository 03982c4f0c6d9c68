"""PDF through PDFium: the text of its pages, its outline as headings, its own metadata.

Lines are as PDFium finds them; pages stand between empty lines. Words that a line end divides by a
soft hyphen are put together. No text is read out of pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from accordeur.documents.document import Document, Heading
from accordeur.documents.readers.decoding import whole
from accordeur.documents.readers.metadata import tidy
from accordeur.documents.readers.packages import needs
from accordeur.documents.readers.unreadable import Unreadable

VERSION = 1

_BETWEEN = "\n\n"
_HYPHEN = re.compile("[\ufffe\u0002]\r?\n?")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_MOST_HEADINGS = 5_000


def read(data: bytes, name: str) -> Document:
    """The text of a PDF.

    Raises:
        Unreadable: it is broken, encrypted, or holds pictures of text alone.
        MissingDependency: pypdfium2 is not installed.
    """
    pdfium = needs("pypdfium2", "PDF files")
    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD or "assword" in str(error):
            raise Unreadable("it is encrypted; its password is not known") from error
        raise Unreadable(f"it is no PDF that can be read ({error})") from error
    pages, broken = _pages(pdf, pdfium.PdfiumError)
    if not any(page.strip() for page in pages):
        told = "1 page" if len(pages) == 1 else f"{len(pages)} pages"
        raise Unreadable(f"its {told} hold no text, perhaps pictures of it")
    starts = _starts(pages)
    text = _BETWEEN.join(pages)
    notes = (f"{broken} of its {len(pages)} pages are broken and empty",) if broken else ()
    headings = tuple(_headings(pdf, pages, starts))
    return Document(
        name, text, pages=tuple(starts), headings=headings, metadata=_metadata(pdf), notes=notes
    )


def _pages(pdf: Any, broken: type[Exception]) -> tuple[list[str], int]:
    """The text of every page, and how many could not be read."""
    texts, lost = [], 0
    for number in range(len(pdf)):
        try:
            page = pdf[number]
            found = page.get_textpage()
            texts.append(_clean(found.get_text_bounded()))
            found.close()
            page.close()
        except broken:
            texts.append("")
            lost += 1
    return texts, lost


def _clean(text: str) -> str:
    joined = _HYPHEN.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return whole(_UNSEEN.sub(" ", joined))


def _starts(pages: list[str]) -> list[int]:
    starts, at = [], 0
    for page in pages:
        starts.append(at)
        at += len(page) + len(_BETWEEN)
    return starts


def _headings(pdf: Any, pages: list[str], starts: list[int]) -> Iterator[Heading]:
    """The outline: each title where it stands on its page, else at the top of the page."""
    found: list[Heading] = []
    for bookmark in pdf.get_toc():
        title = " ".join(_clean(bookmark.get_title()).split())
        target = bookmark.get_dest()
        page = target.get_index() if target is not None else None
        if title and page is not None and 0 <= page < len(pages) and len(found) < _MOST_HEADINGS:
            place = max(0, pages[page].find(title))
            found.append(Heading(starts[page] + place, bookmark.level + 1, title))
    yield from sorted(found, key=lambda one: one.start)


def _metadata(pdf: Any) -> dict[str, str]:
    known = pdf.get_metadata_dict(skip_empty=True)
    told = {
        name: whole(str(known[name])) for name in ("Title", "Author", "Subject") if name in known
    }
    if known.get("Keywords"):
        told["tags"] = whole(str(known["Keywords"]))
    if day := _DATE.match(str(known.get("CreationDate", ""))):
        told["date"] = "-".join(part for part in day.groups() if part)
    return tidy(told)
