"""From the store to tables, figures and one HTML file; loads no model, computes no statistics.

data            reads a run: record, rows, answers
markup          HTML in which every outside text is escaped
plain_text      control characters made visible, for page and terminal
numbers         numbers as people read them
figures/        one SVG figure per file
sections/       one part of the page per file
assets/         our style sheets and scripts, written into the page
page            puts it together
console/        the same facts for a terminal
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accordeur.report.page import write_report

__all__ = ["write_report"]


def __getattr__(name: str) -> Any:
    # Error messages need `plain_text` alone; the page and its figures are loaded when written.
    if name == "write_report":
        from accordeur.report.page import write_report

        return write_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
