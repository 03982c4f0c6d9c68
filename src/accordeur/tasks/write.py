"""Rows out: JSON Lines that `load_task` reads back."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from accordeur.core.errors import TaskError
from accordeur.core.task import Example


def write_rows(path: Path, rows: Iterable[Example]) -> int:
    """Write rows as JSON Lines, all or nothing; the number of rows.

    Unlabelled rows have no `expected`: fill it in and name the file under `data.train`.

    Raises:
        TaskError: the file cannot be written; a file that was there before is still whole.
    """
    lines = [json.dumps(row.to_json(), ensure_ascii=False) + "\n" for row in rows]
    write_atomically(path, "".join(lines).encode("utf-8"))
    return len(lines)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file beside its place, then move it there.

    Raises:
        TaskError: it cannot be written.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())  # mkstemp makes it private.
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise TaskError(
            f"`{path}` cannot be written: {error.strerror or error}.",
            hint=f"look at the space and rights there: df -h {path.parent}",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    # There is no way to read it but to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
