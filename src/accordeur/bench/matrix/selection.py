"""Which cases and columns take part: `--limit` and `--filter-*`."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from accordeur.bench.matrix.matrix import Case, Matrix, Prompt, Provider
from accordeur.core.errors import TaskError, UsageError

L = TypeVar("L", Prompt, Provider)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to keep.

    Attributes:
        pattern: regular expression that the description must hold.
        metadata: `key=value` that the metadata must hold.
        first: keep so many cases from the beginning.
        failing: ids of cases to keep; `None` for all.
        prompts, providers: regular expressions that labels must hold.
        limit: keep so many cases of a seeded order.
        seed: of that order.
    """

    pattern: str = ""
    metadata: str = ""
    first: int | None = None
    failing: frozenset[str] | None = None
    prompts: str = ""
    providers: str = ""
    limit: int | None = None
    seed: int = 0


class Selected:
    """Cases that were kept, in their order. It may be gone through again and again."""

    def __init__(self, cases: Iterable[Case], selection: Selection) -> None:
        self._cases = cases
        self._selection = selection
        self._places: frozenset[int] | None = None

    def __iter__(self) -> Iterator[Case]:
        kept = self._kept()
        if self._selection.limit is None:
            return kept
        if self._places is None:
            count = sum(1 for _ in self._kept())
            most = min(self._selection.limit, count)
            drawn = random.Random(self._selection.seed).sample(range(count), most)
            self._places = frozenset(drawn)
        places = self._places
        return (case for place, case in enumerate(kept) if place in places)

    def _kept(self) -> Iterator[Case]:
        chosen, taken = self._selection, 0
        for case in self._cases:
            if chosen.first is not None and taken >= chosen.first:
                return
            if _keeps(case, chosen):
                taken += 1
                yield case


def selected(matrix: Matrix, selection: Selection) -> Matrix:
    """The part of a matrix that was asked for.

    Raises:
        UsageError: no prompt or no model is left, or a pattern is none.
    """
    prompts = _labelled(matrix.prompts, selection.prompts, "--filter-prompts")
    providers = _labelled(matrix.providers, selection.providers, "--filter-providers")
    _compiled(selection.pattern, "--filter-pattern")
    if selection.metadata and "=" not in selection.metadata:
        raise UsageError(
            f"`--filter-metadata {selection.metadata}` is not `key=value`.",
            hint="--filter-metadata topic=billing",
        )
    return replace(
        matrix, prompts=prompts, providers=providers, cases=Selected(matrix.cases, selection)
    )


def failing_ids(path: Path, *, errors_only: bool = False) -> frozenset[str]:
    """Ids of the cases that did not pass in an earlier `-o` file (.json or .jsonl).

    Raises:
        TaskError: the file is none of ours.
    """
    wanted = ("error",) if errors_only else ("fail", "error", "unjudged")
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix.lower() == ".json":
            found = json.loads(text)["results"]
        else:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        return frozenset(str(one["case"]) for one in found if one["status"] in wanted)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TaskError(
            f"`{path}` holds no results of `accordeur eval`: {type(error).__name__}.",
            hint="name a file written with -o results.json or -o results.jsonl",
        ) from None


def _keeps(case: Case, chosen: Selection) -> bool:
    if chosen.pattern and not re.search(chosen.pattern, case.description):
        return False
    if chosen.failing is not None and case.id not in chosen.failing:
        return False
    key, _, value = chosen.metadata.partition("=")
    if not key:
        return True
    found = case.metadata.get(key)
    return value in map(str, found) if isinstance(found, list) else str(found) == value


def _compiled(pattern: str, flag: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(
            f"`{flag} {pattern}` is no regular expression: {error}.", hint=f"{flag} WORD"
        ) from None


def _labelled(found: Sequence[L], pattern: str, flag: str) -> tuple[L, ...]:
    wanted = _compiled(pattern, flag)
    kept = tuple(one for one in found if wanted.search(one.label))
    if not kept:
        known = ", ".join(one.label for one in found)
        raise UsageError(f"`{flag} {pattern}` keeps nothing.", hint=f"known: {known}")
    return kept
