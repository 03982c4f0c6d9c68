"""`accordeur index rm`."""

from __future__ import annotations

from typing import Annotated

import typer

from accordeur.core.errors import UsageError


def command(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME_OR_FOLDER...", help="Of the indexes.")
    ],
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> int:
    """Remove indexes for good; the documents they were built from stay.

    Asks first, and refuses an index that a process changes.
    """
    from accordeur.cli.index.places import existing_index
    from accordeur.cli.terminal import can_ask, confirm, near_path
    from accordeur.documents.index import remove_index

    found = list(dict.fromkeys(existing_index(name) for name in names))
    told = ", ".join(near_path(folder) for folder in found)
    if not yes:
        if not can_ask():
            raise UsageError(
                f"Removing {told} needs a yes.",
                hint=f"accordeur index rm -y {' '.join(names)}",
            )
        if not confirm(f"Remove {told} for good?"):
            print("Nothing was removed.")
            return 1
    for folder in found:
        remove_index(folder)
        print(f"removed {near_path(folder)}")
    return 0
