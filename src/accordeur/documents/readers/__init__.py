"""Files to documents: one reader per format, chosen by the ending of a name.

A reader is a module with `VERSION` and `read(data, name) -> Document`. Its version is part of what
an index remembers of a file: a reader that gives another text than before counts up, and files it
read are read again.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from accordeur.documents.document import Document
from accordeur.documents.readers.unreadable import Unreadable

__all__ = ["ENDINGS", "Reader", "Unreadable", "reader_for"]

_CODE = """
.py .pyi .js .jsx .mjs .ts .tsx .java .kt .scala .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl
.lua .r .jl .swift .m .sh .bash .zsh .fish .ps1 .bat .sql .proto .tex .toml .ini .cfg .conf
.yaml .yml .css .scss .vue .svelte .dart .ex .exs .erl .hs .ml .clj .el .vim .cmake .gradle .tf
"""

ENDINGS: dict[str, str] = {
    **dict.fromkeys((".txt", ".text", ".log", ".rst", ".adoc", ".org", ""), "text"),
    **dict.fromkeys(_CODE.split(), "text"),
    **dict.fromkeys((".md", ".markdown", ".mdx", ".mkd"), "markdown"),
}
"""Ending of a file's name -> module of its reader."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader by its module's name."""

    module: str
    version: int
    read: Callable[[bytes, str], Document]

    @property
    def key(self) -> str:
        """Name and version, as an index remembers them."""
        return f"{self.module}/{self.version}"


def reader_for(name: str) -> Reader:
    """The reader of a file by its name.

    Raises:
        Unreadable: no reader knows the ending.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending not in ENDINGS:
        raise Unreadable(f"`{ending}` files are not read")
    module = importlib.import_module(f"accordeur.documents.readers.{ENDINGS[ending]}")
    return Reader(ENDINGS[ending], module.VERSION, module.read)
