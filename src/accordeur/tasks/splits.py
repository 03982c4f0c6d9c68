"""Drawing splits by seed, by group, stratified by label (DESIGN P1).

The draw depends on ids, groups and the seed, never on the order of rows in a file. Rows that ask
the same (folded) are kept together like a group: apart, they would be leakage that the user could
not mend.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accordeur.core.errors import TaskError
from accordeur.core.fingerprint import seed_for
from accordeur.core.task import Example
from accordeur.tasks.folding import fold

PROPORTIONS: Mapping[str, float] = {"train": 0.5, "dev": 0.2, "test": 0.3}
SMALL_PROPORTIONS: Mapping[str, float] = {"train": 0.6, "dev": 0.4}
SMALL = 60
"""Under this many rows no held-out split is drawn."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """Rows that stay together."""

    rows: tuple[Example, ...]
    labels: frozenset[str]
    stratum: str
    key: str


def question_key(row: Example) -> str:
    """What two rows share when they ask the same: folded input and context."""
    return f"{fold(row.text)}\0{fold(row.context or '')}"


def fixed_order(rows: Iterable[Example]) -> tuple[Example, ...]:
    """The rows in an order made of their ids alone.

    Data files are often sorted by label or date. In this order every prefix is a fair sample, and
    neither the seed nor the file's order changes a split's digest.
    """
    return tuple(sorted(rows, key=lambda row: (_hash("order", row.id), row.id)))


def take(rows: Sequence[Example], limit: int | None, seed: int) -> tuple[Example, ...]:
    """The first rows of a seeded order, left in the order they stand in; all without a limit."""
    if limit is None or len(rows) <= limit:
        return tuple(rows)
    salt = str(seed_for(seed, "limit"))
    ranked = sorted(rows, key=lambda row: (_hash(salt, row.id), row.id))
    kept = {row.id for row in ranked[:limit]}
    return tuple(row for row in rows if row.id in kept)


def count_units(rows: Sequence[Example]) -> int:
    """How many pieces the rows can be cut into without separating any that belong together."""
    return len(_units(rows, stratify=False, salt=""))


def draw(
    rows: Sequence[Example], proportions: Mapping[str, float], *, seed: int, stratify: bool
) -> dict[str, tuple[Example, ...]]:
    """Deal the rows into splits.

    Label by label, and in seeded order within each, every piece (a row, or rows that belong
    together) goes to the split that is furthest behind its share of all rows so far; as labels
    come one after the other, this keeps the shares of each label too. A label's first piece goes
    to train, so that train knows the label; the last pieces go to splits that would stay empty.

    Args:
        rows: labelled rows with unique ids.
        proportions: split name -> share, above 0; `train` is one of them.
        seed: of the run.
        stratify: rows have one label each, and each label's shares should hold.

    Returns:
        Every split with at least one row, in `fixed_order`.

    Raises:
        TaskError: there are fewer pieces than splits.
    """
    units = _units(rows, stratify=stratify, salt=str(seed_for(seed, "splits")))
    if len(units) < len(proportions):
        raise TaskError(
            f"{len(rows)} rows in {len(units)} separable "
            f"{'piece' if len(units) == 1 else 'pieces'} cannot be drawn into "
            f"{len(proportions)} splits.",
            hint="add rows; rows of one group or with the same input are never separated",
        )
    dealt: dict[str, list[Example]] = {name: [] for name in proportions}
    known: set[str] = set()
    for position, unit in enumerate(units):
        empty = [name for name in proportions if not dealt[name]]
        if len(units) - position == len(empty):
            name = empty[0]
        elif unit.labels - known:
            name = "train"
        else:
            name = _furthest_behind(proportions, dealt, len(unit.rows))
        if name == "train":
            known |= unit.labels
        dealt[name].extend(unit.rows)
    return {name: fixed_order(split) for name, split in dealt.items()}


def _furthest_behind(
    proportions: Mapping[str, float], dealt: Mapping[str, list[Example]], size: int
) -> str:
    total = sum(len(split) for split in dealt.values()) + size
    return max(proportions, key=lambda name: proportions[name] * total - len(dealt[name]))


def _units(rows: Sequence[Example], *, stratify: bool, salt: str) -> list[_Unit]:
    """Pieces in dealing order: strata by name, seeded order within."""
    units = []
    for members in _together(rows):
        labels = [row.label for row in members] if stratify else []
        counts = Counter(labels)
        stratum = min(counts, key=lambda name: (-counts[name], name)) if counts else ""
        key = _hash(salt, min(row.id for row in members))
        units.append(_Unit(tuple(members), frozenset(labels), stratum, key))
    return sorted(units, key=lambda unit: (unit.stratum, unit.key))


def _together(rows: Sequence[Example]) -> Iterator[list[Example]]:
    """Rows connected by a shared group or a shared question (union-find)."""
    parent = list(range(len(rows)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, row in enumerate(rows):
        for tie in (("group", row.group), ("question", question_key(row))):
            parent[root(index)] = root(first.setdefault(tie, index))
    pieces: dict[int, list[Example]] = defaultdict(list)
    for index, row in enumerate(rows):
        pieces[root(index)].append(row)
    yield from pieces.values()


def _hash(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}\0{text}".encode()).hexdigest()
