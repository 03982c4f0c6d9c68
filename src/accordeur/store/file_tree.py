"""Folders of files inside a run (bundles), wholly there or not, checked against the manifest.

The new folder is written beside its place and moved there; only then does the manifest name its
files. A folder the manifest does not name was interrupted, and counts as not there.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from accordeur.core.fingerprint import digest_bytes
from accordeur.store.durable import (
    TEMPORARY_SUFFIX,
    disk_errors,
    make_folder,
    sync_folder,
    write_atomic,
)
from accordeur.store.journal import Warn
from accordeur.store.manifest import Manifest
from accordeur.store.safe_path import inside


def write_tree(manifest: Manifest, sub: str, files: Mapping[str, bytes], *, warn: Warn) -> Path:
    """Write a folder of files; an older one is replaced, an equal one left alone.

    Args:
        manifest: of the run.
        sub: the folder's name within the run.
        files: relative POSIX path -> content.
        warn: as `read_tree`.

    Raises:
        StoreError: it could not be written, or a path leads outside.
    """
    target = inside(manifest.folder, sub)
    fresh = target.with_name(f".{target.name[:100]}{TEMPORARY_SUFFIX}")
    places = {path: inside(fresh, path) for path in files}
    if read_tree(manifest, sub, warn=warn) == dict(files):
        return target
    with disk_errors(target):
        shutil.rmtree(fresh, ignore_errors=True)
        make_folder(fresh)
        for path, data in files.items():
            make_folder(places[path].parent)
            write_atomic(places[path], data)
        manifest.forget(f"{sub}/")
        shutil.rmtree(target, ignore_errors=True)
        fresh.replace(target)
        sync_folder(target.parent)
    manifest.add({f"{sub}/{path}": data for path, data in files.items()})
    return target


def read_tree(manifest: Manifest, sub: str, *, warn: Warn) -> dict[str, bytes] | None:
    """A folder written by `write_tree`; `None` when it is not there, unfinished or damaged.

    Args:
        manifest: of the run.
        sub: the folder's name within the run.
        warn: told what is damaged.

    Raises:
        StoreError: `sub` leads outside the run.
    """
    inside(manifest.folder, sub)
    found = {}
    for name, noted in manifest.hashes().items():
        if not name.startswith(f"{sub}/"):
            continue
        path = inside(manifest.folder, name)
        data = path.read_bytes() if path.is_file() else None
        if data is None or digest_bytes(data) != noted:
            warn(f"`{path}` is missing or damaged; `{sub}` is made again.")
            return None
        found[name.removeprefix(f"{sub}/")] = data
    return found or None
