"""A set-level metric: one that is not a mean over rows."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from accordeur.measure.statistics import Statistic


@pytest.fixture
def macro_f1() -> Statistic:
    """Macro-F1 over the labels in gold, from (gold, predicted) codes ``[n, 2]``."""

    def statistic(outcomes: NDArray[Any]) -> float:
        gold, predicted = outcomes[:, 0], outcomes[:, 1]
        scores = []
        for label in np.unique(gold):
            hits = np.sum((gold == label) & (predicted == label))
            scores.append(2 * hits / (np.sum(gold == label) + np.sum(predicted == label)))
        return float(np.mean(scores))

    return statistic
