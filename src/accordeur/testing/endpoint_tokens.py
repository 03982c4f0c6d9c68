"""Tokens and log-probabilities for a scripted endpoint: a template and a tokenizer of its own.

A token is a byte of the text, or one of the marks that a message begins and ends with. So any
sequence can be read back into the conversation it came from, and the script be asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Messages = Sequence[Mapping[str, str]]

Score = Callable[[Messages, str], float]
"""Log-probability of an answer to these messages, end of turn included, nats."""

ROLES = ("system", "user", "assistant")
END = 256 + len(ROLES)
NEWLINE = 10
ELSEWHERE = -1.5
"""Log-probability of every token that belongs to no answer."""


def conversation(messages: Messages, *, answered: bool, newline: bool = True) -> list[int]:
    """Tokens of messages, and of the beginning of an answer unless the last one is it.

    Args:
        newline: a line feed stands behind every turn, the last one too.
    """
    tokens = []
    for message in messages:
        tokens += [256 + ROLES.index(message["role"]), *text(message["content"]), END, NEWLINE]
    if not answered:
        return [*tokens, 256 + ROLES.index("assistant")]
    return tokens if newline else tokens[:-1]


def text(words: str) -> list[int]:
    """Tokens of a text."""
    return list(words.encode("utf-8", errors="replace"))


def spelled(tokens: Sequence[int]) -> str:
    """The text of tokens, marks left out."""
    return bytes(one for one in tokens if one < 256).decode("utf-8", errors="replace")


def split(tokens: Sequence[int]) -> tuple[list[dict[str, str]], int]:
    """The messages before the last answer, and the place where that answer begins."""
    marks = [at for at, token in enumerate(tokens) if 256 <= token < END]
    messages = []
    for start in marks[:-1]:
        end = tokens.index(END, start)
        role = ROLES[tokens[start] - 256]
        messages.append({"role": role, "content": spelled(tokens[start + 1 : end])})
    return messages, marks[-1] + 1


def echo(asked: Mapping[str, Any], score: Score) -> list[dict[str, Any]]:
    """The choices of a completion that repeats what it read, with log-probabilities.

    Those of an answer's tokens add up to what the script says; a token that is written stands
    behind them where one is asked for.
    """
    choices = []
    for index, tokens in enumerate(asked["prompt"]):
        messages, start = split(tokens)
        answer = tokens[start:]
        told: list[float | None] = [ELSEWHERE] * start
        if answer:
            total = score(
                messages, spelled(answer[: answer.index(END)] if END in answer else answer)
            )
            told += [total / len(answer)] * len(answer)
        told[0] = None
        written = [END] * asked["max_tokens"]
        told += [ELSEWHERE] * len(written)
        whole = [*tokens, *written]
        logprobs = {
            "tokens": [spelled([one]) for one in whole],
            "token_logprobs": told,
            "top_logprobs": [{} for _ in whole],
            "text_offset": list(range(len(whole))),
        }
        choices.append(
            {
                "index": index,
                "text": spelled(whole),
                "logprobs": logprobs,
                "finish_reason": "length",
            }
        )
    return choices
