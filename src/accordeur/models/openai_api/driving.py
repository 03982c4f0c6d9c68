"""Thousands of calls driven from ordinary code: answers are handed over as they come.

The calls run on an event loop of a thread of its own, which keeps connections open between them.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from accordeur.models.openai_api.client import Client
from accordeur.models.openai_api.failures import FINAL, Failure, Kind

T = TypeVar("T")

TOGETHER = 0.05
"""Seconds for which answers are gathered before they are handed over."""

NOW_AND_THEN = 0.5
"""Seconds between two looks whether somebody still waits."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of a call.

    Attributes:
        index: which one.
        answer: its answer, or the failure it ended with.
        seconds: it took, waiting and asking again included.
    """

    index: int
    answer: T | Failure
    seconds: float = 0.0


class Driver:
    """An event loop beside the program, and the calls that run on it.

    Attributes:
        waiting: called now and then in the thread that waits for an answer; what it raises ends the
            wait, and what runs for it is cancelled.
    """

    def __init__(self) -> None:
        self.waiting: Callable[[], None] = lambda: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    @property
    def started(self) -> bool:
        """Whether anything was called yet."""
        return self._loop is not None

    def call(self, work: Awaitable[T]) -> T:
        """One piece of work, waited for."""
        running = self._submit(work)
        try:
            while not wait([running], NOW_AND_THEN).done:
                self.waiting()
        finally:
            running.cancel()  # one that is done stays as it is
        return running.result()

    def many(
        self,
        client: Client,
        wanted: Sequence[int],
        make: Callable[[int], Awaitable[T]],
        most: int,
    ) -> Iterator[list[Done[T]]]:
        """Calls at once; what is answered comes in groups, in the order of answering.

        When the iterator is closed, what still runs is cancelled.

        Args:
            client: that makes them.
            wanted: indices of the calls.
            make: a call of an index.
            most: at once at most.

        Raises:
            Failure: one that no other call would escape (a refused key, an endpoint that is dead);
                what was in flight then comes first.
        """
        results: queue.SimpleQueue[Done[T] | None] = queue.SimpleQueue()
        running = self._submit(_drive(client, wanted, make, most, results.put))
        running.add_done_callback(lambda _: results.put(None))
        try:
            open_still = True
            while open_still:
                first = self._next(results)
                group = [] if first is None else [first]
                open_still = first is not None
                until = time.monotonic() + TOGETHER
                while open_still and (left := until - time.monotonic()) > 0:
                    try:
                        more = results.get(timeout=left)
                    except queue.Empty:
                        break
                    if more is None:
                        open_still = False
                    else:
                        group.append(more)
                if group:
                    yield group
            running.result()
        finally:
            running.cancel()

    def stream(self, pieces: AsyncIterator[T]) -> Iterator[T]:
        """The pieces of a stream as they come; closed early, the stream is closed, too."""
        results: queue.SimpleQueue[T | None] = queue.SimpleQueue()

        async def read() -> None:
            async for piece in pieces:
                results.put(piece)

        running = self._submit(read())
        running.add_done_callback(lambda _: results.put(None))
        try:
            while (piece := self._next(results)) is not None:
                yield piece
            running.result()
        finally:
            running.cancel()

    def _next(self, results: queue.SimpleQueue[T]) -> T:
        while True:
            self.waiting()
            with suppress(queue.Empty):
                return results.get(timeout=NOW_AND_THEN)

    def close(self, last: Callable[[], Awaitable[object]] | None = None) -> None:
        """Stop the loop and its thread, after a last piece of work; nobody waits for it.

        It may be called from the loop's own thread, where a model may lose its last reference.
        """
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return

        async def end() -> None:
            if last is not None:
                await last()
            loop.stop()

        def begin() -> None:
            loop.create_task(end())

        loop.call_soon_threadsafe(begin)

    def _submit(self, work: Awaitable[T]) -> Future[T]:
        async def awaited() -> T:
            return await work

        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), daemon=True).start()
            return asyncio.run_coroutine_threadsafe(awaited(), self._loop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _drive(
    client: Client,
    wanted: Sequence[int],
    make: Callable[[int], Awaitable[T]],
    most: int,
    put: Callable[[Done[T]], None],
) -> None:
    left = iter(wanted)
    gone: list[Failure] = []

    async def work() -> None:
        for index in left:
            if gone:
                return
            began = time.monotonic()
            answer: T | Failure
            try:
                answer = await make(index)
            except Failure as failure:
                # Nothing answered while this one was asked again and again: there is nobody.
                dead = failure.kind is Kind.CONNECTION and client.silent_since(began)
                if dead or failure.kind in FINAL:
                    gone.append(failure)
                    return  # what is in flight beside it may still be answered, and is kept
                answer = failure
            put(Done(index, answer, time.monotonic() - began))

    tasks = [asyncio.create_task(work()) for _ in range(min(most, len(wanted)))]
    try:
        await asyncio.gather(*tasks)
        if gone:
            raise gone[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
