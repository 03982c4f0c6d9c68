"""What a task's documents are, without reading them: names and bytes, for its identity."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from accordeur.core.errors import TaskError
from accordeur.core.fingerprint import digest

_BLOCK = 1 << 20


def digest_of_files(place: Path) -> str:
    """Hash of a file, or of every file of a folder by name.

    Hidden files are left out and links are not followed, as when documents are indexed.

    Raises:
        TaskError: a file cannot be read.
    """
    try:
        return digest([[name, _digest(path)] for name, path in sorted(_files(place))])
    except OSError as error:
        raise TaskError(
            f"`{error.filename or place}` (`documents` in task.yaml) cannot be read: "
            f"{error.strerror or error}."
        ) from error


def _files(place: Path) -> list[tuple[str, Path]]:
    if not place.is_dir():
        return [(place.name, place)]
    found = []
    for folder, folders, names in os.walk(place, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                found.append((path.relative_to(place).as_posix(), path))
    return found


def _raise(error: OSError) -> None:
    raise error


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
