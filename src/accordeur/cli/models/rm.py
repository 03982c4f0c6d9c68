"""`accordeur models rm`."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="smollm2, minilm.")],
) -> int:
    """Free the space an embedded model takes in the cache; an installed package stays."""
    from accordeur.models.catalog import embedded, find, remove
    from accordeur.report.numbers import size

    chosen = [embedded(name) for name in names]
    for model in chosen:
        freed = remove(model.name)
        print(f"local/{model.name}: {size(freed)} freed")
        if find(model) is not None:
            print(f"its package stays; to remove it: pip uninstall {model.package}")
    return 0
