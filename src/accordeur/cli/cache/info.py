"""`accordeur cache info`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> int:
    """Say what the answer cache holds."""
    from accordeur.cli.failures import warn
    from accordeur.cli.figures import moment, plural
    from accordeur.cli.terminal import near_path
    from accordeur.core.paths import cache_folder
    from accordeur.report.numbers import size
    from accordeur.store import SqliteAnswerCache
    from accordeur.store.answer_cache import FILE

    path = cache_folder() / FILE
    if not path.is_file():
        # Looking must not make one.
        empty = {"path": str(path), "entries": 0, "bytes": 0, "oldest": None, "newest": None}
        print(json.dumps(empty) if as_json else f"{near_path(path)}: no answers yet")
        return 0
    with SqliteAnswerCache(path, warn=warn) as cache:
        stats = cache.stats()
    stamps = [
        None if when is None else datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds")
        for when in (stats.oldest, stats.newest)
    ]
    if as_json:
        found = {"path": str(stats.path), "entries": stats.entries, "bytes": stats.bytes}
        print(json.dumps({**found, "oldest": stamps[0], "newest": stamps[1]}))
        return 0
    print(f"{near_path(stats.path)}: {plural(stats.entries, 'answer')}, {size(stats.bytes)}")
    if stamps[0] and stamps[1]:
        print(f"from {moment(stamps[0])} to {moment(stamps[1])}")
    return 0
