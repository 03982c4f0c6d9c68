"""Choosing one of given labels where an endpoint tells no log-probabilities of them.

*Top*: it tells the most probable first tokens of its answer. A label whose first token is not among
them is unknown, not impossible; but it is less probable than all that are, so the best known label
is the best of all. That needs labels that begin differently, and gives no probabilities to work
with: most labels have none.

*Schema*: the answer is held to a JSON schema with the labels as its only values, or to vLLM's list
of choices.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accordeur.models.openai_api.wire import Reply

MOST_TOP = 20
"""Tokens that vendors tell of a place at most."""

FORMATS = ("json_schema", "structured_outputs", "guided_choice")
"""Ways to hold an answer to choices: OpenAI's, vLLM's, vLLM's before version 0.11."""

JSON_TOKENS = 24
"""Tokens around a label in a JSON object."""

_KEY = "answer"
_FIRST = re.compile(r"\w+|\S")


def told_apart(labels: Sequence[str]) -> bool:
    """Whether the first words of labels tell them apart: none begins with another."""
    firsts = [_first(label) for label in labels]
    return all(
        one and not any(one.startswith(other) for other in firsts[:at] + firsts[at + 1 :])
        for at, one in enumerate(firsts)
    )


def top_choice(first: Iterable[tuple[str, float]], labels: Sequence[str]) -> str:
    """The most probable label by the first tokens of an answer; empty where none is known.

    A token counts for the one label that it begins, or that it begins with.
    """
    known: dict[str, float] = {}
    folded = {label: label.strip().casefold() for label in labels}
    for token, logprob in first:
        begun = token.strip().casefold()
        meant = [
            label
            for label, text in folded.items()
            if begun and (text.startswith(begun) or _first(begun) == text)
        ]
        if len(meant) == 1:
            known[meant[0]] = _log_add(known.get(meant[0], -math.inf), logprob)
    return max(known, key=lambda label: known[label], default="")


def held_to(labels: Sequence[str], how: str) -> dict[str, Any]:
    """Fields of a request whose answer is held to labels.

    Args:
        how: of `FORMATS`.
    """
    if how == "guided_choice":
        return {"guided_choice": list(labels)}
    if how == "structured_outputs":
        return {"structured_outputs": {"choice": list(labels)}}
    schema = {
        "type": "object",
        "properties": {_KEY: {"type": "string", "enum": list(labels)}},
        "required": [_KEY],
        "additionalProperties": False,
    }
    told = {"name": "label", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": told}}


def chosen(text: str, how: str) -> str:
    """The label in an answer that was held to labels; the text itself where there is none."""
    if how != "json_schema":
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    said = found.get(_KEY) if isinstance(found, Mapping) else None
    return said if isinstance(said, str) else text


def is_held(reply: Reply, labels: Sequence[str], how: str) -> bool:
    """Whether an answer is one of the labels."""
    return chosen(reply.text, how).strip() in labels


def _first(text: str) -> str:
    found = _FIRST.search(text.casefold().replace("_", " "))
    return found[0] if found else ""


def _log_add(one: float, other: float) -> float:
    high, low = max(one, other), min(one, other)
    return high + math.log1p(math.exp(low - high)) if high > -math.inf else high
