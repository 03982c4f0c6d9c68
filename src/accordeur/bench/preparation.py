"""Everything before the first lever is pulled: models, plan, forecast, checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from accordeur.bench.documents import TaskDocuments
from accordeur.bench.endpoint import (
    allowance,
    check_answers,
    priced,
    refuse_offline,
    settle_labels,
)
from accordeur.bench.forecast import ladder_seconds, measure_speed, row_tokens
from accordeur.bench.observer import Observer, PlannedEntry, PlanView
from accordeur.bench.options import Options
from accordeur.bench.plan import Plan, make_plan
from accordeur.bench.preflight import Preflight, preflight
from accordeur.bench.stacks import (
    FEW_ROWS,
    Stack,
    parse_stacks,
    raise_refusals,
    refuse_impossible,
)
from accordeur.bench.within_budget import ByTokens, Forecaster, WithoutModel, within_budget
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError, PlanError, UsageError
from accordeur.core.lever import Lever, Need
from accordeur.core.model import Embedder, Model, ModelIdentity, ModelSource
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Task
from accordeur.levers.floor import floors_for
from accordeur.measure.metric import Metric
from accordeur.measure.metrics import check_fits, load_metric
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.assemble import assemble
from accordeur.parts.base import base_candidate
from accordeur.parts.decoding import Decoding
from accordeur.parts.prompt import Prompt
from accordeur.tasks.checks import raise_errors, run_checks

EMBEDDER = "local/minilm"
"""The embedding model of floors, nearest demonstrations and the near-leakage check."""


class Preparation:
    """A task and options on their way to a plan.

    The constructor refuses bad input without importing torch; `load` brings the models.

    Args:
        task: with its rows.
        options: what was asked.
        levers: names or lever objects.
        observer: told what happens.
        source: gives models; default those of this machine.

    Raises:
        UsageError, PlanError, CodeNotAllowed: what was asked cannot be done.
        LeakageError: the same input stands in two splits.
    """

    def __init__(
        self,
        task: Task,
        options: Options,
        levers: str | Sequence[str | Lever],
        observer: Observer,
        source: ModelSource | None,
    ) -> None:
        self.task = _with_options(task, options)
        self.options = options
        self.observer = observer
        self.metric: Metric = load_metric(
            task.metric, allow_code=options.allow_code, folder=task.folder
        )
        check_fits(self.metric, self.task.kind)
        self.stacks, self.everything = parse_stacks(levers, options.settings or {})
        # Leakage and templates that cannot be filled are told before anything heavy is loaded.
        raise_errors(run_checks(self.task))
        _check_template(self.task)
        self._source = source
        self.model: Model | None = None
        self.embedder: Embedder | None = None
        self.rerankers: tuple[ModelIdentity, ...] = ()
        self.forecast: dict[str, float] = {}
        self.documents: TaskDocuments | None = None

    @property
    def source(self) -> ModelSource:
        """Models by name; there after `load`."""
        assert self._source is not None
        return self._source

    def load(self) -> None:
        """Load the language model, the embedding model and the rerankers that levers name.

        Raises:
            ModelError: one of them is missing, or an endpoint does not answer; a run with `-m none`
                goes on without embeddings.
            PlanError: the task forbids endpoints, or a reranker is one.
            UsageError: a limit of money without a price.
        """
        if self._source is None:
            self._source = self._models()
        if self.options.model != "none":
            self.model = self._source.model(self.options.model)
            check_answers(self.model)  # what answers is part of the plan
        settle_labels(self.model, self.task, self.options, self.observer)
        try:
            self.embedder = self._source.embedder(EMBEDDER)
        except ModelError:
            if self.model is not None:
                raise
            self.embedder = None
        if self.model is not None:
            self.rerankers = _rerankers(self.stacks, self._source)

    def _models(self) -> ModelSource:
        from accordeur.models.source import Models, is_endpoint, resolve

        name, allowed = self.options.model, None
        if is_endpoint(name):
            name = resolve(name)
            refuse_offline(self.task, name)
            self.task = priced(self.task, name, self.observer)
            allowed = allowance(self.task, name, self.options)
        return Models(
            deterministic=self.options.deterministic,
            log=self.observer.log,
            base_url=self.options.base_url,
            at_once=self.options.at_once,
            allowance=allowed,
        )

    def base(self) -> Candidate:
        """The candidate every entry starts from."""
        if self.model is None:
            return Candidate(self.task.brief, None)
        # The resolved name: `./m` and `/abs/m` are one model and one candidate.
        name = self.model.identity.name
        return base_candidate(self.task.brief, name, self.model, self.task.train)

    def plan(self) -> Plan:
        """Fix entries, effort and identity.

        Raises:
            PlanError: a lever asked for by name is not possible, or the budget is too small.
        """
        task = self.task
        labelled = len(task.train) + len(task.dev)
        possible, refused = refuse_impossible(
            self._asked(),
            task.brief,
            self.model.capabilities if self.model else None,
            labelled_rows=labelled,
            training_allowed=task.limits.training,
            has_documents=task.documents is not None,
            has_steps=any(row.steps for row in task.train),
        )
        if not self.everything and labelled >= FEW_ROWS:
            # as-is stands in every plan whether it was asked for or not.
            raise_refusals([one for one in refused if one.name != "as-is"], possible)
        floors = [Stack(lever.name, (lever,), floor=True) for lever in floors_for(task.brief)]
        if self.embedder is None:
            floors = [one for one in floors if Need.EMBEDDINGS not in one.levers[0].needs]
        forecaster = self._forecaster()
        effort, possible, late = within_budget(
            floors,
            possible,
            forecaster,
            everything=self.everything,
            fixed=self.options.effort,
        )
        refused += late
        self.forecast = forecaster.seconds([*floors, *possible], effort)
        return make_plan(
            task,
            model=self.model.identity if self.model else None,
            embedder=self.embedder.identity if self.embedder else None,
            rerankers=self.rerankers,
            floors=floors,
            stacks=possible,
            refused=refused,
            effort=effort,
            seed=self.options.seed,
            screening=self.options.screening,
        )

    def _asked(self) -> list[Stack]:
        """The stacks; `all` means those over documents only where there are documents."""
        if not self.everything or self.task.documents is not None:
            return self.stacks
        return [
            stack
            for stack in self.stacks
            if not any(Need.DOCUMENTS in lever.needs for lever in stack.levers)
        ]

    def _forecaster(self) -> Forecaster:
        fixed = self.options.effort
        if self.model is None:
            return WithoutModel(fixed)
        base = self.base()
        held_out = self.task.held_out.count if self.task.held_out else 0
        rows = len(self.task.train) + len(self.task.dev) + held_out
        tokens = row_tokens(self.task, base, self.model, Prompting(base, self.source))
        speed = measure_speed(self.model)
        ladder = ladder_seconds(self.task, tokens, speed) if self.task.documents else 0.0
        return ByTokens(
            self.task,
            tokens,
            speed,
            overhead=10.0 + 0.004 * rows + ladder,
            budget=self.options.budget,
            fixed=fixed,
            screening=self.options.screening,
        )

    def check(self) -> Preflight:
        """Run the checks and tell them.

        Raises:
            LeakageError: the same or nearly the same input stands in two splits.
        """
        base = self.base()
        decoding = base.part(Decoding)
        found = preflight(
            self.task,
            model=self.model,
            embedder=self.embedder,
            base=assemble(base, self.source) if self.model else None,
            answer_tokens=decoding.max_tokens if decoding else 0,
        )
        self.observer.preflight([one.to_json() for one in found.checks], found.first_prompt)
        raise_errors(list(found.checks))
        return found

    def read_documents(self) -> None:
        """Index the task's documents, and hold the rows against them.

        A run without a language model looks nothing up, so it reads none.

        Raises:
            TaskError: no document can be read, or a row names a place that is not there.
        """
        task = self.task
        if task.documents is None or self.model is None or self.embedder is None:
            return
        embedder = self.embedder

        def told(phase: str, done: int, total: int) -> None:
            self.observer.progress("documents", phase, done, total)

        self.documents = TaskDocuments(
            Path(task.documents), embedder, (*task.train, *task.dev), task.held_out, told
        )
        for line in self.documents.indexed().told:
            self.observer.log(line)

    def show(self, plan: Plan, folder: Path, *, resumed: bool) -> None:
        """Tell the plan with its forecast."""
        described = "none"
        if plan.model is not None:
            dtype = plan.model.dtype
            described = f"{plan.model.name} ({dtype})" if dtype else plan.model.name
        self.observer.planned(
            PlanView(
                run=folder.name,
                folder=str(folder),
                entries=[
                    PlannedEntry(
                        stack.name, stack.title, stack.floor, self.forecast.get(stack.name, 0.0)
                    )
                    for stack in plan.entries
                ],
                refused=[(one.name, one.reason) for one in plan.refused],
                seconds=sum(self.forecast.values()),
                rows=plan.rows,
                model=described,
                effort=plan.effort,
                resumed=resumed,
            )
        )


def _check_template(task: Task) -> None:
    """Fill the task's own template with every row.

    Raises:
        TaskError: a row lacks a field the template prints.
    """
    if not task.template:
        return
    prompt = Prompt(task.instruction, template=task.template)

    def fill(rows: Sequence[Example]) -> None:
        for row in rows:
            prompt.row(Request.from_example(row))

    fill([*task.train, *task.dev])
    if task.held_out is not None:
        task.held_out.audit(fill)


def _rerankers(stacks: Sequence[Stack], source: ModelSource) -> tuple[ModelIdentity, ...]:
    """The rerankers that levers name in their setting `reranker`: they are part of the plan.

    Raises:
        ModelError: one is not here.
        PlanError: one is called: nobody knows here what it costs.
    """
    levers = [lever for stack in stacks for lever in stack.levers]
    names = dict.fromkeys(str(one.settings.get("reranker") or "") for one in levers)
    found = tuple(source.reranker(name).identity for name in names if name)
    for one in found:
        if one.remote:
            raise PlanError(
                f"`{one.name}` is called, and a run has no price for what it reads.",
                hint="name a reranker that runs here: --set retrieve.reranker=hf/ORG/NAME",
            )
    return found


def _with_options(task: Task, options: Options) -> Task:
    """The task with the command line's limits and permissions added to its own."""
    unknown = sorted(set(options.allow_leakage) - {"exact", "near"})
    if unknown:
        raise UsageError(
            f"There is no kind of leakage named `{unknown[0]}`.",
            hint="--allow-leakage exact, --allow-leakage near",
        )
    if options.allow_leakage:
        allowed = tuple(dict.fromkeys((*task.allow_leakage, *options.allow_leakage)))
        task = replace(task, allow_leakage=allowed)
    if options.max_latency is None:
        return task
    if options.max_latency <= 0:
        raise UsageError("`--max-latency` must be positive.", hint="--max-latency 2.0")
    own = task.limits.latency_p95
    tightest = options.max_latency if own is None else min(own, options.max_latency)
    return replace(task, limits=replace(task.limits, latency_p95=tightest))
