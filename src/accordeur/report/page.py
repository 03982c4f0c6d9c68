"""The page of a run: verdict, sections, footer, inside the shell of `document`."""

from __future__ import annotations

from pathlib import Path

from accordeur.report.data import Report, read_report
from accordeur.report.document import document
from accordeur.report.markup import Markup, tag
from accordeur.report.sections.assumptions import cost_assumptions, environment, plan
from accordeur.report.sections.checks import checks
from accordeur.report.sections.comparison import comparison
from accordeur.report.sections.examples import examples
from accordeur.report.sections.figures import figure_sections
from accordeur.report.sections.forgetting import forgetting
from accordeur.report.sections.label_next import label_next
from accordeur.report.sections.ladder import ladder
from accordeur.report.sections.ledger import ledger
from accordeur.report.sections.prompts import prompts
from accordeur.report.sections.protocol import protocol
from accordeur.report.sections.reasoning import reasoning
from accordeur.report.sections.section import Section
from accordeur.report.sections.training import training
from accordeur.report.sections.verdict import verdict
from accordeur.report.sections.withholding import withholding
from accordeur.store.durable import make_folder, write_atomic


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
    parts = sections(report)
    body = tag(
        "body",
        tag("a", "Skip to the comparison", href="#comparison", class_="skip"),
        _header(report),
        tag("main", verdict(report), _contents(parts), [part.html() for part in parts]),
        _footer(report),
    )
    title = f"{report.task['name']}: {report.record['run']}"
    return document(title, body, version=str(report.record.get("accordeur", "")))


def sections(report: Report) -> list[Section]:
    """Everything under the verdict, in order."""
    found: list[Section | None] = [
        label_next(report),
        comparison(report),
        ladder(report),
        withholding(report),
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
