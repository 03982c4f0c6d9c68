"""Batches of texts of similar length, so that little is computed for padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def length_batches(
    lengths: Sequence[int], tokens: int, *, alone: bool = False, pads: bool = True
) -> Iterator[list[int]]:
    """Places of texts that are computed together, the longest first.

    Args:
        lengths: of the texts, at least 1 each.
        tokens: of a batch, padding included, unless a single text has more.
        alone: each text goes by itself, so that its result depends on no other.
        pads: texts of one batch may differ in length.
    """
    order = sorted(range(len(lengths)), key=lambda at: -lengths[at])
    start = 0
    while start < len(order):
        longest = lengths[order[start]]
        most = 1 if alone else tokens // longest
        batch = order[start : start + max(1, most)]
        if not pads:
            batch = [at for at in batch if lengths[at] == longest]
        yield batch
        start += len(batch)
