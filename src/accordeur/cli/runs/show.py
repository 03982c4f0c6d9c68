"""`accordeur runs show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from accordeur.store import RunInfo


def command(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Name of a run or the start of one. Default: the last."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole record (docs/run-record.md).")
    ] = False,
) -> int:
    """Show what a run found: comparison, verdict, where everything lies."""
    from accordeur.cli.lookup import find_run, finished_run
    from accordeur.cli.terminal import console

    info = find_run(run)
    finished = (info.folder / "record.json").is_file()
    if as_json or finished:
        found = finished_run(str(info.folder))
        if as_json:
            print(json.dumps(found.record, ensure_ascii=True, indent=1))
        else:
            _show(console(), info, found.record)
        return 0
    _show_unfinished(console(), info)
    return 0


def _show(out: Console, info: RunInfo, record: Mapping[str, Any]) -> None:
    from accordeur.cli.figures import moment, split_rows
    from accordeur.cli.tables.outcome import show_outcome
    from accordeur.cli.terminal import near_path, one_line

    task, model = record.get("task") or {}, record.get("model") or {}
    rows = split_rows(task.get("counts") or {})
    named = "none"
    if model:
        named = f"{one_line(str(model.get('name')))} ({one_line(str(model.get('dtype')))})"
    out.print(f"{one_line(info.name)}, {moment(str(record.get('created', '')))}", style="bold")
    out.print(f"task {one_line(str(task.get('name')))} · rows: {rows} · model {named}")
    show_outcome(out, record)
    out.print()
    for name, what in (("report.html", "report"), ("winner", "bundle")):
        if (info.folder / name).exists():
            out.print(f"{what}  {near_path(info.folder / name)}", soft_wrap=True)


def _show_unfinished(out: Console, info: RunInfo) -> None:
    from accordeur.cli.figures import moment, plural
    from accordeur.cli.runs.list import state_of
    from accordeur.cli.terminal import one_line, table
    from accordeur.report.numbers import points
    from accordeur.store import RunFolder

    ledger = RunFolder.open(info.folder).read_ledger()
    out.print(f"{one_line(info.name)}, {moment(info.updated)}: {state_of(info)}", style="bold")
    out.print(f"{plural(len(ledger), 'configuration')} scored on dev so far.")
    if ledger:
        made = table("entry", "configuration", ">dev", ">rows")
        for line in ledger:
            made.add_row(
                one_line(str(line.get("entry", "")), 32),
                one_line(str(line.get("name", "")), 32),
                points(line.get("score")),
                str(line.get("n", "")),
            )
        out.print()
        out.print(made)
    if not info.live:
        out.print(f"\nnext: accordeur run --resume {info.name}", soft_wrap=True)
