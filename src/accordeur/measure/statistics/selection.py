"""Which entry to recommend, with the optimism of having chosen removed (P7, steps 2 to 4).

The story, in order. Each entry of a plan (a lever or a stack) tried several configurations on the
same dev rows, and its best dev score is too good because it is the best of several. So dev groups
are resampled 2,000 times; each time an entry chooses its configuration on the rows drawn (in bag)
and is scored on the rows left out (out of bag). The mean of those scores is the estimate ``est``;
``optimism`` is the dev score less it. Entries whose estimate is within the tolerance of the highest
are *close*, and the cheapest of them is the pick: the cheaper candidate carries the burden of
proof. Last, the resamples say how often the pick would still have been good enough: sureness.

This file knows nothing of limits, floors or held-out rows: what is not eligible is not passed in,
and what follows the decision (P7, steps 5 to 7) is done by the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from accordeur.measure.statistics.resampling import RESAMPLES, Grouping, outcomes_of, scores_of
from accordeur.measure.statistics.statistic import Statistic, apply, mean

CLEAR = 0.9
LIKELY = 0.6
"""Least sureness for the words "clear" and "likely" (P7.4)."""

_LEAST_GROUPS = 3
"""With fewer groups, what is left out of the bag is one group or none: no estimate is made."""

_SLACK = 1e-9
"""Scores that differ by less are equal: 0.80 - 0.79 must be within a tolerance of 0.01."""


@dataclass(frozen=True, slots=True)
class EntryEstimate:
    """What the dev rows say of one entry; all numbers but the name in the unit of the score.

    Attributes:
        name: of the entry.
        configuration: its best configuration on all of dev (ties to the first in its ledger).
        dev: the score of that configuration on all of dev.
        estimate: mean out-of-bag score of the entry's in-bag best configuration.
        optimism: ``dev - estimate``.
        shortfall: highest estimate of all entries less this one, at least 0.
        close: whether the shortfall is within the tolerance.
    """

    name: str
    configuration: str
    dev: float
    estimate: float
    optimism: float
    shortfall: float
    close: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """The pick, and how sure it is.

    Attributes:
        pick: name of the recommended entry.
        entries: every entry's estimate, in the order given.
        ranked_by: ``"cost"``, or ``"parameters"`` when the total of a close entry is unknown.
        sureness: share of resamples in which the pick is within the tolerance of the highest
            in-bag best score less optimism; None when nothing was resampled.
        word: ``"clear"`` (sureness at least 0.9), ``"likely"`` (at least 0.6) or ``"tie"``.
        tied_with: for a tie, the other entries it is between, strongest rival first; else empty.
        resampled: False when there were fewer than 3 groups, so that each estimate is merely the
            dev score, optimism included.
        resamples: how many resamples were used; 0 when ``resampled`` is False.
        groups: number of groups, G.
        rows: number of rows, n.
        tolerance: as given.
        seed: as given.
    """

    pick: str
    entries: dict[str, EntryEstimate]
    ranked_by: Literal["cost", "parameters"]
    sureness: float | None
    word: Literal["clear", "likely", "tie"]
    tied_with: tuple[str, ...]
    resampled: bool
    resamples: int
    groups: int
    rows: int
    tolerance: float
    seed: int


def select(
    entries: Mapping[str, Mapping[str, ArrayLike]],
    groups: ArrayLike,
    *,
    totals: Mapping[str, float | None],
    parameters: Mapping[str, int],
    tolerance: float = 0.01,
    seed: int,
    resamples: int = RESAMPLES,
    statistic: Statistic = mean,
) -> Selection:
    """Pick the cheapest entry whose estimated shortfall is within the tolerance.

    *Resamples.* The same draws serve every entry and configuration, so comparisons are paired. A
    draw that holds every group leaves nothing out of the bag and is redrawn. With 1 or 2 groups
    nothing is resampled: the estimates are the dev scores, sureness is None, and unless there is
    but one entry the word is "tie", with all the others.

    *Pick.* Among the close entries: lowest total cost, then fewer trained parameters, then name. If
    the total of any close entry is unknown there is no money ranking (P8), and the pick has the
    fewest trained parameters, then the smallest shortfall, then the first name; ``ranked_by`` says
    which.

    *Tie.* Which entries a tie is between is not fixed by P7. Here rivals join the pick, each time
    the one that covers most of the resamples not yet covered, until in 90 % of the resamples one of
    them is within the tolerance of the highest: it is clear that the answer is among these.

    Args:
        entries: for each entry, its configurations scored on all of dev, in the order of its
            ledger: per-row scores ``[n]``, higher better, the same rows everywhere; for another
            statistic than `mean`, the outcomes ``[n, ...]`` it reads. A row missing for one
            candidate is removed for all before.
        groups: group of each row, ``[n]``.
        totals: total cost of each entry at the stated volume (P8), None when unknown.
        parameters: trained parameters of each entry.
        tolerance: in the unit of the score (one point is 0.01), at least 0.
        seed: of the resamples.
        resamples: R.
        statistic: `mean` is one matrix product for all; a set-level metric is called once per
            resample and configuration, and once more per resample and entry.

    Raises:
        ValueError: no entry, an entry without configuration, arrays of different lengths, scores or
            statistics that are not finite, a total or parameter count missing or out of range, a
            negative tolerance.

    Source: section P7. Choosing in bag and scoring out of bag is bootstrap bias correction of
    tuned performance: I. Tsamardinos et al., Bootstrapping the out-of-sample predictions for
    efficient and accurate cross-validation, Machine Learning 107 (2018). Ours resamples groups,
    works on dev scores of fitted candidates, and applies one correction per entry.
    """
    _check_arguments(entries, totals, parameters, tolerance)
    names = list(entries)
    owners = [name for name in names for _ in entries[name]]
    configurations = [configuration for name in names for configuration in entries[name]]
    outcomes = [_outcomes(entries[name], name, statistic) for name in names]
    columns = [column for entry in outcomes for column in entry]
    _check_rows(columns, owners, configurations)
    # Columns of entry e are spans[e].
    ends = np.cumsum([len(entry) for entry in outcomes])
    spans = [
        slice(int(end) - len(entry), int(end)) for end, entry in zip(ends, outcomes, strict=True)
    ]

    grouping = Grouping.of(groups, len(columns[0]))
    whole = np.array([apply(statistic, column) for column in columns])
    best = [span.start + int(np.argmax(whole[span])) for span in spans]
    dev = whole[best]

    resampled = len(grouping) >= _LEAST_GROUPS
    in_bag = np.empty((0, len(names)))
    estimate = dev
    if resampled:
        resample = _mean_scores if statistic is mean else _metric_scores
        in_bag, out_of_bag = resample(columns, spans, grouping, resamples, seed, statistic)
        estimate = out_of_bag.mean(axis=0)
    shortfall = estimate.max() - estimate
    close = shortfall <= tolerance + _SLACK

    pick, ranked_by = _pick(names, shortfall, close, totals, parameters)
    corrected = in_bag - (dev - estimate)
    good = corrected >= corrected.max(axis=1, keepdims=True, initial=-np.inf) - tolerance - _SLACK
    sureness = float(good[:, pick].mean()) if resampled else None
    word = _word(sureness, len(names))
    return Selection(
        pick=names[pick],
        entries={
            name: EntryEstimate(
                name=name,
                configuration=configurations[best[e]],
                dev=float(dev[e]),
                estimate=float(estimate[e]),
                optimism=float(dev[e] - estimate[e]),
                shortfall=float(shortfall[e]),
                close=bool(close[e]),
            )
            for e, name in enumerate(names)
        },
        ranked_by=ranked_by,
        sureness=sureness,
        word=word,
        tied_with=tuple(names[e] for e in _rivals(good, pick, shortfall)) if word == "tie" else (),
        resampled=resampled,
        resamples=resamples if resampled else 0,
        groups=len(grouping),
        rows=len(columns[0]),
        tolerance=tolerance,
        seed=seed,
    )


def _mean_scores(
    columns: list[NDArray[Any]],
    spans: list[slice],
    grouping: Grouping,
    resamples: int,
    seed: int,
    statistic: Statistic,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """In-bag best score of each entry and that configuration's out-of-bag score, each ``[R, E]``.

    ``statistic`` is `mean` here; it is an argument so that both ways have one signature.
    """
    sums = grouping.sums(np.stack(columns, axis=1))  # [G, C]
    inside, outside = [], []
    for counts in grouping.resamples(resamples, seed, leave_some_out=True):
        drawn = counts.astype(np.float64)  # a float product runs in BLAS, an integer one does not
        left = (counts == 0).astype(np.float64)
        scores_in = drawn @ sums / (drawn @ grouping.sizes)[:, None]  # [r, C]
        scores_out = left @ sums / (left @ grouping.sizes)[:, None]
        best_in = np.empty((len(counts), len(spans)))
        best_out = np.empty_like(best_in)
        for e, span in enumerate(spans):
            chosen = scores_in[:, span].argmax(axis=1)[:, None]
            best_in[:, e] = np.take_along_axis(scores_in[:, span], chosen, axis=1)[:, 0]
            best_out[:, e] = np.take_along_axis(scores_out[:, span], chosen, axis=1)[:, 0]
        inside.append(best_in)
        outside.append(best_out)
    return np.concatenate(inside), np.concatenate(outside)


def _metric_scores(
    columns: list[NDArray[Any]],
    spans: list[slice],
    grouping: Grouping,
    resamples: int,
    seed: int,
    statistic: Statistic,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As `_mean_scores`, for any statistic: a loop over resamples."""
    inside, outside = [], []
    for block in grouping.resamples(resamples, seed, leave_some_out=True):
        for counts in block:
            drawn = grouping.rows(counts)
            left = grouping.rows((counts == 0).astype(np.int64))
            scores = np.array([apply(statistic, column[drawn]) for column in columns])
            chosen = [span.start + int(np.argmax(scores[span])) for span in spans]
            inside.append(scores[chosen])
            outside.append([apply(statistic, columns[c][left]) for c in chosen])
    return np.array(inside), np.array(outside)


def _pick(
    names: list[str],
    shortfall: NDArray[np.float64],
    close: NDArray[np.bool_],
    totals: Mapping[str, float | None],
    parameters: Mapping[str, int],
) -> tuple[int, Literal["cost", "parameters"]]:
    candidates = [e for e in range(len(names)) if close[e]]
    known = {e: total for e in candidates if (total := totals[names[e]]) is not None}
    if len(known) == len(candidates):
        return min(known, key=lambda e: (known[e], parameters[names[e]], names[e])), "cost"
    # Shortfalls of identical entries may differ in the last bit; the name must then decide.
    by_parameters = min(
        candidates,
        key=lambda e: (parameters[names[e]], round(float(shortfall[e]), 9), names[e]),
    )
    return by_parameters, "parameters"


def _word(sureness: float | None, entries: int) -> Literal["clear", "likely", "tie"]:
    if entries == 1:
        return "clear"  # there is nothing to tie with
    if sureness is None or sureness < LIKELY:
        return "tie"
    return "clear" if sureness >= CLEAR else "likely"


def _rivals(good: NDArray[np.bool_], pick: int, shortfall: NDArray[np.float64]) -> list[int]:
    """The entries a tie is between, besides the pick.

    Args:
        good: whether an entry is within the tolerance of the highest, ``[R, E]``; without
            resamples every other entry is a rival, smallest shortfall first.
        pick: number of the pick.
        shortfall: of each entry, ``[E]``; smaller first where coverage is equal.
    """
    others = [e for e in range(good.shape[1]) if e != pick]
    if len(good) == 0:
        return sorted(others, key=lambda e: float(shortfall[e]))
    rivals: list[int] = []
    covered = good[:, pick]
    while covered.mean() < CLEAR:
        gains = {e: int((good[:, e] & ~covered).sum()) for e in others if e not in rivals}
        rival = max(gains, key=lambda e: (gains[e], -float(shortfall[e])))
        rivals.append(rival)
        covered = covered | good[:, rival]
    return rivals


def _outcomes(
    configurations: Mapping[str, ArrayLike], entry: str, statistic: Statistic
) -> list[NDArray[Any]]:
    check = scores_of if statistic is mean else outcomes_of
    return [check(values, f"{entry}: {name}") for name, values in configurations.items()]


def _check_rows(columns: list[NDArray[Any]], owners: list[str], configurations: list[str]) -> None:
    for column, owner, configuration in zip(columns, owners, configurations, strict=True):
        if len(column) != len(columns[0]):
            raise ValueError(
                f"every configuration must be scored on the same rows: `{owner}: {configuration}` "
                f"has {len(column)} where the first has {len(columns[0])}"
            )


def _check_arguments(
    entries: Mapping[str, Mapping[str, ArrayLike]],
    totals: Mapping[str, float | None],
    parameters: Mapping[str, int],
    tolerance: float,
) -> None:
    if not entries:
        raise ValueError("there is no entry to choose from")
    if not tolerance >= 0:
        raise ValueError(f"`tolerance` must not be negative, got {tolerance}")
    for name, configurations in entries.items():
        if not configurations:
            raise ValueError(f"entry `{name}` has no configuration scored on all of dev")
        if name not in totals or name not in parameters:
            raise ValueError(
                f"entry `{name}` has no total cost or no parameter count\n\n"
                "hint: an unknown total is passed as None"
            )
        total = totals[name]
        if total is not None and not np.isfinite(total):
            raise ValueError(f"the total of `{name}` must be finite or None, got {total}")
        if parameters[name] < 0:
            raise ValueError(f"the parameters of `{name}` cannot be negative")
