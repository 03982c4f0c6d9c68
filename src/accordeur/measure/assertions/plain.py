"""Plain values as the texts they are compared as: as JSON writes them, texts as they are."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any

from accordeur.core.errors import TaskError


def as_text(value: Any) -> str:
    """`true`, `3`, `2.5`, a text itself, `""` for nothing, JSON for lists and mappings.

    Whole floats are written without a point, as JavaScript and thus promptfoo does.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, default=str)


def as_texts(value: Any) -> list[str]:
    """A list of texts; one text is split at commas, except inside double quotes.

    Raises:
        TaskError: it holds nothing.
    """
    if isinstance(value, str):
        try:
            parts = next(csv.reader([value.replace("\n", " ")], skipinitialspace=True), [])
        except csv.Error as error:
            raise TaskError(f"`{value}` is no list of texts: {error}.") from None
        texts = [part.strip() for part in parts if part.strip()]
    elif isinstance(value, Sequence):
        texts = [as_text(one) for one in value]
    else:
        texts = [as_text(value)] if value is not None else []
    if not texts:
        raise TaskError("A list of texts is empty.", hint="value: [one, another]")
    return texts
