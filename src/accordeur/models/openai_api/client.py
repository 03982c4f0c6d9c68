"""One call to an endpoint, asked again while that may help.

A 429 waits as long as the endpoint asks and makes fewer calls run at once; server errors, cut
answers and timeouts back off exponentially with full jitter (M. Brooker, *Exponential Backoff And
Jitter*, AWS 2015). Every call has a deadline of its own. A connection that nobody takes is tried
again only where somebody answered before.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from accordeur._version import __version__
from accordeur.core.model import FloatArray
from accordeur.models.openai_api.allowance import Allowance, Purse
from accordeur.models.openai_api.connections import transport_for
from accordeur.models.openai_api.embedding_wire import read_embeddings
from accordeur.models.openai_api.failures import (
    Failure,
    Kind,
    from_exception,
    from_response,
)
from accordeur.models.openai_api.pace import Pace
from accordeur.models.openai_api.reranking_wire import read_relevance
from accordeur.models.openai_api.token_wire import (
    Echo,
    Tokenized,
    Tokens,
    read_echo,
    read_tokens,
)
from accordeur.models.openai_api.vendors import Endpoint
from accordeur.models.openai_api.wire import (
    OPTIONAL,
    Reply,
    StreamReader,
    plain,
    read_chat,
    read_models,
    spent_in,
)

T = TypeVar("T")

LARGEST = 16 * 2**20
"""Bytes of an answer at most."""

LARGEST_ERROR = 64 * 2**10
"""Bytes of an error that are read."""

LETTERS_PER_TOKEN = 3
"""Where a tokenizer is not here. Fewer than the usual four for English: a limit of an answer that
is too high costs nothing, one that is too low cuts it."""

_BROKEN_OFF = (
    TimeoutError,
    asyncio.CancelledError,
    httpx.ReadTimeout,
    httpx.ReadError,
    httpx.RemoteProtocolError,
)
"""Ends of a call that was sent and may have been answered."""

_NAME = "|".join((*OPTIONAL, "max_completion_tokens", "max_tokens"))
_REFUSES = re.compile(
    rf"(?:unsupported|unknown|unrecognized|unexpected|not allowed to request|does not support)"
    rf"[^.]{{0,60}}?\b({_NAME})\b"
    rf"|\b({_NAME})\b['\"`]?,? (?:is|are|parameter is|field is) (?:not|un)",
    re.IGNORECASE,
)
"""An endpoint's way of saying that it does not take a field."""


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


class Client:
    """Calls one endpoint.

    Args:
        endpoint: where, and with what key.
        most: calls at once at most.
        patience: when to give up.
        allowance: how much may be spent; nothing is refused by default.
        transport: of httpx; a connection per call at once by default.

    Attributes:
        allowance: with what was spent of it.
        without: optional fields the endpoint refuses; found out on the way.
        on_fingerprint: told the `system_fingerprint` of every answer, on the event loop.
        limit_field: what it calls the limit of new tokens.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        most: int = 32,
        patience: Patience | None = None,
        allowance: Purse | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._patience = patience or Patience()
        self.allowance: Purse = allowance or Allowance()
        headers = {"User-Agent": f"accordeur/{__version__}"}
        if endpoint.key:
            headers["Authorization"] = f"Bearer {endpoint.key}"
        limits = httpx.Limits(max_connections=most, max_keepalive_connections=most)
        wait = httpx.Timeout(self._patience.attempt, connect=min(10.0, self._patience.attempt))
        self._http = httpx.AsyncClient(
            headers=headers,
            limits=limits,
            timeout=wait,
            transport=transport or transport_for(local=endpoint.local),
            trust_env=not endpoint.local,  # no proxy for a server on this machine
        )
        self._pace = Pace(most)
        self._answered_at = 0.0
        self._renamed: str | None = None
        self._settled = False
        self.without = set(endpoint.vendor.without)
        self.on_fingerprint: Callable[[str], None] = lambda fingerprint: None
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
            self.allowance.ask()
            try:
                told = await self._send("POST", "/chat/completions", self._fitted(body))
            except _BROKEN_OFF:
                self._count(None, None, body)  # it was read, and perhaps answered
                raise
            try:
                reply = read_chat(told)
            except Failure:
                self._count(*spent_in(told), body)
                raise
            self._answered(reply, body)
            return reply

        return await self._again(once, learns=True)

    async def tokens(self, body: Mapping[str, Any]) -> Tokens:
        """Tokens of a conversation or a text. Errors as `tokenized`."""
        return (await self.tokenized(body)).tokens

    async def tokenized(self, body: Mapping[str, Any]) -> Tokenized:
        """Tokens of a conversation or a text, and what of them is shared.

        Raises:
            Failure: they were not to be had.
        """

        async def once() -> Tokenized:
            self.allowance.ask()
            return read_tokens(await self._send("POST", "/tokenize", body, root=True))

        return await self._again(once)

    async def echo(self, body: Mapping[str, Any]) -> Echo:
        """Log-probabilities of token sequences.

        Raises:
            Failure: they were not to be had.
        """
        sequences = body["prompt"]

        async def once() -> Echo:
            self.allowance.ask()
            found = read_echo(await self._send("POST", "/completions", body), sequences)
            self.on_fingerprint(found.fingerprint)
            read = found.input_tokens
            self.allowance.answered(
                sum(map(len, sequences)) if read is None else read, found.output_tokens or 0
            )
            return found

        return await self._again(once)

    async def embeddings(self, body: Mapping[str, Any]) -> FloatArray:
        """Unit vectors of texts, float32 [texts, d].

        Raises:
            Failure: they were not to be had.
        """
        texts = body["input"]

        async def once() -> FloatArray:
            self.allowance.ask()
            told = await self._send("POST", "/embeddings", self._fitted(body))
            read = spent_in(told)[0]
            self.allowance.answered(sum(map(about_tokens, texts)) if read is None else read, 0)
            return read_embeddings(told, len(texts))

        return await self._again(once, learns=True)

    async def rerank(self, body: Mapping[str, Any]) -> list[float]:
        """How well each of the documents answers the query, in their order.

        Raises:
            Failure: it was not to be had.
        """
        texts = [body["query"], *body["documents"]]

        async def once() -> list[float]:
            self.allowance.ask()
            told = await self._send("POST", "/rerank", body)
            read = spent_in(told)[0]
            self.allowance.answered(sum(map(about_tokens, texts)) if read is None else read, 0)
            return read_relevance(told, len(body["documents"]))

        return await self._again(once)

    async def stream(self, body: Mapping[str, Any]) -> AsyncIterator[str | Reply]:
        """A chat completion piece by piece, then whole. It is asked once: pieces cannot be unsaid.

        Raises:
            Failure: as `chat`.
        """
        reader = StreamReader()
        until = time.monotonic() + self._patience.call
        self.allowance.ask()
        try:
            async with (
                self._pace.slot(until),
                self._request("POST", "/chat/completions", self._fitted(body)) as response,
            ):
                lines = _lines(response)
                while (line := await _before(until, lines)) is not None:
                    piece = reader.line(line)
                    if piece:
                        yield piece
            reply = reader.end()
        except httpx.HTTPError as error:
            self._count(None, None, body)
            raise self._blotted(from_exception(error)) from error
        except Failure as failure:
            if failure.status == 0 and failure.kind is not Kind.SPENT:
                self._count(None, None, body)
            raise self._blotted(failure) from None
        self._answered(reply, body)
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

    async def _again(self, once: Callable[[], Awaitable[T]], *, learns: bool = False) -> T:
        """Do it until it is answered or there is no more hope.

        Args:
            learns: a refusal may name a field that another attempt leaves out.
        """
        until = time.monotonic() + self._patience.call
        wait, tried = self._patience.first_wait, 0
        while True:
            async with self._pace.slot(until) as started:
                sent = self._peculiar()
                try:
                    left = until - time.monotonic()
                    async with asyncio.timeout(min(self._patience.attempt, left)):
                        found = await once()
                except Failure as failure:
                    problem = failure
                except TimeoutError:
                    problem = Failure(Kind.TIMEOUT, "no answer in the time that a call is given")
                except httpx.HTTPError as error:
                    problem = from_exception(error)
                else:
                    self._answered_at = time.monotonic()
                    self._settle(sent)
                    self._pace.answered()
                    return found
                if problem.kind is Kind.RATE_LIMIT:
                    self._pace.pushed_back(started, problem.wait)
            if learns and problem.kind is Kind.REFUSED and self._learns(problem, sent):
                continue
            nobody = problem.kind is Kind.CONNECTION and not self._answered_at
            if nobody or not problem.passing:  # an address where nothing ever answered is wrong
                raise self._blotted(problem)
            pause = max(random.uniform(0.0, wait), problem.wait or 0.0)
            wait = min(self._patience.longest_wait, 2 * wait)
            tried += problem.kind is not Kind.RATE_LIMIT
            if tried >= self._patience.attempts or time.monotonic() + pause >= until:
                raise self._blotted(problem)
            await asyncio.sleep(pause)

    def _peculiar(self) -> tuple[str, frozenset[str]]:
        return self.limit_field, frozenset(self.without)

    def _learns(self, problem: Failure, sent: tuple[str, frozenset[str]]) -> bool:
        """Whether asking again is another request: the endpoint named a field it does not take.

        One field at a time, and only where the endpoint says that it does not know or take it: its
        words may quote the row, and a field may be refused for its value.
        """
        if sent != self._peculiar():
            return True  # a call beside this one has learned it already
        named = refused_field(problem.message)
        if named == self.limit_field and self._renamed is None:
            (other,) = {"max_tokens", "max_completion_tokens"} - {self.limit_field}
            self._renamed, self.limit_field = self.limit_field, other
        elif named in OPTIONAL:
            self.without.add(named)
        elif self._renamed and not self._settled:  # the other name is no better: take it back
            self.limit_field, self._settled = self._renamed, True
        return sent != self._peculiar()

    def _settle(self, sent: tuple[str, frozenset[str]]) -> None:
        """What was learned before an answer stays."""
        if self._renamed and sent[0] == self.limit_field:
            self._settled = True

    def silent_since(self, moment: float) -> bool:
        """Whether nothing was answered since then."""
        return self._answered_at < moment

    def _answered(self, reply: Reply, body: Mapping[str, Any]) -> None:
        self.on_fingerprint(reply.fingerprint)
        wrote = reply.output_tokens
        self._count(reply.input_tokens, about_tokens(reply.text) if wrote is None else wrote, body)

    def _count(self, read: int | None, written: int | None, body: Mapping[str, Any]) -> None:
        """Tokens as they were told, or about as many; none written where nobody knows."""
        if read is None:
            read = sum(about_tokens(plain(one["content"])) for one in body["messages"])
        self.allowance.answered(read, written or 0)

    def _blotted(self, failure: Failure) -> Failure:
        return failure.without(self._endpoint.key)

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, root: bool = False
    ) -> str:
        async with self._request(method, path, body, root=root) as response:
            return await _text(response, LARGEST)

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, root: bool = False
    ) -> AsyncIterator[httpx.Response]:
        """A response that is a success, its body not read yet.

        Args:
            root: the path begins at the server's root.

        Raises:
            Failure: it is none.
        """
        # ASCII, since half of a surrogate pair in a row is no UTF-8.
        content = None if body is None else json.dumps(body).encode("ascii")
        headers = {"Content-Type": "application/json"} if content else None
        url = (self._endpoint.root if root else self._endpoint.base_url) + path
        async with self._http.stream(method, url, content=content, headers=headers) as response:
            if response.is_redirect:
                place = response.headers.get("location", "nowhere")
                raise Failure(Kind.REFUSED, f"it redirects to {place}")
            if not response.is_success:
                told = await _text(response, LARGEST_ERROR, whole=False)
                raise from_response(response.status_code, response.headers, told)
            yield response


async def _before(until: float, lines: AsyncIterator[str]) -> str | None:
    """The next line; `None` behind the last.

    Raises:
        Failure: it does not come in time.
    """
    try:
        async with asyncio.timeout(until - time.monotonic()):
            return await anext(lines, None)
    except TimeoutError:
        raise Failure(Kind.TIMEOUT, "no end in the time that a call is given") from None


def about_tokens(text: str) -> int:
    """About how many tokens, where neither tokenizer nor count is to be had."""
    return -(-len(text) // LETTERS_PER_TOKEN)


def refused_field(message: str) -> str:
    """The field that an endpoint says it does not take; empty where it says something else."""
    found = _REFUSES.search(message)
    return (found[1] or found[2]) if found else ""


async def _text(response: httpx.Response, most: int, *, whole: bool = True) -> str:
    """The body as text, read up to a limit.

    Raises:
        Failure: it is larger, and wanted whole.
    """
    read = bytearray()
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) > most:
            if whole:
                raise Failure(Kind.REFUSED, f"the answer is larger than {most:,} bytes")
            break
    return bytes(read[:most]).decode(response.encoding or "utf-8", errors="replace")


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Lines of an event stream: they end with a line feed and nothing else that looks like one.

    Raises:
        Failure: one line, or all together, are too long.
    """
    left, total = b"", 0
    async for piece in response.aiter_bytes():
        total += len(piece)
        if total > LARGEST:
            raise Failure(Kind.REFUSED, f"the answer is larger than {LARGEST:,} bytes")
        *lines, left = (left + piece).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", errors="replace").rstrip("\r")
    if left:
        yield left.decode("utf-8", errors="replace")
