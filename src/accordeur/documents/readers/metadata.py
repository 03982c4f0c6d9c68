"""What documents say about themselves, as short texts by lower-case names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

MOST_NAMES = 64
MOST_CHARACTERS = 1_000

_SAME = {"authors": "author", "tag": "tags", "keywords": "tags", "creator": "author"}


def tidy(found: Mapping[Any, Any]) -> dict[str, str]:
    """Names in lower case and values as text; lists are joined by commas.

    What is nested deeper, empty or too much is left out. `authors`, `creator`, `tag` and `keywords`
    count as `author` and `tags`.
    """
    kept: dict[str, str] = {}
    for name, value in found.items():
        key = str(name).strip().lower()
        key = _SAME.get(key, key)
        text = _as_text(value)
        if key and text and key not in kept and len(kept) < MOST_NAMES:
            kept[key[:MOST_CHARACTERS]] = text[:MOST_CHARACTERS]
    return kept


def _as_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(text for one in value[:MOST_NAMES] if (text := _scalar(one)))
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    return " ".join(str(value).split()) if isinstance(value, str | int | float) else ""
