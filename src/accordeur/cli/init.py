"""`accordeur init`: a task folder from a data file, by flags or by asking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accordeur.core.errors import TaskError, UsageError

if TYPE_CHECKING:
    from accordeur.tasks import Choices, Guess

LABEL_INSTRUCTION = "Which of these answers fits the text?"
TEXT_INSTRUCTION = "Answer the following."
MOST_LABELS = 12


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to make the task; made if needed.")
    ] = Path("task"),
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your rows: .csv, .tsv, .jsonl, .json, .parquet. Default: examples.",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="COLUMN", help="Column of the input; may be repeated."),
    ] = None,
    expected: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of the expected answer.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Of the task.")] = None,
    instruction: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the model is told.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TEXT", help="Text shown to the model for a label; may be repeated."
        ),
    ] = None,
    metric: Annotated[
        str | None, typer.Option(metavar="NAME", help="accuracy, exact-match, rouge-l, ...")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Refer to the data where it is instead of copying it.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there already.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("-y", "--yes", help="Ask nothing; take what was guessed.")
    ] = False,
) -> int:
    """Make a task folder from a data file, or a small one to start with.

    Asks for what the flags leave open, when someone sits at a terminal; else it takes what the data
    suggests and says so. Every answer can be changed later in task.yaml.
    """
    from accordeur.cli.terminal import can_ask

    asking = not yes and can_ask()
    if data is None and asking:
        from accordeur.cli.terminal import ask

        given = ask("Data file with your rows (empty: start with 24 example notes)")
        data = Path(given).expanduser() if given else None
    if data is None:
        return _starter(folder, name or "", force, _unused(source, expected, label, metric, link))
    if metric is not None:
        _check_metric(metric)

    from accordeur.tasks import guess, write_task

    found = guess(data, input=source or (), expected=expected)
    if asking and not (source and expected):
        found = _ask_columns(found, source or [], expected)
    _require(found, folder)
    choices = _choices(found, name, instruction, metric, _labels(label or []), asking=asking)
    target = write_task(folder, replace(choices, copy=not link), force=force)
    _tell_notes(found.notes)
    return _finish(target)


def _unused(
    source: list[str] | None,
    expected: str | None,
    label: list[str] | None,
    metric: str | None,
    link: bool,
) -> str:
    """The first flag that means nothing without data; empty when there is none."""
    flags = {
        "--input": source,
        "--expected": expected,
        "--label": label,
        "--metric": metric,
        "--link": link,
    }
    return next((flag for flag, value in flags.items() if value), "")


def _starter(folder: Path, name: str, force: bool, unused: str) -> int:
    from accordeur.tasks import write_starter

    if unused:
        raise UsageError(
            f"`{unused}` goes with `--data`.", hint=f"accordeur init {folder} --data FILE"
        )
    return _finish(write_starter(folder, name=name, force=force))


def _check_metric(metric: str) -> None:
    from accordeur.core.registry import unknown_name
    from accordeur.measure.metrics import METRICS

    if ":" not in metric and metric not in METRICS.table:
        raise unknown_name("metric", metric, METRICS.names())


def _labels(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, shown = (part.strip() for part in text.partition("="))
        if not (name and equals and shown):
            raise UsageError(
                f"`--label {text}` is not `name=text`.",
                hint='--label "card_lost=Lost or stolen card"',
            )
        pairs[name] = shown
    return pairs


def _ask_columns(found: Guess, source: list[str], expected: str | None) -> Guess:
    from accordeur.cli.terminal import ask, one_line
    from accordeur.tasks import guess

    listed = ", ".join(one_line(column, 40) for column in found.columns)
    print(f"{found.rows} rows with the columns: {listed}")
    if not source:
        given = ask("Column of the input (several: commas)", ", ".join(found.input))
        source = [column.strip() for column in given.split(",") if column.strip()]
    if expected is None:
        default = found.expected or ("" if found.input else _other(found, source))
        expected = ask("Column of the expected answer", default) or None
    return guess(found.data, input=source, expected=expected)


def _other(found: Guess, source: list[str]) -> str:
    """The one column that is left, if it is only one."""
    left = [column for column in found.columns if column not in source]
    return left[0] if len(left) == 1 else ""


def _require(found: Guess, folder: Path) -> None:
    if found.complete:
        return
    first = found.columns[0] if found.columns else "COLUMN"
    last = found.columns[-1] if len(found.columns) > 1 else "COLUMN"
    raise TaskError(
        f"It is not clear what `{found.data}` holds: {' '.join(found.notes)}",
        hint=f"accordeur init {folder} --data {found.data} --input {first} --expected {last}",
    )


def _choices(
    found: Guess,
    name: str | None,
    instruction: str | None,
    metric: str | None,
    shown: dict[str, str],
    *,
    asking: bool,
) -> Choices:
    from accordeur.tasks import choices_from

    unknown = sorted(set(shown) - set(found.labels))
    if unknown:
        raise UsageError(
            f"`--label {unknown[0]}`: the data has no such label.",
            hint=f"its labels: {', '.join(found.labels[:MOST_LABELS]) or 'none, it is free text'}",
        )
    default = LABEL_INSTRUCTION if found.kind == "labels" else TEXT_INSTRUCTION
    if asking:
        from accordeur.cli.terminal import ask

        instruction = instruction or ask("What is the model told", default)
        metric = metric or ask("Metric", found.metric)
        _check_metric(metric)
    choices = choices_from(found, name=name or "", instruction=instruction or default)
    return replace(choices, metric=metric or found.metric, labels={**choices.labels, **shown})


def _tell_notes(notes: tuple[str, ...]) -> None:
    from accordeur.cli.terminal import one_line

    for note in notes:
        print(one_line(note))


def _finish(target: Path) -> int:
    """Read the task back as `run` will, and say what it is."""
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import near_path, one_line
    from accordeur.tasks import load_task

    task = load_task(target)
    held_out = task.held_out.count if task.held_out else 0
    print(f"\n{near_path(target)}: task {one_line(task.name)}, metric {one_line(task.metric)}")
    print(f"rows: train {len(task.train)}, dev {len(task.dev)}, held-out {held_out}")
    if task.labels:
        names = ", ".join(one_line(label.name, 30) for label in task.labels[:MOST_LABELS])
        more = len(task.labels) - MOST_LABELS
        listed = f"{names}, and {more} more" if more > 0 else names
        print(f"{plural(len(task.labels), 'label')}: {listed}")
    for warning in task.warnings:
        print(f"note: {one_line(warning)}")
    print(f"\nLook at the instruction in {near_path(target)}, then:")
    print(f"\n  accordeur run {near_path(target.parent)}")
    return 0
