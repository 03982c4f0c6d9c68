"""What survives a crash: runs, the answer cache, the openings ledger.

    durable, journal    bytes that are wholly on disk or not at all
    file_lock           one process at a time, released by the system when it dies
    safe_path           names from people and data, kept inside their folder
    run_folder          one folder per run; manifest, json_files, file_tree are what it is made of
    index               a list of the runs that can always be rebuilt from their folders
    openings            how often a held-out split was opened
    database            SQLite files with numbered migrations
    answer_cache        model calls that need not be made again
    conversations       what was said to a model and answered; conversation is one of them
    machine, export     the environment record, and rows for other programs

Nothing here knows a model, a metric or a verdict; nothing here imports torch or numpy.
"""

from __future__ import annotations

from accordeur.store.answer_cache import SqliteAnswerCache, cache_key
from accordeur.store.export import export_rows
from accordeur.store.index import RunIndex, RunInfo
from accordeur.store.machine import environment
from accordeur.store.openings import Opening, Openings
from accordeur.store.run_folder import RunFolder

__all__ = [
    "Opening",
    "Openings",
    "RunFolder",
    "RunIndex",
    "RunInfo",
    "SqliteAnswerCache",
    "cache_key",
    "environment",
    "export_rows",
]
