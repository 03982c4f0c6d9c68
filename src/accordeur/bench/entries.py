"""One plan entry from start to finish: fit its stack, price it, remember it.

A finished entry is written down as `entries/NAME.json` and its best configuration as a bundle, so a
resumed or repeated run reads both instead of fitting again, with the seconds of the first run.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from accordeur.bench.endpoint import QueryJournal
from accordeur.bench.fit_context import Bench, EntryContext, Scored, entry_file_name
from accordeur.bench.lever_view import LeverView
from accordeur.bench.stacks import Stack
from accordeur.core.answer import Status
from accordeur.core.candidate import Candidate
from accordeur.core.errors import AccordeurError, EndpointGone
from accordeur.core.fingerprint import seed_for
from accordeur.core.lever import Need, Settling, Stopped
from accordeur.core.measurement import Cost
from accordeur.core.part import Part
from accordeur.core.task import Example, Limits, Prices
from accordeur.measure.cost import Tokens, endpoint_cost, local_cost, single_queries
from accordeur.measure.harness import summarise
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, bundle_files, load_bundle
from accordeur.parts.calibration import Calibration
from accordeur.parts.classifier.copied import Copied
from accordeur.parts.classifier.lead import Lead
from accordeur.parts.trained_with import another_prompt


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry.

    Attributes:
        stack: what was pulled.
        status: `finished`, `stopped` (screening), `cut` (the clock) or `failed`.
        reason: one sentence when not finished.
        scored: configurations scored on all of dev, those that compete first to last.
        best: the one with the highest dev score among those that compete; first on a tie.
        cost: of the best configuration; `None` unless finished.
        reused: read back from an earlier run of this plan.
        notes: what its levers said about the fit, by topic.
        seconds: that fitting took, its dev evaluations and the levers beneath it; until it was
            stopped or cut where it was; `None` where that is not known.
    """

    stack: Stack
    status: str
    reason: str
    scored: tuple[Scored, ...]
    cost: Cost | None = None
    reused: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None

    @property
    def competing(self) -> tuple[Scored, ...]:
        """Configurations of the last stage."""
        return tuple(one for one in self.scored if one.competes)

    @property
    def best(self) -> Scored | None:
        """The best configuration on all of dev."""
        usable = [one for one in self.competing if one.measurement.score is not None]
        return max(usable, key=lambda one: one.measurement.score or 0.0) if usable else None

    @property
    def finished(self) -> bool:
        """Fitted, scored and priced."""
        return self.status == "finished" and self.best is not None


def pull(
    stack: Stack,
    base: Candidate,
    train: Sequence[Example],
    bench: Bench,
    *,
    prices: Prices,
    limits: Limits,
) -> Outcome:
    """Fit every lever of a stack in order, then price the best configuration.

    A lever that fails for a reason of data or surroundings is recorded with that reason and the run
    goes on; mistakes of the program are not caught. An endpoint that is gone is gone for all.
    """
    context = EntryContext(bench, stack.name)
    trained = [at for at, lever in enumerate(stack.levers) if Need.WEIGHTS in lever.needs]
    view = LeverView(context)
    started = time.perf_counter()
    status, reason = "finished", ""
    candidate = base
    try:
        for position, lever in enumerate(stack.levers):
            context.lever = lever.name
            context.competes = position == len(stack.levers) - 1
            context.screened = stack.name != "as-is" and not any(at >= position for at in trained)
            candidate = lever.fit(candidate, train, view)
            if not context.competes and isinstance(lever, Settling):
                candidate = lever.unsettled(candidate)
        _settle(stack, candidate, train, context, view)
    except Stopped as stop:
        status, reason = ("cut" if stop.cut else "stopped"), stop.reason
    except AccordeurError as error:
        if not isinstance(error, _RECORDED) or isinstance(error, EndpointGone):
            raise
        status, reason = "failed", error.message
    own = time.perf_counter() - started - context.waited
    fit_seconds = context.measured_seconds + own
    scored = tuple(context.scored)
    outcome = Outcome(stack, status, reason, scored, notes=context.notes, seconds=fit_seconds)
    if outcome.finished:
        assert outcome.best is not None
        best = outcome.best.candidate
        cost = price(context, outcome.best, train, fit_seconds, prices, limits)
        outcome = replace(outcome, cost=cost)
        if warning := another_prompt(best):
            context.note("warning", {"message": warning})
            bench.log(f"{stack.name}: {warning}")
    _write_down(outcome, bench)
    if outcome.finished:
        shutil.rmtree(context.checkpoint_folder, ignore_errors=True)
    return outcome


def _settle(
    stack: Stack,
    candidate: Candidate,
    train: Sequence[Example],
    context: EntryContext,
    view: LeverView,
) -> None:
    """The last steps of levers beneath others; what was scored before stays if they are cut."""
    context.screened = False
    for lever in stack.levers[:-1]:
        if isinstance(lever, Settling):
            context.lever = lever.name
            try:
                candidate = lever.settled(candidate, train, view)
            except Stopped as stop:
                context.log(f"{lever.name} was not settled: {stop.reason}")
                return


def price(
    context: EntryContext,
    best: Scored,
    train: Sequence[Example],
    fit_seconds: float,
    prices: Prices,
    limits: Limits,
) -> Cost:
    """The cost of a candidate: 20 dev queries alone, nothing reused from others (P8).

    Args:
        context: of the entry; knows everything that was asked on the way.
        best: the configuration.
    """
    bench, candidate = context.bench, best.candidate
    remote = candidate.base is not None and bench.source.model(candidate.base).identity.remote
    answerer = assemble(candidate, bench.source)
    if remote:
        journal = QueryJournal(bench.folder, best.id)
        latency = single_queries(answerer, bench.dev, journal.read(), journal.write)
    else:
        latency = single_queries(answerer, bench.dev)
    labels = len(train) if _saw_labels(candidate) else 0
    size = sum(len(data) for part in candidate.parts.values() for data in part.files().values())
    if remote:
        return endpoint_cost(
            fit_seconds=fit_seconds,
            spent=Tokens.of(one.measurement for one in context.scored) + context.spent,
            measured=best.measurement,
            train_labels=labels,
            latency=latency,
            prices=prices,
            queries=limits.queries,
            size=size,
        )
    return local_cost(
        fit_seconds=fit_seconds,
        train_labels=labels,
        latency=latency,
        prices=prices,
        queries=limits.queries,
        trained_parameters=candidate.trained_parameters,
        size=size,
    )


_FROM_ROWS = frozenset({"demonstrations", "classifier", "calibration", "weights", "soft_prompt"})
"""Slots whose content came from labelled train rows."""


def _saw_labels(candidate: Candidate) -> bool:
    """Whether train labels made any part."""
    return any(
        slot in _FROM_ROWS and not _without_rows(part) for slot, part in candidate.parts.items()
    )


def _without_rows(part: Part) -> bool:
    """Copying or shortening the input needs no label, nor does a content-free bias."""
    if isinstance(part, Calibration):
        return part.method == "content-free"
    return isinstance(part, Copied | Lead)


def _recorded_errors() -> tuple[type[AccordeurError], ...]:
    from accordeur.core.errors import MissingDependency, ModelError, TaskError

    return (ModelError, TaskError, MissingDependency)


_RECORDED = _recorded_errors()
"""Errors that end one lever; a full disk or a broken store ends the run instead."""


def _file(stack: Stack) -> str:
    return f"entries/{entry_file_name(stack.name)}.json"


def _write_down(outcome: Outcome, bench: Bench) -> None:
    for one in outcome.scored:
        bench.folder.write_files(f"candidates/{one.id}", bundle_files(Bundle(one.candidate)))
    bench.folder.write_json(
        _file(outcome.stack),
        {
            "name": outcome.stack.name,
            "status": outcome.status,
            "reason": outcome.reason,
            "cost": outcome.cost.to_json() if outcome.cost else None,
            "notes": outcome.notes,
            "seconds": outcome.seconds,
            "scored": [
                {
                    "name": one.name,
                    "id": one.id,
                    "competes": one.competes,
                    "control": one.control,
                }
                for one in outcome.scored
            ],
        },
    )


def read_back(stack: Stack, bench: Bench, *, unfinished_too: bool) -> Outcome | None:
    """An entry of an earlier run of this plan, or `None` when anything of it is missing.

    Args:
        unfinished_too: the decision is written, so what was unfinished then stays so and rows lost
            to errors stay lost; before that both get another chance.
    """
    data: dict[str, Any] | None = bench.folder.read_json(_file(stack))
    if data is None:
        return None
    unfinished = data["status"] != "finished" or data["cost"] is None
    if unfinished and not unfinished_too:
        return None
    scored = [_scored_before(one, bench, errors_too=unfinished_too) for one in data["scored"]]
    whole = tuple(one for one in scored if one is not None)
    if not unfinished and len(whole) < len(scored):
        return None
    return Outcome(
        stack,
        data["status"],
        data["reason"],
        whole,
        None if unfinished else Cost.from_json(data["cost"]),
        reused=True,
        notes=data.get("notes", {}),
        seconds=data.get("seconds"),
    )


def _scored_before(one: Mapping[str, Any], bench: Bench, *, errors_too: bool) -> Scored | None:
    """A configuration of an earlier run, or `None` when its rows or its bundle are damaged."""
    rows = bench.folder.read_answers("dev", one["id"])
    whole = [rows.get(index) for index in range(len(bench.dev))]
    results = [row for row in whole if row is not None]
    damaged = (
        len(results) < len(bench.dev)
        or (not errors_too and any(row.answer.status is Status.ERROR for row in results))
        or bench.folder.read_files(f"candidates/{one['id']}") is None
    )
    if damaged:
        return None
    candidate = load_bundle(bench.folder.folder / "candidates" / one["id"]).candidate
    measured = summarise(
        results,
        bench.dev,
        bench.metric,
        bench.task,
        candidate=one["id"],
        split="dev",
        seed=seed_for(bench.seed, "interval"),
    )
    control = bool(one.get("control"))
    return Scored(one["name"], one["id"], candidate, measured, one["competes"], control)
