"""What picking cost, against the best in hindsight.

The best of many entries on the same held-out rows is partly lucky, so the raw regret (best score
less the pick's) overstates. Cross-fitted, the best is chosen on one half of the rows and both are
measured on the other, both ways, over many halvings.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

HALVINGS = 200


def raw_regret(scores: Mapping[str, Scores], pick: str) -> float:
    """The highest mean less the pick's; per-row scores of every entry, in one order of rows."""
    return max(float(one.mean()) for one in scores.values()) - float(scores[pick].mean())


def cross_fitted_regret(
    scores: Mapping[str, Scores], pick: str, *, seed: int, halvings: int = HALVINGS
) -> float:
    """Mean over halvings and both ways; may be negative, when the pick beats the chosen one.

    Raises:
        ValueError: fewer than two rows.
    """
    names = list(scores)
    table = np.stack([scores[name] for name in names])
    rows, mine = table.shape[1], names.index(pick)
    if rows < 2:
        raise ValueError("a halving needs two rows")
    draws = np.random.default_rng(seed)
    found = []
    for _ in range(halvings):
        order = draws.permutation(rows)
        halves = order[: rows // 2], order[rows // 2 :]
        for chosen_on, measured_on in (halves, halves[::-1]):
            best = int(np.argmax(table[:, chosen_on].mean(axis=1)))
            measured = table[:, measured_on].mean(axis=1)
            found.append(float(measured[best] - measured[mine]))
    return float(np.mean(found))


def mean_interval(values: Scores, *, seed: int, resamples: int = 2000) -> tuple[float, float]:
    """95 % percentile interval of a mean, tasks resampled."""
    draws = np.random.default_rng(seed)
    places = draws.integers(0, len(values), (resamples, len(values)))
    low, high = np.percentile(values[places].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
