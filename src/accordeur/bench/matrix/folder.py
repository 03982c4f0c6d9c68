"""What an evaluation leaves on disk: `.accordeur/evals/NAME-DIGEST/`.

    eval.json        the plan, and which models answered
    results.jsonl    one line for each answer, as they came; the last line of a cell counts
    summary.json     written at the end
    lock             held by the process that works on it

An answer that waits for a judge is written at once without findings, and again with them. Memory
holds eight bytes for each cell: where its line begins.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accordeur.bench.matrix.plan import Plan
from accordeur.bench.matrix.scoring import Outcome
from accordeur.core.errors import RunInUse, StoreError
from accordeur.core.paths import evals_folder
from accordeur.store.durable import disk_errors, make_folder, pretty_json, write_atomic
from accordeur.store.file_lock import FileLock
from accordeur.store.journal import Journal, Warn, decode_line
from accordeur.store.json_files import read_object
from accordeur.store.safe_path import slug

PLAN = "eval.json"
RESULTS = "results.jsonl"
SUMMARY = "summary.json"

_NOTHING = -1


class EvalFolder:
    """The folder of a plan; the same plan always finds the same one."""

    def __init__(self, plan: Plan, *, warn: Warn, root: Path | None = None) -> None:
        name = f"{slug(plan.matrix.name)}-{plan.digest[:10]}"
        self.folder = ((root or evals_folder()) / name).absolute()
        self.name = name
        self._warn = warn
        self._plan = plan

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder.

        Raises:
            RunInUse: another process works on it.
        """
        make_folder(self.folder)
        lock = FileLock(self.folder / "lock")
        if not lock.acquire():
            raise RunInUse(
                f"{lock.holder()} works on the evaluation `{self.name}`.",
                hint="wait for it, or stop it",
            )
        try:
            yield
        finally:
            lock.release()

    def begin(self, models: Mapping[str, Any], *, resume: bool) -> Results:
        """Open the results: what is there when it is resumed, else none.

        Args:
            models: identities of the models by name.

        Raises:
            StoreError: there is nothing to resume, or other models answered it.
        """
        place = self.folder / PLAN
        known = read_object(place)
        if resume:
            if known is None:
                raise StoreError(
                    f"There is no evaluation `{self.name}` to go on with.",
                    hint="leave --resume out; cases, prompts and models must be the same",
                )
            other = [name for name in models if known.get("models", {}).get(name) != models[name]]
            if other:
                raise StoreError(
                    f"`{other[0]}` is not the model that answered before.",
                    hint="leave --resume out to ask everything anew",
                )
        else:
            with disk_errors(self.folder):
                (self.folder / RESULTS).unlink(missing_ok=True)
                (self.folder / SUMMARY).unlink(missing_ok=True)
        write_atomic(place, pretty_json({**self._plan.to_json(), "models": dict(models)}))
        return Results(Journal(self.folder / RESULTS, warn=self._warn), self._plan.cells)

    def write_summary(self, data: Mapping[str, Any]) -> None:
        """Write what came of it.

        Raises:
            StoreError: it could not be written.
        """
        write_atomic(self.folder / SUMMARY, pretty_json(data))


class Results:
    """Lines of results by cell.

    Args:
        journal: the file.
        cells: how many there are.
    """

    def __init__(self, journal: Journal, cells: int) -> None:
        self._journal = journal
        self._places = array("q", [_NOTHING]) * cells
        self._done = bytearray(cells)
        journal.repair()
        for place, line in journal.stream():
            cell = line.get("cell")
            if isinstance(cell, int) and 0 <= cell < cells:
                self._note(cell, place, line)

    def _note(self, cell: int, place: int, line: Mapping[str, Any]) -> None:
        self._places[cell] = place
        outcome = line.get("status")
        self._done[cell] = 0 if outcome is None else 2 if outcome == Outcome.ERROR else 1

    def add(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Write lines, forced to the disk before this returns.

        Raises:
            StoreError: they could not be written.
        """
        places = self._journal.append_all(lines)
        for place, line in zip(places, lines, strict=True):
            self._note(int(line["cell"]), place, line)

    def done(self, cell: int, *, errors: bool) -> bool:
        """Whether a cell has its verdict; an error counts as one where `errors` is true."""
        return self._done[cell] == 1 or (errors and self._done[cell] == 2)

    def answered(self, cell: int) -> bool:
        """Whether its answer is there, with a verdict or still without."""
        return self._places[cell] != _NOTHING and self._done[cell] != 2

    def lines(self, cells: range) -> Iterator[dict[str, Any] | None]:
        """The lines of neighbouring cells; `None` where there is none.

        Raises:
            StoreError: a line that was whole before is no longer.
        """
        path = self._journal.path
        if not path.exists():
            yield from (None for _ in cells)
            return
        with open(path, "rb") as file:
            for cell in cells:
                place = self._places[cell]
                if place == _NOTHING:
                    yield None
                    continue
                file.seek(place)
                try:
                    yield decode_line(file.readline()[:-1])
                except ValueError as error:
                    raise StoreError(f"`{path}` was changed while it was read: {error}.") from None
