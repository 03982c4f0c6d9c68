"""From scores of the labels that were learned to probabilities of all labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from accordeur.parts.classifier.classifier import Probabilities


def softmax(scores: Probabilities) -> Probabilities:
    """exp(s_j) / sum_j exp(s_j) along the last axis, safe for large scores."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Probabilities = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def over_all_labels(
    learned: Probabilities, names: Sequence[str], labels: Sequence[str]
) -> Probabilities:
    """Columns for the labels that had train rows, spread over all labels; the others get 0.

    Args:
        learned: [n, len(names)].
        names: the labels with train rows.
        labels: all labels of the task.
    """
    table = np.zeros((len(learned), len(labels)))
    place = {label: column for column, label in enumerate(labels)}
    table[:, [place[name] for name in names]] = learned
    return table
