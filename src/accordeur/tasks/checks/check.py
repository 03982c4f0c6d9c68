"""The result of one data check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found. Counts and ids only, never what a row says.

    Attributes:
        name: of the check, as the preflight table shows it.
        level: `error` stops a run, `warn` is shown.
        message: one or two sentences.
        ids: rows it is about, in split order; may be shortened to `MOST_IDS`.
        allow: the name under `allow_leakage` that turns this error into a warning.
    """

    name: str
    level: Level
    message: str
    ids: tuple[str, ...] = ()
    allow: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.name,
            "level": self.level,
            "message": self.message,
            "ids": list(self.ids),
            "allow": self.allow,
        }


MOST_IDS = 200


def leakage_level(kind: str, allowed: tuple[str, ...]) -> Level:
    """`error`, or `warn` where the user allowed this kind by name."""
    return "warn" if kind in allowed else "error"


def rows_word(count: int) -> str:
    """`1 row`, `2 rows`."""
    return f"{count} row" if count == 1 else f"{count} rows"
