"""Gold places in documents, and what passages have to do with them."""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

from accordeur.core.span import Span


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same characters as spans that do not touch, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        last = found[-1] if found else None
        if last is not None and last.document == span.document and span.start <= last.end:
            found[-1] = Span(last.document, last.start, max(last.end, span.end))
        else:
            found.append(span)
    return found


def shared_characters(a: Iterable[Span], b: Iterable[Span]) -> int:
    """Characters that lie in a span of both, each counted once."""
    right = merged(b)
    return sum(one.overlap(other) for one in merged(a) for other in right)


def span_recall(gold: Sequence[Span], found: Sequence[Span], k: int) -> float:
    """Share of the gold characters that lie in the first k passages found.

    Args:
        gold: at least one span; where they overlap, characters count once.
        found: passages, best first.
    """
    return shared_characters(gold, found[:k]) / sum(map(len, merged(gold)))


def span_precision(gold: Sequence[Span], found: Sequence[Span], k: int) -> float:
    """Gold characters in the first k passages, each counted once, per character that is shown.

    A character in two passages is shown twice: it takes up room in a prompt twice. 0 where nothing
    was found.
    """
    shown = sum(map(len, found[:k]))
    return shared_characters(gold, found[:k]) / shown if shown else 0.0


def relevant(gold: Sequence[Span], passage: Span) -> bool:
    """Whether a passage shares a character with a gold span."""
    return any(passage.overlap(one) for one in gold)


class Places:
    """Where all passages of an index lie, to count those relevant to a question.

    Args:
        passages: their spans, in any order.
    """

    def __init__(self, passages: Iterable[Span]) -> None:
        grouped = defaultdict(list)
        for one in passages:
            grouped[one.document].append(one)
        self._by_document = {name: sorted(spans) for name, spans in grouped.items()}
        self._starts = {n: [one.start for one in spans] for n, spans in self._by_document.items()}
        self._furthest = {  # rising, also where a passage lies inside another
            n: list(accumulate((one.end for one in spans), max))
            for n, spans in self._by_document.items()
        }

    def relevant(self, gold: Iterable[Span]) -> list[Span]:
        """Passages that share a character with a gold span, sorted."""
        found: set[tuple[str, int]] = set()
        for one in gold:
            if one.document in self._by_document:
                first = bisect.bisect_right(self._furthest[one.document], one.start)
                behind = bisect.bisect_left(self._starts[one.document], one.end)
                spans = self._by_document[one.document]
                found |= {
                    (one.document, at) for at in range(first, behind) if one.overlap(spans[at])
                }
        return sorted(self._by_document[name][at] for name, at in found)
