"""`accordeur keys rm`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the key to remove.")],
) -> int:
    """Remove a key. A server that is running still takes it until it is started again."""
    from accordeur.store.keys import remove_key

    remove_key(name)
    print("removed; a server that is running takes it until it is started again", file=sys.stderr)
    return 0
