"""`equals`: the whole answer is this text; mappings and lists are compared with it as JSON."""

from __future__ import annotations

import json

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, shown
from accordeur.measure.assertions.plain import as_text


def check(said: Said, asked: Asked) -> Finding:
    """Nothing is stripped or folded: a line end at the end of the answer is a difference."""
    wanted = asked.value
    if isinstance(wanted, dict | list):
        try:
            same = _typed(json.loads(said.text)) == _typed(wanted)
        except (ValueError, RecursionError):
            same = False
    else:
        same = said.text == as_text(wanted)
    return decided(same, f"expected `{shown(wanted)}`")


def _typed(value: object) -> object:
    """JSON knows true from 1, and Python's `==` does not."""
    if isinstance(value, dict):
        return {str(key): _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return (isinstance(value, bool), value)


EQUALS = Kind("the whole answer is this text", "any", check=check)
