"""What a build did, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from accordeur.cli.figures import plural
from accordeur.cli.terminal import one_line
from accordeur.report.numbers import seconds

if TYPE_CHECKING:
    from accordeur.documents.index import BuildReport

SHOWN = 10
"""Names in a list; more are counted."""


def summary(report: BuildReport) -> list[str]:
    """Lines that say what was read, what was skipped and why, and what the index holds."""
    lines = [
        f"{plural(report.documents, 'document')}, {plural(report.passages, 'passage')}, "
        f"{plural(report.tokens, 'token')} in {seconds(report.seconds)}"
    ]
    changes = [
        f"{len(report.added):,} added",
        f"{len(report.changed):,} changed",
        f"{len(report.moved):,} moved",
        f"{len(report.deleted):,} gone",
        f"{report.unchanged:,} as before",
    ]
    lines.append(", ".join(one for one in changes if not one.startswith("0 ")) or "nothing there")
    if report.kept:
        lines.append(f"{plural(report.kept, 'vector')} kept from a build that was stopped")
    if report.cut:
        lines.append(
            f"{plural(report.cut, 'passage')} longer than the embedder reads; their ends are not in"
            " their vectors"
        )
    lines += _named("same content", {names[0]: ", ".join(names[1:]) for names in report.duplicates})
    lines += _named("note", report.notes)
    lines += _named("skipped", report.skipped)
    return lines


def _named(title: str, told: Mapping[str, str]) -> Sequence[str]:
    names = list(told)
    lines = [f"{title}: {one_line(name)}: {one_line(told[name])}" for name in names[:SHOWN]]
    if len(names) > SHOWN:
        lines.append(f"{title}: and {len(names) - SHOWN:,} more (`--json` names all)")
    return lines
