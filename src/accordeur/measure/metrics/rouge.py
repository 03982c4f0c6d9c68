"""ROUGE-1, ROUGE-2 and ROUGE-L, F1 with stemming (Lin 2004), by Google's `rouge-score`.

ROUGE-L is the sentence-level one: longest common subsequence over the whole text, line breaks
ignored. With several accepted answers the highest F1 counts. The tokenizer of `rouge-score` keeps
only `a-z0-9`, so texts in other scripts score 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import best_reference


@cache
def _scorer(variant: str) -> Any:
    """One scorer per variant; made late because its stemmer takes a second to import."""
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer([variant], use_stemmer=True)


def rouge_f1(variant: str, text: str, reference: str) -> float:
    """F1 of one text against one reference.

    Args:
        variant: as `rouge-score` spells it: `rouge1`, `rouge2` or `rougeL`.
        text: the answer.
        reference: an accepted answer.
    """
    return float(_scorer(variant).score(reference, text)[variant].fmeasure)


class Rouge:
    """One variant of ROUGE.

    Args:
        name: of the metric.
        title: for tables.
        variant: as `rouge-score` spells it.
    """

    unit_interval = True
    rate = False
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def __init__(self, name: str, title: str, variant: str) -> None:
        self.name = name
        self.title = title
        self._variant = variant

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """In [0, 1]."""
        return best_reference(
            answer,
            example,
            lambda text, reference: rouge_f1(self._variant, text, reference),
            graded=True,
        )

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None


ROUGE_L = Rouge("rouge-l", "ROUGE-L", "rougeL")
ROUGE_1 = Rouge("rouge-1", "ROUGE-1", "rouge1")
ROUGE_2 = Rouge("rouge-2", "ROUGE-2", "rouge2")
