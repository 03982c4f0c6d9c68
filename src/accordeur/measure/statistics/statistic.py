"""What is recomputed on every resample: a number made from the outcomes of some rows."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Statistic: TypeAlias = Callable[[NDArray[Any]], float]
"""From the outcomes of some rows, ``values[rows]``, to one finite number.

The outcomes are an array whose first axis is the rows; the statistic says what else is in it. For
macro-F1 pass an ``[n, 2]`` array of (gold, predicted) codes. A statistic that would rather have row
indices gets them when ``np.arange(n)`` is passed as the values. The order of the rows must not
matter, and a row may come several times.
"""


def mean(values: NDArray[Any]) -> float:
    """The mean of per-row scores, ``values`` ``[n]``.

    The default statistic. The functions of this package recognise it and replace the loop over
    resamples by one matrix product; any other statistic is called once per resample.
    """
    return float(np.mean(values))


def apply(statistic: Statistic, values: NDArray[Any]) -> float:
    """``statistic(values)``, refusing an answer that is not a finite number.

    One undefined resample would make a quantile or a mean silently NaN, or, if dropped, shift it.

    Raises:
        ValueError: the statistic is NaN or infinite.
    """
    number = float(statistic(values))
    if not np.isfinite(number):
        raise ValueError(
            f"the statistic is {number} on a resample of {len(values)} rows\n\n"
            "hint: let it return a finite number for every non-empty selection of rows"
        )
    return number
