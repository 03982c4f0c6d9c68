"""The same input in two splits, case and punctuation aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from accordeur.tasks.checks.check import MOST_IDS, Check, leakage_level, rows_word
from accordeur.tasks.checks.facts import Fact


def check_exact_leakage(
    facts: Mapping[str, Sequence[Fact]], allowed: tuple[str, ...] = ()
) -> Check:
    """An error for inputs that stand in two splits, unless `exact` is allowed.

    Empty inputs do not count; they have a check of their own. `ids` are the rows of the later
    split, the ones to remove.

    Args:
        facts: per split, in the order train, dev, held-out.
        allowed: `Task.allow_leakage`.
    """
    parts = []
    ids: dict[str, None] = {}
    for (first, earlier), (second, later) in combinations(facts.items(), 2):
        questions = {fact.question for fact in earlier if not fact.empty}
        leaked = [fact.id for fact in later if fact.question in questions]
        if leaked:
            parts.append(f"{rows_word(len(leaked))} of {second} also in {first}")
            ids.update(dict.fromkeys(leaked))
    if not parts:
        return Check("exact leakage", "ok", "No input stands in two splits.", allow="exact")
    message = f"Same input (case and punctuation aside): {'; '.join(parts)}."
    level = leakage_level("exact", allowed)
    if level == "error":
        message += " Remove these rows, or add `allow_leakage: [exact]` to task.yaml."
    return Check("exact leakage", level, message, tuple(ids)[:MOST_IDS], allow="exact")


def check_unlabelled_overlap(
    facts: Mapping[str, Sequence[Fact]], unlabelled: Sequence[Fact]
) -> Check | None:
    """Warn where unlabelled rows ask what a split asks: labelling them would make leakage."""
    if not unlabelled:
        return None
    questions = {fact.question for split in facts.values() for fact in split if not fact.empty}
    ids = tuple(fact.id for fact in unlabelled if fact.question in questions)
    if not ids:
        return Check("unlabelled rows", "ok", "No unlabelled input stands in a split.")
    message = f"{rows_word(len(ids))} of unlabelled also in a split; labelling these gains nothing."
    return Check("unlabelled rows", "warn", message, ids[:MOST_IDS])
