"""`perplexity`: how surprised the model was by its own answer, exp(-mean log-probability).

Where the model tells no log-probabilities it could not be judged. `perplexity-score` is promptfoo's
1 / (1 + perplexity).
"""

from __future__ import annotations

import math

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, unjudged

_UNKNOWN = "the model tells no log-probabilities"


def check(said: Said, asked: Asked) -> Finding:
    """At most the threshold; without one it only asks for log-probabilities."""
    if said.logprob is None:
        return unjudged(_UNKNOWN)
    found = math.exp(min(-said.logprob, 700.0))
    most = asked.threshold
    return decided(most is None or found <= most, f"perplexity {found:.2f}, at most {most} allowed")


def check_score(said: Said, asked: Asked) -> Finding:
    """At least the threshold; the score is the number itself."""
    if said.logprob is None:
        return unjudged(_UNKNOWN)
    score = 1 / (1 + math.exp(min(-said.logprob, 700.0)))
    least = asked.threshold
    passed = least is None or score >= least
    return Finding(passed, score, "" if passed else f"{score:.2f}, {least} wanted")


PERPLEXITY = Kind("perplexity is at most `threshold`", "none", "optional", check=check)
PERPLEXITY_SCORE = Kind("1/(1 + perplexity) is at least it", "none", "optional", check=check_score)
