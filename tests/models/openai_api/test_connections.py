"""A connection per call at once: as few as are needed, used again, free after every kind of end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from accordeur.models.openai_api.connections import Connections, transport_for

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Counting:
    """A server that counts connections and requests."""

    def __init__(self) -> None:
        self.opened = 0
        self.asked = 0

    @asynccontextmanager
    async def __call__(self, reply: bytes = REPLY) -> AsyncIterator[str]:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.opened += 1
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    self.asked += 1
                    await asyncio.sleep(0.01)
                    writer.write(reply)
                    await writer.drain()
                    if reply is not REPLY:
                        break
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            yield f"http://127.0.0.1:{port}/"


def run(work: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def go() -> None:
        async with httpx.AsyncClient(transport=Connections(), timeout=5) as client:
            await asyncio.wait_for(work(client), 30)

    asyncio.run(go())


def test_as_many_connections_as_calls_at_once_and_no_more() -> None:
    counting = Counting()

    async def work(client: httpx.AsyncClient) -> None:
        slots = asyncio.Semaphore(5)

        async def one(url: str) -> None:
            async with slots:
                assert (await client.get(url)).text == "ok"

        async with counting() as url:
            await asyncio.gather(*(one(url) for _ in range(60)))

    run(work)
    assert (counting.opened, counting.asked) == (5, 60)


def test_one_call_after_the_other_stays_on_one_connection() -> None:
    counting = Counting()

    async def work(client: httpx.AsyncClient) -> None:
        async with counting() as url:
            for _ in range(10):
                await client.get(url)

    run(work)
    assert (counting.opened, counting.asked) == (1, 10)


def test_a_call_that_ends_badly_leaves_its_connection_to_the_next() -> None:
    counting = Counting()
    transport = Connections()

    async def go() -> None:
        async with httpx.AsyncClient(transport=transport, timeout=5) as client:
            async with counting(REPLY[:-1]) as url:
                for _ in range(3):
                    with pytest.raises(httpx.RemoteProtocolError):
                        await client.get(url)
            with pytest.raises(httpx.ConnectError):
                await client.get(url)
            async with counting() as url:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.002):
                        await client.get(url)
                async with client.stream("GET", url):
                    pass  # closed before it was read
                assert (await client.get(url)).text == "ok"

    asyncio.run(go())
    assert len(transport._all) == len(transport._idle) == 0, "closed"
    assert counting.opened >= 5


def test_where_a_proxy_is_named_httpx_sets_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert isinstance(transport_for(local=False), Connections)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert transport_for(local=False) is None
    assert isinstance(transport_for(local=True), Connections)
