"""A build as it is watched: its progress, and what to say when it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from accordeur.cli.failures import INTERRUPTED, note
from accordeur.cli.index.progress import BuildProgress

if TYPE_CHECKING:
    from accordeur.documents.index import BuildReport
    from accordeur.documents.index.embedding import Progress


def watched(work: Callable[[Progress], BuildReport], command: str) -> BuildReport | int:
    """Do a build; the exit code instead of a report where Ctrl-C stops it.

    Args:
        work: the build, given whom to tell how far it is.
        command: that goes on with it.
    """
    progress = BuildProgress()
    try:
        return work(progress)
    except KeyboardInterrupt:
        progress.clear()
        note(f"Stopped. The index is as it was; what was embedded is kept for: {command}")
        return INTERRUPTED
    finally:
        progress.clear()
