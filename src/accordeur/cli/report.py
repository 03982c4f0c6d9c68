"""`accordeur report`: one HTML file that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accordeur.core.errors import UsageError


def command(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="Name of a run or the start of one. Default: the last."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Where to write it. Default: into the run's folder.",
        ),
    ] = None,
) -> int:
    """Write the report of a run as one HTML file that opens offline."""
    from accordeur.cli.lookup import finished_run
    from accordeur.cli.terminal import near_path

    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(
            f"A report cannot be written as `{output.suffix or output.name}`.",
            hint=f"accordeur report -o {output.stem or 'report'}.html",
        )
    found = finished_run(run)
    written = found.report(output or found.folder / "report.html")
    print(near_path(written))
    return 0
