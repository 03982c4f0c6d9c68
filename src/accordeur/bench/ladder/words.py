"""What the gaps between rungs mean, each in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accordeur.bench.comparison import Pair
from accordeur.bench.ladder.rungs import BEST, CLOSED, DISTRACTORS, GOLD, REAL
from accordeur.report import numbers

Says = Callable[[str], str]
"""A sentence for a difference that is told."""

GAPS: tuple[tuple[str, str], ...] = (
    (GOLD, CLOSED),
    (GOLD, REAL),
    (BEST, REAL),
    (REAL, DISTRACTORS),
    (REAL, CLOSED),
)
"""Higher rung, lower rung, in the order in which they are told."""

_MORE: Mapping[tuple[str, str], Says] = {
    (GOLD, CLOSED): lambda by: (
        f"With the passage that holds the answer the model gains {by}: the most that retrieval "
        "can give here."
    ),
    (GOLD, REAL): lambda by: (
        f"What the retriever shows is worth {by} less than the gold passage alone: answers it "
        "misses, and passages that distract."
    ),
    (BEST, REAL): lambda by: (
        f"The best of the rankings tried, chosen row by row, would give back {by}: a reranker has "
        "that much to win."
    ),
    (REAL, DISTRACTORS): lambda by: (
        f"Reading gains {by}: answers come from the passages that hold them, not from just any."
    ),
    (REAL, CLOSED): lambda by: f"Retrieval as it is gains {by} over no documents at all.",
}
_NOT_SHOWN: Mapping[tuple[str, str], Says] = {
    (GOLD, CLOSED): lambda by: (
        f"Even the gold passage does not help ({by}): tune, do not build retrieval."
    ),
    (GOLD, REAL): lambda by: f"The retriever loses nothing that these rows can show ({by}).",
    (BEST, REAL): lambda by: (
        f"Choosing among the rankings row by row would not help ({by}): a reranker has little to "
        "win."
    ),
    (REAL, DISTRACTORS): lambda by: (
        f"Passages without the answer do as well as those with it ({by}): the model does not use "
        "what it reads."
    ),
    (REAL, CLOSED): lambda by: f"Retrieval as it is does not help ({by}).",
}
_LESS: Mapping[tuple[str, str], Says] = {
    (GOLD, CLOSED): lambda by: (
        f"Even the gold passage makes answers worse, by {by}: tune, do not build retrieval."
    ),
    (GOLD, REAL): lambda by: (
        f"What the retriever finds is worth {by} more than the gold passage alone: what stands "
        "around the answer matters."
    ),
    (BEST, REAL): lambda by: (
        f"The sets with most of the answer are worse by {by} than those in use: more of the "
        "answer is not what the model lacks."
    ),
    (REAL, DISTRACTORS): lambda by: (
        f"Passages without the answer are better by {by}: the model is misled by what it reads."
    ),
    (REAL, CLOSED): lambda by: f"Retrieval as it is makes answers worse, by {by}.",
}


def gap_sentence(higher: str, lower: str, pair: Pair) -> str:
    """What a difference of two rungs means.

    A difference counts as shown when its interval does not hold 0; where there is no interval, as
    with rows of a single group, nothing is shown.
    """
    bounds = pair.interval
    between = f"{numbers.signed(pair.difference)} points"
    if bounds is not None:
        between = f"{between} {numbers.interval(bounds.to_json(), sign=True)}"
    else:
        between = f"{between}, no interval"
    if bounds is None or bounds.low <= 0 <= bounds.high:
        return _NOT_SHOWN[higher, lower](between)
    size = f"{numbers.points(abs(pair.difference))} points {numbers.interval(_sized(bounds))}"
    return (_MORE if bounds.low > 0 else _LESS)[higher, lower](size)


def found_sentence(rows: int, real: float, pair: Pair) -> str:
    """What stands around the answer does, on the rows where the search found it.

    Args:
        rows: of the ladder.
        real: score with the passages that were found.
        pair: the gold passage alone against them, on the rows where the answer was among them.
    """
    gold = numbers.points(real + pair.difference)
    said = (
        f"Where the search found the answer ({pair.n} of {numbers.rows(rows)}) the model scores "
        f"{numbers.points(real)} from its passages and {gold} from the gold passage alone"
    )
    bounds = pair.interval
    if bounds is None or bounds.low <= 0:
        return f"{said}: that the others distract it is not shown."
    by = f"{numbers.signed(pair.difference)} {numbers.interval(bounds.to_json(), sign=True)}"
    return f"{said} ({by}): the others distract it; show fewer, or train among distractors."


def _sized(bounds: Any) -> dict[str, float]:
    low, high = sorted((abs(bounds.low), abs(bounds.high)))
    return {"low": low, "high": high}
