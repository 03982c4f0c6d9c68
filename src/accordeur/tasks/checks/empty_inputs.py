"""Rows that ask nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accordeur.tasks.checks.check import MOST_IDS, Check, rows_word
from accordeur.tasks.checks.facts import Fact


def check_empty_inputs(facts: Mapping[str, Sequence[Fact]]) -> Check:
    """Warn about inputs of white space alone."""
    found = {name: [fact.id for fact in split if fact.empty] for name, split in facts.items()}
    ids = tuple(name for split in found.values() for name in split)
    if not ids:
        return Check("empty inputs", "ok", "No input is empty.")
    parts = ", ".join(f"{name} {len(split)}" for name, split in found.items() if split)
    return Check("empty inputs", "warn", f"{rows_word(len(ids))} empty: {parts}.", ids[:MOST_IDS])
