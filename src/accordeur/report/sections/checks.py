"""The checks made before anything was spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.data import Report
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import rows
from accordeur.report.sections.section import Section, scrolled

SIGNS = {"ok": "✓", "warn": "!", "error": "×"}
"""One sign per level, so that the level is read without colour."""


def checks(report: Report) -> Section | None:
    """The preflight table."""
    found = report.record.get("preflight") or ()
    if not found:
        return None
    head = [tag("th", word, scope="col") for word in ("Check", "Level", "Found", "Rows")]
    body = [
        tag(
            "tr",
            tag("th", check["name"], scope="row"),
            tag("td", f"{SIGNS.get(check['level'], '')} {check['level']}", class_="level"),
            tag("td", prose(str(check["message"])), _allowed(check)),
            tag("td", _ids(check.get("ids") or ())),
            class_=f"level-{check['level']}",
        )
        for check in found
    ]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="plain")
    return Section("checks", "Checks before the run", scrolled(table, "Checks before the run"))


def _allowed(check: Mapping[str, Any]) -> Markup | None:
    if check["level"] != "warn" or not check.get("allow"):
        return None
    return tag("small", prose(f"Allowed by name: `{check['allow']}`."))


def _ids(ids: Any) -> Markup:
    if not ids:
        return join("–")
    if len(ids) <= 4:
        return join(tag("code", ", ".join(map(str, ids)), dir="auto"))
    listed = tag("code", ", ".join(map(str, ids)), dir="auto")
    return tag("details", tag("summary", rows(len(ids))), listed)
