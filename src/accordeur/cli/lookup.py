"""The run that a word on the command line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accordeur.bench.finished import Run
    from accordeur.store import RunInfo


def find_run(reference: str | None) -> RunInfo:
    """A run by its name, the start of it, or its folder; the last one without a reference.

    Raises:
        StoreError: none or several are meant; the hint names the nearest.
    """
    from accordeur.cli.failures import warn
    from accordeur.store import RunIndex

    with RunIndex(warn=warn) as index:
        return index.latest() if reference is None else index.find(reference)


def finished_run(reference: str | None) -> Run:
    """The same, read back whole.

    Raises:
        StoreError: as `find_run`, or the run is not finished.
    """
    from accordeur.bench.finished import Run

    return Run.open(find_run(reference).folder)
