"""`accordeur run` from beginning to end.

1. Load the task, name the metric and the levers: bad input stops here, before torch is imported.
2. Load the model, forecast the plan, choose the effort that fits the budget, fix the plan.
3. A finished run of the same plan is read back; an unfinished one goes on where it stopped.
4. Check the data; leakage stops the run.
5. Pull every entry: fit, score on dev, price.
6. Decide on dev; write and hash the decision.
7. Open the held-out split once, score every finished candidate, test the pick once.
8. Put it into words; write the record, the winner's bundle and the report.

Whatever happens in between, everything finished is on disk and the same command goes on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accordeur.bench.confirmation import Confirmation, confirm, measure_held_out
from accordeur.bench.decision import Decision, decide
from accordeur.bench.entries import Outcome, pull
from accordeur.bench.finished import Run
from accordeur.bench.fit_context import Bench
from accordeur.bench.forecast import (
    DEFAULT_EFFORT,
    choose_effort,
    measure_speed,
    plan_seconds,
    row_tokens,
)
from accordeur.bench.labelling import ENOUGH_ROWS, most_worth_labelling
from accordeur.bench.memory_cache import MemoryCache
from accordeur.bench.observer import EntryView, Observer, PlannedEntry, PlanView, Silent
from accordeur.bench.plan import Plan, make_plan
from accordeur.bench.preflight import Preflight, preflight
from accordeur.bench.record import build_record
from accordeur.bench.stacks import Refusal, Stack, parse_stacks, raise_refusals, refuse_impossible
from accordeur.bench.wording import Wording, write_verdict
from accordeur.core.budget import Budget
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError, UsageError
from accordeur.core.lever import Lever, Need
from accordeur.core.model import Embedder, Model, ModelSource
from accordeur.core.paths import runs_folder
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Receipt, Task
from accordeur.levers.floor import floors_for
from accordeur.measure.metric import Metric
from accordeur.measure.metrics import load_metric
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.assemble import assemble
from accordeur.parts.base import base_candidate
from accordeur.parts.bundle import Bundle, bundle_files
from accordeur.parts.decoding import Decoding
from accordeur.store.answer_cache import SqliteAnswerCache
from accordeur.store.machine import environment
from accordeur.store.openings import Openings
from accordeur.store.run_folder import RunFolder
from accordeur.tasks import load_task
from accordeur.tasks.checks import raise_errors
from accordeur.tasks.write import write_rows

EMBEDDER = "local/minilm"
"""The embedding model of floors, nearest demonstrations and the near-leakage check."""


@dataclass(frozen=True, slots=True)
class Options:
    """Everything `run` was asked for; `invocation.json` keeps it for `--resume`.

    Attributes:
        task: path of the task.
        model: name of the base model, or `none`.
        levers: as typed, or a list of names.
        settings: constructor settings per lever.
        budget: wall seconds for the whole run, or `None`.
        limit: rows kept per split.
        seed: of the run.
        max_latency: tightens `limits.latency_p95`.
        screening: stop hopeless generating levers early.
        deterministic: float32, each request alone (D2).
        use_cache: keep answers in the user's cache between runs.
        allow_code: the task may name code.
        effort: fixed number of configurations instead of one chosen from the budget.
    """

    task: str
    model: str = "local/smollm2"
    levers: str | tuple[str, ...] = "all"
    settings: Mapping[str, Mapping[str, Any]] | None = None
    budget: float | None = None
    limit: int | None = None
    seed: int = 0
    max_latency: float | None = None
    screening: bool = True
    deterministic: bool = False
    use_cache: bool = True
    allow_code: bool = False
    effort: int | None = None


def run(
    task: Task | str | Path,
    *,
    model: str = "local/smollm2",
    levers: str | Sequence[str | Lever] = "all",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    budget: float | None = None,
    limit: int | None = None,
    seed: int = 0,
    max_latency: float | None = None,
    screening: bool = True,
    deterministic: bool = False,
    use_cache: bool = True,
    allow_code: bool = False,
    effort: int | None = None,
    runs: Path | None = None,
    observer: Observer | None = None,
    source: ModelSource | None = None,
    dry_run: bool = False,
) -> Run | None:
    """Pull levers on a task, measure them, decide, confirm.

    Args:
        task: a loaded task, or the path of one.
        model: base model, `none` for floors alone.
        levers: `all`, names (`few-shot`, `few-shot+calibration`), or lever objects.
        settings: constructor settings per lever name.
        budget: wall seconds for everything, held-out scoring included.
        limit: keep this many rows per split (only when `task` is a path).
        seed: of every draw.
        max_latency: p95 seconds a candidate may take, besides the task's own limit.
        screening: stop hopeless generating levers after 40 dev rows.
        deterministic: float32, each request computed alone.
        use_cache: keep answers in the user's cache between runs.
        allow_code: the task may name code.
        effort: fixed number of configurations a searching lever scores.
        runs: folder of runs, default `./.accordeur/runs`.
        observer: told what happens.
        source: gives models; default those of this machine.
        dry_run: stop after the plan is shown; returns `None`.

    Raises:
        AccordeurError: see `accordeur.core.errors`.
    """
    if isinstance(task, Task):
        path, loaded = str(task.folder), task
    else:
        path, loaded = str(task), load_task(task, seed=seed, limit=limit)
    names = (
        levers
        if isinstance(levers, str)
        else tuple(one if isinstance(one, str) else one.name for one in levers)
    )
    options = Options(
        path,
        model,
        names,
        settings,
        budget,
        limit,
        seed,
        max_latency,
        screening,
        deterministic,
        use_cache,
        allow_code,
        effort,
    )
    session = _Session(loaded, options, levers, runs or runs_folder(), observer or Silent(), source)
    return session.run(dry_run=dry_run)


def resume(reference: str, *, runs: Path | None = None, observer: Observer | None = None) -> Run:
    """Go on with an interrupted run by its name.

    Raises:
        StoreError: there is no such run.
        UsageError: it was started from Python with lever objects, which cannot be rebuilt by name.
    """
    from accordeur.store.index import RunIndex

    root = runs or runs_folder()
    with RunIndex(root) as index:
        folder = RunFolder.open(index.find(reference).folder)
    known = folder.read_json("invocation.json")
    if known is None:
        raise UsageError(
            f"The run `{folder.name}` does not say how it was started.",
            hint="type the same `accordeur run` command again; it goes on where it stopped",
        )
    settings = known.pop("settings", None)
    levers = known.pop("levers")
    finished = run(
        known.pop("task"),
        levers=levers if isinstance(levers, str) else list(levers),
        settings=settings,
        runs=root,
        observer=observer,
        **known,
    )
    assert finished is not None
    return finished


class _Session:
    """The state of one `run`, one method per step of the story above."""

    def __init__(
        self,
        task: Task,
        options: Options,
        levers: str | Sequence[str | Lever],
        runs: Path,
        observer: Observer,
        source: ModelSource | None,
    ) -> None:
        if options.max_latency is not None:
            if options.max_latency <= 0:
                raise UsageError("`--max-latency` must be positive.", hint="--max-latency 2.0")
            own = task.limits.latency_p95
            limits = replace(task.limits, latency_p95=min(own or 1e9, options.max_latency))
            task = replace(task, limits=limits)
        self.task = task
        self.options = options
        self.runs = runs
        self.observer = observer
        self.budget = Budget(options.budget)
        self.metric: Metric = load_metric(
            task.metric, allow_code=options.allow_code, folder=task.folder
        )
        self.stacks, self.everything = parse_stacks(levers, options.settings or {})
        self._source = source
        self.model: Model | None = None
        self.embedder: Embedder | None = None
        self.forecast: dict[str, float] = {}

    # -- the story -------------------------------------------------------------------------------

    def run(self, *, dry_run: bool) -> Run | None:
        self.observer.phase("loading")
        self._load_models()
        plan = self._plan()
        if not dry_run:
            finished = self._finished(plan)
            if finished is not None:
                return finished
        self.observer.phase("checks")
        checks = self._check()
        if dry_run:
            self._show(plan, self.runs / "(dry run)", resumed=False)
            return None
        folder = RunFolder.create_or_open(
            self.runs, self.task.name, plan.to_json(), warn=self.observer.log
        )
        with folder.lock():
            self._remember_invocation(folder, plan)
            self._show(plan, folder.folder, resumed=bool(folder.read_ledger()))
            cache = self._cache()
            try:
                self._pull_and_judge(plan, folder, cache, checks)
            finally:
                if isinstance(cache, SqliteAnswerCache):
                    cache.close()
        return Run(folder)

    def _pull_and_judge(
        self, plan: Plan, folder: RunFolder, cache: AnswerCache, checks: Preflight
    ) -> None:
        bench = self._bench(folder, cache, plan)
        self.observer.phase("levers")
        folder.set_phase("levers")
        outcomes = self._pull_all(plan, bench)
        self.observer.phase("decision")
        decision = decide(
            outcomes,
            self.task.dev,
            self.metric,
            self.task.brief,
            self.task.limits,
            seed=self.options.seed,
        )
        by_name = {one.stack.name: one for one in outcomes}
        decision_hash = folder.write_once("decision.json", decision.to_json(by_name))
        folder.log("decision written", hash=decision_hash, pick=decision.pick)
        write_rows(folder.folder / "rows-dev.jsonl", self.task.dev)
        confirmation, openings, test_rows = self._confirm(
            plan, folder, bench, outcomes, decision, decision_hash
        )
        self.observer.phase("report")
        label_next = self._label_next(outcomes, folder, confirmation)
        wording = self._words(decision, by_name, confirmation, label_next, openings, plan)
        self._write(
            plan,
            folder,
            checks,
            outcomes,
            decision,
            decision_hash,
            confirmation,
            openings,
            test_rows,
            wording,
            label_next,
        )
        folder.set_phase("finished")

    # -- 2. models and plan ----------------------------------------------------------------------

    def _load_models(self) -> None:
        if self._source is None:
            from accordeur.models.source import Models

            self._source = Models(deterministic=self.options.deterministic, log=self.observer.log)
        if self.options.model != "none":
            self.model = self._source.model(self.options.model)
        try:
            self.embedder = self._source.embedder(EMBEDDER)
        except ModelError:
            if self.model is not None:
                raise
            self.embedder = None  # floors on words run without any model

    @property
    def source(self) -> ModelSource:
        assert self._source is not None
        return self._source

    def _base(self) -> Candidate:
        if self.model is None:
            return Candidate(self.task.brief, None)
        return base_candidate(self.task.brief, self.options.model, self.model, self.task.train)

    def _floors(self) -> list[Stack]:
        floors = [Stack(lever.name, (lever,), floor=True) for lever in floors_for(self.task.brief)]
        if self.embedder is None:
            floors = [one for one in floors if Need.EMBEDDINGS not in one.levers[0].needs]
        return floors

    def _plan(self) -> Plan:
        task = self.task
        possible, refused = refuse_impossible(
            self.stacks,
            task.brief,
            self.model.capabilities if self.model else None,
            labelled_rows=len(task.train) + len(task.dev),
            training_allowed=task.limits.training,
            has_documents=task.documents is not None,
        )
        if not self.everything:
            asked = [one for one in refused if one.name != "as-is"]
            few = len(task.train) + len(task.dev) < 20
            if asked and not few:
                raise_refusals(asked, possible)
        floors = self._floors()
        effort = self._effort([*floors, *possible], refused)
        return make_plan(
            task,
            model=self.model.identity if self.model else None,
            embedder=self.embedder.identity if self.embedder else None,
            floors=floors,
            stacks=possible,
            refused=refused,
            effort=effort,
            seed=self.options.seed,
            screening=self.options.screening,
        )

    def _effort(self, stacks: Sequence[Stack], refused: Sequence[Refusal]) -> int:
        """The effort of the plan, and the forecast that goes with it."""
        fixed = self.options.effort
        if self.model is None:
            self.forecast = {stack.name: 1.0 for stack in stacks}
            return fixed or DEFAULT_EFFORT
        base = self._base()
        speed = measure_speed(self.model)
        tokens = row_tokens(self.task, base, self.model, Prompting(base, self.source))
        checks = 4.0 + 0.004 * (
            len(self.task.train)
            + len(self.task.dev)
            + (self.task.held_out.count if self.task.held_out else 0)
        )
        # Not the seconds really gone: the same command must give the same plan.
        overhead = 6.0 + checks
        effort = fixed or choose_effort(
            stacks, self.task, tokens, speed, self.options.budget, overhead=overhead
        )
        self.forecast = plan_seconds(stacks, self.task, tokens, speed, effort)
        return effort

    def _show(self, plan: Plan, folder: Path, *, resumed: bool) -> None:
        entries = [
            PlannedEntry(stack.name, stack.title, stack.floor, self.forecast.get(stack.name, 0.0))
            for stack in plan.entries
        ]
        described = "none"
        if plan.model is not None:
            described = f"{plan.model.name} ({plan.model.dtype})"
        self.observer.planned(
            PlanView(
                run=folder.name,
                folder=str(folder),
                entries=entries,
                refused=[(one.name, one.reason) for one in plan.refused],
                seconds=sum(self.forecast.values()),
                rows=plan.rows,
                model=described,
                effort=plan.effort,
                resumed=resumed,
            )
        )

    # -- 3. what is there already ----------------------------------------------------------------

    def _finished(self, plan: Plan) -> Run | None:
        from accordeur.store.safe_path import slug

        place = self.runs.absolute() / f"{slug(self.task.name)}-{plan.hash[:10]}"
        if not (place / "record.json").is_file():
            return None
        found = Run(RunFolder.open(place, warn=self.observer.log))
        if found.record["plan"].get("hash") != plan.hash:
            return None
        self._show(plan, place, resumed=True)
        for entry in found.record["entries"]:
            self.observer.entry(_recorded_view(entry))
        self.observer.log(f"This plan is finished already; its results are read from {place}.")
        return found

    def _remember_invocation(self, folder: RunFolder, plan: Plan) -> None:
        if any(not isinstance(one, str) for one in self.options.levers):
            return
        kept = {name: getattr(self.options, name) for name in self.options.__slots__}
        kept["task"] = str(Path(self.options.task).absolute())
        kept["effort"] = plan.effort
        folder.write_json("invocation.json", json.loads(json.dumps(kept)))

    def _cache(self) -> AnswerCache:
        return SqliteAnswerCache(warn=self.observer.log) if self.options.use_cache else MemoryCache()

    # -- 4. checks -------------------------------------------------------------------------------

    def _check(self) -> Preflight:
        base = self._base()
        answerer = assemble(base, self.source) if self.model else None
        decoding = base.part(Decoding)
        found = preflight(
            self.task,
            model=self.model,
            embedder=self.embedder,
            base=answerer,
            answer_tokens=decoding.max_tokens if decoding else 0,
        )
        self.observer.preflight([one.to_json() for one in found.checks], found.first_prompt)
        raise_errors(list(found.checks))
        return found

    # -- 5. levers -------------------------------------------------------------------------------

    def _bench(self, folder: RunFolder, cache: AnswerCache, plan: Plan) -> Bench:
        return Bench(
            task=self.task.brief,
            dev=self.task.dev,
            metric=self.metric,
            source=self.source,
            model_name=self.options.model if self.model else None,
            embedder_name=EMBEDDER,
            cache=cache,
            folder=folder,
            budget=self.budget,
            seed=self.options.seed,
            effort=plan.effort,
            screening=self.options.screening,
            tolerance=self.task.limits.tolerance,
            progress=self.observer.progress,
            log=folder.log,
        )

    def _pull_all(self, plan: Plan, bench: Bench) -> list[Outcome]:
        base = self._base()
        outcomes = []
        for stack in plan.entries:
            started = time.perf_counter()
            outcome = pull(
                stack,
                base,
                self.task.train,
                bench,
                prices=self.task.prices,
                limits=self.task.limits,
            )
            outcomes.append(outcome)
            best = outcome.best
            leader = bench.leader.score if bench.leader else None
            if (
                best
                and best.measurement.score is not None
                and (leader is None or best.measurement.score > leader)
            ):
                bench.leader = best.measurement
            bench.folder.log(
                f"{stack.name}: {outcome.status}",
                seconds=round(time.perf_counter() - started, 3),
                reason=outcome.reason,
            )
            self.observer.entry(_view(outcome))
        return outcomes

    # -- 7. held-out -----------------------------------------------------------------------------

    def _confirm(
        self,
        plan: Plan,
        folder: RunFolder,
        bench: Bench,
        outcomes: Sequence[Outcome],
        decision: Decision,
        decision_hash: str,
    ) -> tuple[Confirmation | None, int | None, tuple[Example, ...]]:
        sealed = self.task.held_out
        if sealed is None:
            return None, None, ()
        self.observer.phase("held-out")
        folder.set_phase("held-out")
        openings = Openings(warn=self.observer.log).record(
            sealed.digest, plan.hash, folder.name, decision_hash
        )
        rows = sealed.open(Receipt(plan.hash, decision_hash))
        write_rows(folder.folder / "rows-test.jsonl", rows)
        measured = measure_held_out(
            outcomes, rows, bench, lambda name: self.observer.log(f"held-out: {name}")
        )
        estimates = decision.selection.entries if decision.selection else {}
        dev_best = max(estimates, key=lambda name: estimates[name].dev, default=None)
        confirmation = confirm(
            decision.pick,
            dev_best,
            measured,
            rows,
            self.metric,
            self.task.brief,
            seed=self.options.seed,
        )
        return confirmation, openings, rows

    # -- 8. words and files ----------------------------------------------------------------------

    def _label_next(
        self,
        outcomes: Sequence[Outcome],
        folder: RunFolder,
        confirmation: Confirmation | None,
    ) -> dict[str, Any] | None:
        """How many rows to label, and which ones first, when there is no held-out split."""
        if confirmation is not None:
            return None
        labelled = len(self.task.train) + len(self.task.dev)
        ranked = most_worth_labelling(self.task.unlabelled, outcomes, self.source)
        if ranked:
            write_rows(folder.folder / "label-next.jsonl", [row for row, _ in ranked])
        return {
            "n_more": max(ENOUGH_ROWS - labelled, 20),
            "ids": [row.id for row, _ in ranked[:50]],
            "file": str(folder.folder / "label-next.jsonl") if ranked else None,
        }

    def _words(
        self,
        decision: Decision,
        outcomes: Mapping[str, Outcome],
        confirmation: Confirmation | None,
        label_next: Mapping[str, Any] | None,
        openings: int | None,
        plan: Plan,
    ) -> Wording:
        cut = [name for name, one in outcomes.items() if one.status == "cut"]
        cut_short = (
            f"Cut by the clock and not recommended: {', '.join(f'`{name}`' for name in cut)}."
            if cut
            else ""
        )
        return write_verdict(
            decision,
            outcomes,
            confirmation,
            metric=self.metric.title,
            queries=self.task.limits.queries,
            dev_rows=len(self.task.dev),
            refused=[(one.name, one.reason) for one in plan.refused],
            label_more=label_next["n_more"] if label_next else None,
            openings=openings,
            cut_short=cut_short,
        )

    def _write(
        self,
        plan: Plan,
        folder: RunFolder,
        checks: Preflight,
        outcomes: Sequence[Outcome],
        decision: Decision,
        decision_hash: str,
        confirmation: Confirmation | None,
        openings: int | None,
        test_rows: Sequence[Example],
        wording: Wording,
        label_next: Mapping[str, Any] | None,
    ) -> None:
        record = build_record(
            run=folder.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            task=self.task,
            metric=self.metric,
            plan={"hash": plan.hash, **plan.to_json()},
            model=self._model_json(plan),
            checks=[one.to_json() for one in checks.checks],
            first_prompt=checks.first_prompt,
            outcomes=outcomes,
            prompts={one.stack.name: self._prompt(one) for one in outcomes},
            decision=decision,
            decision_hash=decision_hash,
            confirmation=confirmation,
            openings=openings,
            test_rows=test_rows,
            wording=wording,
            label_next=label_next,
            environment=environment(),
            seed=self.options.seed,
        )
        if decision.pick is not None:
            folder.write_files("winner", self._winner(folder, outcomes, decision, record))
        folder.write_json("record.json", record)

    def _prompt(self, outcome: Outcome) -> str:
        best = outcome.best
        if best is None or self.model is None or outcome.stack.floor:
            return ""
        first = Request.from_example(self.task.dev[0])
        rendered = assemble(best.candidate, self.source).render([first])
        return self.model.prompt_text(rendered[0]) if rendered else ""

    def _model_json(self, plan: Plan) -> dict[str, Any] | None:
        if plan.model is None:
            return None
        return {**plan.model.to_json(), "licence": _licence(plan.model.name)}

    def _winner(
        self,
        folder: RunFolder,
        outcomes: Sequence[Outcome],
        decision: Decision,
        record: Mapping[str, Any],
    ) -> dict[str, bytes]:
        picked = next(one for one in outcomes if one.stack.name == decision.pick)
        assert picked.best is not None
        entry = next(one for one in record["entries"] if one["name"] == decision.pick)
        named = {self.options.model: self.model, EMBEDDER: self.embedder}
        bundle = Bundle(
            picked.best.candidate,
            base_digest=self.model.identity.digest
            if self.model and picked.best.candidate.base
            else "",
            measurement={
                name: entry[name] for name in ("name", "configuration", "dev", "test", "cost")
            },
            licence={name: _licence(name) for name, loaded in named.items() if loaded},
            run=folder.name,
        )
        return bundle_files(bundle)


def _licence(name: str) -> str:
    """Of an embedded model; other models' licences are theirs to state."""
    from accordeur.models.catalog import EMBEDDED

    known = EMBEDDED.get(name.removeprefix("local/"))
    return known.licence if known else "see the model's own page"


def _view(outcome: Outcome) -> EntryView:
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
        fit_seconds=outcome.cost.fit_seconds if outcome.cost else 0.0,
        cold_seconds=outcome.cost.cold_seconds if outcome.cost else None,
        reason=outcome.reason,
        reused=outcome.reused,
    )


def _recorded_view(entry: Mapping[str, Any]) -> EntryView:
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
        fit_seconds=cost.get("fit_seconds", 0.0),
        cold_seconds=cost.get("cold_seconds"),
        reason=entry["reason"],
        reused=True,
    )
