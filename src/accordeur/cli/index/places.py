"""Where an index lies that a word on the command line names."""

from __future__ import annotations

import difflib
from pathlib import Path

from accordeur.core.errors import StoreError
from accordeur.core.paths import indexes_folder


def index_folder(name: str) -> Path:
    """A folder's path, or a name within `./.accordeur/indexes`."""
    path = Path(name).expanduser()
    if len(path.parts) > 1 or path.is_absolute() or name in (".", "..", "~"):
        return path
    named = indexes_folder() / name
    return path if not named.exists() and (path / "index.sqlite").is_file() else named


def existing_index(name: str) -> Path:
    """The folder of an index that is there.

    Raises:
        StoreError: there is none; the hint names the nearest.
    """
    folder = index_folder(name)
    if (folder / "index.sqlite").is_file():
        return folder
    root = indexes_folder()
    known = sorted(one.name for one in root.iterdir() if one.is_dir()) if root.is_dir() else []
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:3]
    offer = f"did you mean {' or '.join(f'`{one}`' for one in near)}? " if near else ""
    raise StoreError(
        f"There is no index `{name}`.", hint=f"{offer}accordeur index build {name} DOCS..."
    )
