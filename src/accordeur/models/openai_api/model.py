"""A chat model behind an endpoint, as the rest of the program sees a model.

It writes; log-probabilities of given labels and weights are not to be had over this wire, so levers
that need them are refused at planning.
"""

from __future__ import annotations

import hashlib
import json
import time
import weakref
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import Any

from accordeur.core.errors import EndpointGone, ModelError
from accordeur.core.model import (
    ENDPOINT,
    Batch,
    Capability,
    Generated,
    ModelIdentity,
    Sampling,
    Scored,
    Usage,
)
from accordeur.core.rendering import Rendered
from accordeur.models.openai_api.allowance import Purse
from accordeur.models.openai_api.client import Client, Patience, about_tokens
from accordeur.models.openai_api.driving import Done, Driver
from accordeur.models.openai_api.failures import Failure
from accordeur.models.openai_api.vendors import Endpoint
from accordeur.models.openai_api.wire import Reply, chat_body, messages

ENGINE = "openai-api/1"

MOST = 32
"""Calls at once at most, unless said otherwise."""

UNKNOWN_WINDOW = 32_768
"""Context taken for granted where the endpoint does not tell it."""

_WINDOW_FIELDS = ("context_window", "context_length", "max_model_len", "max_context_length")


class EndpointModel:
    """A model that is called.

    Args:
        endpoint: where.
        name: of the model there.
        most: calls at once at most.
        patience: when to give up.
        allowance: how much may be spent.
        log: told what is found out about the endpoint.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        *,
        most: int = MOST,
        patience: Patience | None = None,
        allowance: Purse | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._name = name
        self._most = most
        self._log = log
        self._driver = Driver()
        self._client = Client(endpoint, most=most, patience=patience, allowance=allowance)
        self._told: frozenset[str] = frozenset()
        self._window: int | None = None
        self._resolved: tuple[str, ...] = ()
        weakref.finalize(self, _close, self._driver, self._client)

    @property
    def identity(self) -> ModelIdentity:
        """Name and address, and the name the endpoint resolves it to, once it was asked (`check`).

        What runs behind them is the endpoint's secret (D0): other weights behind the same names
        are not noticed.
        """
        digest = hashlib.sha256(json.dumps([self._endpoint.base_url, self._name]).encode())
        return ModelIdentity(
            f"{self._endpoint.vendor.name}/{self._name}",
            digest.hexdigest(),
            " ".join([ENGINE, self._endpoint.base_url, *self._resolved]),
            device=ENDPOINT,
        )

    @property
    def capabilities(self) -> frozenset[Capability]:
        """It writes."""
        return frozenset({Capability.GENERATE})

    @property
    def context_window(self) -> int:
        """As the endpoint's list of models tells it, else `UNKNOWN_WINDOW`."""
        if self._window is None:
            self._window = self._asked_window() or UNKNOWN_WINDOW
        return self._window

    @property
    def client(self) -> Client:
        """What makes the calls; it knows their pace and what was spent."""
        return self._client

    def check(self) -> None:
        """Make sure that it answers, with one short call, and learn what answers.

        Raises:
            ModelError: it does not.
        """
        body = self._body([{"role": "user", "content": "Say yes."}], Sampling(max_tokens=16))
        reply = self._one(self._client.chat(body))
        self._resolved = (reply.model,) if reply.model not in ("", self._name) else ()

    def score(
        self,
        prompts: Sequence[Rendered],
        continuations: Sequence[str],
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Scored]]:
        """Not to be had here.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"`{self.identity.name}` gives no log-probabilities of labels.",
            hint="levers that need them are refused at planning; this is a mistake of the program",
        )

    def generate(
        self,
        prompts: Sequence[Rendered],
        sampling: Sampling,
        *,
        done: Collection[int] = (),
    ) -> Iterator[Batch[Generated]]:
        """An answer to each prompt, in the order they come. See `core.model.Model.generate`.

        A call that fails for good gives a `Generated` with its error. Seconds are of the clock:
        calls that run at once share them.

        Raises:
            EndpointGone: no call would succeed: the key is refused, the model or the endpoint gone,
                the budget used up.
        """
        finished = frozenset(done)
        wanted = [index for index in range(len(prompts)) if index not in finished]
        if not wanted:
            return
        turns = {index: messages(prompts[index]) for index in wanted}
        seen: dict[str, int] = {}
        seeds = {}
        for index, prompt in enumerate(prompts):
            # The same prompt several times is sampled anew each time, resumed or not.
            text = json.dumps(prompt.to_json())
            seeds[index] = sampling.seed + seen.get(text, 0)
            seen[text] = seen.get(text, 0) + 1

        def make(index: int) -> Awaitable[Reply]:
            body = self._body(turns[index], sampling)
            body["seed"] = seeds[index] % 2**31
            return self._client.chat(body)

        last = time.monotonic()
        try:
            for group in self._driver.many(self._client, wanted, make, self._most):
                self._tell()
                now = time.monotonic()
                yield Batch(
                    tuple(one.index for one in group),
                    tuple(self._generated(one, turns[one.index]) for one in group),
                    now - last,
                )
                last = time.monotonic()
        except Failure as failure:  # one that no other call would escape
            raise self._error(failure) from None

    def stream(self, prompt: Rendered, sampling: Sampling) -> Iterator[str]:
        """One answer, piece by piece.

        Raises:
            ModelError: it fails.
        """
        body = self._body(messages(prompt), sampling, stream=True)
        try:
            for piece in self._driver.stream(self._client.stream(body)):
                if isinstance(piece, str):
                    yield piece
        except Failure as failure:
            raise self._error(failure) from None

    def count_tokens(self, text: str) -> int:
        """About: the tokenizer is not here."""
        return about_tokens(text)

    def prompt_text(self, prompt: Rendered) -> str:
        """The messages as they are sent; what the endpoint makes of them is not known."""
        return "\n\n".join(f"{one['role']}: {one['content']}" for one in messages(prompt))

    def prompt_tokens(self, prompt: Rendered) -> tuple[int, int]:
        """About how many, and how many of them every request repeats."""
        total = shared = 0
        for turn in prompt.turns():
            for segment in turn.segments:
                tokens = self.count_tokens(segment.text)
                total += tokens
                shared += tokens if segment.shared else 0
        return total, shared

    def forget(self) -> None:
        """Nothing is kept here."""

    def close(self) -> None:
        """Close the connections."""
        _close(self._driver, self._client)

    def _body(
        self, turns: Sequence[dict[str, str]], sampling: Sampling, *, stream: bool = False
    ) -> dict[str, Any]:
        return chat_body(
            self._name,
            turns,
            sampling,
            limit_field=self._client.limit_field,
            without=self._client.without,
            stream=stream,
        )

    def _generated(self, one: Done[Reply], turns: Sequence[dict[str, str]]) -> Generated:
        asked = sum(self.count_tokens(turn["content"]) for turn in turns)
        if isinstance(one.answer, Failure):
            return Generated("", False, 0.0, Usage(), error=str(one.answer))
        reply = one.answer
        read = asked if reply.input_tokens is None else reply.input_tokens
        wrote = reply.output_tokens
        if wrote is None:
            wrote = self.count_tokens(reply.text)
        return Generated(
            reply.text,
            reply.finished,
            reply.logprob or 0.0,
            Usage(read, wrote, read + wrote),
            seconds=one.seconds,
        )

    def _asked_window(self) -> int | None:
        try:
            listed = self._driver.call(self._client.models())
        except Failure:
            return None
        mine = next((one for one in listed if one["id"] == self._name), {})
        told = next((mine[name] for name in _WINDOW_FIELDS if name in mine), None)
        return told if isinstance(told, int) and told > 0 else None

    def _one(self, work: Awaitable[Reply]) -> Reply:
        try:
            return self._driver.call(work)
        except Failure as failure:
            raise self._error(failure) from None

    def _tell(self) -> None:
        """Say once what the endpoint refused to be asked for."""
        refused = frozenset(self._client.without) - self._endpoint.vendor.without
        if refused != self._told and self._log is not None:
            names = ", ".join(sorted(refused))
            self._log(f"`{self.identity.name}` takes no {names}; sent without")
        self._told = refused

    def _error(self, failure: Failure) -> EndpointGone:
        vendor = self._endpoint.vendor
        return EndpointGone(
            f"`{self.identity.name}` at {self._endpoint.base_url}: {failure}",
            hint=failure.hint(vendor.name, vendor.key_variable),
        )


def _close(driver: Driver, client: Client) -> None:
    driver.close(client.close)
