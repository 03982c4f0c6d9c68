"""When an answer is better withheld: learned on train rows, chosen on dev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext
from accordeur.core.task import Example
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.abstention import (
    held_out_probabilities,
    learn_confidence,
    thresholds,
    thresholds_above,
    told_signals,
)

THRESHOLDS = 3
"""That are tried at most."""

AGAIN = 200
"""Train rows that are answered once more, when weights were trained on them."""

ALWAYS = "always answers"
"""Name of the control: every answer with its estimate, none withheld."""


def configuration_name(part: Retrieval) -> str:
    """A row of the dev ledger, such as `k=3 fusion 0.5, quoted, silent under 0.41`."""
    silent = "" if part.threshold is None else f", silent under {part.threshold:.4g}"
    quoted = ", quoted" if part.quote else ""
    return f"k={part.k} {part.how}{quoted}{silent}"


def withholding(
    candidate: Candidate,
    part: Retrieval,
    train: Sequence[Example],
    context: FitContext,
    most: int,
    *,
    imitated: bool = False,
    named: str = "",
) -> Iterator[tuple[Retrieval, str]]:
    """The part with an estimate that answers are right, and thresholds worth trying.

    The train rows are answered; nothing is learned, and nothing tried, where all of the answers are
    right or none is. With the estimate alone the part is scored as a control, so that the report
    can show what answering more or less often would cost.

    Args:
        candidate: what retrieval is put on.
        part: the best so far.
        train: rows to learn from, some of them without an answer.
        most: thresholds that may be tried.
        imitated: weights were trained on these rows. Their answers look surer than others will, so
            thresholds come from the rows without an answer, which nothing imitates: as high as the
            answers to half of them, to four fifths, to all.
        named: stands behind the names of configurations.

    Yields:
        Parts with a threshold, each with the name of its configuration.
    """
    rows = [row for row in train if row.expected is not None]
    if imitated:
        rows = rows[:AGAIN]
    answers = context.answer(candidate.with_part(part), rows)
    scores = context.grade(rows, answers)
    kept = [at for at, score in enumerate(scores) if score is not None]
    signals = [told_signals(answers[at]) for at in kept]
    # The score of an answer that was given: wrong wherever there is none to give.
    right = [scores[at] or 0.0 for at in kept]
    confidence = learn_confidence(signals, right)
    if confidence is None:
        context.log("nothing can be learned about which answers are right: all are, or none")
        return
    part = replace(part, confidence=confidence)
    context.note("confidence", confidence.to_json())
    context.evaluate(
        candidate.with_part(part), f"{configuration_name(part)}, {ALWAYS}{named}", control=True
    )
    unanswerable = [rows[at].expected == () for at in kept]
    if imitated:
        sure = confidence.probabilities(signals)
        wanted = thresholds_above(sure[np.asarray(unanswerable)])
    else:
        wanted = thresholds(held_out_probabilities(signals, right), right, unanswerable)
    for threshold in wanted[:most]:
        silent = replace(part, threshold=threshold)
        yield silent, f"{configuration_name(silent)}{named}"
