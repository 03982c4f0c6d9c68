"""Fitting one lever for real, under observation."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from accordeur.bench.documents import TaskDocuments
from accordeur.bench.fit_context import Bench, EntryContext
from accordeur.bench.lever_view import LeverView
from accordeur.bench.memory_cache import MemoryCache
from accordeur.core.answer import Answer
from accordeur.core.budget import Budget
from accordeur.core.candidate import Candidate
from accordeur.core.checkpoints import Checkpoints
from accordeur.core.fingerprint import digest
from accordeur.core.lever import Evaluation, FitContext, Lever, Stopped
from accordeur.core.model import Embedder, Model, ModelSource, Reranker
from accordeur.core.task import Example, Task, TaskBrief
from accordeur.measure.metrics import load_metric
from accordeur.parts.base import base_candidate
from accordeur.store.run_folder import RunFolder
from accordeur.testing.leaks import find_leaks
from accordeur.testing.opened_files import watching

EFFORT = 5
EMBEDDER = "local/minilm"
FEW_GROUPS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """One fit and what was seen of it.

    Attributes:
        given, result: candidates before and after.
        given_before: fingerprint of the given one before the fit.
        ledger: configurations with their dev scores, in order.
        leaks, opened: what was within reach, and which data files were opened.
        rows_changed, settings_changed, chance_changed: something moved that must not.
    """

    given: Candidate
    result: Candidate
    given_before: str
    ledger: tuple[tuple[str, float | None], ...]
    leaks: tuple[str, ...]
    opened: tuple[str, ...]
    rows_changed: bool
    settings_changed: bool
    chance_changed: bool

    @property
    def evaluated(self) -> list[str]:
        """Names of the configurations."""
        return [name for name, _ in self.ledger]


class Workshop:
    """A task, a model and a folder in which a lever is fitted as often as needed.

    Args:
        lever: under check.
        task, source, model: what it is fitted with.
        root: folder for the run records of the fits.
    """

    def __init__(
        self, lever: Lever, task: Task, source: ModelSource, model: str, root: Path
    ) -> None:
        self.lever = lever
        self.task = task
        self.source = source
        self.root = root
        self._model = model
        self._cache = MemoryCache()
        self._fits = 0

    @cached_property
    def first(self) -> Trial:
        """A first fit on all train rows, looked at closely."""
        return self.fit(look=True)

    @property
    def few_rows(self) -> tuple[Example, ...]:
        """The train rows of a few groups, every label among them."""
        groups: dict[str, None] = {}
        labels: list[str | None] = [label.name for label in self.task.labels]
        for label in labels or [None]:
            own = [row for row in self.task.train if label is None or row.expected == (label,)]
            groups.update(dict.fromkeys(row.group for row in own[: FEW_GROUPS + 1]))
        return tuple(row for row in self.task.train if row.group in groups)

    def given(self) -> Candidate:
        """The candidate every plan starts from."""
        model = self.source.model(self._model)
        return base_candidate(self.task.brief, self._model, model, self.task.train)

    def fit(
        self,
        *,
        lever: Lever | None = None,
        train: Sequence[Example] | None = None,
        effort: int = EFFORT,
        chance: int = 0,
        stop_at: int | None = None,
        look: bool = False,
    ) -> Trial:
        """Fit through the context that a run hands out.

        Args:
            lever: default the one under check.
            train: default all train rows.
            effort: of the plan.
            chance: state of the global random generators.
            stop_at: raise `Stopped` at this evaluation.
            look: search what is within reach for leaks, before and after.
        """
        self._fits += 1
        lever = lever or self.lever
        rows = tuple(self.task.train if train is None else train)
        folder = RunFolder.create_or_open(self.root, "check", {"fit": self._fits})
        entry = EntryContext(self.bench(folder, effort), lever.name, lever=lever.name)
        view: FitContext = LeverView(entry)
        if stop_at is not None:
            view = _Stopping(view, stop_at)
        given = self.given()
        before = given.fingerprint, digest([row.to_json() for row in rows]), dict(lever.settings)
        leaks = find_leaks(self.task, given, rows, view) if look else []
        random.seed(chance)
        np.random.seed(chance)
        states = chance_state()
        with folder.lock(), watching(self.task.data_files) as opened:
            result = lever.fit(given, rows, view)
        chance_moved = chance_state()
        if not isinstance(result, Candidate):
            raise TypeError(f"`{lever.name}.fit` returned {result!r}, which is no Candidate")
        leaks += find_leaks(self.task, view, lever, result) if look else []
        return Trial(
            given,
            result,
            before[0],
            tuple((o.name, o.measurement.score) for o in entry.scored if not o.control),
            tuple(dict.fromkeys(leaks)),
            tuple(opened),
            before[1] != digest([row.to_json() for row in rows]),
            before[2] != dict(lever.settings),
            states != chance_moved,
        )

    def bench(self, folder: RunFolder, effort: int) -> Bench:
        """What the entries of a run would share."""
        documents = None
        if self.task.documents is not None:
            documents = TaskDocuments(
                Path(self.task.documents),
                self.source.embedder(EMBEDDER),
                (*self.task.train, *self.task.dev),
                self.task.held_out,
                indexes=self.root / "indexes",
            )
        return Bench(
            task=self.task.brief,
            dev=self.task.dev,
            metric=load_metric(self.task.metric, folder=self.task.folder),
            source=self.source,
            model_name=self._model,
            embedder_name=EMBEDDER,
            cache=self._cache,
            folder=folder,
            budget=Budget(),
            seed=0,
            effort=effort,
            screening=False,
            tolerance=self.task.limits.tolerance,
            progress=lambda entry, configuration, finished, rows: None,
            log=lambda message: None,
            documents=documents,
        )


def chance_state() -> tuple[object, ...]:
    """Where the global random generators of Python and numpy stand, comparable with ==."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    return random.getstate(), kind, np.asarray(keys).tobytes(), tuple(rest)


class _Stopping:
    """A context that ends the lever at its n-th evaluation."""

    def __init__(self, view: FitContext, at: int) -> None:
        self._view = view
        self._left = at

    def evaluate(
        self, candidate: Candidate, configuration: str, *, control: bool = False
    ) -> Evaluation:
        self._left -= 1
        if self._left <= 0:
            raise Stopped("stopped by the check")
        return self._view.evaluate(candidate, configuration, control=control)

    def answer(self, candidate: Candidate, rows: Sequence[Example]) -> Sequence[Answer]:
        return self._view.answer(candidate, rows)

    def grade(self, rows: Sequence[Example], answers: Sequence[Answer]) -> Sequence[float | None]:
        return self._view.grade(rows, answers)

    def passages(self) -> Mapping[str, bytes]:
        return self._view.passages()

    def log(self, message: str) -> None:
        self._view.log(message)

    def progress(self, stage: str, finished: int, total: int) -> None:
        self._view.progress(stage, finished, total)

    def note(self, topic: str, facts: Mapping[str, Any]) -> None:
        self._view.note(topic, facts)

    def carried(self, seconds: float) -> None:
        self._view.carried(seconds)

    def checkpoints(self, key: str) -> Checkpoints:
        return self._view.checkpoints(key)

    def reranker(self, name: str) -> Reranker:
        return self._view.reranker(name)

    @property
    def task(self) -> TaskBrief:
        return self._view.task

    @property
    def seed(self) -> int:
        return self._view.seed

    @property
    def budget(self) -> Budget:
        return self._view.budget

    @property
    def effort(self) -> int:
        return self._view.effort

    @property
    def model(self) -> Model:
        return self._view.model

    @property
    def embedder(self) -> Embedder:
        return self._view.embedder
