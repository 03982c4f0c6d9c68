"""Two columns on the same cases: the paired difference of their pass rates and of their scores."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

from accordeur.bench.matrix.folder import Results
from accordeur.bench.matrix.matrix import Column
from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.scoring import Outcome
from accordeur.bench.matrix.summary import rows_of
from accordeur.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Pair:
    """Rows of two columns on cases that both have a verdict on."""

    a: Column
    b: Column
    passes: tuple[bytearray, bytearray]
    scores: tuple[array[float], array[float]]


def find_column(plan: Plan, name: str) -> Column:
    """The column of a number, or of a label, prompt or model that only one has.

    Raises:
        UsageError: none or several.
    """
    wanted = name.strip()
    found = [one for one in plan.columns if str(one.number) == wanted]
    for labels in (
        lambda one: (one.label,),
        lambda one: (one.prompt.label, one.provider.label),
        lambda one: (one.provider.model,),
    ):
        found = found or [one for one in plan.columns if wanted in labels(one)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.number} = {one.label}" for one in plan.columns)
    said = "names no column" if not found else "names several columns"
    raise UsageError(f"`{name}` {said}.", hint=f"give a number: {known}")


def compare(plan: Plan, results: Results, a: Column, b: Column, *, seed: int) -> dict[str, Any]:
    """The second column against the first, on cases that both have a verdict on.

    Pass rates: exact McNemar. Scores, where some are neither 0 nor 1: paired permutation. Intervals
    of both differences: paired bootstrap.

    Returns:
        `a`, `b`: numbers of the columns; `n`; `only_a`, `only_b`: cases that one alone passes;
        `difference` (b less a), `interval`, `p`; `score`: the same of scores, or null.
    """
    pair = _gather(plan, results, a, b)
    first, second = pair.passes
    n = len(first)
    data: dict[str, Any] = {"a": a.number, "b": b.number, "n": n, "score": None}
    if not n:
        return data | {"only_a": 0, "only_b": 0, "difference": None, "interval": None, "p": None}
    from accordeur.measure.statistics.mcnemar import mcnemar

    only_a = sum(x > y for x, y in zip(first, second, strict=True))
    only_b = sum(y > x for x, y in zip(first, second, strict=True))
    data |= {
        "only_a": only_a,
        "only_b": only_b,
        "difference": (only_b - only_a) / n,
        "interval": _interval(second, first, seed),
        "p": mcnemar(only_a, only_b),
    }
    if any(0 < score < 1 for side in pair.scores for score in side):
        data["score"] = _scores(pair, seed)
    return data


def _scores(pair: Pair, seed: int) -> dict[str, Any]:
    import numpy as np

    from accordeur.measure.statistics.permutation import paired_permutation

    first, second = (np.asarray(side, dtype=np.float64) for side in pair.scores)
    test = paired_permutation(second, first, np.arange(len(first)), seed=seed)
    return {
        "difference": test.difference,
        "interval": _interval(second, first, seed),
        "p": test.p,
    }


def _interval(high: Any, low: Any, seed: int) -> dict[str, float] | None:
    import numpy as np

    from accordeur.measure.statistics.bootstrap import paired_difference_interval

    a, b = (np.asarray(list(side), dtype=np.float64) for side in (high, low))
    found = paired_difference_interval(a, b, np.arange(len(a)), seed=seed)
    return None if found is None else {"low": found.low, "high": found.high, "level": found.level}


def _gather(plan: Plan, results: Results, a: Column, b: Column) -> Pair:
    pair = Pair(a, b, (bytearray(), bytearray()), (array("d"), array("d")))
    sides: dict[int, tuple[bool, float]] = {}
    case = -1
    for row in rows_of(plan, results):
        if row.number != case:
            case, sides = row.number, {}
        if row.score is not None:
            sides[row.column.number] = (row.folded.outcome is Outcome.PASS, row.score)
        if row.column.number == plan.columns[-1].number and {a.number, b.number} <= set(sides):
            for place, column in enumerate((a, b)):
                passed, score = sides[column.number]
                pair.passes[place].append(passed)
                pair.scores[place].append(score)
    return pair
