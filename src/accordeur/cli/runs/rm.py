"""`accordeur runs rm`."""

from __future__ import annotations

from typing import Annotated

import typer

from accordeur.core.errors import RunInUse, UsageError


def command(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Names of runs, or the starts of names.")
    ],
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> int:
    """Remove runs for good, with their answers, reports and bundles.

    Asks first, and refuses a run that a process works on.
    """
    from accordeur.cli.failures import warn
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import can_ask, confirm, safe
    from accordeur.store import RunIndex

    with RunIndex(warn=warn) as index:
        found = list(dict.fromkeys(index.find(name).name for name in runs))
        for info in index.runs():
            if info.name in found and info.live:
                raise RunInUse(
                    f"A process works on the run `{info.name}`.",
                    hint=f"wait for it to end or stop it, then: accordeur runs rm {info.name}",
                )
        if not yes:
            if not can_ask():
                raise UsageError(
                    f"Removing {plural(len(found), 'run')} needs a yes.",
                    hint=f"accordeur runs rm -y {' '.join(found)}",
                )
            names = ", ".join(found)
            if not confirm(f"Remove {safe(names)} for good?"):
                print("Nothing was removed.")
                return 1
        for name in found:
            index.delete(name)
            print(f"removed {safe(name)}")
    return 0
