"""An evaluation, block by block: ask, write down, check, write down.

A block holds the cells of some cases; nothing of it stays in memory. Errors of endpoints are
outcomes of their own. What is written is not asked again by `--resume`; `--retry-errors` asks the
errors again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accordeur.bench.endpoint import check_answers
from accordeur.bench.matrix.answering import Made, Respondent
from accordeur.bench.matrix.filling import asked_of, rendered, variables
from accordeur.bench.matrix.folder import EvalFolder, Results
from accordeur.bench.matrix.matrix import ECHO, Case, Column, Provider
from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.scoring import Outcome, scored
from accordeur.bench.matrix.sources import Sources, echoed
from accordeur.core.rendering import Rendered
from accordeur.measure.assertions import load_kind
from accordeur.measure.assertions.assertion import Asked, Finding, Said, inverse
from accordeur.parts.bundle import load_bundle

BLOCK = 1024
"""Answers that are asked for together."""

Progress = Callable[[int, int], None]
"""Told how many cells are done, and how many of these are errors."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question to one model.

    Attributes:
        index: its place among all cells.
        repeat: from 0.
        asked: the filled prompt.
    """

    index: int
    case: Case
    column: Column
    repeat: int
    asked: Rendered


def run_plan(
    plan: Plan,
    folder: EvalFolder,
    sources: Sources,
    *,
    resume: bool = False,
    retry_errors: bool = False,
    progress: Progress | None = None,
) -> Results:
    """Ask and check everything that is not done yet. The caller holds the folder's lock.

    Raises:
        ModelError, EndpointGone: a model cannot be asked; what was answered is kept.
        StoreError: results cannot be written, or there is nothing to resume.
    """
    respondents = {one.provider.label: sources.respondent(one.provider) for one in plan.columns}
    results = folder.begin(_identities(plan, sources), resume=resume)
    work = _Work(plan, results, sources, respondents, retry_errors, progress)
    work.tell()
    each = max(1, BLOCK // plan.width)
    for number, cases in enumerate(_blocks(plan.matrix.cases, each)):
        work.block(number * each, cases)
    return results


def _blocks(cases: Any, size: int) -> Iterator[list[Case]]:
    stream = iter(cases)
    while block := list(itertools.islice(stream, size)):
        yield block


def _identities(plan: Plan, sources: Sources) -> dict[str, Any]:
    """What answers behind each name, so that no other model goes on with its work."""
    found: dict[str, Any] = {}
    for column in plan.columns:
        provider = column.provider
        if provider.model == ECHO:
            found[provider.label] = ECHO
        elif provider.bundle:
            found[provider.label] = load_bundle(Path(provider.model)).candidate.fingerprint
        else:
            model = sources.model(provider.model, provider.base_url)
            found[provider.label] = [model.identity.name, model.identity.digest]
    return found


class _Work:
    def __init__(
        self,
        plan: Plan,
        results: Results,
        sources: Sources,
        respondents: dict[str, Respondent],
        retry_errors: bool,
        progress: Progress | None,
    ) -> None:
        self._plan = plan
        self._results = results
        self._sources = sources
        self._respondents = respondents
        self._retry = retry_errors
        self._progress = progress
        self._done = sum(self._is_done(cell) for cell in range(plan.cells))
        self._errors = 0
        self._checked: set[str] = set()

    def tell(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self._errors)

    def _is_done(self, cell: int) -> bool:
        return self._results.done(cell, errors=not self._retry)

    def block(self, first: int, cases: Sequence[Case]) -> None:
        """Everything about some cases, the first of which is case number `first`."""
        cells = range(first * self._plan.width, (first + len(cases)) * self._plan.width)
        if all(self._is_done(cell) for cell in cells):
            return
        shown = [variables(case) for case in cases]
        providers = {one.provider.label: one.provider for one in self._plan.columns}
        for label, provider in providers.items():
            block = self._cells(first, cases, shown, label)
            if not all(self._is_done(cell.index) for cell in block):
                self._ask(provider, block)

    def _cells(
        self, first: int, cases: Sequence[Case], shown: Sequence[dict[str, Any]], label: str
    ) -> list[Cell]:
        """The block's cells of one model, prompt by prompt, so that prompts share beginnings."""
        made = []
        for column in self._plan.columns:
            if column.provider.label != label:
                continue
            for number, case in enumerate(cases):
                asked = rendered(column.prompt, case, shown[number])
                start = (first + number) * self._plan.width
                start += (column.number - 1) * self._plan.repeat
                for repeat in range(self._plan.repeat):
                    made.append(Cell(start + repeat, case, column, repeat, asked))
        return made

    def _ask(self, provider: Provider, block: Sequence[Cell]) -> None:
        waiting: list[tuple[Cell, Made]] = []
        done = set()
        for place, cell in enumerate(block):
            if self._is_done(cell.index):
                done.add(place)
            elif self._results.answered(cell.index):
                done.add(place)  # answered before, and stopped before it was judged
                line = next(self._results.lines(range(cell.index, cell.index + 1)))
                assert line is not None
                waiting.append((cell, Made.from_json(line["answer"])))
        if len(done) < len(block):
            self._check_first(provider)
            respondent = self._respondents[provider.label]
            prompts = [cell.asked for cell in block]
            for group in respondent.answers(prompts, [cell.repeat for cell in block], done):
                waiting += self._arrived([(block[place], made) for place, made in group])
        if waiting:
            self._judge(waiting)

    def _check_first(self, provider: Provider) -> None:
        """One short call before many: a refused key is told at once, a resolved name is learned."""
        if provider.label in self._checked or provider.model == ECHO or provider.bundle:
            return
        self._checked.add(provider.label)
        check_answers(self._sources.model(provider.model, provider.base_url))

    def _arrived(self, group: Sequence[tuple[Cell, Made]]) -> list[tuple[Cell, Made]]:
        """Write answers down as they come; those that must wait for tools are given back."""
        lines, waiting = [], []
        for cell, made in group:
            if made.error:
                lines.append(self._line(cell, made, Outcome.ERROR, 0.0, made.error, []))
            elif _needs_tools(cell.case):
                waiting.append((cell, made))
                lines.append(self._unjudged_line(cell, made))
            else:
                lines.append(self._verdict(cell, made, self._look(cell, made)))
        self._write(lines)
        return waiting

    def _judge(self, waiting: Sequence[tuple[Cell, Made]]) -> None:
        """Findings of everything that was answered, tools asked for all of it together."""
        found: dict[tuple[int, int], Finding] = {}
        many: dict[str, list[tuple[int, int, Said, Asked]]] = {}
        for place, (cell, made) in enumerate(waiting):
            said, shown = self._said(cell, made), variables(cell.case)
            for number, check in enumerate(cell.case.checks):
                asked = asked_of(check, cell.case, shown)
                kind = load_kind(check.kind)
                if kind.check is not None:
                    found[place, number] = kind.check(said, asked)
                else:
                    many.setdefault(check.kind, []).append((place, number, said, asked))
        for name, group in many.items():
            check_many = load_kind(name).check_many
            assert check_many is not None
            pairs = [(said, asked) for _, _, said, asked in group]
            for (place, number, _, _), one in zip(
                group, check_many(pairs, self._sources), strict=True
            ):
                found[place, number] = one
        lines = []
        for place, (cell, made) in enumerate(waiting):
            findings = [found[place, number] for number in range(len(cell.case.checks))]
            lines.append(self._verdict(cell, made, findings))
        self._write(lines)

    def _look(self, cell: Cell, made: Made) -> list[Finding]:
        """Findings of assertions that need nothing but the answer."""
        said, shown = self._said(cell, made), variables(cell.case)
        found = []
        for check in cell.case.checks:
            kind = load_kind(check.kind)
            assert kind.check is not None
            found.append(kind.check(said, asked_of(check, cell.case, shown)))
        return found

    def _said(self, cell: Cell, made: Made) -> Said:
        model = cell.column.provider.model
        return Said(
            made.text,
            echoed(cell.asked),
            cell.case.fields,
            made.seconds,
            None if cell.column.provider.bundle else self._sources.money(model, made.usage),
            made.logprob,
        )

    def _verdict(self, cell: Cell, made: Made, found: Sequence[Finding]) -> dict[str, Any]:
        checks = cell.case.checks
        final = [
            inverse(one, check.kind) if check.inverse else one
            for check, one in zip(checks, found, strict=True)
        ]
        verdict = scored(cell.case, final)
        return self._line(
            cell,
            made,
            verdict.outcome,
            verdict.score,
            verdict.reason,
            list(zip(checks, final, strict=True)),
        )

    def _line(
        self,
        cell: Cell,
        made: Made,
        outcome: Outcome,
        score: float,
        reason: str,
        found: Sequence[Any],
    ) -> dict[str, Any]:
        money = self._said(cell, made).money
        return self._unjudged_line(cell, made) | {
            "status": str(outcome),
            "score": score,
            "reason": reason,
            "cost": money,
            "checks": [
                {
                    "type": check.name,
                    "metric": check.metric,
                    "passed": one.passed,
                    "score": one.score,
                    "reason": one.reason,
                }
                for check, one in found
            ],
        }

    def _unjudged_line(self, cell: Cell, made: Made) -> dict[str, Any]:
        return {
            "cell": cell.index,
            "case": cell.case.id,
            "column": cell.column.number,
            "repeat": cell.repeat,
            "answer": made.to_json(),
        }

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        if not lines:
            return
        self._results.add(lines)
        finished = [line for line in lines if "status" in line]
        self._done += len(finished)
        self._errors += sum(line["status"] == Outcome.ERROR for line in finished)
        self.tell()


def _needs_tools(case: Case) -> bool:
    return any(load_kind(check.kind).check is None for check in case.checks)
