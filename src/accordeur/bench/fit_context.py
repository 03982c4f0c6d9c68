"""The one window through which a lever sees dev: `FitContext` for one plan entry."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.bench.documents import TaskDocuments
from accordeur.bench.screening import SCREEN_LEAST, SCREEN_ROWS
from accordeur.bench.sinks import RunSink
from accordeur.core.answer import Answer, Status
from accordeur.core.budget import Budget
from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError, TaskError
from accordeur.core.fingerprint import seed_for
from accordeur.core.lever import Evaluation, Stopped
from accordeur.core.measurement import Measurement, RowResult
from accordeur.core.model import Embedder, Model, ModelSource, Reranker
from accordeur.core.rendering import Request
from accordeur.core.task import Example, TaskBrief
from accordeur.measure.cost import Tokens
from accordeur.measure.harness import RETRIES, answer_rows, summarise
from accordeur.measure.metric import Metric
from accordeur.measure.statistics import paired_difference_interval
from accordeur.parts.assemble import assemble
from accordeur.parts.decoding import Decoding
from accordeur.store.checkpoints import CheckpointFolder
from accordeur.store.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Scored:
    """A configuration that was scored on all of dev.

    Attributes:
        name: as the lever called it.
        id: names its files in the run.
        candidate: what was scored.
        measurement: per row.
        competes: false for the levers beneath the last one of a stack, and for controls.
        control: what the lever is compared with.
    """

    name: str
    id: str
    candidate: Candidate
    measurement: Measurement
    competes: bool
    control: bool = False


@dataclass(slots=True)
class Bench:
    """What every entry of a run shares.

    Attributes:
        task: words of the task.
        dev: its dev rows.
        metric: the one that decides.
        source: models by name.
        model_name, embedder_name: of the run.
        cache: answers that are already known.
        folder: the run on disk.
        budget: wall time left.
        seed: of the run.
        effort: of the plan.
        screening: stop hopeless generating levers.
        progress: told entry, configuration, rows finished, rows in all.
        log: told one line.
        leader: rows of the best configuration that earlier entries scored on all of dev.
        documents: of the task, indexed when they are first asked for; `None` without any.
    """

    task: TaskBrief
    dev: Sequence[Example]
    metric: Metric
    source: ModelSource
    model_name: str | None
    embedder_name: str
    cache: AnswerCache | None
    folder: RunFolder
    budget: Budget
    seed: int
    effort: int
    screening: bool
    tolerance: float
    progress: Callable[[str, str, int, int], None]
    log: Callable[[str], None]
    leader: Measurement | None = None
    documents: TaskDocuments | None = None


@dataclass(slots=True)
class EntryContext:
    """`FitContext` of one entry, one stage of its stack at a time.

    Attributes:
        bench: what all entries share.
        entry: name of the plan entry.
        lever: name of the stage's lever.
        competes: the last stage of the stack: its configurations compete for the verdict.
        screened: its first configuration may be given up after a few rows.
        scored: configurations scored so far, over all stages.
        measured_seconds: first-run seconds of everything answered so far, and what an earlier
            process spent on this fit.
        spent: tokens of train rows that were run.
        waited: wall seconds this process spent answering.
        notes: facts about the fit for the report, by topic.
    """

    bench: Bench
    entry: str
    lever: str = ""
    competes: bool = True
    screened: bool = True
    scored: list[Scored] = field(default_factory=list)
    measured_seconds: float = 0.0
    spent: Tokens = field(default_factory=Tokens)
    waited: float = 0.0
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def task(self) -> TaskBrief:
        """Words and settings of the task."""
        return self.bench.task

    @property
    def seed(self) -> int:
        """Seed of this lever in this run: the same wherever it stands in a stack."""
        return seed_for(self.bench.seed, self.lever)

    @property
    def budget(self) -> Budget:
        """Wall time left."""
        return self.bench.budget

    @property
    def effort(self) -> int:
        """Configurations the plan allows."""
        return self.bench.effort

    @property
    def model(self) -> Model:
        """The base model of the run."""
        if self.bench.model_name is None:
            raise ModelError("This run has no language model.", hint="-m local/smollm2")
        return self.bench.source.model(self.bench.model_name)

    @property
    def embedder(self) -> Embedder:
        """The embedding model of the run."""
        return self.bench.source.embedder(self.bench.embedder_name)

    def reranker(self, name: str) -> Reranker:
        """The reranker of this name."""
        return self.bench.source.reranker(name)

    def log(self, message: str) -> None:
        """A line for the run's log."""
        self.bench.log(f"{self.entry}: {message}")

    def progress(self, stage: str, finished: int, total: int) -> None:
        """Say how far a long stage of fitting is."""
        self.bench.progress(self.entry, stage, finished, total)

    def note(self, topic: str, facts: Mapping[str, Any]) -> None:
        """Facts about this fit for the record and the report."""
        self.notes[topic] = dict(facts)

    def carried(self, seconds: float) -> None:
        """Add what an earlier process spent on this fit to its price."""
        self.measured_seconds += seconds

    def checkpoints(self, key: str) -> CheckpointFolder:
        """Where a fit of this entry that was killed left off."""
        return CheckpointFolder(self.checkpoint_folder / key[:16])

    @property
    def checkpoint_folder(self) -> Path:
        """Of all fits of this entry; removed when the entry is finished."""
        return self.bench.folder.folder / "checkpoints" / entry_file_name(self.entry)

    def answer(self, candidate: Candidate, rows: Sequence[Example]) -> Sequence[Answer]:
        """Run a candidate over train rows; each row is left out of its own demonstrations.

        Rows lost to an error are asked again as those of dev are; what is lost then stays so.
        """
        started = time.perf_counter()
        answerer = assemble(candidate, self.bench.source, cache=self.bench.cache)
        answers: dict[int, Answer] = {}
        requests = [Request.from_example(row, training=True) for row in rows]
        for _ in range(1 + RETRIES):
            known = {at for at, one in answers.items() if one.status is not Status.ERROR}
            if len(known) == len(rows):
                break
            for batch in answerer.answer(requests, done=known):
                fresh = zip(batch.indices, batch.results, strict=True)
                answers.update({at: one for at, one in fresh if at not in known})
        self.spent += Tokens.of_answers(answers.values())
        self.measured_seconds += sum(answer.seconds for answer in answers.values())
        self.waited += time.perf_counter() - started
        self._check_clock(f"while answering {len(rows)} train rows")
        return [answers[index] for index in range(len(rows))]

    def grade(self, rows: Sequence[Example], answers: Sequence[Answer]) -> list[float | None]:
        """The task's metric of answers to train rows, as the harness scores rows."""
        metric, task = self.bench.metric, self.bench.task
        return [
            None
            if answer.status in (Status.ERROR, Status.UNJUDGED)
            else float(metric.row(answer, row, task))
            for row, answer in zip(rows, answers, strict=True)
        ]

    def passages(self) -> Mapping[str, bytes]:
        """The task's documents as passages; what making them took is part of this entry's price."""
        if self.bench.documents is None:
            raise TaskError(
                f"The task `{self.task.name}` has no documents.",
                hint="name their folder in task.yaml: documents: docs",
            )
        started = time.perf_counter()
        indexed = self.bench.documents.indexed()
        self.waited += time.perf_counter() - started
        self.measured_seconds += indexed.seconds
        return indexed.collection.files

    def evaluate(
        self, candidate: Candidate, configuration: str, *, control: bool = False
    ) -> Evaluation:
        """Score on all of dev and write the ledger row. See `FitContext.evaluate`."""
        bench = self.bench
        self._check_clock(f"before `{configuration}`")
        started = time.perf_counter()
        identity = candidate.fingerprint[:16]

        def progress(finished: int, rows: int) -> None:
            bench.progress(self.entry, configuration, finished, rows)

        answerer = assemble(candidate, bench.source, cache=bench.cache)
        rows: list[RowResult] = []
        for offset, block in self._blocks(candidate):
            sink = RunSink(bench.folder, "dev", identity, offset=offset, count=len(block))
            rows += answer_rows(
                answerer,
                block,
                bench.metric,
                bench.task,
                sink,
                budget=bench.budget,
                progress=progress,
            )
            if len(rows) < len(bench.dev):
                self._screen(rows)
        measured = summarise(
            rows,
            bench.dev,
            bench.metric,
            bench.task,
            candidate=identity,
            split="dev",
            seed=seed_for(bench.seed, "interval"),
        )
        self.measured_seconds += measured.seconds
        self.waited += time.perf_counter() - started
        competes = self.competes and not control
        self.scored.append(Scored(configuration, identity, candidate, measured, competes, control))
        bench.folder.append_ledger(
            {
                "configuration": f"{self.entry}/{self.lever}/{configuration}",
                "entry": self.entry,
                "name": configuration,
                "configuration_id": identity,
                "score": measured.score,
                "n": measured.n,
                "seconds": measured.seconds,
                "tokens": measured.logical_tokens,
                "competes": competes,
            }
        )
        return Evaluation(
            score=measured.score,
            n=measured.n,
            statuses=measured.statuses,
            seconds=measured.seconds,
            tokens=measured.logical_tokens,
        )

    def _blocks(self, candidate: Candidate) -> list[tuple[int, Sequence[Example]]]:
        """Dev as one block, or as the screened rows and the rest for candidates that generate.

        Only the first configuration of a stack's last lever is screened, and the first of those
        beneath: a lever that has one on all of dev must not lose it to a later, hopeless one. As-is
        is never screened: the primary test needs it on every row. Nor is anything that weights are
        trained on: training may well mend what is hopeless before it.
        """
        bench = self.bench
        decoding = candidate.part(Decoding)
        writes = decoding is not None and decoding.mode == "generate"
        generates = writes or "pattern" in candidate.parts
        before = any(one.competes == self.competes for one in self.scored)
        screened = generates and bench.screening and self.screened and not before
        if not screened or len(bench.dev) < SCREEN_LEAST:
            return [(0, bench.dev)]
        return [(0, bench.dev[:SCREEN_ROWS]), (SCREEN_ROWS, bench.dev[SCREEN_ROWS:])]

    def _check_clock(self, when: str) -> None:
        if self.bench.budget.spent:
            raise Stopped(f"the time budget ended {when}", cut=True)

    def _screen(self, rows: Sequence[RowResult]) -> None:
        """Stop the lever when the screened rows show that it cannot reach the leader (P7)."""
        bench = self.bench
        leader = bench.leader
        if not (bench.screening and leader is not None):
            return
        places = [
            place
            for place, (mine, best) in enumerate(zip(rows, leader.rows, strict=False))
            if mine.score is not None and best.score is not None
        ]
        if not places:
            return
        examples = [bench.dev[place] for place in places]
        mine, best = ([side[place] for place in places] for side in (rows, leader.rows))
        over = bench.metric.over([row.answer for row in (*mine, *best)], examples * 2, bench.task)
        groups = [example.group for example in examples]
        seed = seed_for(bench.seed, "screening")
        if over is None:
            scores = np.array([[row.score for row in side] for side in (mine, best)], np.float64)
            interval = paired_difference_interval(scores[0], scores[1], groups, seed=seed)
        else:
            at = np.arange(len(places))
            interval = paired_difference_interval(at, at + len(at), groups, over, seed=seed)
        if interval is not None and interval.high < -bench.tolerance:
            raise Stopped(
                f"screened out after {len(rows)} dev rows: at best {-100 * interval.high:.1f} "
                "points behind the leader"
            )


def entry_file_name(entry: str) -> str:
    """An entry's name as a file's."""
    return entry.replace("+", "_and_").replace(":", "_")
