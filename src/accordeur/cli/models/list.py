"""`accordeur models list`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accordeur.models.catalog import Installed


def command(
    vendor: Annotated[
        str | None,
        typer.Argument(metavar="VENDOR", help="List what this endpoint offers, such as openai."),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Of the endpoint, instead of its vendor's own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """List the embedded models: what is there, its size, its licence; or those of an endpoint."""
    if vendor is not None:
        return _list_endpoint(vendor, base_url, as_json=as_json)
    if base_url is not None:
        from accordeur.core.errors import UsageError

        raise UsageError(
            "`--base-url` goes with a vendor.",
            hint=f"accordeur models list openai --base-url {base_url}",
        )
    from accordeur.cli.terminal import console, table
    from accordeur.models.catalog import installed
    from accordeur.report.numbers import size

    found = installed()
    if as_json:
        rows = [
            {
                "name": f"local/{one.model.name}",
                "title": one.model.title,
                "kind": one.model.kind,
                "state": state_of(one),
                "folder": str(one.converted or one.path) if one.path or one.converted else None,
                "cache_bytes": one.bytes,
                "licence": one.model.licence,
            }
            for one in found
        ]
        print(json.dumps(rows, indent=1))
        return 0
    out = console()
    made = table("model", "kind", "state", ">in the cache", "~licence")
    for one in found:
        made.add_row(
            f"local/{one.model.name}",
            one.model.kind,
            state_of(one),
            size(one.bytes),
            one.model.licence,
        )
    out.print(made)
    if any(state_of(one) != "ready" for one in found):
        out.print("\nnext: accordeur models pull")
    return 0


def _list_endpoint(vendor: str, base_url: str | None, *, as_json: bool) -> int:
    """What an endpoint offers, a name a line."""
    from accordeur.cli.terminal import one_line
    from accordeur.models.openai_api.listing import listed

    found = listed(vendor, base_url)
    if as_json:
        print(json.dumps(found, indent=1))
        return 0
    for one in found:
        print(one_line(f"{vendor}/{one['id']}"))
    return 0


def state_of(one: Installed) -> str:
    """`ready`, `not converted` (done at the first use, or by pull), or `missing`."""
    if one.converted is not None:
        return "ready"
    if not one.origin:
        return "missing"
    return "not converted" if one.model.converted else "ready"
