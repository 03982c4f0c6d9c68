"""Wall time for a whole run, parsed from what people type."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from accordeur.core.errors import UsageError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds from `90`, `90s`, `10m`, `1.5h` or `1h30m`.

    Raises:
        UsageError: not a positive duration.
    """
    cleaned = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", cleaned):
        seconds = float(cleaned)
    elif re.fullmatch(r"(\d+(\.\d+)?[smh])+", cleaned):
        seconds = sum(
            float(number) * _UNITS[unit]
            for number, _, unit in re.findall(r"(\d+(\.\d+)?)([smh])", cleaned)
        )
    else:
        seconds = -1.0
    if seconds <= 0:
        raise UsageError(
            f"`{text}` is not a positive duration.",
            hint="write seconds, minutes or hours: --budget 90s, --budget 10m, --budget 1h30m",
        )
    return seconds


@dataclass(slots=True)
class Budget:
    """Wall time allowed, counted from construction; `seconds=None` is unlimited.

    The clock only cuts (DESIGN section 4 rule 9): counts are fixed by the plan, and a candidate
    that is cut is not recommended.

    Attributes:
        seconds: allowed in all.
        started: when, on the monotonic clock.
        reserved: seconds that are promised to later work, such as held-out rows of what is
            finished; not among what is left.
    """

    seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    reserved: float = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds left, never negative; `None` when unlimited."""
        if self.seconds is None:
            return None
        return max(0.0, self.seconds - self.elapsed - self.reserved)

    @property
    def spent(self) -> bool:
        """Nothing is left."""
        return self.left is not None and self.left <= 0.0
