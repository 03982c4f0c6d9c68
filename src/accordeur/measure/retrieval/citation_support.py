"""Whether answers cite the places where the answer stands.

    supported   answered questions of which some citation shares a character with a gold span,
                among all answered questions that have gold

Asked of labelled places alone: no judge is needed. An answer without a citation counts as one that
cites nothing of gold; questions that the documents do not answer have no gold and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.measurement import Interval
from accordeur.core.span import Span
from accordeur.measure.statistics import wilson


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """An answer to a question whose places are known.

    Attributes:
        gold: places of the answer; empty where the documents do not answer.
        cited: places that the answer cites.
        answered: it was given, not withheld.
    """

    gold: tuple[Span, ...]
    cited: tuple[Span, ...]
    answered: bool = True


@dataclass(frozen=True, slots=True)
class CitationSupport:
    """A rate over answered questions.

    Attributes:
        supported: whose citations overlap gold.
        cited: that have a citation at all.
        n: answered questions with gold.
        interval: of supported / n, Wilson's; `None` for no question.
    """

    supported: int
    cited: int
    n: int
    interval: Interval | None

    @property
    def rate(self) -> float | None:
        """supported / n; `None` for no question."""
        return self.supported / self.n if self.n else None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        interval = self.interval.to_json() if self.interval is not None else None
        return {
            "supported": self.supported,
            "cited": self.cited,
            "n": self.n,
            "rate": self.rate,
            "interval": interval,
        }


def supports(one: CitedAnswer) -> bool:
    """Whether some citation shares a character with some gold span."""
    return any(cited.overlap(gold) for cited in one.cited for gold in one.gold)


def citation_support(answers: Sequence[CitedAnswer]) -> CitationSupport:
    """The rate over the answered questions with gold."""
    counted = [one for one in answers if one.answered and one.gold]
    supported = sum(supports(one) for one in counted)
    interval = None
    if counted:
        spread = wilson(supported, len(counted))
        interval = Interval(spread.low, spread.high, spread.level)
    return CitationSupport(
        supported, sum(bool(one.cited) for one in counted), len(counted), interval
    )
