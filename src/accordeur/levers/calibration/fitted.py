"""Calibration fitted to train rows.

One bias per label by regularised maximum likelihood: vector scaling of Guo, Pleiss, Sun and
Weinberger 2017, "On Calibration of Modern Neural Networks", with its scale fixed at one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from accordeur.core.fingerprint import seed_for
from accordeur.core.task import Example

PENALTY = 0.05
"""Weight of ||b||^2 (DESIGN P4)."""
ROWS = 100
"""At most so many train rows are scored."""


def fitted_bias(
    scores: npt.NDArray[np.float64], gold: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """b = argmin -sum_i log softmax(s(x_i) + b)_{y_i} + 0.05 ||b||^2, float64 [labels].

    Newton's method with backtracking; the objective is strictly convex, so the start does not
    matter and the minimum is unique.

    Args:
        scores: s_j(x_i), nats [rows, labels].
        gold: index of each row's label [rows].
    """
    rows, labels = scores.shape
    bias = np.zeros(labels)
    onehot = np.zeros((rows, labels))
    onehot[np.arange(rows), gold] = 1.0

    def objective(b: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        shifted = scores + b
        shifted = shifted - shifted.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-(log_p * onehot).sum() + PENALTY * b @ b), np.exp(log_p)

    value, p = objective(bias)
    for _ in range(100):
        gradient = (p - onehot).sum(axis=0) + 2 * PENALTY * bias
        if np.abs(gradient).max() < 1e-9:
            break
        hessian = np.diag(p.sum(axis=0)) - p.T @ p + 2 * PENALTY * np.eye(labels)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-8:
            trial, trial_p = objective(bias - size * step)
            if trial <= value:
                break
            size /= 2
        else:
            break
        bias, value, p = bias - size * step, trial, trial_p
    return bias


def calibration_rows(train: Sequence[Example], shown: set[str], seed: int) -> list[Example]:
    """At most 100 labelled train rows that are not demonstrations, in a seeded order."""
    free = sorted(
        (row for row in train if row.expected and row.id not in shown), key=lambda row: row.id
    )
    order = np.random.default_rng(seed_for(seed, "calibration rows")).permutation(len(free))
    return [free[int(i)] for i in order[:ROWS]]
