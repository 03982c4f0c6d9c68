"""The forgetting check of a run: which entries, within the clock, and once only.

It comes after the held-out rows were scored, so it can move no decision; its seconds are in no
price. What was measured is kept in `forgetting/NAME.json` and read back by a later process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

from accordeur.bench.entries import Outcome
from accordeur.bench.fit_context import Bench
from accordeur.core.candidate import Candidate
from accordeur.core.errors import MissingDependency, ModelError, TaskError, UsageError
from accordeur.core.fingerprint import digest, seed_for
from accordeur.core.lever import Stopped
from accordeur.core.task import Example
from accordeur.measure.forgetting import (
    Materials,
    check_forgetting,
    is_trained,
    materials_for,
)
from accordeur.store.safe_path import file_name

Scope = Literal["trained", "full", "off"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Entries with trained parts (the default); all that use a language model; none."""

_WIDER: Mapping[str, int] = {"off": 0, "trained": 1, "full": 2}


def check_scope(scope: str) -> None:
    """Refuse a scope that there is not.

    Raises:
        UsageError: it is none of `SCOPES`.
    """
    if scope not in SCOPES:
        raise UsageError(
            f"`{scope}` is no scope of the forgetting check.",
            hint=f"--forgetting {', --forgetting '.join(SCOPES)}",
        )


def is_wanting(record: Mapping[str, Any], scope: str) -> bool:
    """Whether a finished run lacks what this scope asks for, or had no time for it."""
    if scope == "off":
        return False
    found = record.get("forgetting") or {"scope": "off", "entries": []}
    return _WIDER[scope] > _WIDER[found["scope"]] or any(
        entry["status"] == "skipped" for entry in found["entries"]
    )


def to_check(outcomes: Sequence[Outcome], scope: str) -> dict[str, Candidate]:
    """Finished entries of the scope, with the best configuration of each."""
    return {
        outcome.stack.name: outcome.best.candidate
        for outcome in outcomes
        if outcome.finished and outcome.best and _in_scope(outcome.best.candidate, scope)
    }


def check_entries(
    chosen: Mapping[str, Candidate],
    bench: Bench,
    rows: Sequence[Example],
    log: Callable[[str], None],
) -> list[dict[str, Any]]:
    """What each entry forgot, for the record (docs/run-record.md).

    Args:
        chosen: candidates by entry.
        bench: what entries share.
        rows: of the run's task, so that the other task is another one.
        log: told one line per entry.
    """
    materials = materials_for(bench.task, rows)
    found = []
    for name, candidate in chosen.items():
        found.append({"name": name, **_entry(name, candidate, bench, materials)})
        log(f"forgetting: {name} {found[-1]['status']}")
    return found


def _in_scope(candidate: Candidate, scope: str) -> bool:
    if scope == "off" or candidate.base is None or "classifier" in candidate.parts:
        return False
    return scope == "full" or is_trained(candidate)


def _entry(name: str, candidate: Candidate, bench: Bench, materials: Materials) -> dict[str, Any]:
    """One entry's findings, from disk when they are there."""
    assert candidate.base is not None
    seed = seed_for(bench.seed, "forgetting")
    place = f"forgetting/{file_name(name)}.json"
    key = digest(
        {
            "materials": materials.digest,
            "candidate": candidate.fingerprint,
            "model": bench.source.model(candidate.base).identity.to_json(),
            "seed": seed,
        }
    )
    known = bench.folder.read_json(place)
    if known is not None and known.get("key") == key:
        return {field: known[field] for field in ("status", "reason", "seconds", *_FOUND)}
    nothing = dict.fromkeys(_FOUND)
    started = time.perf_counter()

    def before_call(done: int, calls: int) -> None:
        if bench.budget.spent:
            raise Stopped("the time budget was spent", cut=True)
        bench.progress(name, "what it forgot", done, calls)

    try:
        found = check_forgetting(
            candidate,
            bench.source,
            materials,
            cache=bench.cache,
            seed=seed,
            before_call=before_call,
        )
    except Stopped as stop:
        return {"status": "skipped", "reason": stop.reason, "seconds": None, **nothing}
    except (ModelError, TaskError, MissingDependency) as error:
        return {"status": "failed", "reason": error.message, "seconds": None, **nothing}
    result = {
        "status": "measured",
        "reason": "",
        "seconds": time.perf_counter() - started,
        **found.to_json(),
    }
    bench.folder.write_json(place, {"key": key, **result, **found.details})
    return result


_FOUND = ("general", "other", "off", "seed", "resamples")
