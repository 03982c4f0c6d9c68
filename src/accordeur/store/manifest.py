"""The manifest of a run: what it is, what made it, and the hash of every finished file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accordeur.core.errors import StoreError
from accordeur.core.fingerprint import digest_bytes
from accordeur.store.durable import create_exclusive, pretty_json, timestamp, write_atomic
from accordeur.store.journal import Warn
from accordeur.store.machine import environment

FORMAT = 1
"""Version of the folder's layout; a newer one is not touched."""


class Manifest:
    """`manifest.json` of one run folder.

    Args:
        folder: the run's folder.
        warn: told when the manifest was damaged and made anew.
    """

    def __init__(self, folder: Path, warn: Warn) -> None:
        self.folder = folder
        self.path = folder / "manifest.json"
        self._warn = warn
        self._told = False

    def create(self, task: str, plan: str) -> None:
        """Write the first manifest, unless there is one.

        Args:
            task: the task's name as the user wrote it.
            plan: hash of the plan.
        """
        if self.read().get("plan") == plan:
            return
        now = timestamp()
        first = pretty_json(
            {
                "format": FORMAT,
                "run": self.folder.name,
                "task": task,
                "plan": plan,
                "created": now,
                "updated": now,
                "environment": environment(),
                "files": {},
            }
        )
        if not create_exclusive(self.path, first) and self.read().get("plan") != plan:
            write_atomic(self.path, first)  # what stood there was damaged

    def read(self) -> dict[str, Any]:
        """The manifest; one without file hashes when it is missing or damaged.

        Raises:
            StoreError: a newer version of Accordeur wrote this run.
        """
        data: Any = None
        try:
            data = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            self._tell(f"`{self.path}` is damaged ({error}); it is made anew.")
        if not isinstance(data, dict) or not isinstance(data.get("files", {}), dict):
            data = {}
        if isinstance(data.get("format"), int) and data["format"] > FORMAT:
            raise StoreError(
                f"The run `{self.folder.name}` was written by a newer version of Accordeur.",
                hint="pip install --upgrade accordeur",
            )
        return {"format": FORMAT, "run": self.folder.name, "files": {}, **data}

    def add(self, files: Mapping[str, bytes]) -> None:
        """Note the hash and size of finished files, by name within the run.

        Raises:
            StoreError: the manifest cannot be written.
        """
        manifest = self.read()
        before = dict(manifest["files"])
        manifest["files"].update(
            {
                name: {"sha256": digest_bytes(data), "bytes": len(data)}
                for name, data in files.items()
            }
        )
        if manifest["files"] != before:
            self._write(manifest)

    def forget(self, prefix: str) -> None:
        """Drop the hashes of all files whose name starts so."""
        manifest = self.read()
        kept = {
            name: entry for name, entry in manifest["files"].items() if not name.startswith(prefix)
        }
        if kept != manifest["files"]:
            manifest["files"] = kept
            self._write(manifest)

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each finished file, by name within the run."""
        return {
            name: str(entry.get("sha256"))
            for name, entry in self.read()["files"].items()
            if isinstance(entry, dict)
        }

    def sha256(self, name: str) -> str | None:
        """The noted hash of a file."""
        return self.hashes().get(name)

    def problems(self) -> list[str]:
        """One sentence for each finished file that is missing or not as it was."""
        found = []
        for name, noted in sorted(self.hashes().items()):
            path = self.folder / name
            if not path.is_file():
                found.append(f"`{path}` is missing.")
            elif digest_bytes(path.read_bytes()) != noted:
                found.append(f"`{path}` was changed after it was finished.")
        return found

    def _tell(self, message: str) -> None:
        if not self._told:
            self._told = True
            self._warn(message)

    def _write(self, manifest: dict[str, Any]) -> None:
        write_atomic(self.path, pretty_json({**manifest, "updated": timestamp()}))
