"""The sections that hold a figure."""

from __future__ import annotations

from accordeur.report.data import Report
from accordeur.report.figures.break_even import break_even_figure
from accordeur.report.figures.confusion import confusion_panels
from accordeur.report.figures.curve import curve_figure
from accordeur.report.figures.intervals import intervals_figure
from accordeur.report.figures.pareto import pareto_figure
from accordeur.report.sections.section import Section


def figure_sections(report: Report) -> list[Section]:
    """Every figure the record has data for, in the order of the page."""
    record = report.record
    tolerance = float((record.get("decision") or {}).get("tolerance") or 0.0)
    drawn = (
        ("intervals", "Scores and intervals", intervals_figure(report.entries, report.metric)),
        (
            "cost",
            "Quality against cost",
            pareto_figure(
                report.entries, report.metric, report.currency, report.queries, tolerance
            ),
        ),
        (
            "break-even",
            "Break-even",
            break_even_figure(
                report.entries, record.get("break_even") or (), report.currency, report.queries
            ),
        ),
        (
            "curve",
            "Demonstrations: the k-shot curve",
            curve_figure(record.get("curve") or (), report.metric),
        ),
        ("confusion", "Confusion matrix", confusion_panels(report.entries)),
    )
    return [Section(anchor, title, content) for anchor, title, content in drawn if content]
