"""Numbers of the check, each with n and interval.

Perplexity is exp of the mean negative log-likelihood per token over all passages:

    ppl = exp(-sum_i log p(y_i) / sum_i |y_i|)

with y_i the tokens of passage i and its end of turn, which counts as one token. Both models read
the same tokens, so their perplexities can be compared; those of models with different tokenizers
cannot.
Intervals resample passages and rows, in pairs where two models are compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.core.measurement import Interval
from accordeur.measure.forgetting.subject import Off
from accordeur.measure.statistics import group_bootstrap, paired_difference_interval, wilson
from accordeur.measure.statistics.resampling import RESAMPLES

Floats = npt.NDArray[np.float64]

_BOOTSTRAP = "bootstrap over passages"
_LARGEST = 300.0
"""Nats per token above which a perplexity is no longer given: exp of it leaves the float range."""


class NotANumber(Exception):
    """The log-probabilities give no number to report."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its interval.

    Attributes:
        value: the estimate.
        interval: 95 %; `None` where nothing varies.
    """

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class GeneralText:
    """How well general text is predicted.

    Attributes:
        passages: n.
        tokens: of all passages, ends of turn included.
        base, active: perplexity, lower is better.
        ratio: active / base; above 1 is a loss.
    """

    passages: int
    tokens: int
    base: Number
    active: Number
    ratio: Number


@dataclass(frozen=True, slots=True)
class OtherTaskAccuracy:
    """Accuracy on rows of another task, labels scored as they are, without calibration.

    Attributes:
        name: of the other task.
        n: rows.
        base, active: accuracy, Wilson interval.
        difference: active - base, paired; without interval when no row changed sides.
        lost, gained: rows only the base, only the adapted model gets right.
        same_answer: share of rows on which both give the same answer, Wilson interval.
        most_frequent: share of the most frequent label: at or below it the base has nothing to
            lose in accuracy, and `same_answer` tells more.
    """

    name: str
    n: int
    base: Number
    active: Number
    difference: Number
    lost: int
    gained: int
    same_answer: Number
    most_frequent: float


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """What is left when the adaptation is switched off.

    Attributes:
        how: `base`, `none` or `prompt`, see `subject.Off`.
        identical: the base model, asked again after the adapted one, gave the same bits; `None`
            where it was not asked.
        passages: how many it was asked again.
        greatest_difference: nats of a passage, largest absolute value; `None` as `identical`.
    """

    how: Off
    identical: bool | None = None
    passages: int = 0
    greatest_difference: float | None = None


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What one candidate forgot.

    Attributes:
        general: perplexity of general text.
        other: accuracy on another task; `None` when there is none that differs enough.
        off: what is left when it is switched off.
        seed: of the resamples.
        resamples: how many.
        details: every passage and row, for the run's folder.
    """

    general: GeneralText
    other: OtherTaskAccuracy | None
    off: SwitchedOff
    seed: int
    resamples: int
    details: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As plain data, without the details."""
        data = asdict(self)
        del data["details"]
        return data


def general_text(
    base: Sequence[float], active: Sequence[float], tokens: Sequence[int], *, seed: int
) -> GeneralText:
    """Perplexities and their ratio.

    Args:
        base, active: log-probability of each passage, nats.
        tokens: of each passage, end of turn included.
        seed: of the resamples.

    Raises:
        NotANumber: a perplexity is too large to be one.
        ValueError: no passages.
    """
    table = np.array([base, active, tokens], dtype=np.float64).T  # [n, 3]
    if (-table[:, :2] / table[:, 2:]).max() > _LARGEST:
        raise NotANumber(
            f"a token of general text has a probability below e^-{_LARGEST:.0f} on average"
        )
    names = np.arange(len(table))

    def number(statistic: Any) -> Number:
        spread = group_bootstrap(table, names, statistic, seed=seed)
        interval = Interval(spread.low, spread.high, method=_BOOTSTRAP) if spread else None
        return Number(statistic(table), interval)

    return GeneralText(
        passages=len(table),
        tokens=int(table[:, 2].sum()),
        base=number(lambda rows: math.exp(-rows[:, 0].sum() / rows[:, 2].sum())),
        active=number(lambda rows: math.exp(-rows[:, 1].sum() / rows[:, 2].sum())),
        ratio=number(
            lambda rows: math.exp((rows[:, 0].sum() - rows[:, 1].sum()) / rows[:, 2].sum())
        ),
    )


def other_task(
    name: str,
    gold: Sequence[int],
    base: Sequence[int],
    active: Sequence[int],
    *,
    seed: int,
) -> OtherTaskAccuracy:
    """Accuracies on the same rows.

    Args:
        name: of the other task.
        gold, base, active: label number of each row: right, and as answered.
        seed: of the resamples.

    Raises:
        ValueError: no rows.
    """
    right = np.asarray(gold)
    said = np.asarray(base), np.asarray(active)
    n = len(right)
    first, second = (answers == right for answers in said)
    lost, gained = int((first & ~second).sum()), int((second & ~first).sum())
    interval = None
    if lost or gained:
        spread = paired_difference_interval(
            second.astype(np.float64), first.astype(np.float64), np.arange(n), seed=seed
        )
        interval = Interval(spread.low, spread.high, method="paired bootstrap") if spread else None
    return OtherTaskAccuracy(
        name=name,
        n=n,
        base=_rate(int(first.sum()), n),
        active=_rate(int(second.sum()), n),
        difference=Number((gained - lost) / n, interval),
        lost=lost,
        gained=gained,
        same_answer=_rate(int((said[0] == said[1]).sum()), n),
        most_frequent=float(np.bincount(right).max()) / n,
    )


def _rate(hits: int, n: int) -> Number:
    spread = wilson(hits, n)
    return Number(hits / n, Interval(spread.low, spread.high, method="Wilson"))


__all__ = [
    "RESAMPLES",
    "Forgetting",
    "GeneralText",
    "NotANumber",
    "Number",
    "OtherTaskAccuracy",
    "SwitchedOff",
    "general_text",
    "other_task",
]
