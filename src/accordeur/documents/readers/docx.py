"""Word documents: through mammoth to HTML, which keeps headings, lists and tables, and as that."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

from accordeur.documents.document import Document
from accordeur.documents.readers import html
from accordeur.documents.readers.metadata import tidy
from accordeur.documents.readers.packages import needs
from accordeur.documents.readers.unreadable import Unreadable

VERSION = 1

_CORE = "docProps/core.xml"
_NAMES = {"title": "title", "creator": "author", "keywords": "tags", "created": "date"}


def read(data: bytes, name: str) -> Document:
    """The text of a document, without its pictures.

    Raises:
        Unreadable: it is broken or encrypted.
        MissingDependency: mammoth is not installed.
    """
    mammoth = needs("mammoth", "Word documents")
    try:
        page = mammoth.convert_to_html(
            io.BytesIO(data), convert_image=mammoth.images.img_element(lambda _: {})
        ).value
        told = properties(data)
    except (zipfile.BadZipFile, KeyError, ValueError, ElementTree.ParseError, OSError) as error:
        raise Unreadable(f"it is no Word document that can be read ({error})") from error
    made = html.from_text(page, name)
    return replace(made, metadata={**made.metadata, **told})


def properties(data: bytes) -> dict[str, str]:
    """What an Office file says of itself (its Dublin Core properties)."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        if _CORE not in parts.namelist():
            return {}
        tree = ElementTree.fromstring(parts.read(_CORE))
    found = {}
    for element in tree:
        key = _NAMES.get(element.tag.rpartition("}")[2])
        if key and element.text:
            found[key] = element.text[:10] if key == "date" else element.text
    return tidy(found)
