"""Numbers in words, as tables and messages show them. Unknown is a value: `-`, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

UNKNOWN = "-"


def duration(seconds: float | None) -> str:
    """`3 ms`, `4.2 s`, `3 min 20 s`, `1 h 05 min`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0.9995:
        return f"{1000 * seconds:.2g} ms" if seconds > 0 else "0 s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def points(score: float | None) -> str:
    """A score of 0 to 1 as points of 100."""
    return UNKNOWN if score is None else f"{100 * score:.1f}"


def spread(low: float | None, high: float | None) -> str:
    """An interval in points."""
    return UNKNOWN if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def difference(value: float | None) -> str:
    """A difference of scores in points, with its sign."""
    return UNKNOWN if value is None else f"{100 * value:+.1f}"


def measured(side: Mapping[str, Any] | None) -> str:
    """Score and interval of one side (`dev` or `test`) of a record's entry."""
    if not side or side.get("score") is None:
        return UNKNOWN
    interval = side.get("interval")
    if not interval:
        return points(side["score"])
    return f"{points(side['score'])} ({spread(interval['low'], interval['high'])})"


def money(value: float | None, currency: str = "") -> str:
    """An amount with enough digits to tell small prices apart."""
    if value is None:
        return UNKNOWN
    digits = f"{value:,.2f}" if abs(value) >= 10 else f"{value:.3g}"
    return f"{digits} {currency}".strip()


def size(count: int | None) -> str:
    """Bytes: `512 B`, `98 MB`, `1.2 GB` (powers of 1000)."""
    if count is None:
        return UNKNOWN
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`, `3 entries`."""
    if count == 1:
        return f"1 {noun}"
    many = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{count:,} {many}"


def moment(stamp: str) -> str:
    """A UTC time stamp as local date and time; the text itself when it is none."""
    try:
        read = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC)
    return read.astimezone().strftime("%Y-%m-%d %H:%M")
