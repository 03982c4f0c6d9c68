"""An evaluation for the terminal: its columns, what did not pass, comparison, judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from accordeur.report.console.words import WIDE, cell, prose, table
from accordeur.report.numbers import DASH, count, interval, p_value, points, seconds, share, signed
from accordeur.report.plain_text import one_line, shorten

Summary = Mapping[str, Any]

_STYLES = {True: "green", False: "red", None: "yellow"}


def evaluation_lines(
    summary: Summary, failures: Sequence[Mapping[str, Any]], *, width: int
) -> Iterator[Table | Text]:
    """Everything there is to show, part by part.

    Args:
        summary: as `bench.matrix` writes it.
        failures: the first rows that did not pass.
        width: columns of the terminal.
    """
    yield cell(f"{summary['name']}: {count(summary['cases'])} cases", "bold")
    yield Text("")
    yield columns_table(summary, wide=width >= WIDE)
    metrics = metrics_table(summary)
    if metrics is not None:
        yield Text("")
        yield metrics
    for sentence in sentences(summary):
        yield Text("")
        yield prose(sentence)
    if failures:
        yield Text("")
        yield failures_table(failures, width)


def columns_table(summary: Summary, *, wide: bool) -> Table:
    """A line for each prompt and model: pass rate, interval, counts."""
    made = table()
    repeated = summary["repeat"] > 1
    made.add_column("#", no_wrap=True)
    made.add_column("prompt", overflow="ellipsis", no_wrap=True, ratio=2)
    made.add_column("model", overflow="ellipsis", no_wrap=True, ratio=2)
    made.add_column("pass", justify="right", no_wrap=True)
    made.add_column("95 %", no_wrap=True)
    made.add_column("passed", justify="right", no_wrap=True)
    made.add_column("lost", justify="right", no_wrap=True)
    if repeated:
        made.add_column("agree", justify="right", no_wrap=True)
    if wide:
        made.add_column("score", justify="right", no_wrap=True)
        made.add_column("median", justify="right", no_wrap=True)
        made.add_column("cost", justify="right", no_wrap=True)
    made.expand = True
    for one in summary["columns"]:
        latency = one["latency"]
        lost = one["errors"] + one["unjudged"]
        cells = [
            cell(one["number"]),
            cell(one["prompt"]),
            cell(one["model"]),
            cell(points(one["rate"]), _STYLES[one["reached"]]),
            cell(interval(one["interval"]) or DASH, "dim"),
            cell(f"{one['passed']:,}/{one['n']:,}"),
            cell(f"{lost:,}" if lost else DASH, "yellow" if lost else "dim"),
        ]
        if repeated:
            cells.append(cell(share(one.get("agreement"))))
        if wide:
            cells.append(cell(points(one["score"])))
            cells.append(cell(seconds(latency["median"]) if latency else DASH))
            cells.append(cell(DASH if not one["cost"] else f"{one['cost']:.3g}"))
        made.add_row(*cells)
    return made


def metrics_table(summary: Summary) -> Table | None:
    """A line for each metric and column; `None` when no assertion names one."""
    if not any(one["metrics"] for one in summary["columns"]):
        return None
    made = table("metrics")
    made.add_column("metric", overflow="fold")
    made.add_column("#", no_wrap=True)
    made.add_column("score", justify="right", no_wrap=True)
    made.add_column("pass", justify="right", no_wrap=True)
    made.add_column("95 %", no_wrap=True)
    made.add_column("n", justify="right", no_wrap=True)
    for one in summary["columns"]:
        for name, rate in one["metrics"].items():
            made.add_row(
                cell(name),
                cell(one["number"]),
                cell(points(rate["score"])),
                cell(points(rate["rate"])),
                cell(interval(rate["interval"]), "dim"),
                cell(count(rate["n"])),
            )
    return made


def sentences(summary: Summary) -> list[str]:
    """What the table cannot say."""
    said = []
    least = points(summary["threshold"])
    below = [str(one["number"]) for one in summary["columns"] if one["reached"] is False]
    if below:
        which = "Column" if len(below) == 1 else "Columns"
        said.append(f"{which} {', '.join(below)} stayed below the threshold of {least} %.")
    for one in summary["columns"]:
        if one["answer_errors"]:
            said.append(
                f"Column {one['number']}: {count(one['answer_errors'])} answers ended in an error; "
                "they count neither way."
            )
        if one["unjudged"]:
            said.append(f"Column {one['number']}: {count(one['unjudged'])} rows are not judged.")
        if one["cut"]:
            said.append(
                f"Column {one['number']}: {count(one['cut'])} of {count(one['answers'])} answers "
                "were cut at the limit of tokens (`max_tokens`)."
            )
        if one["shortened"]:
            said.append(
                f"Column {one['number']}: {count(one['shortened'])} prompts did not fit the "
                "model's context; their cases were cut from the left."
            )
        if one.get("wavering"):
            said.append(
                f"Column {one['number']}: {count(one['wavering'])} rows pass in some repeats and "
                "fail in others."
            )
    said += [judge_sentence(one) for one in summary.get("judges", ())]
    compared = summary.get("compare")
    if compared:
        said.append(compare_sentence(compared))
    if compared and compared.get("preferred"):
        said.append(preference_sentence(compared))
    return said


def judge_sentence(found: Mapping[str, Any]) -> str:
    """How much a judge's verdicts are worth."""
    name = f"`{found['judge']}`"
    if not found["n"]:
        return (
            f"The judge {name} is unvalidated: its verdicts were not compared with people's. Label "
            "20 answers and give them with --judge-labels."
        )
    text = (
        f"The judge {name} agrees with people on {count(found['agreed'])} of {count(found['n'])} "
        f"labelled answers: {points(found['accuracy'])}, 95 % {interval(found['interval'])}. It "
        f"passes {count(found['false_passes'])} of {count(found['failed'])} that people failed and "
        f"fails {count(found['false_fails'])} of {count(found['passed'])} that they passed"
    )
    text += "." if found["kappa"] is None else f"; kappa {found['kappa']:.2f}."
    if found["unjudged"]:
        text += f" On {count(found['unjudged'])} more it gave no verdict."
    return text + (" That is provisional: label at least 20." if found["few"] else "")


def preference_sentence(compared: Mapping[str, Any]) -> str:
    """What the judge prefers."""
    found, a, b = compared["preferred"], compared["a"], compared["b"]
    if not found["n"]:
        return f"The judge `{found['judge']}` gave no preference between columns {a} and {b}."
    text = (
        f"Asked in both orders ({found['criterion']}), `{found['judge']}` prefers column {b} "
        f"{count(found['b'])} times, column {a} {count(found['a'])} times, and neither "
        f"{count(found['ties'])} times, {count(found['turned'])} of these because its verdict "
        "turned with the order."
    )
    if found["share"] is not None:
        text += (
            f" Column {b} has {points(found['share'])} of the clear preferences, 95 % "
            f"{interval(found['interval'])}, sign test {p_value(found['p'])}."
        )
    if found["unjudged"]:
        text += f" {count(found['unjudged'])} pairs got no verdict."
    return text


def compare_sentence(found: Mapping[str, Any]) -> str:
    """The paired comparison of two columns."""
    a, b = found["a"], found["b"]
    if not found["n"]:
        return f"Columns {a} and {b} have no judged case in common."
    text = (
        f"On the same {count(found['n'])} cases column {b} passes {signed(found['difference'])} "
        f"points against column {a}, 95 % {interval(found['interval'], sign=True) or 'unknown'}, "
        f"exact McNemar {p_value(found['p'])} ({count(found['only_a'])} cases pass under {a} "
        f"alone, {count(found['only_b'])} under {b} alone)."
    )
    score = found.get("score")
    if score:
        text += (
            f" Its mean score differs by {signed(score['difference'])} points, 95 % "
            f"{interval(score['interval'], sign=True) or 'unknown'}, permutation "
            f"{p_value(score['p'])}."
        )
    return text


def failures_table(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """The first rows that did not pass, with the reason and the answer."""
    made = table("the first that did not pass")
    made.add_column("case", overflow="ellipsis", no_wrap=True, max_width=max(12, width // 5))
    made.add_column("#", no_wrap=True)
    made.add_column("", no_wrap=True)
    made.add_column("why", overflow="fold", ratio=1)
    made.add_column("answer", overflow="fold", ratio=1)
    made.expand = True
    for row in rows:
        name = row["description"] or next(
            (v for name, v in row["vars"].items() if name != "id" and isinstance(v, str)),
            row["case"],
        )
        style = {"fail": "red", "error": "yellow"}.get(row["status"], "dim")
        made.add_row(
            cell(shorten(one_line(str(name)), 60)),
            cell(row["column"]),
            cell(row["status"], style),
            cell(shorten(one_line(row["reason"]), 160)),
            cell(shorten(one_line(row["output"] or ""), 160), "dim"),
        )
    return made
