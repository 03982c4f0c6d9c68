"""How many calls at once: more while answers come, fewer when the endpoint pushes back.

As TCP does it (additive increase, multiplicative decrease; Chiu and Jain 1989, slow start of
Jacobson 1988): the limit grows by one with every answer until it was first pushed back, then by one
with every round of answers; a push back (429) halves it, at most once a round. Server errors and
timeouts do not count: they say nothing about how much the endpoint takes.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from accordeur.models.openai_api.failures import Failure, Kind

START = 8
"""Calls at once in the beginning."""


class Pace:
    """Slots for calls.

    Args:
        most: calls at once at most.

    Attributes:
        limit: calls at once now.
        highest: the largest number that ran at once.
        pushes: how often the endpoint said that it is too much.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = float(min(START, most))
        self.highest = 0
        self.pushes = 0
        self._slow_start = True
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._not_before = 0.0
        self._cut_at = -1.0

    @asynccontextmanager
    async def slot(self, until: float = math.inf) -> AsyncIterator[float]:
        """One of the calls at once; gives the moment it began.

        Args:
            until: moment on the monotonic clock behind which the call is of no use.

        Raises:
            Failure: the endpoint wants to be left alone for longer than that.
        """
        while self._running >= int(self.limit):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake()  # the turn goes to the next one
                raise
        self._running += 1
        try:
            while (pause := self._not_before - time.monotonic()) > 0:
                if self._not_before >= until:
                    raise Failure(
                        Kind.RATE_LIMIT, f"the endpoint wants no call for {pause:.0f} seconds"
                    )
                await asyncio.sleep(pause)
            if time.monotonic() >= until:
                raise Failure(Kind.TIMEOUT, "its turn came too late")
            self.highest = max(self.highest, self._running)
            yield time.monotonic()
        finally:
            self._running -= 1
            self._wake()

    def answered(self) -> None:
        """An answer came."""
        self.limit = min(self._most, self.limit + (1.0 if self._slow_start else 1.0 / self.limit))
        self._wake()

    def pushed_back(self, began: float, wait: float | None) -> None:
        """The endpoint said that it is too much.

        Args:
            began: when the call began; calls of a round that was cut already do not cut again.
            wait: seconds it asked for: nobody calls before.
        """
        self.pushes += 1
        now = time.monotonic()
        if wait is not None:
            self._not_before = max(self._not_before, now + wait)
        if began > self._cut_at:
            self._cut_at = now
            self._slow_start = False
            self.limit = max(1.0, self.limit / 2)

    def _wake(self) -> None:
        free = int(self.limit) - self._running
        while self._waiting and free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
