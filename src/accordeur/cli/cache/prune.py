"""`accordeur cache prune`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from accordeur.core.errors import UsageError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def command(
    older_than: Annotated[
        float | None,
        typer.Option(metavar="DAYS", help="Forget answers not used for this many days."),
    ] = None,
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Then forget the longest unused until this is left: 500MB."
        ),
    ] = None,
) -> int:
    """Forget answers that were not used for long. Runs keep theirs."""
    from accordeur.cli.failures import warn
    from accordeur.cli.figures import plural
    from accordeur.report.numbers import size
    from accordeur.store import SqliteAnswerCache

    if older_than is None and max_size is None:
        raise UsageError(
            "Say what to forget.", hint="accordeur cache prune --older-than 30, or --max-size 500MB"
        )
    if older_than is not None and not older_than >= 0:
        raise UsageError(
            f"`--older-than {older_than:g}` is negative.",
            hint="accordeur cache prune --older-than 30",
        )
    limit = None if max_size is None else parse_size(max_size)
    with SqliteAnswerCache(warn=warn) as cache:
        forgotten = cache.prune(older_than_days=older_than, max_bytes=limit)
        left = cache.stats()
    print(
        f"{plural(forgotten, 'answer')} forgotten; {plural(left.entries, 'answer')}, "
        f"{size(left.bytes)} left"
    )
    return 0


def parse_size(text: str) -> int:
    """Bytes from `500MB`, `1.5 GB`, `0`.

    Raises:
        UsageError: not a size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?b)?", text.strip().lower())
    if found is None:
        raise UsageError(f"`{text}` is not a size.", hint="--max-size 500MB")
    return int(float(found[1]) * _UNITS[found[2] or ""])
