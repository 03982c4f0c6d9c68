"""From the event loop to threads and back: requests are answered by ordinary, waiting code.

A client that goes away leaves its ticket; the engine then drops what it computes for it, and the
thread ends with `Gone`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TypeVar

import anyio
from anyio import from_thread, to_thread
from anyio.streams.memory import MemoryObjectSendStream
from starlette.types import Receive

from accordeur.serve.ticket import Gone, Ticket, answering, still_wanted

T = TypeVar("T")

AHEAD = 64
"""Pieces that are made before the client reads them; a thread that is further waits for it."""

STALLED = 60.0
"""Seconds that a client may leave a piece unread."""


class Stalled(Gone):
    """The client reads no more; it keeps its connection, and would keep its place."""


class Threads:
    """Threads for as many requests as are let in.

    Args:
        most: at once.
        stalled: seconds that a client may leave a piece unread.
    """

    def __init__(self, most: int, stalled: float = STALLED) -> None:
        self._limiter = anyio.CapacityLimiter(most)
        self._stalled = stalled

    async def run(self, receive: Receive, work: Callable[[], T]) -> T:
        """The result of `work`, in a thread.

        Raises:
            Exception: what `work` raises.
        """
        found: list[T] = []

        async def take(piece: T) -> None:
            found.append(piece)

        def whole() -> Iterator[T]:
            yield work()

        await self.stream(receive, whole, take)
        return found[0]

    async def stream(
        self,
        receive: Receive,
        work: Callable[[], Iterator[T]],
        take: Callable[[T], Awaitable[None]],
    ) -> None:
        """Hand on what `work` yields in its thread, as it comes.

        Args:
            receive: tells when the client goes away; the body is read already.
            work: runs in a thread.
            take: is given each piece, on the event loop.

        Raises:
            Stalled: nobody reads the pieces.
            Exception: what `work` raises.
        """
        ticket = Ticket()
        send, pieces = anyio.create_memory_object_stream[T](AHEAD)
        failed: list[Exception] = []

        def run() -> None:
            try:
                with answering(ticket):
                    for piece in work():
                        from_thread.run(_put, send, piece)
                        still_wanted()
            except Exception as error:
                failed.append(error)

        async def worker() -> None:
            with anyio.CancelScope(shield=True), send:  # a thread is not cancelled, only told
                await to_thread.run_sync(run, limiter=self._limiter)

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            ticket.leave()

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            group.start_soon(worker)
            try:
                async with pieces:
                    async for piece in pieces:
                        with anyio.fail_after(self._stalled):
                            await take(piece)
            except TimeoutError:
                failed.insert(0, Stalled())
            finally:
                ticket.leave()
                group.cancel_scope.cancel()
        if failed:  # outside of the group, which would wrap it
            raise failed[0]


async def _put(send: MemoryObjectSendStream[T], piece: T) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await send.send(piece)
