"""The exact prompt of every candidate for the first dev row, as the model receives it."""

from __future__ import annotations

from accordeur.report.data import Report
from accordeur.report.markup import Markup, join, tag
from accordeur.report.sections.section import Section, folded


def prompts(report: Report) -> Section | None:
    """One folded prompt per entry, the pick's open; `None` when no entry has one."""
    shown = [entry for entry in report.entries if entry.data.get("prompt")]
    panels = []
    for entry in shown:
        describe = str(entry.data.get("describe") or "")
        panels.append(
            tag(
                "details",
                tag("summary", f"{entry.number} {entry.name}", " ◆ pick" if entry.pick else None),
                tag("p", describe, class_="note", dir="auto") if describe else None,
                _verbatim(str(entry.data["prompt"]), f"Prompt of {entry.name}"),
                open=entry.pick,
            )
        )
    first = str(report.record.get("first_prompt") or "")
    if not panels:
        if not first:
            return None
        panels = [folded("The prompt as given", _verbatim(first, "First prompt"))]
    note = (
        "The decoded prompt of the first dev row, special tokens included, exactly as the model "
        "receives it. The answer begins where it ends. Floors have no prompt."
    )
    return Section("prompts", "Rendered prompts", join(tag("p", note, class_="note"), panels))


def _verbatim(text: str, label: str) -> Markup:
    return tag("pre", text, tabindex=0, role="region", aria_label=label, dir="auto")
