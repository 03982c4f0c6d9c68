"""A finished run as one file, by the ending of its name."""

from __future__ import annotations

from pathlib import Path

from accordeur.cli.figures import plural
from accordeur.core.errors import UsageError


def write_output(folder: Path, path: Path) -> str:
    """Write the record (.json), every answer (.jsonl, .csv) or the report (.html).

    Args:
        folder: of the run.
        path: the file; replaced when it is there.

    Returns:
        What was written, in words.

    Raises:
        UsageError: another ending.
        StoreError: it cannot be written.
    """
    ending = path.suffix.lower()
    if ending == ".json":
        from accordeur.store.durable import write_atomic

        write_atomic(path.absolute(), (folder / "record.json").read_bytes())
        return "the record is"
    if ending in (".jsonl", ".csv"):
        from accordeur.store import RunFolder, export_rows

        count = export_rows(RunFolder.open(folder), path)
        return f"{plural(count, 'answer')} are"
    if ending == ".html":
        from accordeur.report import write_report

        write_report(folder, path)
        return "the report is"
    raise UsageError(
        f"A run cannot be written as `{path.suffix or path.name}`.",
        hint="choose a file ending in .json, .jsonl, .csv or .html",
    )
