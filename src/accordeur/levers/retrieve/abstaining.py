"""When an answer is better withheld: learned on train rows, chosen on dev."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext
from accordeur.core.task import Example
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.abstention import (
    held_out_probabilities,
    learn_confidence,
    thresholds,
    told_signals,
)

THRESHOLDS = 3
"""That are tried at most."""

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
) -> Iterator[Retrieval]:
    """The part with an estimate that answers are right, and thresholds worth trying.

    The train rows are answered; nothing is learned, and nothing tried, where all of the answers are
    right or none is. With the estimate alone the part is scored as a control, so that the report
    can show what answering more or less often would cost.

    Args:
        candidate: what retrieval is put on.
        part: the best so far.
        train: rows to learn from, some of them without an answer.
        most: thresholds that may be tried.
    """
    rows = [row for row in train if row.expected is not None]
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
        candidate.with_part(part), f"{configuration_name(part)}, {ALWAYS}", control=True
    )
    unseen = held_out_probabilities(signals, right)
    unanswerable = [rows[at].expected == () for at in kept]
    for threshold in thresholds(unseen, right, unanswerable)[:most]:
        yield replace(part, threshold=threshold)
