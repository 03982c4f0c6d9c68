"""The prompt a trained part was made with, and whether it is still the one in use."""

from __future__ import annotations

from accordeur.core.candidate import Candidate
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.part import Slot
from accordeur.parts.prompt import Prompt
from accordeur.parts.soft_prompt import KeyValuePrefix, SoftPrompt, SoftPromptEnsemble
from accordeur.parts.weights import FullWeights, LoraWeights

_BESIDE: tuple[Slot, ...] = ("demonstrations", "pattern")

_TRAINED = SoftPrompt | SoftPromptEnsemble | KeyValuePrefix | LoraWeights | FullWeights


def prompt_fingerprint(candidate: Candidate) -> str:
    """Of instruction, template, system message, demonstrations and pattern."""
    prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
    files = dict(prompt.files())
    for slot in _BESIDE:
        if slot in candidate.parts:
            files.update(candidate.parts[slot].files())
    return digest({name: digest_bytes(data) for name, data in files.items()})


def another_prompt(candidate: Candidate) -> str:
    """A sentence when a trained part meets another prompt than it was trained with; else empty."""
    now = prompt_fingerprint(candidate)
    trained = [part for part in candidate.parts.values() if isinstance(part, _TRAINED)]
    odd = [part.describe() for part in trained if part.prompt != now]
    if not odd:
        return ""
    return f"{' and '.join(odd)}: trained with another prompt than the one it now stands with"
