"""Groups that given splits have torn apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accordeur.tasks.checks.check import MOST_IDS, Check
from accordeur.tasks.checks.facts import Fact


def check_group_separation(facts: Mapping[str, Sequence[Fact]]) -> Check:
    """Warn about groups with rows in two splits: their rows help each other to the answer."""
    places: dict[str, set[str]] = {}
    for name, split in facts.items():
        for fact in split:
            places.setdefault(fact.group, set()).add(name)
    torn = {group for group, names in places.items() if len(names) > 1}
    if not torn:
        return Check("groups", "ok", "No group stands in two splits.")
    ids = tuple(fact.id for split in facts.values() for fact in split if fact.group in torn)
    message = (
        f"{len(torn)} {'group stands' if len(torn) == 1 else 'groups stand'} in more than one "
        "split; drawn splits (`data: {file: ...}`) would keep each together."
    )
    return Check("groups", "warn", message, ids[:MOST_IDS])
