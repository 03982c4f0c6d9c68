"""`rouge-n`: ROUGE-1 F1 against the text is at least the threshold.

The ruler's own ROUGE (`measure.metrics.rouge`): words of `a-z0-9`, stemmed. promptfoo counts
unstemmed tokens, punctuation among them, so scores near the threshold may fall otherwise.
"""

from __future__ import annotations

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said
from accordeur.measure.assertions.plain import as_text
from accordeur.measure.metrics.rouge import rouge_f1

THRESHOLD = 0.75


def check(said: Said, asked: Asked) -> Finding:
    """The score is the F1."""
    least = THRESHOLD if asked.threshold is None else asked.threshold
    score = rouge_f1("rouge1", said.text, as_text(asked.value))
    passed = score >= least
    return Finding(passed, score, "" if passed else f"ROUGE-1 {score:.2f}, {least:g} wanted")


ROUGE_N = Kind("ROUGE-1 F1 is at least `threshold` (0.75)", "text", "optional", check=check)
