"""What a lever holds while it fits: `FitContext` with nothing behind it.

`EntryContext` must know the dev rows to score on them, so no lever may hold it: whatever an object
can reach through its attributes, a lever can read. A `LeverView` therefore has no attributes at
all. Its methods look up their `EntryContext` in a table of this module, keyed by the view itself,
and pass the call on; the table holds the view weakly, so both are gone when the fit is over.

This is a seal against mistakes and temptation, not a sandbox: Python code that is set on finding
the table can find it. `accordeur.testing.check_lever` walks everything that hangs on the view and
holds it to this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from accordeur.core.answer import Answer
from accordeur.core.budget import Budget
from accordeur.core.candidate import Candidate
from accordeur.core.checkpoints import Checkpoints, Saved
from accordeur.core.lever import Evaluation
from accordeur.core.model import Embedder, FloatArray, Model, Reranker
from accordeur.core.task import Example, TaskBrief

if TYPE_CHECKING:
    from accordeur.bench.fit_context import EntryContext

_FOLDERS: WeakKeyDictionary[CheckpointView, Checkpoints] = WeakKeyDictionary()
_ENTRIES: WeakKeyDictionary[LeverView, EntryContext] = WeakKeyDictionary()


class LeverView:
    """A `core.lever.FitContext` through which nothing but its own methods can be reached.

    Args:
        entry: the context that does the work.
    """

    __slots__ = ("__weakref__",)

    def __init__(self, entry: EntryContext) -> None:
        _ENTRIES[self] = entry

    def __reduce__(self) -> str:
        raise TypeError("A lever's context cannot be copied or pickled.")

    @property
    def task(self) -> TaskBrief:
        """Words and settings of the task."""
        return _ENTRIES[self].task

    @property
    def seed(self) -> int:
        """Seed of this lever in this run."""
        return _ENTRIES[self].seed

    @property
    def budget(self) -> Budget:
        """Wall time left."""
        return _ENTRIES[self].budget

    @property
    def effort(self) -> int:
        """Configurations the plan allows."""
        return _ENTRIES[self].effort

    @property
    def model(self) -> Model:
        """The base model of the run. Errors as `FitContext.model`."""
        return _ENTRIES[self].model

    @property
    def embedder(self) -> Embedder:
        """The embedding model of the run."""
        return _ENTRIES[self].embedder

    def reranker(self, name: str) -> Reranker:
        """The reranker of this name. Errors as `FitContext.reranker`."""
        return _ENTRIES[self].reranker(name)

    def evaluate(
        self, candidate: Candidate, configuration: str, *, control: bool = False
    ) -> Evaluation:
        """Score a candidate on dev. See `FitContext.evaluate`."""
        return _ENTRIES[self].evaluate(candidate, configuration, control=control)

    def answer(self, candidate: Candidate, rows: Sequence[Example]) -> Sequence[Answer]:
        """Run a candidate over train rows. See `FitContext.answer`."""
        return _ENTRIES[self].answer(candidate, rows)

    def grade(self, rows: Sequence[Example], answers: Sequence[Answer]) -> Sequence[float | None]:
        """The metric of answers to train rows. See `FitContext.grade`."""
        return _ENTRIES[self].grade(rows, answers)

    def passages(self) -> Mapping[str, bytes]:
        """The task's documents as passages. See `FitContext.passages`."""
        return _ENTRIES[self].passages()

    def log(self, message: str) -> None:
        """A line for the run's log."""
        _ENTRIES[self].log(message)

    def progress(self, stage: str, finished: int, total: int) -> None:
        """Say how far a long stage of fitting is."""
        _ENTRIES[self].progress(stage, finished, total)

    def note(self, topic: str, facts: Mapping[str, Any]) -> None:
        """Facts about this fit for the record and the report."""
        _ENTRIES[self].note(topic, facts)

    def carried(self, seconds: float) -> None:
        """Add what an earlier process spent on this fit to its price."""
        _ENTRIES[self].carried(seconds)

    def checkpoints(self, key: str) -> Checkpoints:
        """Where a fit that was killed left off."""
        return CheckpointView(_ENTRIES[self].checkpoints(key))


class CheckpointView:
    """A `core.checkpoints.Checkpoints` that leads nowhere: dev answers stand in the same run.

    Args:
        folder: what does the work.
    """

    __slots__ = ("__weakref__",)

    def __init__(self, folder: Checkpoints) -> None:
        _FOLDERS[self] = folder

    def names(self) -> list[str]:
        """Of those that are there, sorted."""
        return _FOLDERS[self].names()

    def write(self, name: str, arrays: Mapping[str, FloatArray], facts: Mapping[str, Any]) -> None:
        """Keep arrays and plain data under a name. Errors as in `Checkpoints.write`."""
        _FOLDERS[self].write(name, arrays, facts)

    def read(self, name: str) -> Saved | None:
        """What was kept, or `None`."""
        return _FOLDERS[self].read(name)

    def remove(self, name: str) -> None:
        """Forget one."""
        _FOLDERS[self].remove(name)
