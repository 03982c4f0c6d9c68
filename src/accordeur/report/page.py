"""The page: one self-contained HTML file that opens offline and runs nothing but our script.

A Content Security Policy names our style sheet and script by hash and forbids everything else, so
that even a text that escaped its escaping would load and run nothing. Inline `style` attributes are
forbidden by it too; figures use presentation attributes and classes.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from accordeur.report.data import Report, read_report
from accordeur.report.markup import Markup, tag
from accordeur.report.sections.assumptions import cost_assumptions, environment, plan
from accordeur.report.sections.checks import checks
from accordeur.report.sections.comparison import comparison
from accordeur.report.sections.examples import examples
from accordeur.report.sections.figures import figure_sections
from accordeur.report.sections.forgetting import forgetting
from accordeur.report.sections.label_next import label_next
from accordeur.report.sections.ledger import ledger
from accordeur.report.sections.prompts import prompts
from accordeur.report.sections.protocol import protocol
from accordeur.report.sections.reasoning import reasoning
from accordeur.report.sections.section import Section
from accordeur.report.sections.training import training
from accordeur.report.sections.verdict import verdict
from accordeur.store.durable import make_folder, write_atomic

STYLES = ("page.css", "tables.css", "figures.css", "browser.css", "print.css")
SCRIPTS = ("sort.js", "panels.js", "copy.js", "browser.js")


def write_report(run_folder: Path, out: Path) -> Path:
    """Write the report of a run.

    Args:
        run_folder: the run.
        out: the file; its folder is made when missing.

    Returns:
        `out`.

    Raises:
        StoreError: there is no run or no record, or the file cannot be written.
    """
    html = page(read_report(run_folder))
    make_folder(out.absolute().parent)
    write_atomic(out, html.encode("utf-8"))
    return out


def page(report: Report) -> str:
    """The whole document."""
    style, script = _assets(STYLES), _assets(SCRIPTS)
    parts = sections(report)
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content=f"Accordeur {report.record.get('accordeur', '')}"),
        tag("title", f"{report.task['name']}: {report.record['run']}"),
        Markup(f"<style>{style}</style>"),
    )
    body = tag(
        "body",
        tag("a", "Skip to the comparison", href="#comparison", class_="skip"),
        _header(report),
        tag("main", verdict(report), _contents(parts), [part.html() for part in parts]),
        _footer(report),
        Markup(f"<script>{script}</script>"),
    )
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def sections(report: Report) -> list[Section]:
    """Everything under the verdict, in order."""
    found: list[Section | None] = [
        label_next(report),
        comparison(report),
        forgetting(report),
        *figure_sections(report),
        reasoning(report),
        examples(report),
        prompts(report),
        training(report),
        checks(report),
        protocol(report),
        ledger(report),
        cost_assumptions(report),
        environment(report),
        plan(report),
    ]
    return [section for section in found if section is not None]


def _header(report: Report) -> Markup:
    record, task = report.record, report.task
    model = (record.get("model") or {}).get("name") or "no language model"
    created = str(record.get("created") or "")
    description = str(task.get("description") or "")
    return tag(
        "header",
        tag(
            "p",
            tag("b", task["name"], dir="auto"),
            tag("span", model, dir="auto"),
            tag("time", created.replace("T", " ").replace("+00:00", " UTC"), datetime=created),
            tag("span", record["run"]),
            class_="run",
        ),
        tag("p", description, class_="note", dir="auto") if description else None,
    )


def _contents(parts: list[Section]) -> Markup:
    links = [tag("li", tag("a", part.title, href=f"#{part.anchor}")) for part in parts]
    return tag("nav", tag("ul", links), class_="contents", aria_label="Sections")


def _footer(report: Report) -> Markup:
    return tag(
        "footer",
        tag(
            "p",
            f"Accordeur {report.record.get('accordeur', '')}. This file holds the run's inputs "
            "and answers; whoever has it can read them. It loads nothing from anywhere.",
        ),
    )


def _assets(names: tuple[str, ...]) -> str:
    folder = files("accordeur.report") / "assets"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    """A source expression of the policy for an inline element with this content."""
    value = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{value}'"
