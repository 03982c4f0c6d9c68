"""A running summary of what no longer fits, made by the model itself.

When the conversation outgrows the context, the older part is folded into the summary until the rest
takes half of the room: so a summary is made every so many turns, not at every turn. Each summary is
kept by a key of the exchanges it covers, and the next one starts from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.part import Slot
from accordeur.parts.memory.memory import (
    Exchange,
    Means,
    Remembered,
    latest,
    most_that_fit,
    quoted,
    sent,
)
from accordeur.parts.memory.stored import stored
from accordeur.parts.memory.window import TokenWindow

HEADING = "Summary of the conversation before this:"
ASK = (
    "Sum up the conversation below in a few sentences. Keep names, numbers, dates, decisions and "
    "open questions. Write the summary alone."
)
LONGEST = 256
"""Tokens of a summary at most; less where the context is small."""


@dataclass(frozen=True, slots=True)
class RunningSummary:
    """A summary of the older exchanges, and the latest ones as they were."""

    slot: ClassVar[Slot] = "memory"
    kind: ClassVar[str] = "summary"

    @property
    def trained_parameters(self) -> int:
        """None."""
        return 0

    def describe(self) -> str:
        """A few words."""
        return "a running summary"

    def remember(self, earlier: Sequence[Exchange], question: str, means: Means) -> Remembered:
        """The summary and the latest of it; see `Memory.remember`."""
        if means.cost(sent(earlier, question)) <= means.room:
            return Remembered(sent(earlier, question), len(earlier))
        if means.cost(sent((), question)) + _limit(means) > means.room:
            return TokenWindow().remember(earlier, question, means)  # no room for a summary
        keys = list(_keys(earlier))
        covered = max((at for at, key in enumerate(keys) if key in means.summaries), default=0)
        text = means.summaries.get(keys[covered], "")
        if covered == 0 or means.cost(_turns(text, earlier[covered:], question)) > means.room:
            rest = _rest(earlier, question, means)
            if rest < len(earlier) - covered:
                text = _fold(text, earlier, covered, len(earlier) - rest, keys, means)
                covered = len(earlier) - rest
        if means.cost(_turns(text, (), question)) > means.room:
            return TokenWindow().remember(earlier, question, means)
        kept = most_that_fit(  # fewer only where a summary is longer than the room it was given
            len(earlier) - covered,
            lambda count: means.cost(_turns(text, latest(earlier, count), question)) <= means.room,
        )
        return Remembered(
            _turns(text, latest(earlier, kept), question), kept, len(earlier) - kept, text, covered
        )

    def files(self) -> Mapping[str, bytes]:
        """`memory.json`."""
        return stored(self.kind, {})

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> RunningSummary:
        """Inverse of `files`, of what `stored` held."""
        return cls()


def _turns(summary: str, kept: Sequence[Exchange], question: str) -> Any:
    return sent(kept, question, before=f"{HEADING}\n{quoted(summary)}" if summary else "")


def _limit(means: Means) -> int:
    return max(1, min(LONGEST, means.room // 8))


def _rest(earlier: Sequence[Exchange], question: str, means: Means) -> int:
    """How many exchanges stay as they were: half of the room that the question leaves."""
    alone = means.cost(sent((), question)) + _limit(means)
    half = alone + (means.room - alone) // 2
    return most_that_fit(
        len(earlier),
        lambda count: means.cost(sent(latest(earlier, count), question)) + _limit(means) <= half,
    )


def _fold(
    summary: str,
    earlier: Sequence[Exchange],
    start: int,
    end: int,
    keys: Sequence[str],
    means: Means,
) -> str:
    """The summary with exchanges from `start` to `end` put in, a readable stretch at a time."""
    largest = max(1, means.room // 2)
    while start < end:
        stop, lines = start, ""
        while stop < end:
            more = lines + _script(earlier[stop])
            if lines and means.count(more) > largest:
                break
            stop, lines = stop + 1, more
        before = f"Summary so far:\n{summary}\n\n" if summary else ""
        summary = means.write(ASK, f"{before}{lines}".rstrip(), _limit(means)).strip()
        means.summaries[keys[stop]] = summary
        start = stop
    return summary


def _script(exchange: Exchange) -> str:
    return f"User: {exchange.question}\nAssistant: {exchange.answer}\n"


def _keys(earlier: Sequence[Exchange]) -> Iterator[str]:
    """A key for each number of first exchanges, from none to all."""
    chain = hashlib.sha256(ASK.encode())
    yield chain.hexdigest()
    for exchange in earlier:
        for text in (exchange.question, exchange.answer):
            data = text.encode("utf-8", "surrogatepass")
            chain.update(len(data).to_bytes(8, "big") + data)
        yield chain.hexdigest()
