"""The report for a terminal: renderables that the command line prints.

Every text of a model, of data or of a task goes through `plain_text` and into `rich.text.Text`,
which knows no markup, so that nothing of it can drive the terminal. Tables fit 80 columns and use
more where there are more.
"""

from __future__ import annotations

from accordeur.report.console.comparison import comparison_table
from accordeur.report.console.forgetting import forgetting_table
from accordeur.report.console.ladder import ladder_table
from accordeur.report.console.side_by_side import compare
from accordeur.report.console.tables import preflight_table, runs_table
from accordeur.report.console.verdict import verdict_panel

__all__ = [
    "compare",
    "comparison_table",
    "forgetting_table",
    "ladder_table",
    "preflight_table",
    "runs_table",
    "verdict_panel",
]
