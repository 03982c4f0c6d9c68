"""What a lever may not get hold of, looked for in everything it can reach."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from accordeur.core.measurement import Measurement, RowResult
from accordeur.core.task import Example, SealedSplit, Task
from accordeur.testing.reachable import reachable

DISTINCTIVE = 16
"""Texts shorter than this occur by chance and are not looked for."""


def find_leaks(task: Task, *roots: object) -> list[str]:
    """One sentence per thing reachable from the roots that levers may not have; best none.

    Dev and held-out rows or their texts, per-row results, a `SealedSplit`, a `Task`, the path of a
    data file or of its folder. What also stands in train is no leak. The held-out rows are asked
    about through the split's `audit`, which answers with counts.
    """
    examples: list[Example] = []
    texts: list[str] = []
    paths: list[str] = []
    leaks: list[str] = []
    for found in reachable(*roots):
        if isinstance(found, SealedSplit | Task):
            leaks.append(f"a `{type(found).__name__}` is within reach")
        elif isinstance(found, RowResult | Measurement):
            leaks.append(f"per-row results (`{type(found).__name__}`) are within reach")
        elif isinstance(found, Example):
            examples.append(found)
        elif isinstance(found, PurePath):
            paths.append(str(found))
        elif isinstance(found, str):
            texts.append(found)
        elif isinstance(found, bytes | bytearray):
            texts.append(bytes(found).decode("utf-8", errors="replace"))
    searched = "\n".join(text for text in dict.fromkeys(texts) if len(text) >= DISTINCTIVE)
    known = _searchable(task)

    def count(rows: Sequence[Example]) -> int:
        return sum(_is_held(row, examples, searched, known, task) for row in rows)

    if number := count(task.dev):
        leaks.append(f"{number} dev rows are within reach")
    if task.held_out is not None and (number := task.held_out.audit(count)):
        leaks.append(f"{number} held-out rows are within reach")
    if _names_data(task, paths, searched):
        leaks.append("the path of a data file is within reach")
    return list(dict.fromkeys(leaks))


def _searchable(task: Task) -> str:
    """What a lever may know anyway."""
    labels = (f"{label.name}\n{label.text}" for label in task.labels)
    return "\n".join([task.instruction, task.description, *labels, *map(_content, task.train)])


def _content(row: Example) -> str:
    return "\n".join([row.text, row.context or "", *(row.expected or ())])


def _is_held(
    row: Example, examples: Iterable[Example], searched: str, known: str, task: Task
) -> bool:
    if row not in task.train and any(one is row or one == row for one in examples):
        return True
    pieces = [row.text, row.context or ""]
    if not isinstance(row.input, str):
        values = row.input.values() if hasattr(row.input, "values") else None
        pieces += values or [turn.content for turn in row.input if not isinstance(turn, str)]
    return any(
        len(piece) >= DISTINCTIVE and piece not in known and piece in searched for piece in pieces
    )


def _names_data(task: Task, paths: Iterable[str], searched: str) -> bool:
    files = {form for file in task.data_files for form in _forms(file)}
    folders = {form for file in task.data_files for form in _forms(file.parent)}
    lines = set(searched.split("\n"))
    return bool(
        any(os.path.realpath(path) in files | folders for path in paths)
        or any(file in searched for file in files)
        or folders & lines
    )


def _forms(path: PurePath) -> set[str]:
    return {str(Path(path).absolute()), os.path.realpath(path)}
