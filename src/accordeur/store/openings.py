"""The ledger of openings: how often a held-out split was looked at, over all runs of this user.

DESIGN section 4 rule 1: each opening is counted per digest of the held-out rows and printed in the
report. A plan opens its split once; running the identical plan again reuses its results and is no
second opening.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from accordeur.core.errors import StoreError
from accordeur.core.paths import cache_folder
from accordeur.store.durable import make_folder, timestamp
from accordeur.store.file_lock import FileLock
from accordeur.store.journal import Journal, Warn

FILE = "openings.jsonl"

_WAIT = 30.0


@dataclass(frozen=True, slots=True)
class Opening:
    """One look at a held-out split.

    Attributes:
        held_out: digest of its rows.
        plan: hash of the plan that looked.
        run: name of the run.
        decision: hash of the decision written before.
        time: ISO 8601, UTC.
    """

    held_out: str
    plan: str
    run: str
    decision: str
    time: str


class Openings:
    """The ledger.

    Args:
        path: the file; default `openings.jsonl` in the user's cache folder.
        warn: told about damaged lines, which are skipped and counted.
    """

    def __init__(self, path: Path | None = None, *, warn: Warn | None = None) -> None:
        self.path = path if path is not None else cache_folder() / FILE
        self._journal = Journal(self.path, warn=warn)
        self.damaged = 0
        """Lines that could not be read the last time."""

    def record(self, held_out_digest: str, plan_hash: str, run: str, decision_hash: str) -> int:
        """Write an opening down, before the rows are looked at.

        Args:
            held_out_digest: of the sealed split.
            plan_hash: of the plan.
            run: name of the run.
            decision_hash: of the decision on disk.

        Returns:
            Openings of this split so far, this one included.

        Raises:
            StoreError: it could not be written; then the split must stay closed.
        """
        with self._alone():
            self._journal.repair()
            if not any(item.plan == plan_hash for item in self.of(held_out_digest)):
                self._journal.append(
                    {
                        "held_out": held_out_digest,
                        "plan": plan_hash,
                        "run": run,
                        "decision": decision_hash,
                        "time": timestamp(),
                    }
                )
        return self.count(held_out_digest)

    def count(self, held_out_digest: str) -> int:
        """How many plans have opened this split."""
        return len(self.of(held_out_digest))

    def of(self, held_out_digest: str) -> list[Opening]:
        """The openings of one split, first ones first, one for each plan.

        Raises:
            StoreError: the ledger is there but cannot be read.
        """
        first: dict[str, Opening] = {}
        for opening in self._read():
            if opening.held_out == held_out_digest:
                first.setdefault(opening.plan, opening)
        return list(first.values())

    def _read(self) -> list[Opening]:
        records = self._journal.records()
        _, damage = self._journal.read()
        self.damaged = sum(not item.unfinished for item in damage)
        openings = []
        for record in records:
            try:
                openings.append(Opening(**record))
            except TypeError:  # a line of another kind
                self.damaged += 1
        return openings

    @contextmanager
    def _alone(self) -> Iterator[None]:
        make_folder(self.path.parent)
        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"))
        if not lock.acquire(wait=_WAIT):
            raise StoreError(
                f"The openings ledger `{self.path}` is in use by {lock.holder()}.",
                hint="stop that process, then run the same command again",
            )
        try:
            yield
        finally:
            lock.release()
