"""Multinomial logistic regression with an L2 penalty, by L-BFGS in numpy.

Minimises, over W [d, K] and b [K],

    C * sum_i -log softmax(x_i W + b)_{y_i}  +  1/2 ||W||^2

the objective of scikit-learn's `LogisticRegression` (the intercept is not penalised). We divide it
by C n, which moves no minimum. With two labels scikit-learn fits one weight vector w = W_1 - W_0
and penalises that, so its C is ours times 2 there.

L-BFGS after Liu & Nocedal 1989. Scores are linear in the parameters, so the line search costs one
product with the rows for the direction, none for its trial steps. Nothing is random.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from accordeur.levers.floor.regressors import Array, Regressors

_MEMORY = 8
_ARMIJO = 1e-4
_HALVINGS = 30


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A minimum.

    Attributes:
        parameters: W with b as its last line, float64 [d + 1, K].
        iterations: steps taken.
        converged: the largest gradient entry fell below the tolerance.
    """

    parameters: Array
    iterations: int
    converged: bool

    @property
    def weights(self) -> Array:
        """W, [d, K]."""
        return self.parameters[:-1]

    @property
    def intercept(self) -> Array:
        """b, [K]."""
        last: Array = self.parameters[-1]
        return last


def fit_softmax(
    rows: Regressors,
    codes: npt.NDArray[np.intp],
    labels: int,
    c: float,
    *,
    start: Array | None = None,
    tolerance: float = 1e-5,
    most_iterations: int = 500,
) -> Fit:
    """Minimise the objective at the top of this page.

    Args:
        rows: X [n, d].
        codes: y, 0 to labels - 1, [n].
        labels: K.
        c: C, inverse strength of the penalty.
        start: parameters to start from, [d + 1, K]; zero by default.
        tolerance: on the largest gradient entry of the mean loss, as scikit-learn's `tol`.
        most_iterations: steps at most; the last point is returned when they do not suffice.
    """
    n, d = rows.rows, rows.width
    problem = _Problem(rows, codes, labels, 1.0 / (c * n))
    parameters = np.zeros((d + 1, labels)) if start is None else start.copy()
    scores = problem.scores(parameters)
    value, slope_scores = problem.loss(scores, parameters)
    gradient = problem.gradient(slope_scores, parameters)
    history: deque[tuple[Array, Array, float]] = deque(maxlen=_MEMORY)
    for step in range(most_iterations):
        if np.abs(gradient).max() <= tolerance:
            return Fit(parameters, step, True)
        direction = -_inverse_hessian_times(history, gradient)
        towards = problem.scores(direction)
        slope = _dot(gradient, direction)
        # Before any curvature is known the gradient's own length is the only scale there is.
        length = 1.0 if history else min(1.0, 1.0 / float(np.sqrt(_dot(gradient, gradient))))
        taken = _backtrack(
            partial(problem.along, parameters, direction, scores, towards),
            value,
            slope,
            length,
        )
        if taken is None:  # no step improves: the bottom, as far as float64 can see
            return Fit(parameters, step, True)
        length, value, slope_scores = taken
        moved = length * direction
        parameters, scores = parameters + moved, scores + length * towards
        new_gradient = problem.gradient(slope_scores, parameters)
        change = new_gradient - gradient
        curvature = _dot(moved, change)
        if curvature > 1e-14 * _dot(change, change):
            history.append((moved, change, 1.0 / curvature))
        gradient = new_gradient
    return Fit(parameters, most_iterations, False)


class _Problem:
    """The objective, with the scores X W + b kept apart from the parameters."""

    def __init__(
        self, rows: Regressors, codes: npt.NDArray[np.intp], labels: int, penalty: float
    ) -> None:
        self._rows = rows
        self._gold = (np.arange(len(codes)), codes)
        self._n = len(codes)
        self._penalty = penalty

    def scores(self, parameters: Array) -> Array:
        """X W + b, [n, K]."""
        result: Array = self._rows.times(parameters[:-1]) + parameters[-1]
        return result

    def loss(self, scores: Array, parameters: Array) -> tuple[float, Array]:
        """The objective and its derivative with respect to the scores, [n, K]."""
        shifted = scores - scores.max(axis=1, keepdims=True)
        gold = shifted[self._gold]
        np.exp(shifted, out=shifted)
        total = shifted.sum(axis=1)
        penalty = 0.5 * self._penalty * _dot(parameters[:-1], parameters[:-1])
        value = float(np.mean(np.log(total) - gold)) + penalty
        shifted /= total[:, None]
        shifted[self._gold] -= 1.0
        shifted /= self._n
        return value, shifted

    def along(
        self, at: Array, direction: Array, scores: Array, towards: Array, length: float
    ) -> tuple[float, Array]:
        """`loss` at `at + length * direction`, whose scores are `scores + length * towards`."""
        return self.loss(scores + length * towards, at + length * direction)

    def gradient(self, slope_scores: Array, parameters: Array) -> Array:
        """The derivative with respect to the parameters, [d + 1, K]."""
        result = np.empty_like(parameters)
        result[:-1] = self._rows.transposed_times(slope_scores)
        result[:-1] += self._penalty * parameters[:-1]
        result[-1] = slope_scores.sum(axis=0)
        return result


def _dot(a: Array, b: Array) -> float:
    # Not BLAS: on busy cores its threads wait for each other far longer than so small a sum takes.
    return float(np.einsum("ij,ij->", a, b))


def _inverse_hessian_times(history: deque[tuple[Array, Array, float]], gradient: Array) -> Array:
    """The two-loop recursion."""
    result = gradient.copy()
    weights = []
    for moved, change, scale in reversed(history):
        weight = scale * _dot(moved, result)
        weights.append(weight)
        result -= weight * change
    if history:
        _, change, scale = history[-1]
        result /= scale * _dot(change, change)
    for (moved, change, scale), weight in zip(history, reversed(weights), strict=True):
        result += (weight - scale * _dot(change, result)) * moved
    return result


def _backtrack(
    loss: Callable[[float], tuple[float, Array]], value: float, slope: float, length: float
) -> tuple[float, float, Array] | None:
    """The first step length, halving, that lowers the loss enough (Armijo); `None` if none does."""
    for _ in range(_HALVINGS):
        tried, slope_scores = loss(length)
        if tried <= value + _ARMIJO * length * slope:
            return length, tried, slope_scores
        length *= 0.5
    return None
