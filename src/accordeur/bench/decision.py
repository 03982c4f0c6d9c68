"""The decision on dev: who may win, who is close, what is picked, how sure (DESIGN P7, 1 to 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from accordeur.bench.common_rows import dev_measurements, too_many
from accordeur.bench.comparison import Rows, resolution
from accordeur.bench.entries import Outcome
from accordeur.core.fingerprint import seed_for
from accordeur.core.task import Example, Limits, TaskBrief
from accordeur.measure.metric import Metric
from accordeur.measure.statistics import Selection, mean, select


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on dev, before the held-out split was opened.

    Attributes:
        pick: name of the recommended entry; `None` when nothing is eligible.
        blocked: why there is no pick.
        selection: estimates of every eligible entry.
        ineligible: entry -> why it may not win.
        rivals: entries the pick is tied with, strongest first.
        detectable: smallest difference to the strongest rival these dev rows can see.
        rows_needed: dev rows that would settle the gap to it.
        gap: estimated difference to it.
        too_few: a tie that more rows could break: the pick is provisional.
        best_language_model: name of the best entry with a language model, if the pick is a floor.
        tolerance: in score units.
        lost: rows lost to errors, when they are too many to decide: nothing is decided yet.
    """

    pick: str | None
    blocked: str
    selection: Selection | None
    ineligible: Mapping[str, str]
    rivals: tuple[str, ...] = ()
    detectable: float | None = None
    rows_needed: int | None = None
    gap: float | None = None
    too_few: bool = False
    best_language_model: str | None = None
    tolerance: float = 0.01
    lost: int = 0

    def to_json(self, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
        """What is written and hashed: every number the pick rests on, and nothing of held-out."""
        chosen = self.selection
        best = outcomes[self.pick].best if self.pick else None
        return {
            "pick": self.pick,
            "configuration": best.name if best else None,
            "configuration_id": best.id if best else None,
            "blocked": self.blocked,
            "sureness": chosen.sureness if chosen else None,
            "word": chosen.word if chosen else None,
            "ranked_by": chosen.ranked_by if chosen else None,
            "tied_with": list(self.rivals),
            "tolerance": self.tolerance,
            "detectable_difference": self.detectable,
            "rows_needed": self.rows_needed,
            "gap": self.gap,
            "too_few": self.too_few,
            "best_language_model": self.best_language_model,
            "ineligible": dict(self.ineligible),
            "estimates": {
                name: {
                    "configuration": one.configuration,
                    "dev": one.dev,
                    "est": one.estimate,
                    "optimism": one.optimism,
                    "shortfall": one.shortfall,
                    "close": one.close,
                }
                for name, one in (chosen.entries if chosen else {}).items()
            },
        }


def why_ineligible(outcome: Outcome, limits: Limits) -> str:
    """Why an entry may not be recommended; empty when it may (P7.1)."""
    if outcome.status == "cut":
        return f"cut by the clock: {outcome.reason}"
    if outcome.status == "stopped":
        return outcome.reason
    if not outcome.finished:
        return outcome.reason or "no row could be scored"
    assert outcome.cost is not None
    assert outcome.best is not None
    cost = outcome.cost
    if outcome.stack.floor and limits.language_model:
        return "floors are excluded by `limits.language_model`"
    if limits.cost_per_query is not None:
        limit = f"the limit of {limits.cost_per_query:g} {cost.currency} per query"
        if cost.use is None:
            return f"its price per query is unknown, so {limit} cannot be checked"
        if cost.use > limits.cost_per_query:
            return f"over {limit}"
    if limits.latency_p95 is not None and cost.latency_p95 is None:
        return f"its latency is unknown, so the limit of {limits.latency_p95:g} s cannot be checked"
    if limits.latency_p95 is not None and (cost.latency_p95 or 0.0) > limits.latency_p95:
        return f"p95 latency {cost.latency_p95:.2f} s is over the limit of {limits.latency_p95:g} s"
    if limits.fit_seconds is not None and cost.fit_seconds > limits.fit_seconds:
        return f"took {cost.fit_seconds:.0f} s to make; the limit is {limits.fit_seconds:g} s"
    return ""


def decide(
    outcomes: Sequence[Outcome],
    dev: Sequence[Example],
    metric: Metric,
    task: TaskBrief,
    limits: Limits,
    *,
    seed: int,
) -> Decision:
    """Choose on dev with the optimism of choosing removed."""
    ineligible = {
        one.stack.name: reason for one in outcomes if (reason := why_ineligible(one, limits))
    }
    rows = Rows(dev_measurements(outcomes), dev, metric, task)
    lost = len(dev) - len(rows)
    if too_many(lost, len(dev)):
        blocked = f"{lost} of {len(dev)} dev rows were lost to errors for some candidate"
        return Decision(None, blocked, None, ineligible, tolerance=limits.tolerance, lost=lost)
    able = [one for one in outcomes if one.stack.name not in ineligible]
    if not able:
        return Decision(
            None, "no candidate is eligible", None, ineligible, tolerance=limits.tolerance
        )
    columns = [scored for one in able for scored in one.competing]

    over = rows.over(*(scored.measurement for scored in columns))
    entries: dict[str, dict[str, ArrayLike]] = {}
    position = 0
    for one in able:
        table = entries.setdefault(one.stack.name, {})
        for scored in one.competing:
            places = np.arange(len(rows)) + position * len(rows)
            table[scored.name] = rows.scores(scored.measurement) if over is None else places
            position += 1
    chosen = select(
        entries,
        rows.groups,
        totals={one.stack.name: one.cost.total if one.cost else None for one in able},
        parameters={
            one.stack.name: one.best.candidate.trained_parameters if one.best else 0 for one in able
        },
        tolerance=limits.tolerance,
        seed=seed_for(seed, "selection"),
        statistic=mean if over is None else over,
    )
    return _with_resolution(chosen, able, rows, ineligible, limits, seed)


def _with_resolution(
    chosen: Selection,
    able: Sequence[Outcome],
    rows: Rows,
    ineligible: Mapping[str, str],
    limits: Limits,
    seed: int,
) -> Decision:
    """Add what these rows can and cannot tell apart, and the best language model."""
    by_name = {one.stack.name: one for one in able}
    estimates = chosen.entries
    others = sorted(
        (name for name in estimates if name != chosen.pick),
        key=lambda name: -estimates[name].estimate,
    )
    rival = chosen.tied_with[0] if chosen.tied_with else (others[0] if others else None)
    detectable: float | None = None
    needed: int | None = None
    gap: float | None = None
    if rival is not None:
        gap = abs(estimates[chosen.pick].estimate - estimates[rival].estimate)
        first, second = by_name[chosen.pick].best, by_name[rival].best
        assert first is not None
        assert second is not None
        detectable, needed = resolution(
            rows,
            first.measurement,
            second.measurement,
            gap,
            seed=seed_for(seed, "resolution"),
        )
    too_few = chosen.word == "tie" and (
        detectable is None or (gap is not None and detectable > gap)
    )
    best_model: str | None = None
    if by_name[chosen.pick].stack.floor:
        models = [name for name in estimates if not by_name[name].stack.floor]
        best_model = max(models, key=lambda name: estimates[name].estimate, default=None)
    return Decision(
        chosen.pick,
        "",
        chosen,
        ineligible,
        chosen.tied_with,
        detectable,
        needed,
        gap,
        too_few,
        best_model,
        limits.tolerance,
    )
