"""`accordeur answer`: ask a bundle."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.core.answer import Answer
    from accordeur.core.rendering import Request
    from accordeur.core.task import Label

SHOWN = 5
"""Most likely labels that are printed; `--json` gives all."""

BLOCK = 256
"""Rows answered between two words about progress."""

EVERY = 5.0
"""Seconds between two words about progress."""


def command(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="Folder of a bundle, or the name of a run.")
    ],
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="What to ask; `-` reads it from stdin.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Rows to ask about (.jsonl, .csv, .tsv, .json) with `input`, `messages` or "
            "`fields`, and `context` where the task has one.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the answers there (.jsonl). Default: stdout.",
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Text given beside the question.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object: text, label, all probabilities.")
    ] = False,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Of the bundle's endpoint, if it has one."),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="float32, each answer independent of its batch."),
    ] = False,
) -> int:
    """Ask a bundle, one text or a file of rows.

    Prints the answer, and for labels the most likely ones with their probabilities. Nothing in a
    bundle can run code.
    """
    if (text is None) == (source is None):
        raise UsageError(
            "Give either a text or `--input`.",
            hint=f'accordeur answer {bundle} "your text", or --input rows.jsonl -o answers.jsonl',
        )
    if output is not None and source is None:
        raise UsageError(
            "`-o` goes with `--input`.", hint=f'accordeur answer {bundle} "your text" --json'
        )
    check_output(output)
    folder = find_bundle(bundle)
    if source is not None:
        from accordeur.cli.rows import read_requests

        names, requests = read_requests(source)
        labels, answers = answer_all(
            folder, requests, deterministic=deterministic, base_url=base_url
        )
        _write(output, names, labels, answers)
        return 0

    from accordeur.core.rendering import Request

    asked = sys.stdin.read() if text == "-" else str(text)
    request = Request(input=asked, context=context)
    labels, answers = answer_all(folder, [request], deterministic=deterministic, base_url=base_url)
    if as_json:
        print(json.dumps(answer_json(answers[0], labels), ensure_ascii=False))
    else:
        _print(answers[0], labels)
    return 1 if answers[0].status == "error" else 0


def find_bundle(reference: Path) -> Path:
    """The folder of a bundle; the name of a run means its winner.

    Raises:
        BundleError: there is no such folder and no such run.
        StoreError: the run recommends nothing.
    """
    from accordeur.core.errors import BundleError, StoreError

    if (reference / "bundle.json").is_file():
        return reference
    if (reference / "winner" / "bundle.json").is_file():
        return reference / "winner"
    if reference.exists():
        return reference  # `load_bundle` says what is wrong with it

    from accordeur.store import RunIndex

    try:
        with RunIndex() as index:
            run = index.find(str(reference))
    except StoreError as error:
        raise BundleError(
            f"There is no bundle and no run `{reference}`.",
            hint=f"a run leaves its winner in .accordeur/runs/RUN/winner. {error.hint}",
        ) from error
    if not (run.folder / "winner" / "bundle.json").is_file():
        raise StoreError(
            f"The run `{run.name}` has no winner.", hint=f"accordeur runs show {run.name}"
        )
    return run.folder / "winner"


def answer_all(
    folder: Path,
    requests: Sequence[Request],
    *,
    deterministic: bool = False,
    base_url: str | None = None,
) -> tuple[Sequence[Label], list[Answer]]:
    """Answers in the order of the requests, and the labels of the task.

    Raises:
        BundleError: the bundle is damaged or unsafe.
        ModelError: its base model cannot be found.
    """
    from accordeur.cli.failures import note
    from accordeur.models.source import Models
    from accordeur.parts.bundle import load_bundle
    from accordeur.parts.loaded import LoadedBundle

    models = Models(deterministic=deterministic, log=note, base_url=base_url)
    loaded = LoadedBundle(load_bundle(folder), models, note, moved=base_url is not None)
    counter = Counter(len(requests))
    answers: list[Answer] = []
    for start in range(0, len(requests), BLOCK):
        answers += loaded.answer_many(requests[start : start + BLOCK])
        counter.tell(len(answers))
    return loaded.bundle.candidate.task.labels, answers


class Counter:
    """Says on stderr how many of many rows are done, and for how long it will go on."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._start = self._last = time.monotonic()

    def tell(self, done: int) -> None:
        """So many are done; a line at most every few seconds, none when there is no wait."""
        now = time.monotonic()
        if done >= self.rows or now - self._last < EVERY:
            return
        from accordeur.cli.figures import about

        self._last = now
        left = (now - self._start) / done * (self.rows - done)
        print(
            f"{done:,} of {self.rows:,} rows, about {about(left)} left",
            file=sys.stderr,
            flush=True,
        )


def answer_json(answer: Answer, labels: Sequence[Label]) -> dict[str, Any]:
    """An answer as plain data; probabilities by label, the most likely first."""
    data: dict[str, Any] = {"text": answer.text, "status": str(answer.status)}
    if answer.label is not None:
        data["label"] = answer.label
    if answer.probabilities is not None:
        data["probabilities"] = dict(likely(answer, labels))
    data["tokens"] = answer.usage.input_tokens + answer.usage.output_tokens
    data["seconds"] = round(answer.seconds, 6)
    if answer.trace:
        data["trace"] = [{"name": one.name, "text": one.text} for one in answer.trace]
    if answer.error:
        data["error"] = answer.error
    return data


def likely(answer: Answer, labels: Sequence[Label]) -> list[tuple[str, float]]:
    """Labels with their probabilities, the most likely first."""
    if answer.probabilities is None:
        return []
    pairs = [(label.name, share) for label, share in zip(labels, answer.probabilities, strict=True)]
    return sorted(pairs, key=lambda pair: -pair[1])


def _print(answer: Answer, labels: Sequence[Label]) -> None:
    from accordeur.cli.terminal import safe

    print(safe(answer.text))
    if answer.status != "ok":
        print(f"status: {answer.status} {safe(answer.error)}".rstrip(), file=sys.stderr)
    pairs = likely(answer, labels)
    for line in label_lines(pairs):
        print(line)
    if len(pairs) > SHOWN:
        print(f"          and {len(pairs) - SHOWN} more: --json")


def label_lines(pairs: Sequence[tuple[str, float]]) -> list[str]:
    """The most likely labels, a line each."""
    from accordeur.cli.terminal import one_line

    return [f"  {share:6.1%}  {one_line(name)}" for name, share in pairs[:SHOWN]]


def check_output(output: Path | None) -> None:
    """Refuse a file that answers cannot be written to.

    Raises:
        UsageError: another ending than `.jsonl`, or no such folder.
    """
    if output is None:
        return
    if output.suffix.lower() not in (".jsonl", ".ndjson"):
        raise UsageError(
            f"Answers cannot be written as `{output.suffix or output.name}`.",
            hint=f"-o {output.stem or 'answers'}.jsonl",
        )
    if not output.absolute().parent.is_dir():
        raise UsageError(
            f"The folder of `{output}` does not exist.", hint=f"mkdir -p {output.parent}"
        )


def _write(
    output: Path | None, names: Sequence[str], labels: Sequence[Label], answers: Sequence[Answer]
) -> None:
    # Escapes instead of raw text on stdout, which may be a terminal.
    rows = [
        json.dumps({"id": name, **answer_json(answer, labels)}, ensure_ascii=output is None)
        for name, answer in zip(names, answers, strict=True)
    ]
    if output is None:
        for row in rows:
            print(row)
        return
    from accordeur.cli.figures import plural
    from accordeur.store.durable import write_atomic

    write_atomic(output.absolute(), "".join(f"{row}\n" for row in rows).encode("utf-8"))
    print(f"{plural(len(rows), 'answer')} written to {output}")
