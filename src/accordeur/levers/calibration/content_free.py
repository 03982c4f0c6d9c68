"""Content-free calibration.

Zhao, Wallace, Feng, Klein and Singh 2021, "Calibrate Before Use: Improving Few-Shot Performance of
Language Models": ask the same prompt about inputs that say nothing and divide by what it answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from accordeur.core.task import Example
from accordeur.parts.calibration import label_probabilities

CONTENT_FREE = ("N/A", "", "[MASK]")
"""The inputs of the paper."""


def content_free_rows() -> list[Example]:
    """The content-free inputs as rows that belong to no group of the data."""
    return [
        Example(id=f"content-free-{i}", input=text, expected=None, group=f"content-free-{i}")
        for i, text in enumerate(CONTENT_FREE)
    ]


def content_free_bias(scores: Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
    """b_j = -log mean_c p_j(c), float64 [labels].

    Args:
        scores: s_j(c) per content-free input, nats [inputs, labels].
    """
    mean = np.mean([label_probabilities(row) for row in scores], axis=0)
    # A label the prompt never expects at all underflows to 0; its bias stays finite.
    return np.asarray(-np.log(np.maximum(mean, 1e-30)), dtype=np.float64)
