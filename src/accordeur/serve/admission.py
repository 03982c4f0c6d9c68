"""Who is let in: so many requests at once, the others are told when to come again."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from accordeur.serve.errors import ApiError

_MEMORY = 0.1
"""Weight of the latest request in the mean time of one."""


class Admission:
    """Counts the requests that are being answered. Used from the event loop alone.

    Args:
        most: at once, those that wait for the engine included.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.inside = 0
        self._seconds = 1.0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Hold a place.

        Raises:
            ApiError: there is none: 429 with `Retry-After`, the time of an average request.
        """
        if self.inside >= self._most:
            wait = str(max(1, math.ceil(self._seconds)))
            raise ApiError(
                429,
                f"{self.inside} requests are being answered; try again in {wait} s.",
                code="server_busy",
                headers={"Retry-After": wait},
            )
        self.inside += 1
        began = time.monotonic()
        try:
            yield
        finally:
            self.inside -= 1
            took = time.monotonic() - began
            self._seconds += _MEMORY * (took - self._seconds)
