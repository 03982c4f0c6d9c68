"""An answer that is read piece by piece, and what is known of it at its end."""

from __future__ import annotations

from collections.abc import Iterator

from accordeur.core.model import Generated, Pieces


class Streamed:
    """Pieces for a `for` loop, which would throw away what a generator returns.

    Args:
        pieces: read once.

    Attributes:
        whole: once all pieces were read.
    """

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self.whole: Generated | None = None

    def __iter__(self) -> Iterator[str]:
        self.whole = yield from self._pieces

    def close(self) -> None:
        """Give up the rest; an endpoint's stream is closed."""
        self._pieces.close()
