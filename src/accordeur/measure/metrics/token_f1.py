"""Token F1 of SQuAD: overlap of the bags of normalised words, best over the accepted answers.

    F1 = 2 * common / (words of the answer + words of the reference)

Where either side has no word left after normalisation (the reference is `The`), the score is
whether both have none, as in the SQuAD v2.0 script; v1.1 gives 0 there even for equal texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from accordeur.core.answer import Answer
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics.row_rules import best_reference
from accordeur.measure.metrics.squad import normalise


def token_f1(text: str, reference: str) -> float:
    """F1 of the words of both texts after SQuAD's normalisation, in [0, 1]."""
    said, wanted = normalise(text).split(), normalise(reference).split()
    if not said or not wanted:
        return float(said == wanted)
    common = (Counter(said) & Counter(wanted)).total()
    return 2.0 * common / (len(said) + len(wanted))


class TokenF1:
    """Share of words in common with the nearest accepted answer."""

    name = "token-f1"
    title = "token F1"
    unit_interval = True
    rate = False
    kinds: frozenset[TaskKind] = frozenset({"text"})

    def row(self, answer: Answer, example: Example, task: TaskBrief) -> float:
        """In [0, 1]."""
        return best_reference(answer, example, token_f1, graded=True)

    def over(
        self, answers: Sequence[Answer], examples: Sequence[Example], task: TaskBrief
    ) -> SetStatistic | None:
        """The mean of rows."""
        return None
