"""`latency`: the answer took at most so many milliseconds.

Time is that of the run that computed the answer: a cached answer carries it. On an endpoint it is
that of the call with its waiting and asking again; on this machine the answer's share of its batch.
"""

from __future__ import annotations

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, unjudged


def check(said: Said, asked: Asked) -> Finding:
    """Milliseconds, as promptfoo counts."""
    if said.seconds is None or asked.threshold is None:
        return unjudged("the time of this answer is not known")
    took = 1000 * said.seconds
    return decided(took <= asked.threshold, f"{took:,.0f} ms, at most {asked.threshold:g} allowed")


LATENCY = Kind("took at most `threshold` milliseconds", "none", "required", check=check)
