"""Clients that keep their connection and do not read, or do not finish what they say."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from accordeur.serve import state as state_file
from accordeur.serve.admission import Admission
from accordeur.serve.replies import Json
from accordeur.serve.served import Catalog
from accordeur.serve.state import EventStream, State
from accordeur.serve.threads import AHEAD, Threads

from .conftest import World


async def never() -> dict[str, Any]:
    """A client that says nothing more."""
    await anyio.sleep_forever()
    raise AssertionError


def test_who_does_not_read_holds_little_and_not_for_long() -> None:
    made: list[int] = []
    ended = threading.Event()

    def work() -> Iterator[Json]:
        try:
            for at in range(100_000):
                made.append(at)
                yield {"at": at}
        finally:
            ended.set()

    async def asked() -> tuple[float, int]:
        state = State(Catalog([], {}), Admission(1), Threads(1, stalled=0.3))
        sent = 0

        async def send(message: Any) -> None:
            nonlocal sent
            sent += 1
            if sent > 5:
                await anyio.sleep_forever()

        began = time.monotonic()
        await EventStream(state, work)({"type": "http"}, never, send)
        return time.monotonic() - began, state.admission.inside

    took, inside = anyio.run(asked)
    assert took < 5.0
    assert inside == 0, "its place is free"
    assert ended.wait(5)
    assert len(made) < AHEAD + 20


def test_who_reads_slowly_gets_everything() -> None:
    def work() -> Iterator[Json]:
        for at in range(3 * AHEAD):
            yield {"at": at}

    async def asked() -> list[bytes]:
        state = State(Catalog([], {}), Admission(1), Threads(1, stalled=5.0))
        found: list[bytes] = []

        async def send(message: Any) -> None:
            await anyio.sleep(0.001)
            found.append(message.get("body", b""))

        await EventStream(state, work)({"type": "http"}, never, send)
        return found

    found = [one for one in anyio.run(asked) if one.startswith(b'data: {"at"')]
    assert found == [f'data: {{"at": {at}}}\n\n'.encode() for at in range(3 * AHEAD)]


def test_a_request_that_does_not_come_to_its_end_is_given_up(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "STALLED", 0.3)
    host, _, port = served.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        assert connection.recv(1024).startswith(b"HTTP/1.1 408")
