"""The floor `floor:embedding-logistic`.

C is chosen by cross-validation on train alone: folds keep groups together and spread each label,
and the criterion is the mean log-probability of the right label, which is steadier than accuracy
on the few rows a fold has. Rows whose label the other folds lack say nothing about C and are
skipped. Dev sees one configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from accordeur.core.candidate import Candidate
from accordeur.core.fingerprint import seed_for
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.model import Embedder
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.levers.floor.regressors import Array, DenseRegressors
from accordeur.levers.floor.softmax_regression import fit_softmax
from accordeur.levers.floor.training_rows import LabelledRows
from accordeur.parts.classifier.embedding_logistic import EmbeddingLogistic
from accordeur.parts.classifier.probabilities import softmax


@dataclass(frozen=True, slots=True)
class EmbeddingLogisticFloor:
    """A logistic head on sentence embeddings.

    Attributes:
        strengths: values of C to choose from, strongest penalty first.
        folds: of the cross-validation.
    """

    name: ClassVar[str] = "floor:embedding-logistic"
    title: ClassVar[str] = "logistic head on embeddings"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LABELS, Need.EMBEDDINGS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels"})

    strengths: tuple[float, ...] = (1.0, 10.0, 100.0)
    folds: int = 3

    @property
    def settings(self) -> Mapping[str, Any]:
        """As given to the constructor."""
        return {"strengths": list(self.strengths), "folds": self.folds}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration: C is chosen without dev."""
        return work_of(1, effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The fitted head alone.

        Raises:
            TaskError: train has no labels, or one the task does not know.
        """
        part = fit_embedding_logistic(
            train, context.task, context.embedder, self.strengths, self.folds, context.seed
        )
        return best_on_dev(context.task, [("cross-validated", part)], context)


def fit_embedding_logistic(
    train: Sequence[Example],
    task: TaskBrief,
    embedder: Embedder,
    strengths: Sequence[float],
    folds: int,
    seed: int,
) -> EmbeddingLogistic:
    """Choose C, then fit on all rows. Errors as `LabelledRows.of`."""
    rows = LabelledRows.of(train, task)
    vectors = embedder.embed(rows.texts).astype(np.float64)
    c = choose_strength(vectors, rows, strengths, folds, seed)
    fitted = fit_softmax(DenseRegressors(vectors), rows.codes, len(rows.learned), c)
    return EmbeddingLogistic(
        rows.labels,
        rows.learned,
        fitted.weights.astype(np.float32),
        fitted.intercept.astype(np.float32),
        c,
        embedder.identity.name,
        embedder.identity.digest,
    )


def choose_strength(
    vectors: Array, rows: LabelledRows, strengths: Sequence[float], folds: int, seed: int
) -> float:
    """The C of highest cross-validated log-probability; ties, and no evidence, to the middle.

    Args:
        vectors: [n, d].
        rows: labels and groups of the same rows.
        strengths: candidates for C, ascending.
        folds: at most; fewer when there are fewer groups.
        seed: of the folds.
    """
    middle = strengths[len(strengths) // 2]
    fold = deal_folds(rows, folds, seed)
    totals = np.zeros(len(strengths))
    counted = 0
    for number in range(int(fold.max()) + 1):
        kept, asked = fold != number, fold == number
        known, codes = np.unique(rows.codes[kept], return_inverse=True)
        asked &= np.isin(rows.codes, known)
        if len(known) < 2 or not asked.any():
            continue
        gold = (np.arange(int(asked.sum())), np.searchsorted(known, rows.codes[asked]))
        counted += len(gold[0])
        regressors, start = DenseRegressors(vectors[kept]), None
        for place, c in enumerate(strengths):
            fitted = fit_softmax(
                regressors, codes.astype(np.intp), len(known), c, start=start, tolerance=1e-4
            )
            start = fitted.parameters
            chances = softmax(vectors[asked] @ fitted.weights + fitted.intercept)
            totals[place] += np.log(np.maximum(chances[gold], 1e-300)).sum()
    if not counted or np.ptp(totals) == 0.0:
        return middle
    return strengths[int(np.argmax(totals))]


def deal_folds(rows: LabelledRows, folds: int, seed: int) -> npt.NDArray[np.intp]:
    """A fold for each row, [n]: whole groups, dealt in turn after sorting by label at random."""
    first: dict[str, int] = {}
    for group, code in zip(rows.groups, rows.codes.tolist(), strict=True):
        first.setdefault(group, code)
    names = list(first)
    drawn = np.random.default_rng(seed_for(seed, "folds")).permutation(len(names))
    order = sorted(drawn.tolist(), key=lambda number: first[names[number]])
    fold = {names[number]: turn % folds for turn, number in enumerate(order)}
    return np.array([fold[group] for group in rows.groups], dtype=np.intp)
