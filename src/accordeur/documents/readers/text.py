"""Plain text and source code: the text is the file, decoded."""

from __future__ import annotations

from accordeur.documents.document import Document
from accordeur.documents.readers.decoding import decode

VERSION = 1


def read(data: bytes, name: str) -> Document:
    """The file as it is, without a byte order mark.

    Raises:
        Unreadable: it is no text.
    """
    text, notes = decode(data)
    return Document(name, text, notes=notes)
