"""When an answer from documents is better not given: an estimated probability that it is right.

A few signals of a search and of the answer go into a logistic regression, learned on train rows
that the candidate answered. What it gives is calibrated on those rows, unlike a similarity, whose
height means another thing in every index. A row without an answer in the documents is one that no
answer is right for, so it teaches the model to be unsure.

A. Kamath et al., Selective Question Answering under Domain Shift, ACL 2020: a calibrator over such
signals abstains better than the model's own probability. Theirs is a random forest; ours has seven
numbers, because the usual task has some dozens of rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from accordeur.core.answer import Answer
from accordeur.documents.passage import Found

Array = npt.NDArray[np.float64]

PENALTY = 1.0
"""Of the squared weights of standardised signals: a signal must pay for itself."""
FEWEST = 8
"""Rows under which nothing is learned."""
_STEPS = 100

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of an answer before anyone says whether it is right; `None` where it is not.

    Attributes:
        dense: cosine of the question and its nearest passage.
        lexical: log of 1 + the best BM25.
        margin: how much the best passage's score is ahead of the second one's.
        logprob: mean log-probability of the answer's tokens, nats; of a label, that of the label.
        support: share of the answer's words that stand in what was shown.
        asked: share of the question's words that stand in what was shown.
    """

    dense: float | None = None
    lexical: float | None = None
    margin: float | None = None
    logprob: float | None = None
    support: float | None = None
    asked: float | None = None

    @property
    def known(self) -> dict[str, float]:
        """By name, those that are known."""
        found = {name: getattr(self, name) for name in NAMES}
        return {name: value for name, value in found.items() if value is not None}

    def values(self) -> Array:
        """[signals], NaN where one is not known."""
        found = (getattr(self, name) for name in NAMES)
        return np.array([math.nan if one is None else one for one in found], dtype=np.float64)


NAMES = tuple(field.name for field in fields(Signals))


def told_signals(answer: Answer) -> Signals:
    """Those that an answer carries; none of an answer that nothing was looked up for."""
    told = answer.retrieved.signals if answer.retrieved is not None else {}
    return Signals(**{name: told[name] for name in NAMES if name in told})


def signals_of(
    question: str, answer: str, logprob: float | None, found: Sequence[Found], shown: str
) -> Signals:
    """The signals of one answer.

    Args:
        question: what was searched for.
        answer: its text.
        logprob: of the answer.
        found: what the search gave, best first.
        shown: the passages that the model read, as one text.
    """
    dense = [one.dense for one in found if one.dense is not None]
    lexical = [one.lexical for one in found if one.lexical is not None]
    return Signals(
        dense=max(dense, default=None),
        lexical=math.log1p(max(0.0, max(lexical))) if lexical else None,
        margin=found[0].score - found[1].score if len(found) > 1 else None,
        logprob=logprob if logprob is None or math.isfinite(logprob) else None,
        support=_share(answer, shown),
        asked=_share(question, shown),
    )


def _share(text: str, among: str) -> float | None:
    words = _WORD.findall(text.casefold())
    known = set(_WORD.findall(among.casefold()))
    return sum(word in known for word in words) / len(words) if words else None


@dataclass(frozen=True, slots=True)
class Confidence:
    """p(right) = sigmoid(bias + sum_i weights_i (x_i - means_i) / scales_i) over `NAMES`.

    A signal that is not known counts as its mean.

    Attributes:
        weights, means, scales: per signal.
        bias: of the sum.
        rows: that it was learned on.
        right: mean score of those rows.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    bias: float
    rows: int
    right: float

    def probability(self, signals: Signals) -> float:
        """That the answer is right, 0 to 1."""
        return float(self.probabilities([signals])[0])

    def probabilities(self, signals: Sequence[Signals]) -> Array:
        """[answers]."""
        table = np.array([one.values() for one in signals]).reshape(-1, len(NAMES))
        scaled = (table - np.array(self.means)) / np.array(self.scales)
        return _sigmoid(np.nan_to_num(scaled, nan=0.0) @ np.array(self.weights) + self.bias)

    def to_json(self) -> dict[str, Any]:
        """As plain data, a signal a line."""
        lines = zip(self.weights, self.means, self.scales, strict=True)
        return {
            "signals": {
                name: {"weight": weight, "mean": mean, "scale": scale}
                for name, (weight, mean, scale) in zip(NAMES, lines, strict=True)
            },
            "bias": self.bias,
            "rows": self.rows,
            "right": self.right,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Confidence:
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        lines = [data["signals"][name] for name in NAMES]
        made = cls(
            tuple(float(one["weight"]) for one in lines),
            tuple(float(one["mean"]) for one in lines),
            tuple(float(one["scale"]) for one in lines),
            float(data["bias"]),
            int(data["rows"]),
            float(data["right"]),
        )
        numbers = (*made.weights, *made.means, *made.scales, made.bias, made.right)
        if not all(map(math.isfinite, numbers)) or min(made.scales) <= 0:
            raise ValueError("numbers must be finite and scales positive")
        return made


def learn_confidence(signals: Sequence[Signals], right: Sequence[float]) -> Confidence | None:
    """Fit the regression; `None` where there is nothing to learn from.

    Minimises sum_i -log p(y_i) + `PENALTY`/2 |w|^2 by Newton's method, the bias not penalised;
    parts of a point (token F1) count as that much of a right answer.

    Args:
        signals: of the answers to train rows.
        right: their scores, 0 to 1.
    """
    y = np.asarray(right, dtype=np.float64)
    if len(y) < FEWEST or y.min(initial=1.0) == y.max(initial=0.0):
        return None
    table = np.array([one.values() for one in signals])
    known = ~np.isnan(table)
    counts = np.maximum(1, known.sum(axis=0))
    means = np.where(known, table, 0.0).sum(axis=0) / counts
    centred = np.where(known, table - means, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / counts)
    scales = np.where(spread > 1e-9, spread, 1.0)
    x = np.column_stack((centred / scales, np.ones(len(y))))
    w = _newton(x, y)
    return Confidence(
        tuple(map(float, w[:-1])),
        tuple(map(float, means)),
        tuple(map(float, scales)),
        float(w[-1]),
        len(y),
        float(y.mean()),
    )


def _newton(x: Array, y: Array) -> Array:
    """The minimum; each step is halved until the loss falls, so it cannot run away."""
    penalty = np.full(x.shape[1], PENALTY)
    penalty[-1] = 0.0

    def loss(w: Array) -> float:
        z = x @ w
        return float(np.logaddexp(0.0, z).sum() - y @ z + 0.5 * penalty @ w**2)

    w = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = _sigmoid(x @ w)
        gradient = x.T @ (p - y) + penalty * w
        if np.abs(gradient).max() < 1e-9:
            break
        curvature = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, gradient)
        rate, now = 1.0, loss(w)
        while loss(w - rate * step) > now and rate > 1e-6:
            rate /= 2
        w = w - rate * step
    return w


def held_out_probabilities(
    signals: Sequence[Signals], right: Sequence[float], folds: int = 5
) -> Array:
    """Each answer's probability by a regression that did not see it, [answers]; NaN where none
    could be learned. Every `folds`-th row is left out together."""
    found = np.full(len(right), math.nan)
    for fold in range(folds):
        kept = [at for at in range(len(right)) if at % folds != fold]
        learned = learn_confidence([signals[at] for at in kept], [right[at] for at in kept])
        left = [at for at in range(len(right)) if at % folds == fold]
        if learned is not None and left:
            found[left] = learned.probabilities([signals[at] for at in left])
    return found


def thresholds(
    probabilities: Sequence[float] | Array, answered: Sequence[float], unanswerable: Sequence[bool]
) -> tuple[float, ...]:
    """Probabilities under which abstaining is worth trying: the best on these rows, then one that
    abstains half as often and one that answers half as often.

    Abstaining scores 1 on an unanswerable row and 0 on any other (DESIGN P6).

    Args:
        probabilities: of the answers, each by a model that did not see its row.
        answered: what the answers score.
        unanswerable: whether abstaining is right.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    usable = ~np.isnan(p)
    gain = np.asarray(unanswerable, dtype=np.float64) - np.asarray(answered, dtype=np.float64)
    order = np.argsort(p[usable], kind="stable")
    rising, gains = p[usable][order], gain[usable][order]
    if not len(rising):
        return ()
    best = int(np.argmax(np.concatenate(([0.0], np.cumsum(gains)))))
    halves = (best, best // 2, (best + len(rising)) // 2)
    cuts = [_between(rising, count) for count in halves if 0 < count < len(rising)]
    return tuple(dict.fromkeys(round(cut, 4) for cut in cuts if cut > 0))


def thresholds_above(probabilities: Array) -> tuple[float, ...]:
    """Probabilities just above those of half, four fifths and all of some wrong answers; what is
    above 1 is left out.

    Args:
        probabilities: of answers that are known to be wrong; without any there are none.
    """
    if not len(probabilities):
        return ()
    rising = np.sort(probabilities)
    places = (math.ceil(share * len(rising)) - 1 for share in (0.5, 0.8, 1.0))
    cuts = [math.floor(1e4 * float(rising[place]) + 1) / 1e4 for place in places]
    return tuple(dict.fromkeys(cut for cut in cuts if cut <= 1))


def _between(rising: Array, count: int) -> float:
    """A threshold under which `count` of the probabilities lie."""
    return float((rising[count - 1] + rising[count]) / 2)


def _sigmoid(z: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)))
