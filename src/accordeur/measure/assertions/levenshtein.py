"""`levenshtein`: at most so many characters must be changed (Levenshtein 1966)."""

from __future__ import annotations

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided
from accordeur.measure.assertions.plain import as_text

THRESHOLD = 5
"""Edits that are allowed unless said otherwise."""


def distance(a: str, b: str) -> int:
    """Insertions, deletions and replacements that turn one text into the other.

    Time is len(a) * len(b), memory the shorter of both.
    """
    if len(a) < len(b):
        a, b = b, a
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]


def check(said: Said, asked: Asked) -> Finding:
    """Lengths that already differ by more are not compared further."""
    wanted = as_text(asked.value)
    most = THRESHOLD if asked.threshold is None else asked.threshold
    apart = abs(len(wanted) - len(said.text))
    if apart > most:
        return decided(
            False, f"more than {apart - 1} edits from the text, at most {most:g} allowed"
        )
    edits = distance(said.text, wanted)
    return decided(edits <= most, f"{edits} edits from the text, at most {most:g} allowed")


LEVENSHTEIN = Kind("at most `threshold` edits from the text (5)", "text", "optional", check=check)
