"""An evaluation as one self-contained HTML file.

It holds plain data, as `bench.matrix` hands it over: the columns' numbers, and rows up to a limit
that the page names. Everything a model or a case says is escaped in `markup`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accordeur._version import __version__
from accordeur.report.console.evaluation import sentences
from accordeur.report.document import document
from accordeur.report.markup import Markup, join, prose, tag
from accordeur.report.numbers import DASH, count, interval, points, seconds, share
from accordeur.report.sections.section import Section, folded, scrolled
from accordeur.store.durable import make_folder, write_atomic

Data = Mapping[str, Any]


def write_evaluation(data: Data, out: Path) -> Path:
    """Write the page.

    Args:
        data: `summary`, `prompts` (per column, filled with the first case), `rows`, `left_out`
            (rows that are not in `rows`).
        out: the file; replaced when it is there.

    Raises:
        StoreError: it cannot be written.
    """
    make_folder(out.absolute().parent)
    write_atomic(out.absolute(), page(data).encode("utf-8"))
    return out


def page(data: Data) -> str:
    """The whole document."""
    summary = data["summary"]
    parts = [_columns(summary), *_metrics(summary), _rows(data), _prompts(data)]
    title = f"{summary['name']}: evaluation"
    head = tag(
        "header",
        tag(
            "p",
            tag("b", str(summary["name"]), dir="auto"),
            tag("span", f"{count(summary['cases'])} cases"),
            tag("span", f"{len(summary['columns'])} columns"),
            class_="run",
        ),
    )
    said = [tag("p", prose(one)) for one in sentences(summary)]
    body = tag("main", head, _verdict(summary), said, [part.html() for part in parts])
    footer = tag(
        "footer",
        tag(
            "p",
            f"Accordeur {__version__}. This file holds cases and answers; whoever has it can read "
            "them. It loads nothing from anywhere.",
        ),
    )
    return document(title, tag("body", body, footer))


def _verdict(summary: Data) -> Markup:
    least = points(summary["threshold"])
    words = {
        True: f"Every column reached the threshold of {least} %.",
        False: f"Not every column reached the threshold of {least} %.",
        None: "Nothing was judged in at least one column.",
    }
    return tag("h1", words[summary["passed"]])


def _columns(summary: Data) -> Section:
    repeated = summary["repeat"] > 1
    names = ["#", "prompt", "model", "pass", "95 %", "passed", "errors", "not judged"]
    names += ["agreement"] if repeated else []
    names += ["mean score", "median time", "p95", "tokens", "cost"]
    body = []
    for one in summary["columns"]:
        latency = one["latency"] or {}
        cells = [
            str(one["number"]),
            one["prompt"],
            one["model"],
            points(one["rate"]),
            interval(one["interval"]) or DASH,
            f"{one['passed']:,} of {one['n']:,}",
            count(one["errors"]),
            count(one["unjudged"]),
            *([share(one.get("agreement"))] if repeated else []),
            points(one["score"]),
            seconds(latency.get("median")),
            seconds(latency.get("p95")),
            count(one["tokens"]),
            "unknown" if one["cost"] is None else f"{one['cost']:.3g}",
        ]
        body.append(cells)
    note = (
        "Rates are shares of judged cases with their Wilson interval; errors and what could not be "
        "judged count neither way."
    )
    return Section("columns", "Columns", join(tag("p", note, class_="note"), _table(names, body)))


def _metrics(summary: Data) -> list[Section]:
    body = [
        [
            name,
            str(one["number"]),
            points(rate["score"]),
            points(rate["rate"]),
            interval(rate["interval"]) or DASH,
            count(rate["n"]),
        ]
        for one in summary["columns"]
        for name, rate in one["metrics"].items()
    ]
    if not body:
        return []
    names = ["metric", "#", "mean score", "pass", "95 %", "cases"]
    return [Section("metrics", "Metrics", _table(names, body))]


def _rows(data: Data) -> Section:
    shown, left = data["rows"], data["left_out"]
    note = f"{count(len(shown))} rows, those that did not pass first."
    if left:
        note += f" {count(left)} more are left out; -o results.jsonl holds all."
    items = [_row(row) for row in shown]
    return Section("rows", "Rows", join(tag("p", note, class_="note"), items))


def _row(row: Data) -> Markup:
    fields = ", ".join(f"{name}: {value}" for name, value in row["vars"].items())
    title = row["description"] or fields or row["case"]
    summary = f"{row['status']} · column {row['column']} · {title}"[:160]
    outputs = row.get("outputs") or [row["output"] or ""]
    checks = [
        tag(
            "li",
            f"{one['type']}: {_word(one['passed'])}",
            f" ({one['score']:.2f})" if one["score"] not in (0, 1) else None,
            f" – {one['reason']}" if one["reason"] else None,
            dir="auto",
        )
        for one in row["checks"]
    ]
    return folded(
        summary,
        tag("dl", [_pair(name, value) for name, value in row["vars"].items()], class_="facts"),
        tag("p", row["error"], dir="auto") if row["error"] else None,
        join([tag("pre", output, dir="auto") for output in outputs]),
        tag("ul", checks) if checks else None,
    )


def _pair(name: str, value: Any) -> Markup:
    return tag("div", tag("dt", name), tag("dd", str(value), dir="auto"))


def _word(passed: bool | None) -> str:
    return {True: "passed", False: "failed", None: "not judged"}[passed]


def _prompts(data: Data) -> Section:
    items = [
        folded(f"column {one['column']}: {one['label']}", tag("pre", one["text"], dir="auto"))
        for one in data["prompts"]
    ]
    note = tag("p", "As the first case fills them.", class_="note")
    return Section("prompts", "Prompts", join(note, items))


def _table(names: list[str], body: list[list[str]]) -> Markup:
    """A table; everything in it but names is a number."""
    kinds = [None if name in ("prompt", "model", "metric") else "number" for name in names]
    head = [tag("th", name, scope="col", class_=k) for name, k in zip(names, kinds, strict=True)]
    rows = [
        tag(
            "tr",
            [tag("td", cell, dir="auto", class_=k) for cell, k in zip(cells, kinds, strict=True)],
        )
        for cells in body
    ]
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", rows), class_="plain")
    return scrolled(table, "Table")
