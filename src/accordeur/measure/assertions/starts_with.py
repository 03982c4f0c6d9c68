"""`starts-with`: the answer begins with this text."""

from __future__ import annotations

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, shown
from accordeur.measure.assertions.plain import as_text


def check(said: Said, asked: Asked) -> Finding:
    """Case and white space count."""
    wanted = as_text(asked.value)
    return decided(said.text.startswith(wanted), f"it does not start with `{shown(wanted)}`")


STARTS_WITH = Kind("the answer begins with the text", "text", check=check)
