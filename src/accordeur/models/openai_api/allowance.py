"""How much may be spent on an endpoint before a run stops: calls, tokens, money.

It counts from the beginning of a command; a command that goes on has its own. A call in flight when
the limit is reached is answered and kept, so up to as many calls as run at once may come on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from accordeur.models.openai_api.failures import Failure, Kind


class Purse(Protocol):
    """What a client asks before it spends."""

    @property
    def spent_calls(self) -> int:
        """Requests sent so far."""
        ...

    @property
    def spent_tokens(self) -> int:
        """Read and written so far."""
        ...

    def ask(self) -> None:
        """One more request is about to be sent.

        Raises:
            Failure: a limit is reached.
        """
        ...

    def answered(self, read: int, written: int) -> None:
        """An answer came that cost so many tokens."""
        ...


@dataclass(slots=True)
class Allowance:
    """Limits, and what is spent of them.

    Attributes:
        calls: requests sent, asking again included.
        tokens: read and written together, as the endpoint tells them.
        money: in the currency of the prices.
        input_price, output_price: of a token; needed for `money`.
        spent_calls, spent_tokens, spent_money: so far.
    """

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None
    input_price: float = 0.0
    output_price: float = 0.0
    spent_calls: int = 0
    spent_tokens: int = 0
    spent_money: float = 0.0

    def ask(self) -> None:
        """One more request is about to be sent.

        Raises:
            Failure: a limit is reached.
        """
        for limit, spent, what in (
            (self.calls, self.spent_calls, "calls"),
            (self.tokens, self.spent_tokens, "tokens"),
            (self.money, self.spent_money, "of money"),
        ):
            if limit is not None and spent >= limit:
                raise Failure(Kind.SPENT, f"the limit of {limit:g} {what} is reached")
        self.spent_calls += 1

    def answered(self, read: int, written: int) -> None:
        """An answer came that cost so many tokens."""
        self.spent_tokens += read + written
        self.spent_money += read * self.input_price + written * self.output_price


@dataclass(frozen=True, slots=True)
class AtPrices:
    """One allowance that several models spend from, each at its own prices."""

    allowance: Allowance
    input_price: float
    output_price: float

    @property
    def spent_calls(self) -> int:
        """Of all models together."""
        return self.allowance.spent_calls

    @property
    def spent_tokens(self) -> int:
        """Of all models together."""
        return self.allowance.spent_tokens

    def ask(self) -> None:
        """As `Allowance.ask`."""
        self.allowance.ask()

    def answered(self, read: int, written: int) -> None:
        """As `Allowance.answered`, at the prices of this model."""
        self.allowance.spent_tokens += read + written
        self.allowance.spent_money += read * self.input_price + written * self.output_price
