"""`accordeur runs compare`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accordeur.bench.finished import Run


def command(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN RUN...", help="Two runs or more, by name.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> int:
    """Put runs side by side: every entry's score in each, and their picks on the same rows.

    A difference is given only where both picks answered the same rows of the same split.
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
    _print(found, [pair.sentence for pair in pairs])
    return 0


def _print(runs: Sequence[Run], sentences: Sequence[str]) -> None:
    from accordeur.cli.figures import measured
    from accordeur.cli.terminal import console, one_line, table

    out = console()
    letters = [chr(ord("A") + place) for place in range(len(runs))]
    for letter, run in zip(letters, runs, strict=True):
        model = (run.record.get("model") or {}).get("name") or "no model"
        pick = (run.record.get("decision") or {}).get("pick") or "nothing"
        out.print(
            f"{letter}  {one_line(run.name)}: {one_line(str(model))}, recommends {one_line(pick)}"
        )
    made = table("entry", *letters)
    for name in dict.fromkeys(e["name"] for run in runs for e in run.record["entries"]):
        cells = []
        for run in runs:
            named = [one for one in run.record["entries"] if one["name"] == name]
            entry: dict[str, Any] = named[0] if named else {}
            picked = (run.record.get("decision") or {}).get("pick") == name
            cells.append(("→ " if picked else "") + measured(entry.get("test") or entry.get("dev")))
        made.add_row(one_line(name, 32), *cells)
    out.print()
    out.print(made)
    out.print("\nheld-out scores where there are some, else dev; 95 % intervals; → the pick.")
    out.print()
    for sentence in sentences:
        out.print(one_line(sentence))


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
