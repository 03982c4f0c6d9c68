"""From findings to pass, fail or unjudged; and from repeats of a question to one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from accordeur.bench.matrix.matrix import Case
from accordeur.measure.assertions.assertion import Finding


class Outcome(StrEnum):
    """What became of a cell or a row. An error or an unknown is never a failure."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Score:
    """An answer's verdict.

    Attributes:
        score: mean of the findings' scores, by weight.
        reason: of the first failure.
    """

    outcome: Outcome
    score: float
    reason: str = ""


def scored(case: Case, found: Sequence[Finding]) -> Score:
    """The verdict on an answer (promptfoo's rules).

    Without a threshold every assertion must pass; with one the weighted mean of scores must reach
    it. Assertions of weight 0 only look. What could not be judged leaves the verdict open, unless
    it could not change it.
    """
    if not case.checks:
        return Score(Outcome.PASS, 1.0, "")
    pairs = [(check, one) for check, one in zip(case.checks, found, strict=True) if check.weight]
    total = sum(check.weight for check, _ in pairs)
    known = sum(check.weight * one.score for check, one in pairs if one.passed is not None)
    open_ = sum(check.weight for check, one in pairs if one.passed is None)
    score = known / total if total else 0.0
    failed = next((one.reason or "failed" for _, one in pairs if one.passed is False), "")
    unknown = next((one.reason for _, one in pairs if one.passed is None), "")
    if case.threshold is None:
        if failed:
            return Score(Outcome.FAIL, score, failed)
        return Score(Outcome.UNJUDGED if open_ else Outcome.PASS, score, unknown)
    if score >= case.threshold:
        return Score(Outcome.PASS, score)
    if open_ and (known + open_) / total >= case.threshold:
        return Score(Outcome.UNJUDGED, score, unknown)
    reason = f"score {score:.2f} is below {case.threshold:g}"
    return Score(Outcome.FAIL, score, f"{reason}: {failed}" if failed else reason)


@dataclass(frozen=True, slots=True)
class Folded:
    """The repeats of one question as one row.

    Attributes:
        outcome: pass when more than half of the judged repeats pass.
        judged, passed: repeats.
        agreement: share of the judged repeats on the side of most of them; `None` without any.
    """

    outcome: Outcome
    judged: int
    passed: int
    agreement: float | None


def fold(outcomes: Sequence[Outcome]) -> Folded:
    """Repeats as one row; a tie fails. Without a judged one the row is an error, if any is."""
    passed = sum(one is Outcome.PASS for one in outcomes)
    judged = passed + sum(one is Outcome.FAIL for one in outcomes)
    if not judged:
        error = Outcome.ERROR in outcomes
        return Folded(Outcome.ERROR if error else Outcome.UNJUDGED, 0, 0, None)
    outcome = Outcome.PASS if 2 * passed > judged else Outcome.FAIL
    return Folded(outcome, judged, passed, max(passed, judged - passed) / judged)
