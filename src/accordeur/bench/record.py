"""`record.json`: everything a report shows, computed once (docs/run-record.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from accordeur._version import __version__
from accordeur.bench.confirmation import Confirmation, all_pairs
from accordeur.bench.decision import Decision
from accordeur.bench.entries import Outcome
from accordeur.bench.reasoning import reasoning_json
from accordeur.bench.withholding import withholding_json
from accordeur.bench.wording import Wording, need_sentence, shrinkage_json
from accordeur.core.measurement import Measurement
from accordeur.core.task import Example, Task
from accordeur.measure.cost import break_even
from accordeur.measure.metric import Metric
from accordeur.measure.probability_scores import probability_scores


def measurement_json(
    one: Measurement, examples: Sequence[Example], labels: Sequence[str]
) -> dict[str, Any]:
    """Score, interval, counts, and calibration where probabilities exist."""
    return {
        "score": one.score,
        "n": one.n,
        "interval": one.interval.to_json() if one.interval else None,
        "statuses": dict(one.statuses),
        "missing": one.missing,
        "extra": {
            name: found.to_json()
            for name, found in probability_scores(one, examples, labels).items()
        },
    }


def confusion_json(
    one: Measurement, examples: Sequence[Example], labels: Sequence[str]
) -> dict[str, Any]:
    """Gold by predicted label; answers that name no label are counted apart per gold label."""
    place = {name: index for index, name in enumerate(labels)}
    matrix = [[0] * len(labels) for _ in labels]
    other = [0] * len(labels)
    for index in one.kept:
        row, example = one.rows[index], examples[index]
        gold = place.get(example.label)
        if gold is None:
            continue
        said = place.get(row.answer.label or "")
        if said is None:
            other[gold] += 1
        else:
            matrix[gold][said] += 1
    return {"split": one.split, "labels": list(labels), "matrix": matrix, "other": other}


def entry_json(
    outcome: Outcome,
    decision: Decision,
    outcomes: Mapping[str, Outcome],
    confirmation: Confirmation | None,
    task: Task,
    metric: Metric,
    test_rows: Sequence[Example],
    prompt: str,
    seed: int,
) -> dict[str, Any]:
    """One line of the comparison."""
    name = outcome.stack.name
    best = outcome.best
    labels = [label.name for label in task.labels]
    estimate = decision.selection.entries.get(name) if decision.selection else None
    test = confirmation.measurements.get(name) if confirmation else None
    pair = confirmation.against.get(name) if confirmation else None
    confusion = None
    if best is not None and task.kind == "labels":
        shown, rows = (test, test_rows) if test is not None else (best.measurement, task.dev)
        confusion = confusion_json(shown, rows, labels)
    against = None
    if pair is not None:
        against = {
            "split": "test",
            **pair.to_json(),
            "p_holm": confirmation.adjusted.get(name) if confirmation else None,
        }
    return {
        "name": name,
        "title": outcome.stack.title,
        "kind": "floor" if outcome.stack.floor else "lever",
        "describe": best.candidate.describe() if best else "",
        "status": outcome.status,
        "reason": outcome.reason,
        "configuration": best.name if best else None,
        "configuration_id": best.id if best else None,
        "configurations": len(outcome.competing),
        "dev": measurement_json(best.measurement, task.dev, labels) if best else None,
        "test": measurement_json(test, test_rows, labels) if test else None,
        "est": estimate.estimate if estimate else None,
        "optimism": estimate.optimism if estimate else None,
        "shortfall": estimate.shortfall if estimate else None,
        "close": bool(estimate and estimate.close),
        "eligible": name not in decision.ineligible,
        "ineligible_because": decision.ineligible.get(name, ""),
        "against_as_is": against,
        "cost": outcome.cost.to_json() if outcome.cost else None,
        "seconds": outcome.seconds,
        "tokens": {
            "logical": best.measurement.logical_tokens if best else 0,
            "computed": best.measurement.computed_tokens if best else 0,
        },
        "needs": need_sentence(decision, outcomes, name),
        "notes": dict(outcome.notes),
        "withholding": withholding_json(outcome, task.dev, metric, task.brief, seed=seed),
        "reasoning": reasoning_json(outcome, task, metric, test, test_rows),
        "prompt": prompt,
        "confusion": confusion,
    }


def ledger_json(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Every configuration scored on dev."""
    return [
        {
            "entry": outcome.stack.name,
            "configuration": one.name,
            "configuration_id": one.id,
            "score": one.measurement.score,
            "interval": one.measurement.interval.to_json() if one.measurement.interval else None,
            "n": one.measurement.n,
            "seconds": one.measurement.seconds,
            "tokens": one.measurement.logical_tokens,
            "competes": one.competes,
            "k": _k(one.name),
        }
        for outcome in outcomes
        for one in outcome.scored
    ]


def _k(configuration: str) -> int | None:
    found = re.match(r"k=(\d+)", configuration)
    return int(found[1]) if found else None


def curve_json(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The k-shot curve on dev: as-is at 0, then each drawn size once."""
    points: dict[int, dict[str, Any]] = {}
    for outcome in outcomes:
        for one in outcome.scored:
            drawn = re.fullmatch(r"k=(\d+) drawn", one.name)
            k = 0 if outcome.stack.name == "as-is" else int(drawn[1]) if drawn else None
            if k is None or k in points or one.measurement.score is None:
                continue
            interval = one.measurement.interval
            points[k] = {
                "k": k,
                "score": one.measurement.score,
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
                "n": one.measurement.n,
            }
    return [points[k] for k in sorted(points)] if len(points) > 1 else []


def break_even_json(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """For every ordered pair of priced entries, the queries from which a is cheaper than b."""
    priced = [one for one in outcomes if one.cost and one.cost.total is not None]
    pairs = []
    for a in priced:
        for b in priced:
            if a is b:
                continue
            assert a.cost
            assert b.cost
            make_a, use_a, make_b, use_b = a.cost.make, a.cost.use, b.cost.make, b.cost.use
            assert make_a is not None
            assert use_a is not None
            assert make_b is not None
            assert use_b is not None
            pairs.append(
                {
                    "a": a.stack.name,
                    "b": b.stack.name,
                    "queries": break_even(make_a, use_a, make_b, use_b),
                }
            )
    return pairs


def _lost_json(decision: Decision, confirmation: Confirmation | None) -> dict[str, Any] | None:
    """Split and rows lost to errors, when they are too many to end the run."""
    if decision.lost:
        return {"split": "dev", "rows": decision.lost}
    if confirmation is not None and confirmation.lost:
        return {"split": "test", "rows": confirmation.lost}
    return None


def build_record(
    *,
    run: str,
    created: str,
    task: Task,
    metric: Metric,
    plan: Mapping[str, Any],
    model: Mapping[str, Any] | None,
    checks: Sequence[Mapping[str, Any]],
    first_prompt: str,
    outcomes: Sequence[Outcome],
    prompts: Mapping[str, str],
    decision: Decision,
    decision_hash: str,
    confirmation: Confirmation | None,
    openings: int | None,
    test_rows: Sequence[Example],
    ladder: Mapping[str, Any] | None,
    forgetting: Mapping[str, Any],
    wording: Wording,
    label_next: Mapping[str, Any] | None,
    environment: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """The whole record as plain data."""
    by_name = {one.stack.name: one for one in outcomes}
    entries = [
        entry_json(
            one,
            decision,
            by_name,
            confirmation,
            task,
            metric,
            test_rows,
            prompts.get(one.stack.name, ""),
            seed,
        )
        for one in outcomes
    ]
    measured: dict[str, Measurement] = (
        dict(confirmation.measurements)
        if confirmation
        else {one.stack.name: one.best.measurement for one in outcomes if one.best}
    )
    rows = test_rows if confirmation else task.dev
    held_out = None
    if confirmation is not None:
        held_out = {
            "n": len(test_rows),
            "openings": openings,
            "primary": confirmation.primary_json(),
            "shrinkage": shrinkage_json(decision, confirmation),
        }
    return {
        "format": 1,
        "run": run,
        "created": created,
        "accordeur": __version__,
        "task": {
            "name": task.name,
            "description": task.description,
            "instruction": task.instruction,
            "kind": task.kind,
            "labels": [{"name": label.name, "text": label.text} for label in task.labels],
            "metric": metric.name,
            "metric_title": metric.title,
            "digest": task.digest,
            "splits": task.splits,
            "counts": dict(plan["rows"]),
            "limits": dict(plan["limits"]),
            "prices": dict(plan["prices"]),
        },
        "plan": dict(plan),
        "model": dict(model) if model else None,
        "preflight": [dict(check) for check in checks],
        "first_prompt": first_prompt,
        "entries": entries,
        "ledger": ledger_json(outcomes),
        "curve": curve_json(outcomes),
        "decision": {
            "hash": decision_hash,
            **decision.to_json(by_name),
            "unconfirmed": confirmation is None,
        },
        "held_out": held_out,
        "lost": _lost_json(decision, confirmation),
        "ladder": dict(ladder) if ladder else None,
        "forgetting": dict(forgetting),
        "pairs": all_pairs(measured, rows, metric, task.brief, seed=seed),
        "break_even": break_even_json(outcomes),
        "verdict": {
            "headline": wording.headline,
            "paragraph": wording.paragraph,
            "sentences": list(wording.sentences),
        },
        "label_next": dict(label_next) if label_next else None,
        "environment": dict(environment),
        "rows_shown": "test" if confirmation else "dev",
    }
