"""The JSON files of a run: replaced as it goes on, or written once for all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accordeur.core.errors import StoreError
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.store.durable import create_exclusive, make_folder, pretty_json, write_atomic
from accordeur.store.journal import Warn
from accordeur.store.manifest import Manifest
from accordeur.store.safe_path import inside


def read_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"`{path}` could not be read: {error.strerror or error}.") from error


def read_object(path: Path) -> dict[str, Any] | None:
    """A JSON object; `None` when the file is missing or holds none."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def read_json(manifest: Manifest, name: str, *, warn: Warn) -> dict[str, Any] | None:
    """A JSON file of a run; `None` when it is not there, or is damaged (told to `warn`).

    Raises:
        StoreError: a file written once was changed or lost afterwards.
    """
    path = inside(manifest.folder, name)
    sealed = manifest.sha256(name)
    if sealed is not None and (not path.is_file() or digest_bytes(read_bytes(path)) != sealed):
        raise StoreError(
            f"`{path}` was changed after it was written; its hash no longer fits.",
            hint=f"accordeur runs rm {manifest.folder.name}, then run the same command again",
        )
    if not path.is_file():
        return None
    data = read_object(path)
    if data is None:
        warn(f"`{path}` is damaged; it is read as if it were not there.")
    return data


def replace_json(manifest: Manifest, name: str, data: Mapping[str, Any]) -> None:
    """Write a JSON file that may be replaced later.

    Raises:
        StoreError: it could not be written (the old one stands), or was written once for all.
    """
    path = inside(manifest.folder, name)
    if manifest.sha256(name) is not None:
        raise StoreError(f"`{path}` was written once for all and cannot be changed.")
    make_folder(path.parent)
    write_atomic(path, pretty_json(data))


def write_json_once(manifest: Manifest, name: str, data: Mapping[str, Any], *, warn: Warn) -> str:
    """Write a JSON file that nothing may change any more, and note its hash.

    Returns:
        SHA-256 of the file, as `sha256sum` prints it.

    Raises:
        StoreError: it could not be written, or is there with another content.
    """
    path = inside(manifest.folder, name)
    content = pretty_json(data)
    read_json(manifest, name, warn=warn)  # refuses one that was changed
    make_folder(path.parent)
    if not create_exclusive(path, content) and read_bytes(path) != content:
        raise StoreError(
            f"`{path}` is already written and cannot be changed.",
            hint=f"accordeur runs rm {manifest.folder.name} forgets this run and what it decided",
        )
    manifest.add({name: content})
    return digest_bytes(content)


def settle_plan(path: Path, plan: Mapping[str, Any], *, warn: Warn) -> None:
    """Make sure that this plan stands in a run's folder, which is named for it.

    Raises:
        StoreError: it cannot be written, or the folder belongs to another plan whose hash begins
            alike.
    """
    identity = digest(plan)
    content = pretty_json(plan)
    if create_exclusive(path, content):
        return
    there = read_object(path)
    if there is not None and digest(there) == identity:
        return
    if there is not None and digest(there)[:10] == identity[:10]:
        raise StoreError(
            f"The run `{path.parent.name}` belongs to another plan whose hash begins alike.",
            hint=f"accordeur runs rm {path.parent.name}",
        )
    # The folder is named for our plan, so what stands there is nobody's.
    warn(f"`{path}` was damaged; it is written anew.")
    write_atomic(path, content)
