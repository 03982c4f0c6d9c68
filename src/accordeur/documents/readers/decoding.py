"""Bytes to text: UTF-8, what a byte order mark says, else Windows-1252, which is told.

A byte order mark is no character of the text. Line ends stay as they are, so that positions count
as in the decoded file.
"""

from __future__ import annotations

import codecs

from accordeur.documents.readers.unreadable import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = frozenset(range(32)) - set(b"\t\n\r\f\v\x1b\b")
_SAMPLE = 8_192
_MOST_CONTROLS = 0.02


def decode(data: bytes, declared: str = "") -> tuple[str, tuple[str, ...]]:
    """The text of a file, and notes for people.

    Args:
        data: the whole file.
        declared: the encoding that the file itself names, as HTML may.

    Raises:
        Unreadable: it is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding), _told(encoding)
            except UnicodeDecodeError as error:
                raise Unreadable(f"its mark says {encoding.upper()}, which it is not") from error
    if b"\0" in data:
        raise Unreadable("it holds zero bytes, as no text does")
    for encoding in (_known(declared), "utf-8"):
        if encoding:
            try:
                return data.decode(encoding), _told(encoding)
            except UnicodeDecodeError:
                continue
    sample = data[:_SAMPLE]
    if sum(byte in _CONTROLS for byte in sample) > _MOST_CONTROLS * len(sample):
        raise Unreadable("it is no text")
    return data.decode("cp1252", "replace"), ("not UTF-8; read as Windows-1252",)


def whole(text: str) -> str:
    """The text with halves of characters, which only an escape can hold, replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _told(encoding: str) -> tuple[str, ...]:
    return () if encoding == "utf-8" else (f"read as {encoding.upper()}",)


def _known(name: str) -> str:
    """A text encoding's own name; empty when there is none of this name."""
    try:
        found = codecs.lookup(name) if name else None
    except (LookupError, ValueError):
        return ""
    # Only encodings of text: `codecs` knows compressions and ciphers, too.
    return found.name if found is not None and found._is_text_encoding else ""
