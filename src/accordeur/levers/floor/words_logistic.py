"""The floor `floor:words-logistic`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.levers.floor.regressors import word_regressors
from accordeur.levers.floor.softmax_regression import fit_softmax
from accordeur.levers.floor.training_rows import LabelledRows
from accordeur.levers.floor.vocabulary import frequent_terms
from accordeur.parts.classifier.words import count_terms, tf_idf
from accordeur.parts.classifier.words_logistic import WordsLogistic


@dataclass(frozen=True, slots=True)
class WordsLogisticFloor:
    """A logistic head on tf-idf weighted words and pairs of words.

    Attributes:
        strengths: values of C to try on dev, weakest penalty last.
        most_terms: size of the vocabulary at most.
    """

    name: ClassVar[str] = "floor:words-logistic"
    title: ClassVar[str] = "logistic head on words"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LABELS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels"})

    strengths: tuple[float, ...] = (10.0, 100.0)
    most_terms: int = 20_000

    @property
    def settings(self) -> Mapping[str, Any]:
        """As given to the constructor."""
        return {"strengths": list(self.strengths), "most_terms": self.most_terms}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration per C."""
        return work_of(len(self.strengths), effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The head of the best C on dev, alone.

        Raises:
            TaskError: train has no labels, or one the task does not know.
        """
        parts = fit_words_logistic(train, context.task, self.strengths, self.most_terms)
        return best_on_dev(context.task, ((f"C={part.c:g}", part) for part in parts), context)


def fit_words_logistic(
    train: Sequence[Example], task: TaskBrief, strengths: Sequence[float], most_terms: int
) -> Iterator[WordsLogistic]:
    """A head for each C in turn, each started from the one before.

    Errors as `LabelledRows.of`.
    """
    rows = LabelledRows.of(train, task)
    vocabulary, idf = frequent_terms(rows.texts, most_terms)
    columns = {term: column for column, term in enumerate(vocabulary)}
    regressors = word_regressors(tf_idf(count_terms(rows.texts, columns), idf))
    start = None
    for c in strengths:
        fitted = fit_softmax(regressors, rows.codes, len(rows.learned), c, start=start)
        start = fitted.parameters
        yield WordsLogistic(
            rows.labels,
            rows.learned,
            vocabulary,
            idf,
            regressors.weights(fitted.weights).astype(np.float32),
            fitted.intercept.astype(np.float32),
            c,
        )
