"""Requests and answers about tokens, as plain data: `/tokenize` and `/completions` with `echo`.

As vLLM speaks them (its *OpenAI-Compatible Server*, Tokenizer API and Completions API), and
`accordeur serve`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.models.openai_api.failures import Failure, Kind
from accordeur.models.openai_api.wire import Content, answer_object, told_tokens

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Echo:
    """Log-probabilities of sequences that were read.

    Attributes:
        logprobs: per sequence, nats per token; `None` for a token that nothing predicts.
        input_tokens, output_tokens: `None` where they were not told.
        fingerprint: of the system that answered; empty where it has none.
    """

    logprobs: tuple[tuple[float | None, ...], ...]
    input_tokens: int | None = None
    output_tokens: int | None = None
    fingerprint: str = ""


def conversation_body(
    model: str, turns: Sequence[Mapping[str, Content]], *, answered: bool = False
) -> dict[str, Any]:
    """Asks for the tokens of a conversation.

    Args:
        answered: the last message is the answer; else the answer is about to begin.
    """
    return {"model": model, "messages": list(turns), "add_generation_prompt": not answered}


def text_body(model: str, text: str) -> dict[str, Any]:
    """Asks for the tokens of a text."""
    return {"model": model, "prompt": text, "add_special_tokens": False}


@dataclass(frozen=True, slots=True)
class Tokenized:
    """Tokens of a conversation.

    Attributes:
        tokens: all of them.
        shared: how many first ones other conversations begin with, too; only our own server says.
    """

    tokens: Tokens
    shared: int = 0


def read_tokens(text: str) -> Tokenized:
    """The tokens in a response's body.

    Raises:
        Failure: there are none.
    """
    data = answer_object(text)
    found = data.get("tokens")
    if not isinstance(found, list) or not all(type(one) is int and one >= 0 for one in found):
        raise Failure(Kind.MALFORMED, "the answer holds no tokens")
    shared = data.get("shared")
    if not isinstance(shared, int) or not 0 <= shared < len(found):
        shared = 0
    return Tokenized(tuple(found), shared)


def echo_body(
    model: str, sequences: Sequence[Tokens], new_tokens: int, shared: int = 0
) -> dict[str, Any]:
    """Asks for the log-probabilities of sequences.

    Args:
        shared: first tokens that other calls begin with, too; for our own server, which keeps them.
        new_tokens: 0, or 1 where a server refuses to write nothing.
    """
    known = {"shared_tokens": shared} if shared else {}
    return {
        **known,
        "model": model,
        "prompt": [list(one) for one in sequences],
        "echo": True,
        "logprobs": 1,
        "max_tokens": new_tokens,
        "temperature": 0,
    }


def read_echo(text: str, sequences: Sequence[Tokens]) -> Echo:
    """Log-probabilities of these sequences in a response's body.

    Raises:
        Failure: there are none, or not of every token.
    """
    data = answer_object(text)
    found: dict[int, tuple[float | None, ...]] = {}
    try:
        for place, choice in enumerate(data["choices"]):
            at = choice.get("index", place)
            told = choice["logprobs"]["token_logprobs"][: len(sequences[at])]
            if len(told) == len(sequences[at]):
                found[at] = tuple(None if one is None else _logprob(one) for one in told)
        whole = tuple(found[at] for at in range(len(sequences)))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        raise Failure(
            Kind.MALFORMED, "the answer holds no log-probabilities of what was read"
        ) from None
    return Echo(whole, *told_tokens(data), str(data.get("system_fingerprint") or ""))


def _logprob(told: Any) -> float:
    """A log-probability.

    Raises:
        ValueError, TypeError: it is none.
    """
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise TypeError(told)
    value = float(told)
    if not math.isfinite(value) or value > 1e-3:  # rounding may lift one a little above zero
        raise ValueError(told)
    return value
