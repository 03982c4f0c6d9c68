"""What a finished run found: the report's comparison and verdict, on this terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def show_outcome(console: Console, record: Mapping[str, Any]) -> None:
    """Print the table an engineer reads and the paragraph a manager reads.

    Args:
        console: where to.
        record: `record.json` (docs/run-record.md).
    """
    from accordeur.report.console import (
        comparison_table,
        forgetting_table,
        ladder_table,
        verdict_panel,
    )

    console.print()
    console.print(comparison_table(record, width=console.width))
    for told in (ladder_table(record), forgetting_table(record)):
        if told is not None:
            console.print()
            console.print(told)
    console.print()
    console.print(verdict_panel(record))
