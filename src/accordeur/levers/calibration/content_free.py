"""Content-free calibration.

Zhao, Wallace, Feng, Klein and Singh 2021, "Calibrate Before Use: Improving Few-Shot Performance of
Language Models": ask the same prompt about inputs that say nothing and divide by what it answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from accordeur.core.task import Example
from accordeur.parts.calibration import label_probabilities

CONTENT_FREE = ("N/A", "", "[MASK]")
"""The inputs of the paper."""


def content_free_rows(train: Sequence[Example] = ()) -> list[Example]:
    """The content-free inputs as rows that belong to no group of the data.

    Args:
        train: where its inputs are named fields, every field is filled, so that the task's own
            template can print them.
    """
    fields = {name: None for row in train if isinstance(row.input, Mapping) for name in row.input}
    return [
        Example(
            id=f"content-free-{i}",
            input=dict.fromkeys(fields, text) if fields else text,
            expected=None,
            group=f"content-free-{i}",
        )
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
