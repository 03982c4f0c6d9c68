"""Which parts of a candidate are active while something else is asked of it.

For a candidate with trained parts these alone are: what is measured is what training did. Weights
are simply there, and the prompt is the base model's. A soft prompt stands where it was trained, at
the start of the first user turn, together with the words that stood before it; what is asked
follows as ordinary text. Demonstrations and calibration of its own task are left out.

A candidate without trained parts is measured with what it has: its instruction and demonstrations
stand before what is asked.
"""

from __future__ import annotations

from typing import Literal

from accordeur.core.candidate import Candidate
from accordeur.core.part import Slot
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.weights import LoraWeights

Off = Literal["base", "none", "prompt"]
"""How to switch an adaptation off: take the part away and the base model is left; not at all,
because the trained weights are a model of their own; by asking without the prompt."""

_TRAINED: tuple[Slot, ...] = ("soft_prompt", "weights")
_PROMPTED: tuple[Slot, ...] = ("prompt", "demonstrations")


def is_trained(candidate: Candidate) -> bool:
    """Whether gradient training made a part of it."""
    return any(slot in candidate.parts for slot in _TRAINED)


def base_subject(candidate: Candidate) -> Candidate:
    """The base model alone: nothing stands before what is asked."""
    return Candidate(candidate.task, candidate.base).with_part(Prompt(""))


def active_subject(candidate: Candidate) -> Candidate:
    """The candidate with the parts that are active off its task."""
    slots: tuple[Slot, ...] = _TRAINED if is_trained(candidate) else _PROMPTED
    subject = base_subject(candidate)
    if "soft_prompt" in candidate.parts:
        slots = ("prompt", *slots)
        if isinstance(candidate.parts.get("pattern"), Reason):
            slots = (*slots, "pattern")  # its words stood before what was trained
    if "prompt" in slots and "prompt" not in candidate.parts:
        subject = subject.with_part(Prompt(candidate.task.instruction))
    for slot in slots:
        if slot in candidate.parts:
            subject = subject.with_part(candidate.parts[slot])
    return subject


def switching_off(candidate: Candidate) -> Off:
    """How the base model is had back."""
    if not is_trained(candidate):
        return "prompt"
    weights = candidate.parts.get("weights")
    return "base" if weights is None or isinstance(weights, LoraWeights) else "none"
