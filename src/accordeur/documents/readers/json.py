"""JSON and JSON Lines as indented lines, `name: value`; objects of a list between empty lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from accordeur.documents.document import Document
from accordeur.documents.readers.decoding import decode, whole
from accordeur.documents.readers.metadata import tidy
from accordeur.documents.readers.unreadable import Unreadable

VERSION = 1

_TOLD = ("title", "author", "authors", "date", "tags", "keywords", "description")


def read(data: bytes, name: str) -> Document:
    """The values of a file with their names.

    Raises:
        Unreadable: it is not JSON.
    """
    text, notes = decode(data)
    try:
        value = _lines(text) if name.lower().endswith((".jsonl", ".ndjson")) else json.loads(text)
        told = "\n\n".join("\n".join(_shown(one)) for one in _apart(value))
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("its JSON is nested too deep, or holds a number too long") from error
    known = {key: value[key] for key in _TOLD if key in value} if isinstance(value, dict) else {}
    return Document(name, whole(told), metadata=tidy(known), notes=notes)


def _lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _apart(value: Any) -> list[Any]:
    """The objects of a list, one by one; everything else as one."""
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return value
    return [value]


def _shown(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if isinstance(one, dict | list) and one:
                yield f"{name}:"
                yield from (f"  {line}" for line in _shown(one))
            else:
                yield f"{name}: {_scalar(one)}"
    elif isinstance(value, list):
        for one in value:
            for at, line in enumerate(_shown(one)):
                yield f"{'  ' if at else '- '}{line}"
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, dict | list) else json.dumps(value)
