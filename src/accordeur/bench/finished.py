"""A run that can be read: verdict, comparison, report, winner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accordeur.core.errors import StoreError
from accordeur.core.paths import runs_folder
from accordeur.parts.bundle import load_bundle, save_bundle
from accordeur.store.index import RunIndex
from accordeur.store.run_folder import RunFolder

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to use, how sure that is, and why. `str` gives the paragraph."""

    headline: str
    paragraph: str
    sentences: tuple[str, ...]
    pick: str | None
    word: str | None
    sureness: float | None

    def __str__(self) -> str:
        return self.paragraph


@dataclass(frozen=True, slots=True)
class Comparison:
    """All entries side by side.

    Attributes:
        record: of the run.
    """

    record: Mapping[str, Any]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One dictionary per entry, as docs/run-record.md describes `entries`."""
        return [dict(entry) for entry in self.record["entries"]]

    def table(self) -> Table:
        """For a terminal."""
        from accordeur.report.console import comparison_table

        return comparison_table(self.record)


@dataclass(frozen=True, slots=True)
class Winner:
    """The bundle of the pick.

    Attributes:
        name: of the entry.
        folder: where the run keeps it.
    """

    name: str
    folder: Path

    def save(self, folder: str | Path) -> Path:
        """Copy the bundle, checked on the way.

        Raises:
            BundleError: the folder exists and is not a bundle, or the bundle was damaged.
        """
        return save_bundle(load_bundle(self.folder), Path(folder))


class Run:
    """A finished run, read from its folder.

    Args:
        folder: the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        record = folder.read_json("record.json")
        if record is None:
            raise StoreError(
                f"The run `{folder.name}` is not finished.",
                hint=f"accordeur run --resume {folder.name}",
            )
        self.record: Mapping[str, Any] = record

    @classmethod
    def open(cls, reference: str | Path, runs: Path | None = None) -> Run:
        """A run by its folder, its name, or the beginning of its name.

        Raises:
            StoreError: there is none, several fit, or it is not finished.
        """
        path = Path(reference)
        if (path / "plan.json").is_file():
            return cls(RunFolder.open(path))
        with RunIndex(runs or runs_folder()) as index:
            return cls(RunFolder.open(index.find(str(reference)).folder))

    def __repr__(self) -> str:
        return f"Run({self.name})"

    @property
    def name(self) -> str:
        """The run's folder name."""
        return self._folder.name

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder.folder

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        words, decision = self.record["verdict"], self.record["decision"]
        return Verdict(
            words["headline"],
            words["paragraph"],
            tuple(words["sentences"]),
            decision["pick"],
            decision["word"],
            decision["sureness"],
        )

    @property
    def comparison(self) -> Comparison:
        """All entries side by side."""
        return Comparison(self.record)

    @property
    def winner(self) -> Winner:
        """The bundle of the pick.

        Raises:
            StoreError: the run has no pick.
        """
        pick = self.record["decision"]["pick"]
        if pick is None:
            raise StoreError(
                f"The run `{self.name}` recommends nothing, so it has no winner.",
                hint=f"accordeur report {self.name}",
            )
        return Winner(pick, self.folder / "winner")

    def report(self, path: str | Path = "report.html") -> Path:
        """Write the report as one HTML file."""
        from accordeur.report import write_report

        return write_report(self.folder, Path(path))


def open_run(reference: str | Path, runs: Path | None = None) -> Run:
    """A finished run; see `Run.open`."""
    return Run.open(reference, runs)
