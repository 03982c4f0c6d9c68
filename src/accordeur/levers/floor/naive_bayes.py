"""The floor `floor:naive-bayes`.

Maximum-likelihood priors and add-one smoothed term probabilities over labels with train rows,

    p(t | j) = (count of t in j + 1) / (count of all terms in j + size of the vocabulary)

as scikit-learn's `MultinomialNB(alpha=1)` on the same labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.levers.floor.training_rows import LabelledRows
from accordeur.levers.floor.vocabulary import frequent_terms
from accordeur.parts.classifier.naive_bayes import NaiveBayes
from accordeur.parts.classifier.words import count_terms


@dataclass(frozen=True, slots=True)
class NaiveBayesFloor:
    """Naive Bayes on words and pairs of words.

    Attributes:
        most_terms: size of the vocabulary at most.
    """

    name: ClassVar[str] = "floor:naive-bayes"
    title: ClassVar[str] = "naive Bayes on words"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LABELS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels"})

    most_terms: int = 50_000

    @property
    def settings(self) -> Mapping[str, Any]:
        """As given to the constructor."""
        return {"most_terms": self.most_terms}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration."""
        return work_of(1, effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The fitted classifier alone.

        Raises:
            TaskError: train has no labels, or one the task does not know.
        """
        part = fit_naive_bayes(train, context.task, self.most_terms)
        return best_on_dev(context.task, [("words and pairs", part)], context)


def fit_naive_bayes(train: Sequence[Example], task: TaskBrief, most_terms: int) -> NaiveBayes:
    """Count terms by label. Errors as `LabelledRows.of`."""
    rows = LabelledRows.of(train, task)
    vocabulary, _ = frequent_terms(rows.texts, most_terms)
    counts = count_terms(rows.texts, {term: column for column, term in enumerate(vocabulary)})
    by_label = np.ones((len(vocabulary), len(rows.learned)))
    np.add.at(by_label, (counts.columns, rows.codes[counts.rows]), counts.values)
    shares = np.bincount(rows.codes) / len(rows.codes)
    return NaiveBayes(
        rows.labels,
        rows.learned,
        vocabulary,
        np.log(shares).astype(np.float32),
        np.log(by_label / by_label.sum(axis=0)).astype(np.float32),
    )
