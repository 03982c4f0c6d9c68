"""Options of commands that call endpoints: where, how many at once, what may be spent."""

from __future__ import annotations

from typing import Annotated

import typer

from accordeur.core.errors import UsageError

BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Of endpoints, instead of their vendor's own."),
]
AtOnce = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--max-concurrency",
        metavar="N",
        help="Calls to an endpoint at once at most. Default: 32.",
    ),
]
MaxCalls = Annotated[
    int | None, typer.Option(metavar="N", help="Stop after so many calls to endpoints.")
]
MaxTokens = Annotated[
    int | None, typer.Option(metavar="N", help="Stop after so many tokens of endpoints.")
]
MaxCost = Annotated[
    float | None,
    typer.Option(metavar="MONEY", help="Stop when the endpoints' tokens cost so much."),
]


def check_spending(*limits: float | None) -> None:
    """Refuse limits of calls, tokens and money that allow nothing.

    Raises:
        UsageError: one of them is not positive.
    """
    for name, limit in zip(("--max-calls", "--max-tokens", "--max-cost"), limits, strict=True):
        if limit is not None and not 0 < limit < float("inf"):
            raise UsageError(f"`{name} {limit:g}` buys nothing.", hint=f"{name} 1000")
