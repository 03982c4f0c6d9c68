"""What floors read from train rows: label codes, and texts with an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accordeur.core.errors import TaskError
from accordeur.core.task import Example, TaskBrief


@dataclass(frozen=True, eq=False, slots=True)
class LabelledRows:
    """Train rows of a label task.

    Attributes:
        labels: all names, in task order.
        learned: those that occur, in the same order.
        texts: inputs.
        codes: position in `learned` of each row's label, [n].
        groups: of each row.
    """

    labels: tuple[str, ...]
    learned: tuple[str, ...]
    texts: tuple[str, ...]
    codes: npt.NDArray[np.intp]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, train: Sequence[Example], task: TaskBrief) -> LabelledRows:
        """Rows that have a label; others are left out.

        Raises:
            TaskError: no row has one, or a row has a label the task does not know.
        """
        rows = [row for row in train if row.expected]
        if not rows:
            raise TaskError(
                f"No train row of `{task.name}` has a label.",
                hint="name the column of the answers in task.yaml, or label some rows",
            )
        labels = tuple(label.name for label in task.labels)
        present = {row.label for row in rows}
        unknown = sorted(present - set(labels))
        if unknown:
            raise TaskError(
                f"Train holds the label `{unknown[0]}`, which `{task.name}` does not name.",
                hint="add it to `labels` in task.yaml",
            )
        learned = tuple(label for label in labels if label in present)
        place = {label: code for code, label in enumerate(learned)}
        return cls(
            labels,
            learned,
            tuple(row.text for row in rows),
            np.array([place[row.label] for row in rows], dtype=np.intp),
            tuple(row.group for row in rows),
        )
