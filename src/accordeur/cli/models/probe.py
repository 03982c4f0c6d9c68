"""`accordeur models probe`: what a model behind an endpoint can do."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from accordeur.core.errors import UsageError


def command(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Such as openai/NAME.")],
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Of the endpoint, instead of its vendor's own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> int:
    """Ask what a model behind an endpoint can do, with some ten short calls, and remember it.

    A run asks it by itself the first time. Ask again when the server behind an address changed.
    """
    from accordeur.models.source import is_endpoint

    if not is_endpoint(name):
        raise UsageError(
            f"`{name}` runs on this machine and can do everything.",
            hint="accordeur models probe openai/NAME",
        )
    from accordeur.models.openai_api.listing import probed

    found = probed(name, base_url)
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
        return 0
    from accordeur.cli.terminal import console, one_line, table

    made = table("what", "~answer")
    for what, told in found.facts():
        made.add_row(what, one_line(told))
    console().print(made)
    return 0
