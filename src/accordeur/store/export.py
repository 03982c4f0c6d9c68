"""A run's rows for other programs: JSONL, JSON or CSV.

One row for each answer. In CSV, text that a spreadsheet would run as a formula gets a leading
apostrophe (OWASP, "CSV injection"): what models and data say is not instructions.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from accordeur.core.errors import UsageError
from accordeur.store.durable import make_folder, write_atomic
from accordeur.store.run_folder import RunFolder

COLUMNS = (
    "run",
    "split",
    "configuration",
    "row",
    "group",
    "score",
    "status",
    "label",
    "text",
    "tokens",
    "seconds",
)
"""`tokens` are logical: what a caller without any sharing would pay for."""

Row = dict[str, Any]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def answer_rows(run: RunFolder) -> Iterator[Row]:
    """All answers of a run, by split, configuration and place in the split; keys are `COLUMNS`."""
    for split in run.splits():
        for configuration in run.configurations(split):
            for _, result in sorted(run.read_answers(split, configuration).items()):
                answer = result.answer
                yield {
                    "run": run.name,
                    "split": split,
                    "configuration": configuration,
                    "row": result.row,
                    "group": result.group,
                    "score": result.score,
                    "status": str(answer.status),
                    "label": answer.label,
                    "text": answer.text,
                    "tokens": answer.usage.input_tokens + answer.usage.output_tokens,
                    "seconds": answer.seconds,
                }


def export_rows(run: RunFolder, path: Path) -> int:
    """Write all answers of a run; the ending of the name says how.

    Args:
        run: the run.
        path: a file ending in `.jsonl`, `.json` or `.csv`; replaced when it is there.

    Returns:
        Rows written.

    Raises:
        UsageError: another ending.
        StoreError: the file cannot be written.
    """
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"Rows cannot be written as `{path.suffix or path.name}`.",
            hint=f"choose a file ending in {', '.join(_FORMATS)}",
        )
    count = 0

    def counted() -> Iterator[Row]:
        nonlocal count
        for row in answer_rows(run):
            count += 1
            yield row

    make_folder(path.absolute().parent)
    write_atomic(path.absolute(), form(counted()))
    return count


def neutral(value: Any) -> Any:
    """A CSV cell that no spreadsheet runs; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _jsonl(rows: Iterable[Row]) -> Iterator[bytes]:
    for row in rows:
        yield _json_bytes(row) + b"\n"


def _json(rows: Iterable[Row]) -> Iterator[bytes]:
    before = b"[\n"
    for row in rows:
        yield before + _json_bytes(row)
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _csv(rows: Iterable[Row]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\r\n")  # RFC 4180
    writer.writeheader()
    for row in rows:
        writer.writerow({name: neutral(value) for name, value in row.items()})
        yield buffer.getvalue().encode("utf-8", "backslashreplace")
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _json_bytes(row: Row) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can hold
        return json.dumps(row).encode("ascii")


_FORMATS: dict[str, Callable[[Iterable[Row]], Iterator[bytes]]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _csv,
}
