"""One run on disk: a folder named `<task>-<first 10 of the plan's hash>`.

    plan.json          the plan; its hash is the run's identity
    manifest.json      task, versions, machine, hashes of finished files
    state.json         phase, replaced as the run goes on
    log.jsonl          what happened, for people
    ledger.jsonl       the dev ledger: one record per evaluated configuration
    answers/SPLIT/CONFIGURATION.jsonl    row results, one line per batch
    decision.json      written once, hashed; the held-out split opens against it
    record.json        the final record, which the report reads
    candidates/NAME/   bundles
    lock               held by the process that works on the run

What is durable when: a batch of rows, a ledger record and every JSON file are on the disk when the
method that writes them returns. `kill -9` at any moment loses at most the batch in flight. Whatever
is damaged is reported and treated as absent, so that it is computed again; only a plan or decision
that was changed afterwards stops a run.

Every writing method needs the run's `lock`; reading needs none.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from accordeur.core.errors import RunInUse, StoreError
from accordeur.core.fingerprint import digest
from accordeur.store.durable import (
    TEMPORARY_SUFFIX,
    disk_errors,
    make_folder,
    timestamp,
)
from accordeur.store.file_lock import FileLock, locked
from accordeur.store.file_tree import read_tree, write_tree
from accordeur.store.journal import Journal, Warn
from accordeur.store.json_files import (
    read_bytes,
    read_json,
    read_object,
    replace_json,
    settle_plan,
    write_json_once,
)
from accordeur.store.manifest import Manifest
from accordeur.store.safe_path import file_name, inside, slug

if TYPE_CHECKING:  # RowResult brings numpy, which `accordeur runs list` can do without
    from accordeur.core.measurement import RowResult

PLAN = "plan.json"
STATE = "state.json"
DECISION = "decision.json"
RECORD = "record.json"
LOCK = "lock"


def _silent(_: str) -> None:
    """Warn nobody."""


class RunFolder:
    """A run that exists on disk. Make one with `create_or_open`, read one with `open`.

    Args:
        folder: the run's folder.
        warn: told one sentence about everything damaged, dropped or made anew.
    """

    def __init__(self, folder: Path, *, warn: Warn = _silent) -> None:
        self.folder = folder.absolute()
        self.name = self.folder.name
        self.manifest = Manifest(self.folder, warn)
        self._warn = warn
        self._lock = FileLock(self.folder / LOCK)
        self._journals: dict[str, Journal] = {}
        self._thread = threading.RLock()

    @classmethod
    def create_or_open(
        cls, root: Path, name: str, plan: Mapping[str, Any], *, warn: Warn = _silent
    ) -> RunFolder:
        """The run of this plan: the same plan always finds the same folder.

        Args:
            root: the folder of runs, `core.paths.runs_folder()`.
            name: the task's name.
            plan: plain data; its `digest` is the run's identity.
            warn: as in the constructor.

        Raises:
            StoreError: the folder cannot be written, or belongs to another plan.
        """
        identity = digest(plan)
        run = cls(root.absolute() / f"{slug(name)}-{identity[:10]}", warn=warn)
        make_folder(run.folder)
        settle_plan(run.folder / PLAN, plan, warn=warn)
        run.manifest.create(name, identity)
        return run

    @classmethod
    def open(cls, folder: Path, *, warn: Warn = _silent) -> RunFolder:
        """An existing run.

        Raises:
            StoreError: there is no run in this folder.
        """
        if not (folder / PLAN).is_file():
            raise StoreError(f"There is no run in `{folder}`.", hint="accordeur runs list")
        return cls(folder, warn=warn)

    def __repr__(self) -> str:
        return f"RunFolder({self.name})"

    # -- one process at a time ------------------------------------------------------------------

    @contextmanager
    def lock(self) -> Iterator[RunFolder]:
        """Work on this run, alone. The system ends the lock when this process dies.

        Raises:
            RunInUse: another process works on it.
        """
        with self._thread:
            if not self._lock.acquire():
                raise RunInUse(
                    f"The run `{self.name}` is in use by {self._lock.holder()}.",
                    hint="wait for it to end or stop it, then run the same command again",
                )
            try:
                self._sweep()
            except BaseException:
                self._lock.release()
                raise
        try:
            yield self
        finally:
            self._lock.release()

    @property
    def in_use(self) -> bool:
        """A process, this one included, works on this run now."""
        return locked(self.folder / LOCK)

    # -- identity and state ---------------------------------------------------------------------

    @property
    def plan(self) -> dict[str, Any]:
        """The plan.

        Raises:
            StoreError: it is missing or was changed; running the same command again mends it.
        """
        path = self.folder / PLAN
        data = read_object(path)
        if data is None or self.manifest.read().get("plan", digest(data)) != digest(data):
            raise StoreError(
                f"`{path}` is missing or was changed after it was written.",
                hint="run the command that made this run again; it writes the plan anew",
            )
        return data

    @property
    def plan_hash(self) -> str:
        """Hash of the plan, 64 hexadecimal digits. Raises as `plan`."""
        return digest(self.plan)

    @property
    def state(self) -> dict[str, Any]:
        """`phase`, `updated` and what else `set_phase` was given; empty before the first phase."""
        return self.read_json(STATE) or {}

    def set_phase(self, phase: str, **details: Any) -> None:
        """Note how far the run is.

        Raises:
            StoreError: it cannot be written.
        """
        self.write_json(STATE, {**details, "phase": phase, "updated": timestamp()})

    # -- rows -----------------------------------------------------------------------------------

    def append_answers(
        self, split: str, configuration: str, indices: Sequence[int], rows: Sequence[RowResult]
    ) -> None:
        """Write a finished batch; it is on the disk when this returns.

        Args:
            split: `train`, `dev` or `test`.
            configuration: any text that names the configuration within the run.
            indices: place of each row in the split's order.
            rows: their results.

        Raises:
            StoreError: the batch could not be written; those before it stand.
        """
        if len(indices) != len(rows):
            raise ValueError(f"{len(indices)} indices for {len(rows)} rows")
        if not rows:
            return
        self._journal(self._answers(split, configuration)).append(
            {
                "configuration": configuration,
                "split": split,
                "time": timestamp(),
                "indices": [int(index) for index in indices],
                "rows": [row.to_json() for row in rows],
            }
        )

    def read_answers(self, split: str, configuration: str) -> dict[int, RowResult]:
        """Row results by place in the split. A row written twice (a retried error) counts once,
        as last written.

        Damaged batches are told to `warn` and left out. Seconds are those of the first run.
        """
        from accordeur.core.measurement import RowResult

        name = self._answers(split, configuration)
        found: dict[int, RowResult] = {}
        for batch in self._records(name):
            try:
                rows = [RowResult.from_json(row) for row in batch["rows"]]
                found.update(zip(batch["indices"], rows, strict=True))
            except (KeyError, TypeError, ValueError) as error:
                self._warn(f"A batch of `{self.folder / name}` cannot be understood ({error!r}).")
        return found

    def splits(self) -> list[str]:
        """Splits that have answers, by name."""
        folder = self.folder / "answers"
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(unquote(item.name) for item in found if item.is_dir())

    def configurations(self, split: str) -> list[str]:
        """Configurations that have whole batches in this split, in the order they were begun."""
        folder = inside(self.folder, f"answers/{file_name(split)}")
        names: dict[str, str] = {}
        for path in folder.glob("*.jsonl") if folder.is_dir() else ():
            records = self._records(path.relative_to(self.folder).as_posix())
            if records:
                first = records[0]
                names[str(first.get("configuration", path.stem))] = str(first.get("time", ""))
        return sorted(names, key=lambda name: (names[name], name))

    # -- ledger and log -------------------------------------------------------------------------

    def append_ledger(self, record: Mapping[str, Any]) -> None:
        """Add an evaluated configuration to the dev ledger.

        Args:
            record: plain data; `configuration` names it within the run. Adding an equal record
                again changes nothing, so a resumed run may repeat itself.

        Raises:
            StoreError: it could not be written.
        """
        if "configuration" not in record:
            raise ValueError("a ledger record names its `configuration`")
        with self._thread:
            if json.loads(json.dumps(record)) not in self.read_ledger():
                self._journal("ledger.jsonl").append(record)

    def read_ledger(self) -> list[dict[str, Any]]:
        """Ledger records in the order they were first added, the last one of each configuration."""
        last: dict[str, dict[str, Any]] = {}
        for record in self._records("ledger.jsonl"):
            last[str(record.get("configuration"))] = record
        return list(last.values())

    def log(self, message: str, **details: Any) -> None:
        """A line of the run's log, with the time. Raises as `append_ledger`."""
        line = {"time": timestamp(), "message": message, **details}
        # Losing the last lines of a log in a power cut is cheaper than a sync for each.
        self._journal("log.jsonl").append(line, sync=False)

    def read_log(self) -> list[dict[str, Any]]:
        """All lines of the log."""
        return self._records("log.jsonl")

    # -- JSON files -----------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        """A file of this name is in the run."""
        return inside(self.folder, name).is_file()

    def read_json(self, name: str) -> dict[str, Any] | None:
        """A JSON file of this run; `None` when it is not there.

        A damaged file is told to `warn` and read as not there, unless it was written with
        `write_once`.

        Raises:
            StoreError: a file written once was changed afterwards.
        """
        return read_json(self.manifest, name, warn=self._warn)

    def sha256(self, name: str) -> str | None:
        """Hash of a file as it was finished (`decision.json` for a `Receipt`), else `None`."""
        return self.manifest.sha256(name)

    def write_json(self, name: str, data: Mapping[str, Any]) -> None:
        """Write a JSON file that may be replaced later.

        Raises:
            StoreError: it could not be written (the old one stands), or was written once for all.
        """
        self._needs_lock()
        with self._thread:
            if name in (PLAN, DECISION):
                raise StoreError(f"`{name}` is written once for all and cannot be changed.")
            replace_json(self.manifest, name, data)

    def write_once(self, name: str, data: Mapping[str, Any]) -> str:
        """Write a JSON file that nothing may change any more.

        Writing equal data again is no change.

        Returns:
            SHA-256 of the file, as `sha256sum` prints it.

        Raises:
            StoreError: it could not be written, or is there with another content.
        """
        self._needs_lock()
        with self._thread:
            return write_json_once(self.manifest, name, data, warn=self._warn)

    def finish(self) -> None:
        """Note the hashes of all answers and of the ledger, once nothing is to be added.

        Raises:
            StoreError: the manifest cannot be written.
        """
        self._needs_lock()
        with self._thread:
            paths = [self.folder / "ledger.jsonl", *self.folder.glob("answers/*/*.jsonl")]
            self.manifest.add(
                {
                    path.relative_to(self.folder).as_posix(): read_bytes(path)
                    for path in paths
                    if path.is_file()
                }
            )

    # -- folders of files -----------------------------------------------------------------------

    def write_files(self, sub: str, files: Mapping[str, bytes]) -> Path:
        """Write a folder of files (a bundle), wholly or not at all; an older one is replaced.

        Args:
            sub: its name within the run, such as `candidates/few-shot`.
            files: relative POSIX path -> content.

        Returns:
            The folder.

        Raises:
            StoreError: it could not be written, or a path leads outside.
        """
        self._needs_lock()
        with self._thread:
            return write_tree(self.manifest, sub, files, warn=self._warn)

    def read_files(self, sub: str) -> dict[str, bytes] | None:
        """A folder written by `write_files`; `None` when it is not there, unfinished or damaged.

        Damage is told to `warn`.
        """
        return read_tree(self.manifest, sub, warn=self._warn)

    # -- inside ---------------------------------------------------------------------------------

    def _needs_lock(self) -> None:
        if not self._lock.held:
            raise RuntimeError("hold `RunFolder.lock()` while writing to a run")

    def _sweep(self) -> None:
        """Remove what a killed process left half-made. Only under the lock."""
        self._journals.clear()  # another process may have written since we looked
        with disk_errors(self.folder):
            for path in list(self.folder.rglob(f".*{TEMPORARY_SUFFIX}")):
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
        for pattern in ("*.jsonl", "answers/*/*.jsonl"):  # not the JSONL files of bundles
            for path in self.folder.glob(pattern):
                self._journal(path.relative_to(self.folder).as_posix()).repair()
        decision = self.folder / DECISION
        if decision.is_file() and self.manifest.sha256(DECISION) is None:
            self.manifest.add({DECISION: read_bytes(decision)})  # killed between the two writes

    def _answers(self, split: str, configuration: str) -> str:
        return f"answers/{file_name(split)}/{file_name(configuration)}.jsonl"

    def _journal(self, name: str) -> Journal:
        """The journal to append to."""
        self._needs_lock()
        return self._reader(name)

    def _reader(self, name: str) -> Journal:
        with self._thread:
            if name not in self._journals:
                self._journals[name] = Journal(inside(self.folder, name), warn=self._warn)
            return self._journals[name]

    def _records(self, name: str) -> list[dict[str, Any]]:
        return self._reader(name).records()
