"""`accordeur runs list`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.store import RunInfo

FINISHED = "finished"


def command(
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", help="Show this many; 0 shows all.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """List the runs of this folder, the last one first."""
    from accordeur.cli.failures import warn
    from accordeur.store import RunIndex

    if number < 0:
        raise UsageError(f"`-n {number}` is negative.", hint="accordeur runs list -n 20")
    with RunIndex(warn=warn) as index:
        runs = index.runs()
        root = index.root
    shown = runs[:number] if number else runs
    if as_json:
        print(json.dumps([_json(run) for run in shown], ensure_ascii=True, indent=1))
        return 0
    if not runs:
        from accordeur.cli.terminal import near_path

        print(f"There are no runs in {near_path(root)}.\n\nnext: accordeur run TASK")
        return 0
    _print(shown, len(runs) - len(shown))
    return 0


def state_of(run: RunInfo) -> str:
    """Where a run stands, in a word or two."""
    if run.live:
        return f"running ({run.phase or 'begins'})"
    return run.phase if run.phase == FINISHED else f"stopped ({run.phase or 'at the start'})"


def pick_of(run: RunInfo) -> str:
    """What the run recommends; empty when it is not finished or recommends nothing."""
    from accordeur.store.json_files import read_object

    if run.phase != FINISHED:
        return ""
    record = read_object(run.folder / "record.json") or {}
    return str((record.get("decision") or {}).get("pick") or "")


def _print(runs: list[RunInfo], more: int) -> None:
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import console
    from accordeur.report.console import runs_table

    out = console()
    out.print(runs_table(runs))
    if more:
        out.print(f"\nand {plural(more, 'older run')}: accordeur runs list -n 0")


def _json(run: RunInfo) -> dict[str, Any]:
    return {
        "run": run.name,
        "folder": str(run.folder),
        "task": run.task,
        "state": state_of(run),
        "phase": run.phase,
        "live": run.live,
        "pick": pick_of(run) or None,
        "created": run.created,
        "updated": run.updated,
    }
