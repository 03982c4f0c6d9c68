"""`similar`: the answer means about the same as the text, by cosine of sentence embeddings.

The embedding model is `local/minilm`. A threshold chosen for another model (promptfoo's default
asks OpenAI's) means something else here: look at the scores before you fix one.
"""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, Tools
from accordeur.measure.assertions.plain import as_text

THRESHOLD = 0.75


def check_many(asked: Sequence[tuple[Said, Asked]], tools: Tools) -> list[Finding]:
    """The score is the cosine with the nearest of the given texts, at least 0."""
    wanted = [_texts(one.value) for _, one in asked]
    texts = list(dict.fromkeys([said.text for said, _ in asked] + [t for w in wanted for t in w]))
    vectors = dict(zip(texts, tools.embed(texts), strict=True))
    found = []
    for (said, one), near in zip(asked, wanted, strict=True):
        least = THRESHOLD if one.threshold is None else one.threshold
        cosine = max(float(vectors[said.text] @ vectors[text]) for text in near)
        passed = cosine >= least
        reason = "" if passed else f"similarity {cosine:.2f}, {least:g} wanted"
        found.append(Finding(passed, min(1.0, max(0.0, cosine)), reason))
    return found


def _texts(value: object) -> list[str]:
    return [as_text(one) for one in value] if isinstance(value, list) else [as_text(value)]


SIMILAR = Kind(
    "cosine with the text is at least `threshold` (0.75)",
    "any",
    "optional",
    check_many=check_many,
    needs="embedder",
)
