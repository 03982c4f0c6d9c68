"""Asks the base model and the adapted one the same things off the task.

Every passage is scored as the answer to one neutral user turn, and every row of the other task as a
user turn that begins with that task's instruction. The requests are the same for both; the adapted
model sees them behind whatever `subject` says is active. Calls go through the answer cache, so the
base model is asked once for all entries of a run and for all runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.model import Batch, Capability, ModelSource, Scored
from accordeur.core.rendering import Request
from accordeur.core.task import Turn
from accordeur.measure.forgetting.findings import (
    RESAMPLES,
    Forgetting,
    NotANumber,
    SwitchedOff,
    general_text,
    other_task,
)
from accordeur.measure.forgetting.materials import Materials, OtherTask, Passage
from accordeur.measure.forgetting.subject import active_subject, base_subject, switching_off
from accordeur.parts.answering.prompted_model import PromptedModel

ASKED = "Please write a short text about anything you like."
"""The user turn that every passage answers."""

GROUP = 5
"""Passages scored in one call: they share the prompt, and few enough that the attention among
them, which grows with the square, stays small."""

BeforeCall = Callable[[int, int], None]
"""Called before each call with the number of calls done and of calls in all; may raise to stop."""


def check_forgetting(
    candidate: Candidate,
    source: ModelSource,
    materials: Materials,
    *,
    cache: AnswerCache | None = None,
    seed: int,
    before_call: BeforeCall | None = None,
) -> Forgetting:
    """Measure what a candidate forgot, active and switched off.

    Args:
        candidate: with a base model.
        source: gives models by name.
        materials: what is asked.
        cache: where calls are looked up first.
        seed: of the resamples.
        before_call: told how far it is.

    Raises:
        ModelError: the model gives no log-probabilities or none that are numbers, or it cannot be
            adapted, or what is asked does not fit its context.
    """
    if candidate.base is None:
        raise ValueError("a candidate without a base model has nothing to forget")
    model = source.model(candidate.base)
    if Capability.SCORE not in model.capabilities:
        raise ModelError(
            f"`{candidate.base}` gives no log-probabilities, so what it forgot cannot be measured.",
            hint="use a local model",
        )
    base = PromptedModel(base_subject(candidate), source, model, cache, 0)
    groups = [
        materials.passages[start : start + GROUP]
        for start in range(0, len(materials.passages), GROUP)
    ]
    off = switching_off(candidate)
    calls = 2 * len(groups) + 2 * (materials.other is not None) + (off == "base")
    done = 0

    def told() -> None:
        nonlocal done
        if before_call is not None:
            before_call(done, calls)
        done += 1

    def passages(asked: PromptedModel) -> list[float]:
        found: list[float] = []
        for group in groups:
            told()
            found += _passages(asked, group)
        return found

    def rows(asked: PromptedModel, other: OtherTask) -> list[int]:
        told()
        return _rows(asked, other)

    other = materials.other
    base_text = passages(base)
    base_rows = rows(base, other) if other is not None else []
    active = PromptedModel(active_subject(candidate), source, model, cache, 0)
    active_text = passages(active)
    active_rows = rows(active, other) if other is not None else []
    switched = SwitchedOff(off)
    if off == "base":
        told()
        switched = _ask_again(candidate, source, groups[0], base_text)
    tokens = [model.count_tokens(one.text) + 1 for one in materials.passages]
    details: dict[str, Any] = {
        "passages": [
            {"id": one.id, "tokens": count, "base": before, "active": after}
            for one, count, before, after in zip(
                materials.passages, tokens, base_text, active_text, strict=True
            )
        ]
    }
    found = None
    try:
        general = general_text(base_text, active_text, tokens, seed=seed)
        if other is not None:
            names = [label.name for label in other.labels]
            gold = [names.index(row.label) for row in other.rows]
            found = other_task(other.name, gold, base_rows, active_rows, seed=seed)
            details["rows"] = [
                {"id": row.id, "expected": row.label, "base": names[b], "active": names[a]}
                for row, b, a in zip(other.rows, base_rows, active_rows, strict=True)
            ]
    except NotANumber as error:
        raise _unmeasurable(str(error)) from error
    return Forgetting(general, found, switched, seed, RESAMPLES, details)


def _passages(asked: PromptedModel, group: Sequence[Passage]) -> list[float]:
    """Log-probability of each passage, nats, end of turn included."""
    [scores] = _score(asked, [_user(ASKED)], [one.text for one in group])
    return list(scores)


def _rows(asked: PromptedModel, other: OtherTask) -> list[int]:
    """Number of the label with the highest score, per row; the first on a tie."""
    requests = [_user(f"{other.instruction}\n\n{row.text}") for row in other.rows]
    scores = _score(asked, requests, [label.text for label in other.labels])
    return [one.index(max(one)) for one in scores]


def _ask_again(
    candidate: Candidate, source: ModelSource, group: Sequence[Passage], before: Sequence[float]
) -> SwitchedOff:
    """The base model after the adapted one was built and asked: computed anew, nothing cached."""
    assert candidate.base is not None
    model = source.model(candidate.base)
    model.forget()
    again = _passages(PromptedModel(base_subject(candidate), source, model, None, 0), group)
    gaps = [abs(one - first) for one, first in zip(again, before, strict=False)]
    return SwitchedOff("base", max(gaps) == 0.0, len(gaps), max(gaps))


def _user(text: str) -> Request:
    """A turn of its own: no row template is filled with it."""
    return Request((Turn("user", text),))


def _score(
    asked: PromptedModel, requests: Sequence[Request], continuations: Sequence[str]
) -> list[tuple[float, ...]]:
    found: dict[int, tuple[float, ...]] = {}
    for batch in asked.score(requests, continuations, checked=_finite):
        for index, (scored, _) in zip(batch.indices, batch.results, strict=True):
            found[index] = scored.scores
    return [found[index] for index in range(len(requests))]


def _finite(batches: Iterator[Batch[Scored]]) -> Iterator[Batch[Scored]]:
    """The batches, or an error before one that holds no numbers reaches the cache."""
    for batch in batches:
        if lost := next((one.error for one in batch.results if one.error), ""):
            raise ModelError(f"What was forgotten cannot be measured: {lost}")
        if not all(math.isfinite(score) for one in batch.results for score in one.scores):
            raise _unmeasurable("its log-probabilities are not finite")
        yield batch


def _unmeasurable(why: str) -> ModelError:
    return ModelError(
        f"What was forgotten cannot be measured: {why}.",
        hint="train with a lower learning rate",
    )
