"""Log-probabilities of given labels over the wire, exactly as the protocol wants them (P4).

    s_j(x) = sum_t log p(y_jt | prompt(x), y_j,<t),  y_j = label j and the end of turn

The endpoint makes tokens of the conversation (`/tokenize`), with and without an answer in it; what
an answer adds behind the beginning of the assistant's turn are the label's tokens and what the
template puts behind them, of which the first ends the turn. Prompt and label are then read as
tokens (`/completions` with `echo`), all labels of a row in one request. Nothing is cut at the
boundary of prompt and label, so no token can straddle it.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from accordeur.core.errors import ModelError
from accordeur.core.model import Scored, Usage
from accordeur.core.rendering import Rendered
from accordeur.models.openai_api.client import Client
from accordeur.models.openai_api.failures import Failure, Kind
from accordeur.models.openai_api.token_wire import (
    Echo,
    Tokenized,
    Tokens,
    conversation_body,
    echo_body,
    text_body,
)
from accordeur.models.openai_api.wire import Turns, content, messages

TOGETHER = 60_000
"""Tokens of one request at most: with their log-probabilities they come back as megabytes."""


LATELY = 256
"""Prompts whose tokens are kept: one that was counted is scored next."""


class Scorer:
    """Scores labels at an endpoint that can.

    Args:
        client: makes the calls.
        name: of the model.
        parts: messages are sent in parts.
        turn_end: tokens that the template puts behind an answer.
        new_tokens: that have to be asked for.
    """

    def __init__(
        self, client: Client, name: str, *, parts: bool, turn_end: Tokens, new_tokens: int
    ) -> None:
        self._client = client
        self._name = name
        self._parts = parts
        self._turn_end = turn_end
        self._new_tokens = new_tokens
        self._lately: OrderedDict[str, Tokenized] = OrderedDict()

    async def prompt(self, prompt: Rendered) -> Tokenized:
        """Tokens of a conversation up to the place where the answer begins."""
        turns = messages(replace(prompt, prefill=""), parts=self._parts)
        key = json.dumps([turns, prompt.prefill])
        if key not in self._lately:
            made = await self._client.tokenized(conversation_body(self._name, turns))
            if prompt.prefill:
                more = await self._client.tokens(text_body(self._name, prompt.prefill))
                made = replace(made, tokens=made.tokens + more)
            self._lately[key] = made
            if len(self._lately) > LATELY:
                self._lately.popitem(last=False)
            return made
        return self._lately[key]

    def forget(self) -> None:
        """Drop the tokens of prompts."""
        self._lately.clear()

    async def continuations(
        self,
        texts: Sequence[str],
        known: Mapping[str, Tokens] | None = None,
        keep: Callable[[str, Tokens], None] = lambda text, tokens: None,
    ) -> tuple[Tokens, ...]:
        """Tokens of labels, each with the end of turn. They do not depend on the prompt.

        Args:
            known: those that need not be asked for.
            keep: told of each that was.

        Raises:
            Failure: they were not to be had.
            ModelError: the chat template does not let a label stand as it is.
        """
        have = dict(known or {})
        missing = [text for text in dict.fromkeys(texts) if text not in have]
        asked = asked_by(self._parts)
        before = (
            () if not missing else await self._client.tokens(conversation_body(self._name, asked))
        )

        async def one(text: str) -> None:
            tokens = await answered(self._client, self._name, asked, text, parts=self._parts)
            added, behind = behind_prompt(before, tokens), len(self._turn_end)
            if len(added) <= behind or added[-behind:] != self._turn_end:
                raise _changed(self._name, text)
            have[text] = added[: len(added) - behind + 1]
            keep(text, have[text])

        outcomes = await asyncio.gather(*map(one, missing), return_exceptions=True)
        for outcome in outcomes:  # what was answered beside a failure is kept
            if isinstance(outcome, BaseException):
                raise outcome
        found = tuple(have[text] for text in texts)
        for at, (text, tokens) in enumerate(zip(texts, found, strict=True)):
            if tokens in found[:at]:
                raise _changed(self._name, text)
        return found

    async def score(self, prompt: Tokenized, continuations: Sequence[Tokens]) -> Scored:
        """Scores of all labels behind a prompt.

        Raises:
            Failure: they were not to be had.
        """
        sequences = [prompt.tokens + label for label in continuations]
        found: list[float] = []
        read = written = 0
        for group in _groups(sequences):
            body = echo_body(self._name, group, self._new_tokens, prompt.shared)
            echo = await self._client.echo(body)
            found += _sums(echo, len(prompt.tokens))
            told = echo.input_tokens
            read += sum(map(len, group)) if told is None else told
            written += echo.output_tokens or 0
        return Scored(tuple(found), Usage(read, written, read + written))


def _changed(name: str, label: str) -> ModelError:
    return ModelError(
        f"The chat template of `{name}` does not let the label `{label}` stand as it is.",
        hint="--labels-by parse, or another text for the label in task.yaml",
    )


def asked_by(parts: bool) -> Turns:
    """A conversation in which labels are looked at."""
    return [{"role": "user", "content": content(["x"], parts=parts)}]


async def answered(client: Client, name: str, turns: Turns, answer: str, *, parts: bool) -> Tokens:
    """Tokens of a conversation that ends with an answer."""
    said = {"role": "assistant", "content": content([answer], parts=parts)}
    return await client.tokens(conversation_body(name, [*turns, said], answered=True))


def behind_prompt(prompt: Tokens, whole: Tokens) -> Tokens:
    """What follows a prompt; empty where the conversation does not begin with it."""
    return whole[len(prompt) :] if whole[: len(prompt)] == prompt else ()


def _groups(sequences: Iterable[Tokens]) -> Iterator[list[Tokens]]:
    group: list[Tokens] = []
    size = 0
    for one in sequences:
        if group and size + len(one) > TOGETHER:
            yield group
            group, size = [], 0
        group.append(one)
        size += len(one)
    if group:
        yield group


def _sums(echo: Echo, start: int) -> list[float]:
    """Sums over what follows the prompt, in float32, token after token, as the engine adds them.

    Raises:
        Failure: a token has no log-probability.
    """
    sums = []
    for told in echo.logprobs:
        total = np.float32(0.0)
        for one in told[start:]:
            if one is None:
                raise Failure(Kind.MALFORMED, "a token of a label has no log-probability")
            total = np.float32(total + np.float32(one))
        sums.append(float(total))
    return sums
