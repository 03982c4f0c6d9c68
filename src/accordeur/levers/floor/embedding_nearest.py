"""The floor `floor:embedding-nearest`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.model import Embedder
from accordeur.core.part import Slot
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.levers.floor.choice import best_on_dev, work_of
from accordeur.levers.floor.training_rows import LabelledRows
from accordeur.parts.classifier.embedding_nearest import EmbeddingNearest


@dataclass(frozen=True, slots=True)
class EmbeddingNearestFloor:
    """The answer of the nearest train rows, by sentence embedding.

    Attributes:
        neighbours: values of k to try on dev.
    """

    name: ClassVar[str] = "floor:embedding-nearest"
    title: ClassVar[str] = "nearest train rows"
    writes: ClassVar[frozenset[Slot]] = frozenset({"classifier"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LABELS, Need.EMBEDDINGS})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels"})

    neighbours: tuple[int, ...] = (1, 5)

    @property
    def settings(self) -> Mapping[str, Any]:
        """As given to the constructor."""
        return {"neighbours": list(self.neighbours)}

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """One configuration per k."""
        return work_of(len(self.neighbours), effort)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The classifier of the best k on dev, alone.

        Raises:
            TaskError: train has no labels, or one the task does not know.
        """
        parts = fit_nearest(train, context.task, self.neighbours, context.embedder)
        return best_on_dev(context.task, ((f"k={part.k}", part) for part in parts), context)


def fit_nearest(
    train: Sequence[Example], task: TaskBrief, neighbours: Sequence[int], embedder: Embedder
) -> list[EmbeddingNearest]:
    """One classifier per k over the same vectors. Errors as `LabelledRows.of`."""
    rows = LabelledRows.of(train, task)
    vectors = embedder.embed(rows.texts)
    place = np.array([rows.labels.index(label) for label in rows.learned], dtype=np.int64)
    identity = embedder.identity
    return [
        EmbeddingNearest(rows.labels, vectors, place[rows.codes], k, identity.name, identity.digest)
        for k in neighbours
    ]
