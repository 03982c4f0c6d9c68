"""Counts, moments and forecasts in words; other numbers are written as in the report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

_SPLITS = {"train": "train", "dev": "dev", "test": "held-out", "unlabelled": "unlabelled"}


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`, `3 entries`."""
    if count == 1:
        return f"1 {noun}"
    many = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{count:,} {many}"


def split_rows(counts: Mapping[str, int]) -> str:
    """Rows per split, those that are there: `train 200, dev 120, held-out 240`."""
    known = [name for name in _SPLITS if counts.get(name)]
    return ", ".join(f"{_SPLITS[name]} {counts[name]:,}" for name in known)


def about(seconds: float) -> str:
    """A forecast, no finer than a forecast can be: `8 s`, `3 min 20 s`, `12 min`, `1 h 5 min`."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        minutes, rest = divmod(10 * round(whole / 10), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(stamp: str) -> str:
    """A UTC time stamp as local date and time; the text itself when it is none."""
    try:
        read = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC)
    return read.astimezone().strftime("%Y-%m-%d %H:%M")
