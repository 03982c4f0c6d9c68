"""Where things lie: runs beside the work, models and the openings ledger in the user's cache, what
the user wrote down (prices) in the configuration folder, conversations in the data folder.

`ACCORDEUR_RUNS`, `ACCORDEUR_EVALS`, `ACCORDEUR_INDEXES`, `ACCORDEUR_CACHE`, `ACCORDEUR_CONFIG` and
`ACCORDEUR_STATE` move them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder for Accordeur: converted models, answers, the openings ledger."""
    if chosen := os.environ.get("ACCORDEUR_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "accordeur"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "accordeur"


def config_folder() -> Path:
    """The user's configuration folder for Accordeur: the table of prices."""
    if chosen := os.environ.get("ACCORDEUR_CONFIG"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "accordeur"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "accordeur"


def data_folder() -> Path:
    """The user's data folder for Accordeur: conversations. What lies there cannot be made again."""
    if chosen := os.environ.get("ACCORDEUR_STATE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "accordeur"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "accordeur"


def runs_folder() -> Path:
    """The folder of runs: `./.accordeur/runs`."""
    return Path(os.environ.get("ACCORDEUR_RUNS") or Path(".accordeur") / "runs")


def evals_folder() -> Path:
    """The folder of evaluations: `./.accordeur/evals`."""
    return Path(os.environ.get("ACCORDEUR_EVALS") or Path(".accordeur") / "evals")


def indexes_folder() -> Path:
    """The folder of document indexes: `./.accordeur/indexes`."""
    return Path(os.environ.get("ACCORDEUR_INDEXES") or Path(".accordeur") / "indexes")
