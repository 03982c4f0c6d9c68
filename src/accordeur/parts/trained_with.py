"""The prompt a trained part was made with, and whether it is still the one in use."""

from __future__ import annotations

from accordeur.core.candidate import Candidate
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.soft_prompt import KeyValuePrefix, SoftPrompt, SoftPromptEnsemble
from accordeur.parts.weights import FullWeights, LoraWeights

_TRAINED = SoftPrompt | SoftPromptEnsemble | KeyValuePrefix | LoraWeights | FullWeights


def prompt_fingerprint(candidate: Candidate) -> str:
    """Of instruction, template, system message, demonstrations, and words that ask for reasoning or
    tell of passages."""
    prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
    files = dict(prompt.files())
    if "demonstrations" in candidate.parts:
        files.update(candidate.parts["demonstrations"].files())
    retrieval = candidate.part(Retrieval)
    if retrieval is not None:
        files["retrieval"] = retrieval.words.encode()
    pattern = candidate.parts.get("pattern")
    if isinstance(pattern, Reason):  # a conversation begins as if it were none
        files["pattern"] = pattern.words.encode()
    return digest({name: digest_bytes(data) for name, data in files.items()})


def another_prompt(candidate: Candidate) -> str:
    """A sentence when a trained part meets another prompt than it was trained with; else empty."""
    now = prompt_fingerprint(candidate)
    trained = [part for part in candidate.parts.values() if isinstance(part, _TRAINED)]
    odd = [part.describe() for part in trained if part.prompt != now]
    if not odd:
        return ""
    return f"{' and '.join(odd)}: trained with another prompt than the one it now stands with"
