"""Where the harness keeps rows: a run's folder, one journal per split and configuration."""

from __future__ import annotations

from collections.abc import Mapping

from accordeur.core.measurement import RowResult
from accordeur.store.run_folder import RunFolder


class RunSink:
    """Rows of one configuration on one split of a run.

    Args:
        folder: the run.
        split: `train`, `dev` or `test`.
        configuration: id of the configuration.
        offset: position of the first row asked about, when a split is measured in two blocks.
        count: rows in the block; `None` for all.
    """

    def __init__(
        self,
        folder: RunFolder,
        split: str,
        configuration: str,
        *,
        offset: int = 0,
        count: int | None = None,
    ) -> None:
        self._folder = folder
        self._split = split
        self._configuration = configuration
        self._offset = offset
        self._count = count

    def read(self) -> Mapping[int, RowResult]:
        """Rows of the block that are on disk, by position within the block."""
        rows = self._folder.read_answers(self._split, self._configuration)
        last = self._offset + self._count if self._count is not None else None
        return {
            index - self._offset: row
            for index, row in rows.items()
            if index >= self._offset and (last is None or index < last)
        }

    def append(self, rows: Mapping[int, RowResult]) -> None:
        """Write a finished batch."""
        indices = sorted(rows)
        self._folder.append_answers(
            self._split,
            self._configuration,
            [index + self._offset for index in indices],
            [rows[index] for index in indices],
        )
