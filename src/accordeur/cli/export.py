"""`accordeur export`: a bundle's weights merged into a model of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accordeur.core.errors import UsageError


def command(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="Folder of a bundle, or the name of a run.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="A new folder for the model.")
    ],
    merged: Annotated[
        bool,
        typer.Option("--merged", help="Base model and trained weights as one safetensors model."),
    ] = False,
    task: Annotated[
        Path | None,
        typer.Option(
            metavar="TASK", help="Whose dev rows it is measured on; default that of its run."
        ),
    ] = None,
) -> int:
    """Write a bundle for other runtimes.

    With `--merged`: a Hugging Face folder that transformers, vLLM and converters load, and inside
    it a bundle with prompt and demonstrations that answers with it. Bundle and merged model are
    then measured side by side on the task's dev rows.
    """
    if not merged:
        raise UsageError(
            "A bundle is already made of plain files; name what else it should become.",
            hint=f"accordeur export {bundle} --merged -o {output}",
        )
    from accordeur.bench.merging import export_merged
    from accordeur.cli.answer import find_bundle
    from accordeur.cli.failures import note
    from accordeur.cli.terminal import safe
    from accordeur.models.source import Models
    from accordeur.report.numbers import interval, points

    made = export_merged(find_bundle(bundle), output, Models(log=note), task=task)
    for name, one in (("bundle", made.before), ("merged", made.after)):
        bounds = interval(one.interval.to_json()) if one.interval else ""
        print(f"{name}  dev {points(one.score)}  {bounds}  n={one.n}")
    print(f"{made.agreeing} of {len(made.after.rows)} answers are the same")
    print(f"model   {safe(str(made.folder))}")
    print(f'ask it  accordeur answer {safe(str(made.folder / "bundle"))} "your text"')
    return 0
