"""`accordeur keys list`."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the names as JSON.")] = False,
) -> int:
    """List the names of the keys and the days they were made."""
    from accordeur.cli.terminal import console, one_line, table
    from accordeur.store.keys import read_keys

    known = read_keys()
    if as_json:
        print(json.dumps({name: {"added": key.added} for name, key in known.items()}, indent=1))
        return 0
    out = console()
    if not known:
        out.print("There are no keys.\n\nnext: accordeur keys add NAME")
        return 0
    made = table("name", "since")
    for name, key in known.items():
        made.add_row(one_line(name), one_line(key.added))
    out.print(made)
    return 0
