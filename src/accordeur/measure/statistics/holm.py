"""Several tests at once: one family, one chance of a false alarm."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjusted p-values, in the order given.

    With the m p-values sorted upwards, the i-th (from 1) becomes
    max over j ≤ i of min(1, (m - j + 1) · p_j). Rejecting where the adjusted value is at most alpha
    keeps the chance of any false rejection at alpha, whatever the dependence.

    Args:
        p_values: p-values of one family, ``[m]``; an empty family gives an empty array.

    Raises:
        ValueError: the array is not one-dimensional or a value is not between 0 and 1.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6
    (1979).
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError(f"`p_values` must be one-dimensional, got shape {p.shape}")
    if not ((p >= 0) & (p <= 1)).all():  # also refuses NaN
        raise ValueError("every p-value must lie between 0 and 1")
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p[order]))
    return adjusted
