"""Removing an index: gone at once for everybody; whoever searches it keeps what it has open."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from accordeur.core.errors import StoreError
from accordeur.documents.index.build import no_index
from accordeur.documents.index.files import LOCK, exists, writing
from accordeur.documents.index.pending import FILE as PENDING
from accordeur.documents.index.schema import FILE
from accordeur.documents.index.vector_file import PATTERN
from accordeur.store.durable import TEMPORARY_SUFFIX, disk_errors

_OURS = (f"{FILE}*", f"{PENDING}*", PATTERN, LOCK, f".*{TEMPORARY_SUFFIX}")


def remove_index(folder: Path) -> None:
    """Remove an index with its folder.

    Raises:
        StoreError: there is none, a process changes it, the folder holds something else, too, or it
            cannot be removed.
    """
    if not exists(folder):
        raise no_index(folder)
    ours = {path for pattern in _OURS for path in folder.glob(pattern)}
    other = next((path.name for path in folder.iterdir() if path not in ours), None)
    if other is not None:
        raise StoreError(
            f"`{folder}` holds more than an index (`{other}`); nothing was removed.",
            hint="move what is yours elsewhere first",
        )
    trash = folder.with_name(f".{folder.name[:80]}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    with disk_errors(folder, "Nothing was removed."):
        with writing(folder):
            folder.rename(trash)
        shutil.rmtree(trash)
