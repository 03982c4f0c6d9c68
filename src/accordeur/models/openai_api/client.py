"""One call to an endpoint, asked again while that may help.

A 429 waits as long as the endpoint asks and makes fewer calls run at once; server errors, cut
answers and timeouts back off exponentially with full jitter (M. Brooker, *Exponential Backoff And
Jitter*, AWS 2015). Every call has a deadline of its own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from accordeur._version import __version__
from accordeur.models.openai_api.allowance import Allowance
from accordeur.models.openai_api.failures import (
    Failure,
    Kind,
    from_exception,
    from_response,
)
from accordeur.models.openai_api.pace import Pace
from accordeur.models.openai_api.vendors import Endpoint
from accordeur.models.openai_api.wire import (
    OPTIONAL,
    Reply,
    StreamReader,
    read_chat,
    read_models,
)

T = TypeVar("T")

LARGEST = 64 * 2**20
"""Bytes of an answer at most."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and how often.

    Attributes:
        attempt: seconds one attempt may take.
        call: seconds one call may take, waiting and asking again included.
        attempts: how often a call is made that fails for other reasons than a rate limit.
        first_wait, longest_wait: seconds before the second attempt, and at most.
    """

    attempt: float = 300.0
    call: float = 900.0
    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0


@dataclass(slots=True)
class Counts:
    """What was sent and what came of it."""

    calls: int = 0
    attempts: int = 0
    pushed_back: int = 0


class Client:
    """Calls one endpoint.

    Args:
        endpoint: where, and with what key.
        most: calls at once at most.
        patience: when to give up.
        allowance: how much may be spent; nothing is refused by default.
        transport: of httpx; its own by default.

    Attributes:
        counts: of what was done.
        without: optional fields the endpoint refuses; found out on the way.
        limit_field: what it calls the limit of new tokens.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        most: int = 32,
        patience: Patience | None = None,
        allowance: Allowance | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self._allowance = allowance or Allowance()
        headers = {"User-Agent": f"accordeur/{__version__}"}
        if endpoint.key:
            headers["Authorization"] = f"Bearer {endpoint.key}"
        limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
        wait = httpx.Timeout(self._patience.attempt, connect=min(10.0, self._patience.attempt))
        self._http = httpx.AsyncClient(
            headers=headers,
            limits=limits,
            timeout=wait,
            transport=transport,
            trust_env=not endpoint.local,  # no proxy for a server on this machine
        )
        self._pace = Pace(most)
        self._answered_at = 0.0
        self._renamed = False
        self.counts = Counts()
        self.without = set(endpoint.vendor.without)
        self.limit_field = endpoint.vendor.limit_field

    @property
    def pace(self) -> Pace:
        """How many calls run at once."""
        return self._pace

    async def chat(self, body: Mapping[str, Any]) -> Reply:
        """A chat completion, whole.

        Raises:
            Failure: it was not to be had.
        """

        async def once() -> Reply:
            self._allowance.ask()
            reply = read_chat(await self._post("/chat/completions", self._fitted(body)))
            self._allowance.answered(reply.input_tokens or 0, reply.output_tokens or 0)
            return reply

        return await self._again(once)

    async def stream(self, body: Mapping[str, Any]) -> AsyncIterator[str | Reply]:
        """A chat completion piece by piece, then whole. It is asked once: pieces cannot be unsaid.

        Raises:
            Failure: as `chat`.
        """
        reader = StreamReader()
        self._allowance.ask()
        self.counts.calls += 1
        self.counts.attempts += 1
        try:
            async with (
                self._pace.slot(),
                self._http.stream(
                    "POST",
                    f"{self._endpoint.base_url}/chat/completions",
                    json=self._fitted(body),
                ) as response,
            ):
                if not response.is_success:
                    await response.aread()
                    raise from_response(response.status_code, response.headers, response.text)
                async for line in response.aiter_lines():
                    piece = reader.line(line)
                    if piece:
                        yield piece
        except httpx.HTTPError as error:
            raise from_exception(error) from error
        reply = reader.end()
        self._allowance.answered(reply.input_tokens or 0, reply.output_tokens or 0)
        yield reply

    async def models(self) -> list[dict[str, Any]]:
        """What the endpoint lists.

        Raises:
            Failure: it lists nothing.
        """

        async def once() -> list[dict[str, Any]]:
            return read_models(await self._send("GET", "/models", None))

        return await self._again(once)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _fitted(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body without what the endpoint has refused since it was made."""
        fitted = {name: value for name, value in body.items() if name not in self.without}
        for name in ("max_tokens", "max_completion_tokens"):
            if name in fitted and name != self.limit_field:
                fitted[self.limit_field] = fitted.pop(name)
        return fitted

    async def _again(self, once: Callable[[], Awaitable[T]]) -> T:
        began = time.monotonic()
        wait, tried = self._patience.first_wait, 0
        self.counts.calls += 1
        while True:
            async with self._pace.slot() as started:
                self.counts.attempts += 1
                sent = self._peculiar()
                try:
                    left = self._patience.call - (time.monotonic() - began)
                    async with asyncio.timeout(min(self._patience.attempt, max(0.01, left))):
                        found = await once()
                except Failure as failure:
                    problem = failure
                except TimeoutError:
                    problem = Failure(
                        Kind.TIMEOUT, f"no answer within {self._patience.attempt:g} s"
                    )
                except httpx.HTTPError as error:
                    problem = from_exception(error)
                else:
                    self._answered_at = time.monotonic()
                    self._pace.answered()
                    return found
                if problem.kind is Kind.RATE_LIMIT:
                    self.counts.pushed_back += 1
                    self._pace.pushed_back(started, problem.wait)
            if problem.kind is Kind.REFUSED and self._learns(problem, sent):
                continue
            if not problem.passing:
                raise problem
            pause = random.uniform(0.0, wait)
            wait = min(self._patience.longest_wait, 2 * wait)
            if problem.kind is Kind.RATE_LIMIT:
                pause = max(pause, problem.wait or 0.0)
            else:
                tried += 1
            late = time.monotonic() + pause - began > self._patience.call
            if tried >= self._patience.attempts or late:
                raise problem
            await asyncio.sleep(pause)

    def _peculiar(self) -> tuple[str, frozenset[str]]:
        return self.limit_field, frozenset(self.without)

    def _learns(self, problem: Failure, sent: tuple[str, frozenset[str]]) -> bool:
        """Whether asking again is another request: the endpoint named a field it does not take."""
        if sent != self._peculiar():
            return True  # a call beside this one has learned it already
        told = problem.message.lower()
        if not self._renamed and self.limit_field in told:
            both = {"max_tokens", "max_completion_tokens"}
            (self.limit_field,) = both - {self.limit_field}
            self._renamed = True
        else:
            self.without.update(name for name in OPTIONAL if name in told)
        return sent != self._peculiar()

    def silent_since(self, moment: float) -> bool:
        """Whether nothing was answered since then."""
        return self._answered_at < moment

    async def _post(self, path: str, body: Mapping[str, Any]) -> str:
        return await self._send("POST", path, body)

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> str:
        response = await self._http.request(method, self._endpoint.base_url + path, json=body)
        if response.is_redirect:
            raise Failure(
                Kind.REFUSED, f"it redirects to {response.headers.get('location', 'nowhere')}"
            )
        if not response.is_success:
            raise from_response(response.status_code, response.headers, response.text)
        if len(response.content) > LARGEST:
            raise Failure(Kind.MALFORMED, "the answer is too large")
        return response.text
