"""Files to documents: one reader per format, chosen by the ending of a name.

A reader is a module with `VERSION` and `read(data, name) -> Document`. Its version is part of what
an index remembers of a file: a reader that gives another text than before counts up, and files it
read are read again.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import ModuleType

from accordeur.core.errors import MissingDependency
from accordeur.documents.document import Document
from accordeur.documents.readers.isolated import read_isolated
from accordeur.documents.readers.unreadable import Unreadable

__all__ = ["ENDINGS", "Reader", "Unreadable", "reader_for"]

_TEXT = ".txt .text .log .rst .adoc .org"
_CODE = """
.py .pyi .js .jsx .mjs .ts .tsx .java .kt .scala .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl
.lua .r .jl .swift .m .sh .bash .zsh .fish .ps1 .bat .sql .proto .tex .toml .ini .cfg .conf
.yaml .yml .xml .css .scss .vue .svelte .dart .ex .exs .erl .hs .ml .clj .el .vim .cmake .gradle .tf
"""

ENDINGS: dict[str, str] = {
    **dict.fromkeys(("", *_TEXT.split(), *_CODE.split()), "text"),
    **dict.fromkeys((".md", ".markdown", ".mdx", ".mkd"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **dict.fromkeys((".csv", ".tsv", ".tab"), "csv"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    ".pdf": "pdf",
    ".docx": "docx",
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
    ".eml": "mail",
}
"""Ending of a file's name -> module of its reader."""

_ISOLATED = frozenset(("pdf", "docx", "xlsx", "mail"))
_HARMLESS = 1_000_000
"""Bytes of a page that is read in this process."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader.

    Attributes:
        module: its name.
        version: counts up when it gives another text than before.
    """

    module: str
    version: int

    @property
    def key(self) -> str:
        """Name and version, as an index remembers them."""
        return f"{self.module}/{self.version}"

    def read(self, data: bytes, name: str) -> Document:
        """The document in a file; what may do harm is read in a process of its own.

        Raises:
            Unreadable: no text can be had from it.
        """
        if self.module in _ISOLATED or (self.module == "html" and len(data) > _HARMLESS):
            return read_isolated(self.module, data, name)
        try:
            found: Document = _module(self.module).read(data, name)
        except MissingDependency as error:
            raise Unreadable(f"{error.message} {error.hint}", lasting=False) from error
        return found


def reader_for(name: str) -> Reader:
    """The reader of a file by its name.

    Raises:
        Unreadable: no reader knows the ending.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending not in ENDINGS:
        raise Unreadable(f"`{ending}` files are not read")
    return Reader(ENDINGS[ending], _module(ENDINGS[ending]).VERSION)


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"accordeur.documents.readers.{name}")
