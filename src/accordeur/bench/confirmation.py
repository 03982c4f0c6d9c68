"""After the seal is broken: measure every finished candidate, test the pick once (P7.6).

Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from accordeur.bench.common_rows import held_out_on_common_rows, too_many
from accordeur.bench.comparison import Pair, Rows, compare
from accordeur.bench.entries import Outcome
from accordeur.bench.fit_context import Bench
from accordeur.bench.sinks import RunSink
from accordeur.core.fingerprint import seed_for
from accordeur.core.measurement import Measurement
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.harness import answer_rows, summarise
from accordeur.measure.metric import Metric
from accordeur.measure.statistics import holm
from accordeur.parts.assemble import assemble

Verdict = Literal["confirmed", "gain not shown", "contradicted", "not tested"]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Held-out results.

    Attributes:
        measurements: entry -> held-out measurement of its best configuration.
        primary: the pick against as-is, tested once; when the pick *is* as-is, the untested
            interval to the best on dev.
        against: entry -> its pair against as-is, Holm-adjusted p apart in `adjusted`.
        adjusted: entry -> Holm-adjusted p over all secondary comparisons.
        outcome: what the primary test says.
        lost: rows lost to errors, when they are too many for the test.
    """

    measurements: Mapping[str, Measurement]
    primary: tuple[str, str, Pair] | None
    against: Mapping[str, Pair]
    adjusted: Mapping[str, float]
    outcome: Verdict
    lost: int = 0

    def primary_json(self) -> dict[str, Any] | None:
        """The primary comparison as plain data."""
        if self.primary is None:
            return None
        candidate, against, pair = self.primary
        return {
            "candidate": candidate,
            "against": against,
            **pair.to_json(),
            "outcome": self.outcome,
        }


def measure_held_out(
    outcomes: Sequence[Outcome],
    rows: Sequence[Example],
    bench: Bench,
    on_entry: Callable[[str], None],
) -> dict[str, Measurement]:
    """Score every finished entry's best configuration on the opened rows."""
    measured = {}
    for outcome in outcomes:
        best = outcome.best
        if not outcome.finished or best is None:
            continue
        name = outcome.stack.name

        def progress(
            finished: int, total: int, name: str = name, configuration: str = best.name
        ) -> None:
            bench.progress(name, configuration, finished, total)

        results = answer_rows(
            assemble(best.candidate, bench.source, cache=bench.cache),
            rows,
            bench.metric,
            bench.task,
            RunSink(bench.folder, "test", best.id),
            progress=progress,
        )
        measured[name] = summarise(
            results,
            rows,
            bench.metric,
            bench.task,
            candidate=best.id,
            split="test",
            seed=seed_for(bench.seed, "interval"),
        )
        on_entry(name)
    return held_out_on_common_rows(measured, rows, bench.metric, bench.task)


def confirm(
    pick: str | None,
    dev_best: str | None,
    measurements: Mapping[str, Measurement],
    examples: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
    *,
    seed: int,
) -> Confirmation:
    """One primary test, one Holm family of secondary ones.

    Args:
        dev_best: the entry that led on dev, against which an as-is pick is set.
    """
    base = measurements.get("as-is")
    rows = Rows(list(measurements.values()), examples, metric, task)
    missing = len(examples) - len(rows)
    lost = missing if too_many(missing, len(examples)) else 0
    if base is None or not len(rows):
        return Confirmation(measurements, None, {}, {}, "not tested", lost)
    seed = seed_for(seed, "confirmation")
    against = {
        name: compare(rows, one, base, seed=seed, test=True)
        for name, one in measurements.items()
        if name != "as-is"
    }
    secondary = [name for name in against if name != pick]
    tested = [p for name in secondary if (p := against[name].p) is not None]
    adjusted = dict(zip(secondary, map(float, holm(tested)), strict=True))
    primary: tuple[str, str, Pair] | None = None
    outcome: Verdict = "not tested"
    if pick == "as-is" and dev_best in measurements and dev_best != "as-is":
        assert dev_best is not None
        primary = ("as-is", dev_best, compare(rows, base, measurements[dev_best], seed=seed))
    elif pick in against and not lost:
        assert pick is not None
        pair = against[pick]
        primary = (pick, "as-is", pair)
        assert pair.p is not None
        if pair.p >= 0.05:
            outcome = "gain not shown"
        else:
            outcome = "confirmed" if pair.difference > 0 else "contradicted"
    return Confirmation(measurements, primary, against, adjusted, outcome, lost)


def all_pairs(
    measurements: Mapping[str, Measurement],
    examples: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
    *,
    seed: int,
) -> list[dict[str, Any]]:
    """Every pair's difference and interval, without tests."""
    rows = Rows(list(measurements.values()), examples, metric, task)
    names = list(measurements)
    if not len(rows):
        return []
    pairs = []
    for place, a in enumerate(names):
        for b in names[place + 1 :]:
            pair = compare(rows, measurements[a], measurements[b], seed=seed_for(seed, "pairs"))
            pairs.append(
                {
                    "a": a,
                    "b": b,
                    "split": measurements[a].split,
                    "n": pair.n,
                    "difference": pair.difference,
                    "interval": pair.interval.to_json() if pair.interval else None,
                }
            )
    return pairs
