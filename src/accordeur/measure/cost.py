"""What a candidate costs to make and to use (DESIGN P8)."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from accordeur.core.answer import Answer, Status
from accordeur.core.errors import EndpointGone
from accordeur.core.measurement import Cost, Measurement
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Prices
from accordeur.measure.harness import RETRIES
from accordeur.parts.answering.answerer import Answerer

QUERIES = 20
"""Dev queries asked one at a time."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall time of single queries, seconds."""

    median: float
    p95: float
    queries: int


@dataclass(slots=True)
class Queries:
    """Single queries so far.

    Attributes:
        warmed: the one before the clock was asked.
        seconds: by place of the row.
    """

    warmed: bool = False
    seconds: dict[int, float] = field(default_factory=dict)


def single_queries(
    answerer: Answerer,
    examples: Sequence[Example],
    known: Queries | None = None,
    keep: Callable[[Queries], None] = lambda queries: None,
) -> Latency:
    """Ask the first rows one at a time: model loaded, the candidate's static prefix cached.

    Whatever other candidates left in memory is dropped first; one query runs before the clock, so
    the static prefix is there (its prefill counts in the one-off cost). The answerer must have no
    answer cache. A query that an endpoint does not answer is asked again, then left out: how long
    a failure takes is no latency.

    Args:
        known: what an earlier process measured.
        keep: told after every query.

    Raises:
        EndpointGone: none was answered.
        ValueError: no rows.
    """
    if not examples:
        raise ValueError("latency needs at least one row")
    answerer.forget()
    requests = [Request.from_example(example) for example in examples[:QUERIES]]
    queries = known or Queries()
    if not queries.warmed:
        # A row that is not timed, where there is one: nothing of a timed row may be known already.
        warm = examples[QUERIES] if len(examples) > QUERIES else examples[-1]
        list(answerer.answer([Request.from_example(warm)]))
        queries.warmed = True
        keep(queries)
    lost = ""
    for place, request in enumerate(requests):
        for _ in range(0 if place in queries.seconds else 1 + RETRIES):
            started = time.perf_counter()
            (answer,) = (one for batch in answerer.answer([request]) for one in batch.results)
            took = time.perf_counter() - started
            if answer.status is not Status.ERROR:
                queries.seconds[place] = took
                keep(queries)
                break
            lost = answer.error
    seconds = list(queries.seconds.values())
    if not seconds:
        raise EndpointGone(
            f"No query was answered when asked alone: {lost}",
            hint="the same command goes on where it stopped",
        )
    return Latency(statistics.median(seconds), float(np.percentile(seconds, 95)), len(seconds))


def local_cost(
    *,
    fit_seconds: float,
    train_labels: int,
    latency: Latency,
    prices: Prices,
    queries: int,
    trained_parameters: int,
    size: int,
) -> Cost:
    """Cost of a candidate that runs on this machine.

    make F = fit seconds x price/h + train labels x label price; use c = cold seconds x price/h.

    Args:
        fit_seconds: one-off: fitting, its dev evaluations, and the levers beneath it.
        train_labels: labelled train rows the entry was given.
        size: bytes of the candidate's files.
    """
    hourly = prices.hour / 3600.0
    return Cost(
        fit_seconds=fit_seconds,
        make=fit_seconds * hourly + train_labels * prices.label,
        use=latency.median * hourly,
        cold_seconds=latency.median,
        latency_p95=latency.p95,
        latency_queries=latency.queries,
        queries=queries,
        currency=prices.currency,
        trained_parameters=trained_parameters,
        bytes=size,
        peak_memory=peak_memory(),
    )


@dataclass(frozen=True, slots=True)
class Tokens:
    """Logical tokens read and written."""

    read: float = 0.0
    written: float = 0.0

    @classmethod
    def of(cls, measurements: Iterable[Measurement]) -> Tokens:
        """All of several measurements."""
        return cls.of_answers(row.answer for one in measurements for row in one.rows)

    @classmethod
    def of_answers(cls, answers: Iterable[Answer]) -> Tokens:
        """All of several answers."""
        used = [one.usage for one in answers]
        return cls(
            float(sum(one.input_tokens for one in used)),
            float(sum(one.output_tokens for one in used)),
        )

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.read + other.read, self.written + other.written)

    def money(self, prices: Prices) -> float | None:
        """What they cost; `None` where a price is not known."""
        if prices.input_token is None or prices.output_token is None:
            return None
        return self.read * prices.input_token + self.written * prices.output_token


def endpoint_cost(
    *,
    fit_seconds: float,
    spent: Tokens,
    measured: Measurement,
    train_labels: int,
    latency: Latency,
    prices: Prices,
    queries: int,
    size: int,
) -> Cost:
    """Cost of a candidate whose model is called (P8): tokens count, not seconds of this machine.

    make F = tokens x price + train labels x label price; use c = mean tokens of a dev query x
    price. Unknown where a price of tokens is not known.

    Args:
        spent: on fitting, its dev evaluations and the levers beneath it.
        measured: the candidate on dev.
    """
    make, dev = spent.money(prices), Tokens.of([measured]).money(prices)
    rows = sum(row.score is not None for row in measured.rows)  # those lost to errors cost nothing
    return Cost(
        fit_seconds=fit_seconds,
        make=None if make is None else make + train_labels * prices.label,
        use=None if dev is None or not rows else dev / rows,
        cold_seconds=latency.median,
        latency_p95=latency.p95,
        latency_queries=latency.queries,
        queries=queries,
        currency=prices.currency,
        bytes=size,
        peak_memory=peak_memory(),
    )


def peak_memory() -> int:
    """Highest resident memory of this process so far, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def break_even(make_a: float, use_a: float, make_b: float, use_b: float) -> float | str:
    """Queries from which on a is cheaper than b: (F_a - F_b) / (c_b - c_a) when positive.

    Else "always" (at no volume is a dearer) or "never": a costs more per query, or as much and more
    to make. An a that is cheaper only up to some volume is "never" too; that volume is the
    break-even of b against a.
    """
    if use_a < use_b:
        return max(0.0, (make_a - make_b) / (use_b - use_a)) or "always"
    if use_a == use_b:
        return "always" if make_a <= make_b else "never"
    return "never"
