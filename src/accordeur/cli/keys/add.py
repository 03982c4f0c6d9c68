"""`accordeur keys add`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")],
) -> int:
    """Make a key for clients of `accordeur serve`. It is printed once; a hash of it is kept.

    A server that is running knows the keys it was started with.
    """
    from accordeur.store.keys import add_key, keys_file

    key = add_key(name)
    print(key)
    words = f"written down as a hash in {keys_file()}; this is the only time it is shown"
    print(words, file=sys.stderr)
    print("a server that is running keeps the keys it was started with", file=sys.stderr)
    return 0
