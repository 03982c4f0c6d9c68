"""Seconds of the wall and of the processor."""

from __future__ import annotations

import time
from types import TracebackType


class Clock:
    """Measures a `with` block."""

    def __enter__(self) -> Clock:
        self._wall, self._processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.wall = time.perf_counter() - self._wall
        self.processor = time.process_time() - self._processor

    def to_json(self) -> dict[str, float]:
        """As plain data."""
        return {"wall": self.wall, "processor": self.processor}
