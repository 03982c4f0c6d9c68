"""Results as files: JSON, JSONL, CSV, JUnit XML. Rows stream from the disk.

One row for each case under a column, its repeats folded into it. CSV neutralises formulas; XML has
every text escaped and characters that XML forbids made visible.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from accordeur.bench.matrix.folder import Results
from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.summary import Row, rows_of
from accordeur.core.errors import UsageError
from accordeur.report.plain_text import visible
from accordeur.store.durable import make_folder, write_atomic
from accordeur.store.export import neutral

ENDINGS = (".json", ".jsonl", ".csv", ".html", ".xml")


def check_output(path: Path) -> None:
    """Refuse what cannot be written, before anything is asked.

    Raises:
        UsageError: the ending says no format, or there is no such folder.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"Results cannot be written as `{path.suffix or path.name}`.",
            hint=f"choose a file ending in {', '.join(ENDINGS)}",
        )
    if not path.absolute().parent.is_dir():
        raise UsageError(f"The folder of `{path}` does not exist.", hint=f"mkdir -p {path.parent}")


def write_output(plan: Plan, results: Results, summary: Mapping[str, Any], path: Path) -> None:
    """Write a file; the ending of its name says how.

    Raises:
        UsageError: another ending.
        StoreError: the file cannot be written.
    """
    check_output(path)
    ending = path.suffix.lower()
    make_folder(path.absolute().parent)
    if ending == ".html":
        from accordeur.bench.matrix.page import page_data
        from accordeur.report.evaluation import write_evaluation

        write_evaluation(page_data(plan, results, summary), path)
        return
    pieces = _FORMATS[ending](plan, rows_of(plan, results), summary)
    write_atomic(path.absolute(), pieces)


def row_json(row: Row) -> dict[str, Any]:
    """A row for other programs."""
    outputs = [line["answer"].get("text", "") for line in row.lines]
    first: Mapping[str, Any] = row.lines[0] if row.lines else {}
    data: dict[str, Any] = {
        "case": row.case.id,
        "description": row.case.description,
        "prompt": row.column.prompt.label,
        "model": row.column.provider.label,
        "column": row.column.number,
        "status": str(row.folded.outcome),
        "score": row.score,
        "reason": row.reason,
        "vars": dict(row.case.fields),
        "output": outputs[0] if outputs else None,
        "error": first.get("answer", {}).get("error", ""),
        "seconds": first.get("answer", {}).get("seconds"),
        "cost": first.get("cost"),
        "checks": first.get("checks", []),
    }
    if len(row.lines) > 1:
        data |= {
            "outputs": outputs,
            "passed": row.folded.passed,
            "judged": row.folded.judged,
            "agreement": row.folded.agreement,
        }
    return data


def _json(plan: Plan, rows: Iterable[Row], summary: Mapping[str, Any]) -> Iterator[bytes]:
    head = json.dumps(dict(summary), ensure_ascii=True, indent=1)
    yield head[:-2].encode() + b',\n "results": [\n'
    before = b"  "
    for row in rows:
        yield before + json.dumps(row_json(row)).encode()
        before = b",\n  "
    yield b"\n ]\n}\n"


def _jsonl(plan: Plan, rows: Iterable[Row], summary: Mapping[str, Any]) -> Iterator[bytes]:
    for row in rows:
        yield json.dumps(row_json(row)).encode() + b"\n"


def _csv(plan: Plan, rows: Iterable[Row], summary: Mapping[str, Any]) -> Iterator[bytes]:
    """Fields get columns of their own, named for the first case; others stand in `vars`."""
    names: list[str] | None = None
    plain = ("case", "description", "prompt", "model", "status", "score", "reason", "output")
    more = ("seconds", "cost", "passed", "judged", "agreement")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")  # RFC 4180
    for row in rows:
        if names is None:
            names = [str(name) for name in row.case.fields]
            head = [*plain, *more, *(f"var {name}" for name in names), "other vars"]
            writer.writerow([neutral(one) for one in head])
        data = row_json(row)
        fields = data["vars"]
        rest = {name: value for name, value in fields.items() if name not in names}
        cells = [data.get(name) for name in (*plain, *more)]
        cells += [_cell(fields.get(name)) for name in names]
        cells.append(json.dumps(rest, ensure_ascii=False) if rest else "")
        writer.writerow([neutral(one) for one in cells])
        yield buffer.getvalue().encode("utf-8", "backslashreplace")
        buffer.seek(0)
        buffer.truncate()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _junit(plan: Plan, rows: Iterable[Row], summary: Mapping[str, Any]) -> Iterator[bytes]:
    """One suite; a case of a column is a test case whose class is the column."""
    columns = summary["columns"]
    failed = sum(one["n"] - one["passed"] for one in columns)
    counts = {
        "tests": sum(one["n"] + one["errors"] + one["unjudged"] for one in columns),
        "failures": failed,
        "errors": sum(one["errors"] for one in columns),
        "skipped": sum(one["unjudged"] for one in columns),
    }
    told = " ".join(f'{name}="{count}"' for name, count in counts.items())
    name = quoteattr(_xml(str(summary["name"])))
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={name} {told}>\n'
        f"<testsuite name={name} {told}>\n"
    ).encode()
    for row in rows:
        yield _test_case(row).encode("utf-8", "backslashreplace")
    yield b"</testsuite>\n</testsuites>\n"


def _test_case(row: Row) -> str:
    label = row.case.description or f"case {row.number + 1} ({row.case.id})"
    seconds = sum(line["answer"].get("seconds", 0.0) for line in row.lines)
    head = (
        f"<testcase classname={quoteattr(_xml(row.column.label))} "
        f'name={quoteattr(_xml(label))} time="{seconds:.3f}"'
    )
    element = {"fail": "failure", "error": "error", "unjudged": "skipped"}.get(row.folded.outcome)
    if element is None:
        return f"{head}/>\n"
    output = row.lines[0]["answer"].get("text", "") if row.lines else ""
    said = quoteattr(_xml(row.reason or "not judged"))
    return f"{head}>\n<{element} message={said}>{escape(_xml(output))}</{element}>\n</testcase>\n"


def _xml(text: str) -> str:
    """Text without what XML 1.0 forbids."""
    return "".join(one if one not in "\ufffe\uffff" else "\ufffd" for one in visible(text))


_FORMATS: dict[str, Callable[[Plan, Iterable[Row], Mapping[str, Any]], Iterator[bytes]]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".xml": _junit,
}
