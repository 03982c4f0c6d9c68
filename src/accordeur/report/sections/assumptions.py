"""What the amounts rest on, what the run was made with, and the plan."""

from __future__ import annotations

import json
from urllib.parse import quote

from accordeur.report.data import Entry, Report
from accordeur.report.markup import Markup, join, tag
from accordeur.report.numbers import DASH, count, money, points, seconds, size
from accordeur.report.plain_text import visible
from accordeur.report.sections.section import Section, facts, folded, scrolled


def cost_assumptions(report: Report) -> Section:
    """Prices, limits, and where each amount comes from."""
    prices, limits = report.task.get("prices") or {}, report.task.get("limits") or {}
    currency = report.currency
    token = [
        f"{word} {money(prices.get(name), currency)}"
        for name, word in (("input_token", "in"), ("output_token", "out"))
    ]
    note = (
        "To make: seconds of fitting and of all its dev evaluations at the price of an hour, "
        "tokens at their price, and the labels of the train rows it uses. Per query: the wall time "
        "of one query alone, its static prompt cached, or its tokens at an endpoint. Total: to "
        "make, plus the stated volume times per query."
    )
    stated = facts(
        ("One hour of local compute", money(prices.get("hour"), currency)),
        ("One labelled train row", money(prices.get("label"), currency)),
        ("One token of an endpoint", "; ".join(token)),
        ("Volume", f"{count(report.queries)} queries"),
        ("Tolerance", f"{points(limits.get('tolerance'))} points"),
        ("Limits", _limits(report)),
    )
    return Section(
        "assumptions",
        "Cost assumptions",
        join(tag("p", note, class_="note"), stated, _sizes(report)),
    )


def _limits(report: Report) -> str:
    limits = report.task.get("limits") or {}
    said = [
        f"{words} {show(limits[name])}"
        for name, words, show in (
            ("cost_per_query", "cost per query at most", lambda v: money(v, report.currency)),
            ("latency_p95", "p95 latency at most", seconds),
            ("fit_seconds", "making at most", seconds),
        )
        if limits.get(name) is not None
    ]
    said += ["no training"] if limits.get("training") is False else []
    said += ["offline"] if limits.get("offline") else []
    said += ["a language model is required"] if limits.get("language_model") else []
    return "; ".join(said) or "none"


def _sizes(report: Report) -> Markup | None:
    """What each candidate takes: time to make, parameters, bytes, memory of the process so far."""
    priced = [entry for entry in report.entries if entry.cost]
    if not priced:
        return None
    columns = ("Entry", "Time to make", "Trained parameters", "To store", "Process memory")
    head = [
        tag("th", word, scope="col", class_="number" if place else None)
        for place, word in enumerate(columns)
    ]
    table = tag(
        "table",
        tag("thead", tag("tr", head)),
        tag("tbody", [_size_row(entry) for entry in priced]),
        class_="plain",
    )
    return folded("Time to make, parameters, bytes, memory", scrolled(table, "Sizes"))


def _size_row(entry: Entry) -> Markup:
    cost = entry.cost
    memory = cost.get("peak_memory")
    shown = (
        seconds(cost.get("fit_seconds")),
        count(cost.get("trained_parameters")),
        size(cost.get("bytes")),
        size(memory) if memory is not None else "not measured",
    )
    cells = [tag("td", text, class_="number") for text in shown]
    return tag("tr", tag("th", f"{entry.number} {entry.name}", scope="row"), cells)


def environment(report: Report) -> Section:
    """Model, machine, versions, seed."""
    record = report.record
    machine, model, plan = (record.get(name) or {} for name in ("environment", "model", "plan"))
    trial = model.get("dtype_trial") or {}
    packages = machine.get("packages") or {}
    cores = machine.get("cores", machine.get("cpus"))
    return Section(
        "environment",
        "Environment",
        join(
            facts(
                ("Task", _task(report)),
                ("Instruction", _text(report.task.get("instruction"))),
                ("Model", str(model["name"]) if model else "none"),
                ("Weights, SHA-256", _hash(model.get("digest"))),
                ("Licence", _text(model.get("licence"))),
                ("Engine", _text(model.get("engine"))),
                ("Labels chosen by", _text(model.get("labels_by"))),
                ("System fingerprints", ", ".join(model.get("fingerprints") or ()) or None),
                ("Numbers", _text(model.get("dtype"))),
                (
                    "Trial of number formats",
                    "; ".join(f"{name} {count(rate)} tokens/s" for name, rate in trial.items())
                    or None,
                ),
                ("Device", _text(model.get("device"))),
                ("Threads", _text(model.get("threads"))),
                ("Seed", _text(plan.get("seed"))),
                ("Plan, SHA-256", _hash(plan.get("hash"))),
                ("Task, SHA-256", _hash(report.task.get("digest"))),
                ("Python", _text(machine.get("python"))),
                ("System", _text(machine.get("platform"))),
                ("Processor", _text(machine.get("cpu"))),
                ("Cores", _text(cores)),
                ("Memory", size(machine["memory"]) if machine.get("memory") else None),
                ("Packages", ", ".join(f"{name} {at}" for name, at in packages.items()) or None),
            )
        ),
    )


def plan(report: Report) -> Section:
    """The plan as JSON, to read, copy or save."""
    text = json.dumps(report.record.get("plan"), indent=2, ensure_ascii=False, sort_keys=True)
    address = "data:application/json;charset=utf-8," + quote(visible(text))
    buttons = tag(
        "p",
        tag("a", "Save as plan.json", href=address, download="plan.json", class_="button"),
        " ",
        tag("button", "Copy", type="button", class_="button", data_copy="plan-json", hidden=True),
        class_="buttons",
    )
    code = tag("pre", text, id="plan-json", tabindex=0, role="region", aria_label="Plan as JSON")
    return Section("plan", "Plan", join(buttons, folded("The plan as JSON", code)))


def _task(report: Report) -> str:
    counts = report.task.get("counts") or {}
    said = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    return f"{report.task['name']} ({said or DASH}; splits {report.task.get('splits', DASH)})"


def _text(value: object) -> str | None:
    return None if value in (None, "", 0) else str(value)


def _hash(value: str | None) -> Markup | None:
    return tag("code", value, class_="hash") if value else None
