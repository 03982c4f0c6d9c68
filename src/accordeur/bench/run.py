"""`accordeur run` from beginning to end.

1. Load the task, name the metric and the levers: bad input stops here, before torch is imported.
2. Load the models, forecast, choose the effort that fits the budget, fix the plan (`preparation`).
3. A finished run of the same plan is read back; an unfinished one goes on where it stopped.
4. Check the data; leakage stops the run.
5. Pull every entry: fit, score on dev, price; decide on dev; write and hash the decision; open the
   held-out split once; measure what trained entries forgot; put it into words; write the record and
   the winner's bundle (`session`).

Whatever happens in between, everything finished is on disk and the same command goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from accordeur.bench.entry_views import recorded_view
from accordeur.bench.finished import Run
from accordeur.bench.forgetting import check_scope, is_wanting
from accordeur.bench.memory_cache import MemoryCache
from accordeur.bench.observer import Observer, Silent
from accordeur.bench.options import Options, kept_options
from accordeur.bench.plan import Plan
from accordeur.bench.preparation import Preparation
from accordeur.bench.session import Session
from accordeur.core.budget import Budget
from accordeur.core.errors import UsageError
from accordeur.core.lever import Lever
from accordeur.core.model import ModelSource
from accordeur.core.paths import runs_folder
from accordeur.core.task import Task
from accordeur.store.answer_cache import SqliteAnswerCache
from accordeur.store.index import RunIndex
from accordeur.store.run_folder import RunFolder
from accordeur.store.safe_path import slug
from accordeur.tasks import load_task


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
    allow_leakage: Sequence[str] = (),
    screening: bool = True,
    deterministic: bool = False,
    use_cache: bool = True,
    allow_code: bool = False,
    effort: int | None = None,
    forgetting: str = "trained",
    base_url: str | None = None,
    at_once: int | None = None,
    labels_by: str = "auto",
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    runs: Path | None = None,
    observer: Observer | None = None,
    source: ModelSource | None = None,
) -> Run:
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
        allow_leakage: `exact`, `near`: leakage between splits that only warns.
        screening: stop hopeless generating levers after 40 dev rows.
        deterministic: float32, each request computed alone.
        use_cache: keep answers in the user's cache between runs.
        allow_code: the task may name code.
        effort: fixed number of configurations a searching lever scores.
        forgetting: measure what was forgotten off the task, after everything is decided, for
            entries with `trained` parts, for all that use a language model (`full`), or `off`.
        base_url: of an endpoint (`model="openai/NAME"`), instead of its vendor's own.
        at_once: calls to an endpoint at once at most, default 32.
        labels_by: how a model behind an endpoint chooses among labels: `logprobs`, `top`, `schema`,
            `parse`, or the best of them that it can (`auto`).
        max_calls, max_tokens, max_cost: what this call may spend on an endpoint; when it is
            reached the run stops, and the same call goes on with limits of its own.
        runs: folder of runs, default `./.accordeur/runs`.
        observer: told what happens.
        source: gives models; default those of this machine and its endpoints.

    Raises:
        AccordeurError: see `accordeur.core.errors`.
    """
    _check_numbers(task, budget=budget, limit=limit, effort=effort)
    check_scope(forgetting)
    started = Budget(budget)
    ready = _prepare(
        task,
        levers,
        observer,
        source,
        Options(
            task="",
            model=model,
            levers=_names(levers),
            settings=settings,
            budget=budget,
            limit=limit,
            seed=seed,
            max_latency=max_latency,
            allow_leakage=tuple(allow_leakage),
            screening=screening,
            deterministic=deterministic,
            use_cache=use_cache,
            allow_code=allow_code,
            effort=effort,
            forgetting=forgetting,
            base_url=base_url,
            at_once=at_once,
            labels_by=labels_by,
            max_calls=max_calls,
            max_tokens=max_tokens,
            max_cost=max_cost,
        ),
    )
    root = runs or runs_folder()
    ready.observer.phase("loading")
    ready.load()
    plan = ready.plan()
    known = _finished(ready, plan, root)
    if known is not None:
        return known
    ready.observer.phase("checks")
    checks = ready.check()
    ready.read_documents()
    folder = RunFolder.create_or_open(
        root, ready.task.name, plan.to_json(), warn=ready.observer.log
    )
    cache = SqliteAnswerCache(warn=ready.observer.log) if use_cache else MemoryCache()
    try:
        with folder.lock():
            named = isinstance(levers, str) or all(isinstance(one, str) for one in levers)
            if named and not isinstance(task, Task):
                ready.options.keep(folder, plan.effort)
            ready.show(plan, folder.folder, resumed=bool(folder.read_ledger()))
            Session(ready, plan, folder, cache, started, checks).run()
    finally:
        if isinstance(cache, SqliteAnswerCache):
            cache.close()
    return Run(folder)


def dry_run(
    task: Task | str | Path,
    *,
    levers: str | Sequence[str | Lever] = "all",
    observer: Observer | None = None,
    source: ModelSource | None = None,
    runs: Path | None = None,
    **options: Any,
) -> Plan:
    """Check the data and show the plan with its forecast; arguments and errors as `run`."""
    _check_numbers(
        task,
        budget=options.get("budget"),
        limit=options.get("limit"),
        effort=options.get("effort"),
    )
    asked = Options(task="", levers=_names(levers), **options)
    check_scope(asked.forgetting)
    ready = _prepare(task, levers, observer, source, asked)
    ready.observer.phase("loading")
    ready.load()
    plan = ready.plan()
    ready.observer.phase("checks")
    ready.check()
    name = f"{slug(ready.task.name)}-{plan.hash[:10]}"
    ready.show(plan, (runs or runs_folder()) / name, resumed=False)
    return plan


def resume(
    reference: str,
    *,
    budget: float | None = None,
    at_once: int | None = None,
    max_calls: int | None = None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    runs: Path | None = None,
    observer: Observer | None = None,
) -> Run:
    """Go on with an interrupted run by its name.

    Args:
        reference: name of the run or its beginning.
        budget: wall seconds for what is left; default what the run was started with.
        at_once, max_calls, max_tokens, max_cost: as `run`; default likewise.

    Raises:
        StoreError: there is no such run.
        UsageError: it was started from Python with objects, which cannot be rebuilt by name.
    """
    root = runs or runs_folder()
    with RunIndex(root) as index:
        folder = RunFolder.open(index.find(reference).folder)
    known = kept_options(folder)
    if known is None:
        raise UsageError(
            f"The run `{folder.name}` does not say how it was started.",
            hint="type the same `accordeur run` command again; it goes on where it stopped",
        )
    given = {
        "budget": budget,
        "at_once": at_once,
        "max_calls": max_calls,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
    }
    known |= {name: value for name, value in given.items() if value is not None}
    return run(known.pop("task"), runs=root, observer=observer, **known)


def _check_numbers(
    task: Task | str | Path, *, budget: float | None, limit: int | None, effort: int | None
) -> None:
    if budget is not None and not budget > 0:
        raise UsageError("The budget must be positive.", hint="--budget 10m")
    if effort is not None and effort < 1:
        raise UsageError("The effort must be at least 1.", hint="effort=8")
    if limit is not None and isinstance(task, Task):
        raise UsageError(
            "A limit goes with the path of a task, not with a loaded one.",
            hint=f"load_task(path, limit={limit})",
        )


def _names(levers: str | Sequence[str | Lever]) -> str | tuple[str, ...]:
    if isinstance(levers, str):
        return levers
    return tuple(one if isinstance(one, str) else one.name for one in levers)


def _prepare(
    task: Task | str | Path,
    levers: str | Sequence[str | Lever],
    observer: Observer | None,
    source: ModelSource | None,
    options: Options,
) -> Preparation:
    if isinstance(task, Task):
        path = task.folder
    else:
        path = Path(task)
        task = load_task(path, seed=options.seed, limit=options.limit)
    options = replace(options, task=str(path))
    return Preparation(task, options, levers, observer or Silent(), source)


def _finished(ready: Preparation, plan: Plan, root: Path) -> Run | None:
    """The finished run of this very plan, told to the observer; `None` when there is none, or when
    it was finished without the forgetting check that is asked for now."""
    place = root.absolute() / f"{slug(ready.task.name)}-{plan.hash[:10]}"
    if not (place / "record.json").is_file():
        return None
    found = Run(RunFolder.open(place, warn=ready.observer.log))
    if found.record["plan"].get("hash") != plan.hash or found.record["lost"]:
        return None
    if is_wanting(found.record, ready.options.forgetting):
        return None  # all but the forgetting check is read back
    ready.show(plan, place, resumed=True)
    for entry in found.record["entries"]:
        ready.observer.entry(recorded_view(entry))
    ready.observer.log(f"This plan is finished already; its results are read from {place}.")
    return found
