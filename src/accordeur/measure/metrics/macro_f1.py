"""Macro-F1: the mean over labels of each label's F1, for sets of rows.

    F1_j = 2 * hits_j / (gold_j + chosen_j);  macro-F1 = mean of F1_j over labels with gold_j > 0

The labels averaged over are those present in the gold of *the rows asked about* (DESIGN P6), so a
resample that lost a rare label averages over fewer. Equal to scikit-learn's `f1_score` with
`labels=` the gold labels present and `zero_division=0`; its default also counts labels that were
only ever chosen, which punishes a wrong choice twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from accordeur.core.answer import Answer, Status
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import settled


class MacroF1:
    """Mean F1 over the labels present in gold; a row's own score is whether it is right."""

    name = "macro-f1"
    title = "macro-F1"
    unit_interval = True
    rate = False
    kinds: frozenset[TaskKind] = frozenset({"labels"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """1.0 for the right label, else 0.0; the mean of these is accuracy, not macro-F1."""
        score = settled(answer, example, graded=False)
        return score if score is not None else float(answer.label == example.label)

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """Macro-F1 over the rows of an index array; a failed row counts as no label chosen.

        Raises:
            ValueError: by the returned function, for zero rows.
        """
        names = {example.label for example in examples}
        code = {name: number for number, name in enumerate(sorted(names))}
        size = len(code)
        gold = np.array([code[example.label] for example in examples], dtype=np.intp)
        # `size` stands for "no label, or one that is nowhere in gold": it can never be a hit.
        chosen = np.array(
            [
                code.get(answer.label or "", size) if answer.status is Status.OK else size
                for answer in answers
            ],
            dtype=np.intp,
        )
        if gold.shape != chosen.shape:
            raise ValueError(f"{len(answers)} answers for {len(examples)} examples")

        def statistic(rows: npt.NDArray[np.intp]) -> float:
            if len(rows) == 0:
                raise ValueError("macro-F1 of zero rows is not a number")
            expected, answered = gold[rows], chosen[rows]
            counts = np.bincount(expected, minlength=size)
            picks = np.bincount(answered, minlength=size + 1)[:size]
            hits = np.bincount(expected[expected == answered], minlength=size)
            present = counts > 0
            return float(np.mean(2.0 * hits[present] / (counts[present] + picks[present])))

        return statistic
