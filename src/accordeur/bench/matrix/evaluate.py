"""One evaluation from its config to its summary: what `accordeur eval` does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from accordeur.bench.matrix.comparing import compare, find_column
from accordeur.bench.matrix.config import read_matrix
from accordeur.bench.matrix.folder import EvalFolder, Results
from accordeur.bench.matrix.judging import judges_json, read_labels
from accordeur.bench.matrix.matrix import Matrix
from accordeur.bench.matrix.outputs import check_output, write_output
from accordeur.bench.matrix.plan import Plan, make_plan
from accordeur.bench.matrix.preferring import prefer
from accordeur.bench.matrix.run import Progress, run_plan
from accordeur.bench.matrix.selection import Selection, selected
from accordeur.bench.matrix.sources import Sources
from accordeur.bench.matrix.summary import summarise
from accordeur.core.cache import AnswerCache
from accordeur.core.model import ModelSource
from accordeur.store.journal import Warn


@dataclass(frozen=True, slots=True)
class Options:
    """What `eval` is asked for beside its config.

    Attributes:
        selection: which cases and columns.
        repeat, threshold: instead of the config's.
        compare: two columns, by number or label.
        judge_labels: answers that people judged.
        outputs: files to write.
        seed: of random draws.
        resume: go on with what is there.
        retry_errors: and ask again what ended in an error.
        use_cache: answers of other runs, and keep those of this one.
        allow_code: run `python` assertions.
        base_url, at_once: of endpoints.
        max_calls, max_tokens, max_cost: what this command may spend on them.
        source: models instead of those of this machine; for tests.
    """

    selection: Selection = field(default_factory=Selection)
    repeat: int | None = None
    threshold: float | None = None
    compare: tuple[str, str] | None = None
    judge_labels: Path | None = None
    outputs: tuple[Path, ...] = ()
    seed: int = 0
    resume: bool = False
    retry_errors: bool = False
    use_cache: bool = True
    allow_code: bool = False
    base_url: str | None = None
    at_once: int | None = None
    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost: float | None = None
    source: ModelSource | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A finished evaluation.

    Attributes:
        summary: as `summary.summarise` gives it, with `compare`, `judges` where asked for.
        folder: where it lies.
    """

    plan: Plan
    results: Results
    summary: dict[str, Any]
    folder: Path

    @property
    def exit_code(self) -> int:
        """100 when a column stayed below the threshold, 1 when errors or unknowns are left."""
        if self.summary["passed"] is False:
            return 100
        left = any(one["answer_errors"] or one["unjudged"] for one in self.summary["columns"])
        return 1 if left or self.summary["passed"] is None else 0


@dataclass(slots=True)
class Watcher:
    """Who is told what happens.

    Attributes:
        log: what is worth knowing.
        warn: what is odd.
        planned: the plan, before anything is asked.
        progress: cells that are done.
    """

    log: Warn = lambda _: None
    warn: Warn = lambda _: None
    planned: Callable[[Plan], None] = lambda _: None
    progress: Progress | None = None


def evaluate(config: Path, options: Options, watcher: Watcher | None = None) -> Evaluated:
    """Read, ask, check, summarise, write.

    Raises:
        AccordeurError: whatever a user can mend; what was answered is kept.
    """
    told = watcher or Watcher()
    for path in options.outputs:
        check_output(path)
    matrix = _matrix(config, options)
    plan = make_plan(matrix)
    for text in matrix.notes:
        told.warn(text)
    if options.compare:
        for name in options.compare:
            find_column(plan, name)
    elif matrix.prefer:
        told.warn("`prefer` compares two columns: it is asked with --compare A B.")
    if options.judge_labels is not None:
        read_labels(options.judge_labels, plan)  # before anything is spent
    told.planned(plan)
    folder = EvalFolder(plan, warn=told.warn)
    with folder.locked(), _cache(options, told.warn) as cache:
        sources = _sources(options, matrix, cache, told)
        results = run_plan(
            plan,
            folder,
            sources,
            resume=options.resume or options.retry_errors,
            retry_errors=options.retry_errors,
            progress=told.progress,
        )
        summary = summarise(plan, results)
        summary |= _further(plan, results, options, sources)
        folder.write_summary(summary)
        for path in options.outputs:
            write_output(plan, results, summary, path)
    return Evaluated(plan, results, summary, folder.folder)


def _matrix(config: Path, options: Options) -> Matrix:
    matrix = read_matrix(config, allow_code=options.allow_code, base_url=options.base_url)
    matrix = selected(matrix, options.selection)
    changes: dict[str, Any] = {}
    if options.repeat is not None:
        changes["repeat"] = options.repeat
    if options.threshold is not None:
        changes["threshold"] = options.threshold
    if options.seed:
        changes["providers"] = tuple(
            replace(one, sampling=replace(one.sampling, seed=one.sampling.seed + options.seed))
            for one in matrix.providers
        )
    return replace(matrix, **changes)


def _further(plan: Plan, results: Results, options: Options, sources: Sources) -> dict[str, Any]:
    """What was asked for beside the rates."""
    data: dict[str, Any] = {"judges": judges_json(plan, options.judge_labels, sources)}
    if options.compare:
        a, b = (find_column(plan, name) for name in options.compare)
        data["compare"] = compare(plan, results, a, b, seed=options.seed)
        if plan.matrix.prefer:
            data["compare"]["preferred"] = prefer(plan, results, a, b, sources)
    return data


@contextlib.contextmanager
def _cache(options: Options, warn: Warn) -> Iterator[AnswerCache | None]:
    if not options.use_cache:
        yield None
        return
    from accordeur.store.answer_cache import SqliteAnswerCache

    with SqliteAnswerCache(warn=warn) as cache:
        yield cache


def _sources(options: Options, matrix: Matrix, cache: AnswerCache | None, told: Watcher) -> Sources:
    from accordeur.models.openai_api.allowance import Allowance

    return Sources(
        cache=cache,
        base_url=options.base_url,
        addresses=matrix.addresses,
        at_once=options.at_once or matrix.at_once,
        allowance=Allowance(options.max_calls, options.max_tokens, options.max_cost),
        log=told.log,
        given=options.source,
    )
