"""A run as the report sees it: the record, the rows it shows and every candidate's answers.

Read only. Nothing is computed but the order in which entries are shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordeur.core.answer import Answer
from accordeur.core.errors import StoreError
from accordeur.store import RunFolder

FORMAT = 1
"""The version of `record.json` this code reads."""

_STATUS_ORDER = {"finished": 0, "stopped": 1, "cut": 2, "failed": 3, "refused": 4}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the comparison.

    Attributes:
        number: its number in every table and figure of the report, from 1.
        data: the entry of the record.
        pick: it is the recommended one.
    """

    number: int
    data: Mapping[str, Any]
    pick: bool

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return str(self.data["name"])

    @property
    def title(self) -> str:
        """A few words."""
        return str(self.data.get("title") or "")

    @property
    def floor(self) -> bool:
        """It needs no language model."""
        return self.data.get("kind") == "floor"

    @property
    def status(self) -> str:
        """`finished`, `stopped`, `cut`, `refused` or `failed`."""
        return str(self.data["status"])

    @property
    def configuration(self) -> str:
        """Name of its best configuration; empty without one."""
        return str(self.data.get("configuration") or "")

    @property
    def cost(self) -> Mapping[str, Any]:
        """The cost; empty when it was not priced."""
        return self.data.get("cost") or {}

    def measured(self, split: str) -> Mapping[str, Any] | None:
        """Its measurement on `dev` or `test`, when that has a score."""
        found: Mapping[str, Any] | None = self.data.get(split)
        return found if found and found.get("score") is not None else None

    def number_of(self, name: str) -> float | None:
        """A number of the entry (`est`, `optimism`, ...)."""
        value = self.data.get(name)
        return None if value is None else float(value)


def entries_of(record: Mapping[str, Any]) -> tuple[Entry, ...]:
    """All entries, the highest estimate first, those without a score last.

    What the plan refused and the record lists nowhere else is added as an entry of its own.
    """
    listed = [dict(entry) for entry in record["entries"]]
    known = {entry["name"] for entry in listed}
    for refused in (record.get("plan") or {}).get("refused") or ():
        if refused["name"] not in known:
            listed.append({**refused, "status": "refused"})
    pick = (record.get("decision") or {}).get("pick")

    def place(entry: Mapping[str, Any]) -> tuple[int, float]:
        score = entry.get("est")
        if score is None:
            score = (entry.get("dev") or {}).get("score")
        return _STATUS_ORDER.get(entry["status"], 9), 1.0 if score is None else -float(score)

    ordered = sorted(listed, key=place)
    return tuple(
        Entry(number, entry, pick is not None and entry["name"] == pick)
        for number, entry in enumerate(ordered, 1)
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What one candidate said to one row.

    Attributes:
        text: the answer.
        status: what became of the request.
        score: `None` when the row is missing.
        probabilities: in label order; `None` where there are none.
        error: what went wrong.
        trace: (name, text) of what was read and written on the way to the answer.
    """

    text: str
    status: str
    score: float | None
    probabilities: tuple[float, ...] | None = None
    error: str = ""
    trace: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page is made of.

    Attributes:
        record: `record.json`.
        entries: in the order they are shown.
        split: the split whose rows the example browser shows.
        rows: its rows: `id`, `input`, `expected`.
        answers: entry -> row id -> what it said.
        damage: sentences about everything in the folder that could not be read.
    """

    record: Mapping[str, Any]
    entries: tuple[Entry, ...]
    split: str = "dev"
    rows: tuple[Mapping[str, Any], ...] = ()
    answers: Mapping[str, Mapping[str, Said]] = field(default_factory=dict)
    damage: tuple[str, ...] = ()

    @property
    def task(self) -> Mapping[str, Any]:
        """The task's part of the record."""
        found: Mapping[str, Any] = self.record["task"]
        return found

    @property
    def currency(self) -> str:
        """Of all amounts."""
        return str((self.task.get("prices") or {}).get("currency") or "USD")

    @property
    def queries(self) -> int:
        """The stated volume."""
        return int((self.task.get("limits") or {}).get("queries") or 10_000)

    @property
    def metric(self) -> str:
        """The metric's title."""
        return str(self.task.get("metric_title") or self.task["metric"])


def read_report(folder: Path) -> Report:
    """Read a run.

    Raises:
        StoreError: there is no run, it has no record yet, or a newer version wrote it.
    """
    damage: list[str] = []
    run = RunFolder.open(folder, warn=damage.append)
    record = run.read_json("record.json")
    if record is None:
        raise StoreError(
            f"The run `{run.name}` has no result yet.",
            hint="type the command that began it again; it continues where it stopped",
        )
    if int(record.get("format", 0)) > FORMAT:
        raise StoreError(
            f"The run `{run.name}` was written by a newer Accordeur.",
            hint="pip install --upgrade accordeur",
        )
    split = str(record.get("rows_shown") or "dev")
    entries = entries_of(record)
    answers = {}
    for entry in entries:
        identifier = entry.data.get("configuration_id")
        said = _answers(run, split, str(identifier)) if identifier else {}
        if said:
            answers[entry.name] = said
    rows = _rows(run.folder / f"rows-{split}.jsonl", damage)
    return Report(record, entries, split, rows, answers, tuple(damage))


def _answers(run: RunFolder, split: str, configuration: str) -> dict[str, Said]:
    found = {}
    for result in run.read_answers(split, configuration).values():
        answer = result.answer
        found[result.row] = Said(
            text=answer.label if answer.label is not None else answer.text,
            status=str(answer.status),
            score=result.score,
            probabilities=answer.probabilities,
            error=answer.error,
            trace=(*_read(answer), *((reply.name, reply.text) for reply in answer.trace)),
        )
    return found


def _read(answer: Answer) -> tuple[tuple[str, str], ...]:
    """The places an answer was made from, with their numbers, and how certain it is."""
    told: list[tuple[str, str]] = []
    if answer.retrieved is not None and answer.retrieved.found:
        lines = [
            f"[{number}] {one.span.document}{'' if one.page is None else f', page {one.page}'}, "
            f"characters {one.span.start:,} to {one.span.end:,}"
            for number, one in enumerate(answer.retrieved.sources, start=1)
        ]
        if answer.retrieved.dropped:
            lines.append(f"{answer.retrieved.dropped} passages more had no room")
        told.append(("read", "\n".join(lines)))
    if answer.confidence is not None:
        told.append(("estimate that it is right", f"{100 * answer.confidence:.0f} %"))
    return tuple(told)


def _rows(path: Path, damage: list[str]) -> tuple[Mapping[str, Any], ...]:
    """Rows of a JSONL file; what cannot be read is told, and the others stand."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        damage.append(f"`{path.name}` is missing, so no examples are shown.")
        return ()
    except (OSError, UnicodeDecodeError) as error:
        damage.append(f"`{path.name}` could not be read ({error}), so no examples are shown.")
        return ()
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            rows.append({"id": row["id"], "input": row["input"], "expected": row.get("expected")})
        except (ValueError, KeyError, TypeError):
            damage.append(f"`{path.name}:{number}` is not a row; it is left out.")
    return tuple(rows)
