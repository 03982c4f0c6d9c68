"""One connection per call at once, each in a pool of its own.

httpcore (1.0.9) looks through all connections of a pool at every request, once more for each that
is idle, so sixty-four at once cost several milliseconds of processor a call
(benchmarks/endpoint). A pool of one has nothing to look through. The connection used last is taken
first, so that few stay open where few are needed.
"""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator

import httpx


def transport_for(*, local: bool) -> httpx.AsyncBaseTransport | None:
    """What calls go through; `None` where the environment names a proxy, which httpx then sets up.

    Args:
        local: the server is on this machine, where no proxy stands between.
    """
    if not local and urllib.request.getproxies():
        return None
    return Connections()


class Connections(httpx.AsyncBaseTransport):
    """Connections as they are needed; the caller bounds how many that is."""

    def __init__(self) -> None:
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._all: list[httpx.AsyncHTTPTransport] = []
        self._context = httpx.create_ssl_context()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer through a connection that nobody else uses until the answer is closed."""
        own = self._idle.pop() if self._idle else self._opened()
        try:
            response = await own.handle_async_request(request)
        except BaseException:
            self._idle.append(own)
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Returning(response.stream, own, self._idle)
        return response

    async def aclose(self) -> None:
        """Close all."""
        self._idle.clear()
        while self._all:
            await self._all.pop().aclose()

    def _opened(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        self._all.append(httpx.AsyncHTTPTransport(verify=self._context, limits=limits))
        return self._all[-1]


class _Returning(httpx.AsyncByteStream):
    """An answer's bytes; its connection is free once it is closed."""

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        own: httpx.AsyncHTTPTransport,
        idle: list[httpx.AsyncHTTPTransport],
    ) -> None:
        self._stream = stream
        self._own: httpx.AsyncHTTPTransport | None = own
        self._idle = idle

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            if self._own is not None:
                self._idle.append(self._own)
                self._own = None
