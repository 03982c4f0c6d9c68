"""The same input more than once within a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accordeur.tasks.checks.check import MOST_IDS, Check
from accordeur.tasks.checks.facts import Fact


def check_duplicates(facts: Mapping[str, Sequence[Fact]]) -> Check:
    """Warn about rows whose folded input stood earlier in the same split: they count double."""
    ids: list[str] = []
    parts = []
    for name, split in facts.items():
        seen: set[str] = set()
        repeated = []
        for fact in split:
            if fact.question in seen and not fact.empty:
                repeated.append(fact.id)
            seen.add(fact.question)
        if repeated:
            parts.append(f"{name} {len(repeated)}")
            ids.extend(repeated)
    if not ids:
        return Check("duplicate inputs", "ok", "No input stands twice in a split.")
    message = f"Inputs repeated within a split (case and punctuation aside): {', '.join(parts)}."
    return Check("duplicate inputs", "warn", message, tuple(ids[:MOST_IDS]))
