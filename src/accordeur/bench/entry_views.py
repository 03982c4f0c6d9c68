"""An entry as an observer sees it, from a live outcome or from a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.bench.entries import Outcome
from accordeur.bench.observer import EntryView


def view_of(outcome: Outcome) -> EntryView:
    """A finished, stopped, cut or failed entry."""
    best = outcome.best
    interval = best.measurement.interval if best else None
    return EntryView(
        name=outcome.stack.name,
        title=outcome.stack.title,
        status=outcome.status,
        dev=best.measurement.score if best else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=best.measurement.n if best else 0,
        configuration=best.name if best else "",
        fit_seconds=outcome.cost.fit_seconds if outcome.cost else outcome.seconds,
        cold_seconds=outcome.cost.cold_seconds if outcome.cost else None,
        reason=outcome.reason,
        reused=outcome.reused,
    )


def recorded_view(entry: Mapping[str, Any]) -> EntryView:
    """An entry of `record.json`."""
    dev, cost = entry["dev"] or {}, entry["cost"] or {}
    interval = dev.get("interval") or {}
    return EntryView(
        name=entry["name"],
        title=entry["title"],
        status=entry["status"],
        dev=dev.get("score"),
        low=interval.get("low"),
        high=interval.get("high"),
        n=dev.get("n", 0),
        configuration=entry["configuration"] or "",
        fit_seconds=cost.get("fit_seconds", entry.get("seconds")),
        cold_seconds=cost.get("cold_seconds"),
        reason=entry["reason"],
        reused=True,
    )
