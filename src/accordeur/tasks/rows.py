"""Raw rows to examples (DESIGN P1). Messages name the file and line, never what a row says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from accordeur.core.errors import TaskError
from accordeur.core.fingerprint import digest
from accordeur.core.task import Example, Turn
from accordeur.tasks.columns import Columns
from accordeur.tasks.formats.table import RawRow
from accordeur.tasks.spans import read_spans

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
}
Content = str | tuple[Turn, ...] | Mapping[str, str]


class Ids:
    """Gives each row of a task its id: the data's own, else a hash of what the row asks.

    The hash leaves the answer out, so changing held-out answers changes no id. Rows that ask the
    same get `-2`, `-3`, ... behind it.
    """

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def claim(self, name: str, where: str) -> str:
        """An id that the data gives.

        Raises:
            TaskError: another row has it.
        """
        if name in self._places:
            raise TaskError(
                f"Two rows have the id `{name}`: `{self._places[name]}` and `{where}`.",
                hint="make ids unique over all splits, or take none with `fields: {id: null}`",
            )
        self._places[name] = where
        return name

    def make(self, content: Any, where: str) -> str:
        """An id from what a row asks."""
        name = base = digest(content)[:16]
        count = 1
        while name in self._places:
            count += 1
            name = f"{base}-{count}"
        self._places[name] = where
        return name


def example_from(row: RawRow, columns: Columns, ids: Ids, *, labelled: bool = True) -> Example:
    """One example.

    Args:
        row: as the file has it.
        columns: which column plays which part.
        ids: of the task so far.
        labelled: whether an answer is needed; where not, one that is there is left out.

    Raises:
        TaskError: the input or the needed answer is missing, a value has a type that is no text,
            or the id is taken.
    """
    content = _input(row, columns)
    expected: tuple[str, ...] | None = None
    if columns.expected is None and isinstance(content, tuple) and content:
        # The usual fine-tuning file: the last turn of the conversation is the answer to learn.
        if content[-1].role == "assistant":
            content, last = content[:-1], content[-1].content.strip()
            expected = (last,) if last else None
    elif columns.expected is not None:
        expected = _answers(row, columns.expected)
    if labelled and expected is None:
        part = f"`{columns.expected}`" if columns.expected else "a last assistant turn"
        raise TaskError(
            f"`{row.where}` has no expected answer ({part}).",
            hint="rows without an answer go into a file of their own: data.unlabelled",
        )
    context = _optional_text(row, columns.context)
    documents = _texts(row, columns.documents)
    spans, quotes = read_spans(row, columns.spans if labelled else None)
    given = _optional_text(row, columns.id)
    if given is not None:
        name = ids.claim(given, row.where)
    else:
        name = ids.make([_plain(content), context, list(documents)], row.where)
    return Example(
        id=name,
        input=content,
        expected=expected if labelled else None,
        group=_optional_text(row, columns.group) or name,
        context=context,
        documents=documents,
        steps=_texts(row, columns.steps),
        rejected=_texts(row, columns.rejected),
        spans=spans,
        quotes=quotes,
    )


def text_of(value: Any, where: str, column: str) -> str | None:
    """A cell as text: numbers as Python writes them, `true` and `false`, `None` when missing.

    Raises:
        TaskError: the cell holds something that is no text.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping | list | tuple | bytes):
        kind = "an object" if isinstance(value, Mapping) else "a list"
        kind = "raw bytes" if isinstance(value, bytes) else kind
        raise TaskError(
            f"`{where}`: the column `{column}` holds {kind} where a text belongs.",
            hint=f"write `{column}` as text, or name another column under `fields:`",
        )
    return str(value)


def _input(row: RawRow, columns: Columns) -> Content:
    if not isinstance(columns.input, str):
        return {
            field: text_of(row.cells.get(column), row.where, column) or ""
            for field, column in columns.input.items()
        }
    column = columns.input
    value = row.cells.get(column)
    if isinstance(value, Mapping):
        return {
            str(name): text_of(cell, row.where, f"{column}.{name}") or ""
            for name, cell in value.items()
        }
    if isinstance(value, list):
        return _turns(value, row.where, column)
    text = text_of(value, row.where, column)
    if text is None:
        raise TaskError(
            f"`{row.where}` has no input (column `{column}`).",
            hint="remove the row, or name another column under `fields:`",
        )
    return text


def _turns(value: Sequence[Any], where: str, column: str) -> tuple[Turn, ...]:
    """A conversation: `role`/`content` as chat endpoints write it, or `from`/`value`."""
    turns = []
    for item in value:
        role = item.get("role", item.get("from")) if isinstance(item, Mapping) else None
        if not isinstance(role, str) or role not in _ROLES:
            raise TaskError(
                f"`{where}`: the list in `{column}` is not a conversation.",
                hint='write turns as {"role": "user", "content": "..."}; '
                "roles: system, user, assistant",
            )
        content = text_of(item.get("content", item.get("value")), where, f"{column}.content")
        turns.append(Turn(cast(Any, _ROLES[role]), content or ""))
    if not turns:
        raise TaskError(f"`{where}`: the conversation in `{column}` has no turn.")
    return tuple(turns)


def _answers(row: RawRow, column: str) -> tuple[str, ...] | None:
    """Accepted answers, ends trimmed; `()` for an empty list, `None` when missing."""
    value = row.cells.get(column)
    if not isinstance(value, list):
        text = (text_of(value, row.where, column) or "").strip()
        return (text,) if text else None
    texts = [(text_of(item, row.where, column) or "").strip() for item in value]
    if not all(texts):
        raise TaskError(f"`{row.where}`: the list in `{column}` holds an empty answer.")
    return tuple(dict.fromkeys(texts))


def _optional_text(row: RawRow, column: str | None) -> str | None:
    text = None if column is None else text_of(row.cells.get(column), row.where, column)
    return text if text and text.strip() else None


def _texts(row: RawRow, column: str | None) -> tuple[str, ...]:
    """A list of texts, or one text."""
    if column is None:
        return ()
    value = row.cells.get(column)
    items = value if isinstance(value, list) else [value]
    texts = (text_of(item, row.where, column) for item in items)
    return tuple(text for text in texts if text and text.strip())


def _plain(content: Content) -> Any:
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return dict(content)
    return [[turn.role, turn.content] for turn in content]
