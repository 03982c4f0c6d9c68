"""What to label next, when there are too few examples."""

from __future__ import annotations

from accordeur.report.data import Report
from accordeur.report.markup import join, tag
from accordeur.report.numbers import count
from accordeur.report.sections.section import Section


def label_next(report: Report) -> Section | None:
    """How many more rows to label, and which; `None` when the record does not ask for any."""
    wanted = report.record.get("label_next")
    if not wanted:
        return None
    more, ids = wanted.get("n_more"), [str(one) for one in wanted.get("ids") or ()]
    said = f"Label {count(more)} more rows and run again. " if more else ""
    if ids:
        said += (
            "Of the unlabelled rows these are the most worth labelling, the ones where the "
            "candidates disagree most first:"
        )
    listed = [tag("li", tag("code", one, dir="auto")) for one in ids]
    items = tag("ol", listed, class_="ids", start=1) if listed else None
    return Section("label-next", "Label next", join(tag("p", said), items))
