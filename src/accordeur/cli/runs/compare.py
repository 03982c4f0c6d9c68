"""`accordeur runs compare`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accordeur.bench.finished import Run
    from accordeur.cli.runs.paired import PickPair


def command(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN RUN...", help="Two runs or more, by name.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> int:
    """Put runs side by side: every entry's score in each, and their picks on the same rows.

    More than two are each put beside the first. A difference of the picks is given only where both
    answered the same rows of the same split.
    """
    if len(runs) < 2:
        raise UsageError(
            "A comparison needs two runs.", hint=f"accordeur runs compare {runs[0]} ANOTHER"
        )
    from accordeur.cli.lookup import finished_run
    from accordeur.cli.runs.paired import compare_picks

    found = [finished_run(name) for name in runs]
    if len({run.name for run in found}) < len(found):
        raise UsageError("The same run is named twice.", hint="accordeur runs list")
    pairs = [compare_picks(found[0], other) for other in found[1:]]
    if as_json:
        print(
            json.dumps(
                {
                    "runs": [_summary(run) for run in found],
                    "picks": [pair.to_json() for pair in pairs],
                },
                indent=1,
            )
        )
        return 0
    _print(found, pairs)
    return 0


def _print(runs: Sequence[Run], pairs: Sequence[PickPair]) -> None:
    from accordeur.cli.terminal import console, one_line
    from accordeur.report.console import compare

    out = console()
    for other, pair in zip(runs[1:], pairs, strict=True):
        out.print(compare(runs[0].record, other.record))
        out.print()
        out.print(one_line(pair.sentence))


def _summary(run: Run) -> dict[str, Any]:
    return {
        "run": run.name,
        "model": (run.record.get("model") or {}).get("name"),
        "pick": (run.record.get("decision") or {}).get("pick"),
        "entries": {
            entry["name"]: {"dev": entry.get("dev"), "test": entry.get("test")}
            for entry in run.record["entries"]
        },
    }
