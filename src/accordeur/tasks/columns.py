"""Which column of the data plays which part of a row (DESIGN P1).

Names in `fields:` are taken as they are. Without them, columns that carry the protocol's own names
are taken; failing that, one column of a common name is guessed, and two are an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from accordeur.core.errors import TaskError
from accordeur.tasks.column_names import EXPECTED_NAMES, INPUT_NAMES
from accordeur.tasks.config import FieldsConfig

OPTIONAL = ("id", "group", "context", "steps", "rejected", "documents", "spans")


@dataclass(frozen=True, slots=True)
class Columns:
    """The mapping from a row's parts to columns; `None` where there is none.

    Attributes:
        input: one column, or several by the name their field gets.
        expected: the answer; `None` when it is the last turn of a conversation.
        guessed: parts whose column was guessed.
    """

    input: str | Mapping[str, str]
    expected: str | None = None
    id: str | None = None
    group: str | None = None
    context: str | None = None
    steps: str | None = None
    rejected: str | None = None
    documents: str | None = None
    spans: str | None = None
    guessed: frozenset[str] = frozenset()

    @property
    def input_columns(self) -> tuple[str, ...]:
        """The columns that the input is made of."""
        return (self.input,) if isinstance(self.input, str) else tuple(self.input.values())

    def describe(self) -> dict[str, str]:
        """Part to column, as the preflight table shows it."""
        parts = {"input": ", ".join(self.input_columns)}
        for name in ("expected", *OPTIONAL):
            if (column := getattr(self, name)) is not None:
                parts[name] = column
        return {
            name: f"{column} (guessed)" if name in self.guessed else column
            for name, column in parts.items()
        }


def resolve_columns(fields: FieldsConfig, seen: Sequence[str], source: str) -> Columns:
    """The mapping for data that has these columns.

    Args:
        fields: from `task.yaml`.
        seen: the columns of the data.
        source: the file, for messages.

    Raises:
        TaskError: a named column is not there, or none can be guessed.
    """
    guessed: set[str] = set()
    given = fields.input
    if given is None:
        given = _guess("input", INPUT_NAMES, seen, source)
        if given != "input":
            guessed.add("input")
    taken = {given} if isinstance(given, str) else set(given.values())
    expected = fields.expected
    if expected is None and "expected" not in fields.model_fields_set:
        free = [name for name in seen if name not in taken]
        # A file of conversations may hold the answer as their last turn, in no column of its own.
        if given != "messages" or any(name.lower() in EXPECTED_NAMES for name in free):
            expected = _guess("expected", EXPECTED_NAMES, free, source)
            if expected != "expected":
                guessed.add("expected")
    taken |= {expected} if expected else set()
    optional: dict[str, str | None] = {}
    for name in OPTIONAL:
        column = getattr(fields, name)
        if column is None and name not in fields.model_fields_set and name in seen:
            column = None if name in taken else name
        optional[name] = column
    columns = Columns(input=given, expected=expected, guessed=frozenset(guessed), **optional)
    require_columns(columns, seen, source)
    return columns


def require_columns(columns: Columns, seen: Sequence[str], source: str) -> None:
    """Check that a file has the columns of a mapping.

    Raises:
        TaskError: one is not there; the message offers the nearest names.
    """
    parts = [("input", name) for name in columns.input_columns]
    parts += [(name, getattr(columns, name)) for name in ("expected", *OPTIONAL)]
    for part, name in parts:
        if name is not None and name not in seen:
            near = difflib.get_close_matches(name, list(seen), n=2, cutoff=0.5)
            offer = f"did you mean {' or '.join(f'`{item}`' for item in near)}? " if near else ""
            raise TaskError(
                f"`{source}` has no column `{name}` (taken as `{part}`).",
                hint=f"{offer}its columns: {_listed(seen)}; name others under `fields:`",
            )


def _guess(part: str, names: Sequence[str], seen: Sequence[str], source: str) -> str:
    if part in seen:
        return part
    found = [name for name in seen if name.lower() in names]
    if len(found) == 1:
        return found[0]
    if found:
        reason = f"several columns could be `{part}`: {_listed(found)}"
    else:
        reason = f"no column could be found for `{part}`"
    example = found[0] if found else next(iter(seen), "a_column")
    raise TaskError(
        f"`{source}`: {reason}. Its columns are {_listed(seen)}.",
        hint=f"say it in task.yaml:\n  fields: {{{part}: {example}}}",
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown or "none"
