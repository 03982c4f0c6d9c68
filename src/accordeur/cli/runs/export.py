"""`accordeur runs export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from accordeur.core.errors import StoreError, UsageError

ENDINGS = (".jsonl", ".json", ".csv")


def command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name of a run or the start of one.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="File: .jsonl, .json or .csv.")
    ],
    label_next: Annotated[
        bool,
        typer.Option(
            "--label-next",
            help="Write the unlabelled rows most worth labelling instead (.jsonl).",
        ),
    ] = False,
) -> int:
    """Write the answers of a run, one row for each answer.

    In CSV, text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    endings = (".jsonl",) if label_next else ENDINGS
    if output.suffix.lower() not in endings:
        raise UsageError(
            f"Rows cannot be written as `{output.suffix or output.name}`.",
            hint=f"choose a file ending in {', '.join(endings)}",
        )
    from accordeur.cli.figures import plural
    from accordeur.cli.lookup import find_run
    from accordeur.cli.terminal import safe
    from accordeur.store import RunFolder, export_rows

    info = find_run(run)
    if label_next:
        count = _label_next(info.folder, info.name, output)
        print(f"{plural(count, 'row')} to label written to {safe(str(output))}")
        return 0
    count = export_rows(RunFolder.open(info.folder), output)
    print(f"{plural(count, 'answer')} written to {safe(str(output))}")
    return 0


def _label_next(folder: Path, name: str, output: Path) -> int:
    source = folder / "label-next.jsonl"
    if not source.is_file():
        raise StoreError(
            f"The run `{name}` ranked no unlabelled rows.",
            hint="runs on few labelled rows do, when task.yaml names `unlabelled` under `data`",
        )
    from accordeur.store.durable import make_folder, write_atomic

    data = source.read_bytes()
    make_folder(output.absolute().parent)
    write_atomic(output.absolute(), data)
    return data.count(b"\n")
