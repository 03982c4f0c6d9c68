"""Stop sequences: an answer ends before the first of them, which is not part of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def until_stop(pieces: Iterator[str], stops: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Pieces up to the first stop sequence, and whether one was met, true in the last pair alone.

    What may be the beginning of a stop sequence is held back until it is known not to be.
    """
    held = ""
    for piece in pieces:
        held += piece
        places = [at for at in (held.find(stop) for stop in stops) if at >= 0]
        if places:
            yield held[: min(places)], True
            return
        keep = _beginning(held, stops)
        if len(held) > keep:
            yield held[: len(held) - keep], False
            held = held[len(held) - keep :]
    if held:
        yield held, False


def _beginning(text: str, stops: Sequence[str]) -> int:
    """Length of the longest end of `text` with which a stop sequence begins."""
    longest = max((len(stop) - 1 for stop in stops), default=0)
    for length in range(min(longest, len(text)), 0, -1):
        if any(stop.startswith(text[-length:]) for stop in stops):
            return length
    return 0
