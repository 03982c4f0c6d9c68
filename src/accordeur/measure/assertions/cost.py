"""`cost`: the answer's tokens cost at most so much, in the currency of the table of prices.

Without a price (`accordeur models prices`) it is unknown, and the assertion could not be judged.
"""

from __future__ import annotations

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, unjudged


def check(said: Said, asked: Asked) -> Finding:
    """What local models cost is not reckoned in tokens, so it is unknown, too."""
    if said.money is None or asked.threshold is None:
        return unjudged("the price of this model's tokens is not known")
    return decided(
        said.money <= asked.threshold, f"cost {said.money:.3g}, at most {asked.threshold:g} allowed"
    )


COST = Kind("cost at most `threshold`", "none", "required", check=check)
