"""`accordeur models prices`: what tokens of an endpoint cost."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from accordeur.core.errors import UsageError


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="Such as openai/NAME.")
    ] = None,
    read: Annotated[
        float | None, typer.Option("--input", metavar="PRICE", help="Of a million tokens read.")
    ] = None,
    written: Annotated[
        float | None,
        typer.Option("--output", metavar="PRICE", help="Of a million tokens written."),
    ] = None,
    currency: Annotated[str, typer.Option(metavar="CODE", help="Of both.")] = "USD",
    remove: Annotated[bool, typer.Option("--rm", help="Forget the price of MODEL.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> int:
    """List the prices of tokens, write one down, or forget one.

    Prices in task.yaml come first. A model without any has an unknown price, never none.
    """
    from accordeur.store.prices import TokenPrice, prices_file, read_prices, write_prices

    if name is None:
        if remove or read is not None or written is not None:
            raise UsageError(
                "A price belongs to a model.",
                hint="accordeur models prices openai/NAME --input 0.15 --output 0.60",
            )
        return _show(as_json=as_json)
    from accordeur.models.source import is_endpoint, resolve

    if not is_endpoint(name):
        raise UsageError(
            f"`{name}` runs on this machine: its price is that of an hour.",
            hint="prices: {hour: 0.10} in task.yaml",
        )
    model, known = resolve(name), read_prices()
    if remove:
        if known.pop(model, None) is None:
            raise UsageError(f"`{model}` has no price.", hint="accordeur models prices")
        write_prices(known)
        return 0
    if read is None or written is None:
        raise UsageError(
            "A price has two sides: tokens read and tokens written.",
            hint=f"accordeur models prices {model} --input 0.15 --output 0.60",
        )
    from datetime import UTC, datetime

    try:
        price = TokenPrice(read, written, currency, datetime.now(UTC).date().isoformat())
    except ValueError as error:
        raise UsageError(f"{error}.".capitalize(), hint="--input 0.15 --output 0.60") from error
    write_prices({**known, model: price})
    print(f"written to {prices_file()}")
    return 0


def _show(*, as_json: bool) -> int:
    from accordeur.cli.terminal import console, one_line, table
    from accordeur.store.prices import prices_file, read_prices

    known = read_prices()
    if as_json:
        print(json.dumps({name: asdict(price) for name, price in known.items()}, indent=1))
        return 0
    out = console()
    if not known:
        out.print("No prices are written down; entries on endpoints have an unknown price.")
        out.print("\nnext: accordeur models prices openai/NAME --input 0.15 --output 0.60")
        return 0
    made = table("model", ">a million read", ">a million written", "currency", "since")
    for name, price in known.items():
        made.add_row(
            one_line(name),
            f"{price.input_per_million:g}",
            f"{price.output_per_million:g}",
            one_line(price.currency),
            one_line(price.date),
        )
    out.print(made)
    out.print(f"\nin {prices_file()}, which may be edited", soft_wrap=True)
    return 0
