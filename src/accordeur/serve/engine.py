"""The one thread that runs local models, and what it does next.

Requests come from many threads. Those that want a label, a vector or log-probabilities are computed
together with whatever else of their kind waits. Those that want a text are put into a batch in
flight; a batch starts as soon as somebody waits, and batches take their steps in turn, so nobody
waits for the end of a stranger's long answer. Rows leave when they are done or their client is.

A model that computes deterministically (D2) gets every row alone, and still in turn.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from accordeur.core.errors import AccordeurError, ModelError
from accordeur.models.local.in_flight import InFlight
from accordeur.serve.jobs import Computing, Job, Writing
from accordeur.serve.ticket import Gone, Ticket

LOG = logging.getLogger(__name__)

ROWS = 64
"""Rows of a batch in flight at most."""

POSITIONS = 16_384
"""Positions of all batches in flight together, answers counted at full length: 0.8 GB of keys and
values for SmolLM2-135M in float32."""

BATCHES = 4
"""Batches in flight at once: each reads all weights for a step, so more are slower for all."""

TOGETHER = 4_096
"""Tokens, about, computed at once while texts are in flight, whose next step waits for them."""


J = TypeVar("J", Writing, Computing)
T = TypeVar("T")


@dataclass(slots=True)
class _Flight:
    batch: InFlight
    jobs: list[Writing]

    @property
    def positions(self) -> int:
        return _positions(self.jobs)


class Engine:
    """Runs jobs until it is closed."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._writings: list[Writing] = []
        self._computings: list[Computing] = []
        self._flights: list[_Flight] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have a job done.

        Raises:
            ModelError: the engine is closed.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("the engine's thread would wait for itself")
        if self._closing:
            raise ModelError("The server is shutting down.")
        self._inbox.put(job)

    def call(self, work: Callable[[], T]) -> T:
        """Do something in the engine's thread, such as loading a model.

        A thread that computes gets helpers of its own from OpenMP, and where there are more of them
        than cores none of them waits actively any more: a step then takes a third longer (SmolLM2,
        two cores). So nothing should compute elsewhere before.

        Raises:
            Exception: what `work` raises.
        """
        job = Computing(object(), None, lambda _: [work()], Ticket())
        self.submit(job)
        found: T = job.result()
        return found

    def close(self) -> None:
        """Finish what was submitted, then stop."""
        self._closing = True
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        while self._receive():
            self._compute()
            self._take_off()
            for flight in list(self._flights):
                self._step(flight)

    def _receive(self) -> bool:
        """Take what was submitted; wait for it when there is nothing else to do."""
        idle = not (self._writings or self._computings or self._flights)
        if idle and self._closing and self._inbox.empty():
            return False
        while idle or not self._inbox.empty():
            job = self._inbox.get()
            idle = False
            if isinstance(job, Writing):
                self._writings.append(job)
            elif isinstance(job, Computing):
                self._computings.append(job)
        return True

    def _compute(self) -> None:
        wanted = _wanted(self._computings)
        groups: dict[Hashable, list[Computing]] = defaultdict(list)
        taken = tokens = 0
        while taken < len(wanted) and (not taken or tokens + wanted[taken].tokens <= TOGETHER):
            groups[wanted[taken].key].append(wanted[taken])
            tokens += wanted[taken].tokens
            taken += 1
        self._computings = wanted[taken:]
        for group in groups.values():
            for job, result in zip(group, _computed(group), strict=True):
                job.put(result)

    def _take_off(self) -> None:
        """Start a batch of those who wait, one model and prefix at a time, oldest first."""
        self._writings = _wanted(self._writings)
        while self._writings and len(self._flights) < BATCHES:
            room = POSITIONS - sum(flight.positions for flight in self._flights)
            jobs = self._batch(room)
            if not jobs:
                return
            self._writings = [job for job in self._writings if job not in jobs]
            try:
                batch = jobs[0].model.begin([job.order for job in jobs])
            except Exception as error:
                reported = _reported(error)
                for job in jobs:
                    job.put(reported)
            else:
                self._flights.append(_Flight(batch, jobs))

    def _batch(self, room: int) -> list[Writing]:
        """Jobs that can share a batch with the oldest one; none if it has to wait."""
        first = self._writings[0]
        most = 1 if first.model.identity.deterministic else ROWS
        if _positions([first]) > room and self._flights:
            return []
        jobs = [first]
        for job in self._writings[1:]:
            other = job.order.prompt.prefix != first.order.prompt.prefix
            if other or job.model is not first.model:
                continue
            if len(jobs) < most and _positions([*jobs, job]) <= room:
                jobs.append(job)
        return jobs

    def _step(self, flight: _Flight) -> None:
        batch = flight.batch
        left = [row for row, job in enumerate(flight.jobs) if job.gone and batch.writes(row)]
        flight.batch.drop(left)
        for row in left:
            flight.jobs[row].put(Gone())
        try:
            for one in flight.batch.step():
                flight.jobs[one.row].put(one)
        except Exception as error:
            reported = _reported(error)
            for job in flight.jobs:
                job.put(reported)
            flight.batch.drop(range(len(flight.jobs)))
        if not flight.batch.open:
            self._flights.remove(flight)


def _positions(jobs: Sequence[Writing]) -> int:
    """What a batch of these takes: every row is as wide as the widest, with room for the longest
    answer; a single row gets a copy of its prefix."""
    prompts = [job.order.prompt for job in jobs]
    width = max(len(prompt.row) for prompt in prompts)
    room = max(job.order.sampling.max_tokens for job in jobs)
    return len(jobs) * (width + room) + (len(prompts[0].prefix) if len(jobs) == 1 else 0)


def _computed(group: Sequence[Computing]) -> Sequence[object]:
    """Results of jobs of one key; one that cannot be computed does not spoil the others."""
    try:
        return group[0].compute([job.item for job in group])
    except Exception as error:
        if len(group) == 1:
            return [_reported(error)]
        return [result for job in group for result in _computed([job])]


def _wanted(jobs: Sequence[J]) -> list[J]:
    """Those that somebody waits for; the others are told."""
    left = []
    for job in jobs:
        if job.gone:  # asked once: it may change at any moment
            job.put(Gone())
        else:
            left.append(job)
    return left


def _reported(error: Exception) -> Exception:
    """An error for those who wait; a mistake of the program goes to the log with its traceback."""
    if not isinstance(error, AccordeurError):
        LOG.exception("the engine failed", exc_info=error)
    return error
