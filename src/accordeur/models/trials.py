"""Short trials of what is faster on this machine, remembered in the user's cache folder.

A file of trials is JSON: key -> what was found. Two processes may try the same at once; each writes
the whole file by a rename, and the later one stays.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def read_trials(path: Path) -> dict[str, dict[str, Any]]:
    """All trials; none where the file is missing or damaged."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def remember_trial(path: Path, key: str, found: dict[str, Any]) -> None:
    """Add a trial to those in the file now."""
    stored = {**read_trials(path), key: found}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    temporary.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)
