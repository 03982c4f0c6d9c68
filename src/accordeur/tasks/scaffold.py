"""A task folder from a data file: guess what the columns are, then write `task.yaml`.

Pure functions without prompting; `accordeur init` asks and prints.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from accordeur.core.errors import TaskError
from accordeur.core.task import Example, TaskKind
from accordeur.tasks.answers import default_metric, infer_kind
from accordeur.tasks.columns import Columns, require_columns, resolve_columns
from accordeur.tasks.config import FieldsConfig
from accordeur.tasks.formats import RawTable, read_table
from accordeur.tasks.rows import Ids, example_from
from accordeur.tasks.write import write_atomically

_MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Guess:
    """What a data file seems to be.

    Attributes:
        data: the file.
        rows: how many it has.
        columns: their names.
        input: the columns of the input; empty when nothing could be guessed.
        expected: the column of the answer, or `None`.
        kind, metric: of the task these columns make.
        labels: for a label task, in order of frequency.
        notes: what was guessed, and what could not be; one sentence each.
    """

    data: Path
    rows: int
    columns: tuple[str, ...]
    input: tuple[str, ...] = ()
    expected: str | None = None
    kind: TaskKind = "text"
    metric: str = ""
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """A task can be written without asking."""
        return bool(self.input) and bool(self.metric)


@dataclass(frozen=True, slots=True)
class Choices:
    """What goes into `task.yaml`. An empty `metric` leaves the default to the loader.

    Attributes:
        data: the data file.
        name: of the task.
        instruction: what the model is told.
        input: columns of the input.
        expected: column of the answer; `None` for conversations that end with it.
        labels: name to the text shown to the model; empty for text tasks or to infer them.
        metric: name, or empty.
        copy: copy the data into the folder; else refer to it where it is.
    """

    data: Path
    name: str = ""
    instruction: str = ""
    input: tuple[str, ...] = ()
    expected: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    copy: bool = True
    description: str = ""


def guess(path: str | Path, *, input: Sequence[str] = (), expected: str | None = None) -> Guess:
    """What a data file seems to be.

    Args:
        path: the data file.
        input: columns of the input, where the user names them.
        expected: column of the answer, where the user names it.

    Raises:
        TaskError: the file cannot be read, or has no column of a name the user gave. Columns that
            cannot be guessed are no error: `notes` says so and `complete` is false.
    """
    path = Path(path)
    table = read_table(path)
    if not table.rows:
        raise TaskError(f"`{path}` has no rows.", hint="write at least 20 labelled rows into it")
    fields = {"input": _one_or_many(input), "expected": expected}
    config = FieldsConfig.model_validate({n: v for n, v in fields.items() if v is not None})
    named = Columns(input=config.input if input else table.columns[0], expected=expected)
    require_columns(named, table.columns, str(path))
    try:
        columns = resolve_columns(config, table.columns, str(path))
    except TaskError as error:
        return Guess(path, len(table.rows), table.columns, tuple(input), notes=(error.message,))
    return _describe(path, table, columns, _notes(columns, tuple(input), expected))


def _describe(path: Path, table: RawTable, columns: Columns, notes: tuple[str, ...]) -> Guess:
    rows, unanswered = _examples(table, columns)
    if unanswered:
        notes += (
            f"{unanswered} of {len(table.rows)} rows have no answer: `accordeur run` refuses them.",
        )
    kind = infer_kind(rows, None, None)
    labels: tuple[str, ...] = ()
    if kind == "labels":
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.label] = counts.get(row.label, 0) + 1
        labels = tuple(sorted(counts, key=lambda name: (-counts[name], name)))
        notes += (f"{len(labels)} different short answers: taken as labels.",)
    else:
        notes += ("The answers are taken as free text.",)
    return Guess(
        data=path,
        rows=len(table.rows),
        columns=table.columns,
        input=columns.input_columns,
        expected=columns.expected,
        kind=kind,
        metric=default_metric(rows, kind) if rows else "",
        labels=labels,
        notes=(*table.notes, *notes),
    )


def _examples(table: RawTable, columns: Columns) -> tuple[list[Example], int]:
    """The rows that can be read, and how many have no answer."""
    ids = Ids()
    no_ids = Columns(input=columns.input, expected=columns.expected)
    rows, unanswered = [], 0
    for row in table.rows:
        try:
            rows.append(example_from(row, no_ids, ids))
        except TaskError:
            unanswered += 1
    return rows, unanswered


def _notes(columns: Columns, given: tuple[str, ...], expected: str | None) -> tuple[str, ...]:
    notes = []
    if not given:
        notes.append(f"Input: the column `{', '.join(columns.input_columns)}`.")
    if expected is None:
        place = f"the column `{columns.expected}`" if columns.expected else "the last turn"
        notes.append(f"Expected answer: {place}.")
    return tuple(notes)


def _one_or_many(names: Sequence[str]) -> str | list[str] | None:
    if not names:
        return None
    return names[0] if len(names) == 1 else list(names)


def choices_from(found: Guess, *, name: str = "", instruction: str = "") -> Choices:
    """The choices that accept a guess as it is."""
    return Choices(
        data=found.data,
        name=name,
        instruction=instruction,
        input=found.input,
        expected=found.expected,
        labels={label: display_text(label) for label in found.labels},
        metric=found.metric,
    )


def display_text(label: str) -> str:
    """A label's name as words: `card_lost` becomes `card lost`."""
    return " ".join(label.replace("_", " ").split()) or label


def write_task(folder: str | Path, choices: Choices, *, force: bool = False) -> Path:
    """Write a task folder; the path of its `task.yaml`.

    Raises:
        TaskError: something is there already and `force` is not given, or it cannot be written.
    """
    folder = Path(folder)
    target = folder / "task.yaml"
    refuse_overwriting(target, force=force)
    if choices.copy:
        place = folder / choices.data.name
        if place.resolve() != choices.data.resolve():
            refuse_overwriting(place, force=force)
            _copy(choices.data, place)
        data = choices.data.name
    else:
        data = str(choices.data.resolve())
    write_atomically(target, task_yaml(choices, data, folder.resolve().name).encode("utf-8"))
    return target


def refuse_overwriting(path: Path, *, force: bool) -> None:
    """Refuse to replace a file.

    Raises:
        TaskError: it is there, and `force` is not given.
    """
    if path.exists() and not force:
        raise TaskError(
            f"`{path}` is there already.", hint="name another folder, or replace it with --force"
        )


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise TaskError(
            f"`{source}` cannot be copied to `{target}`: {error.strerror or error}."
        ) from error


def task_yaml(choices: Choices, data: str, folder_name: str) -> str:
    """The text of a commented `task.yaml`.

    Args:
        choices: what goes in.
        data: path of the data as `task.yaml` names it.
        folder_name: names the task when `choices` do not.
    """
    name = choices.name or re.sub(r"[^\w .-]+", "-", folder_name).strip("-. ")[:64] or "task"
    lines = [
        "# A task of Accordeur. Run it with: accordeur run .",
        f"name: {_scalar(name)}",
        *([f"description: {_scalar(choices.description)}"] if choices.description else []),
        "",
        "# What the model is told, once, before the row.",
        f"instruction: {_scalar(choices.instruction)}",
        "",
        "# One file is drawn into train, dev and held-out (50/20/30, by --seed). Or give them:",
        "#   data: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}",
        f"data: {_scalar(data)}",
    ]
    if fields := _fields(choices):
        lines += ["", "# Which column plays which part.", "fields:", *fields]
    if choices.labels and len(choices.labels) <= _MOST_LISTED:
        lines += ["", "# name in the data: text shown to the model", "labels:"]
        lines += [f"  {_scalar(label)}: {_scalar(text)}" for label, text in choices.labels.items()]
    if choices.metric:
        lines += ["", f"metric: {_scalar(choices.metric)}"]
    lines += [
        "",
        "# What you will accept; all optional.",
        "# limits: {queries: 10000, latency_p95: 2.0, training: false}",
        "",
    ]
    return "\n".join(lines)


def _fields(choices: Choices) -> list[str]:
    lines = []
    if choices.input and choices.input != ("input",):
        columns = [_scalar(column) for column in choices.input]
        shown = columns[0] if len(columns) == 1 else f"[{', '.join(columns)}]"
        lines.append(f"  input: {shown}")
    if choices.expected not in (None, "expected"):
        lines.append(f"  expected: {_scalar(str(choices.expected))}")
    return lines


def _scalar(text: str) -> str:
    """A text as YAML on one line; quoted wherever YAML would read something else."""
    # Every character that YAML takes for a line end; between double quotes it is escaped.
    style = '"' if any(end in text for end in "\n\r\x85\u2028\u2029") else None
    shown = yaml.safe_dump(
        [text], default_flow_style=True, default_style=style, allow_unicode=True, width=2**31
    )
    return str(shown).strip()[1:-1]
