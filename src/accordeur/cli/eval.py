"""`accordeur eval`: prompts × models × cases, with assertions about every answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.cli.calling import AtOnce, BaseUrl, MaxCalls, MaxCost, MaxTokens, check_spending
from accordeur.core.errors import AccordeurError, UsageError

if TYPE_CHECKING:
    from accordeur.bench.matrix.evaluate import Evaluated, Options
    from accordeur.bench.matrix.selection import Selection

SHOWN = 5
"""Rows that did not pass, shown at the end; files hold all."""


def command(
    config: Annotated[
        Path,
        typer.Option(
            "-c", "--config", metavar="FILE", help="Our short form, or a promptfooconfig.yaml."
        ),
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write results (.json, .jsonl, .csv, .html, .xml for JUnit); may be repeated.",
        ),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Compare two columns, by number or label, pair by pair."),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option(metavar="N", help="Ask each question N times; they fold into one row."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", help="Exit with 100 when a column's pass rate is below. Default: 1."
        ),
    ] = None,
    judge_labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Answers that people judged (.csv, .jsonl), to measure the judge."
        ),
    ] = None,
    first: Annotated[
        int | None, typer.Option("--filter-first-n", metavar="N", help="The first N cases alone.")
    ] = None,
    pattern: Annotated[
        str,
        typer.Option("--filter-pattern", metavar="REGEX", help="Cases whose description holds it."),
    ] = "",
    metadata: Annotated[
        str,
        typer.Option("--filter-metadata", metavar="KEY=VALUE", help="Cases that carry it."),
    ] = "",
    providers: Annotated[
        str, typer.Option("--filter-providers", metavar="REGEX", help="Models of such a label.")
    ] = "",
    prompts: Annotated[
        str, typer.Option("--filter-prompts", metavar="REGEX", help="Prompts of such a label.")
    ] = "",
    failing: Annotated[
        Path | None,
        typer.Option(
            "--filter-failing",
            metavar="FILE",
            help="Cases that did not pass in an earlier -o file (.json, .jsonl).",
        ),
    ] = None,
    errors_only: Annotated[
        Path | None,
        typer.Option(
            "--filter-errors-only", metavar="FILE", help="Cases that ended in an error there."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Keep N cases of a seeded order.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Of every random draw.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with this evaluation where it stopped.")
    ] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Go on, and ask again what ended in an error.")
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Use no answers of other runs, and keep none.")
    ] = False,
    base_url: BaseUrl = None,
    at_once: AtOnce = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Run the `python` assertions of the config.")
    ] = False,
) -> int:
    """Ask every prompt with every case of every model, and check the answers.

    Each pass rate has its 95 % interval. Errors of endpoints are counted apart and are no failures.
    Exit code: 0 every column reached the threshold, 100 one did not, 1 errors are left.
    """
    check_spending(max_calls, max_tokens, max_cost)
    _check_numbers(repeat, limit, first, at_once, threshold, seed)
    from accordeur.bench.matrix.evaluate import Options

    return _watch(
        config,
        Options(
            selection=_selection(
                pattern, metadata, first, failing, errors_only, prompts, providers, limit, seed
            ),
            repeat=repeat,
            threshold=threshold,
            compare=compare,
            judge_labels=judge_labels,
            outputs=tuple(output or ()),
            seed=seed,
            resume=resume,
            retry_errors=retry_errors,
            use_cache=not no_cache,
            allow_code=allow_code,
            base_url=base_url,
            at_once=at_once,
            max_calls=max_calls,
            max_tokens=max_tokens,
            max_cost=max_cost,
        ),
    )


def _check_numbers(
    repeat: int | None,
    limit: int | None,
    first: int | None,
    at_once: int | None,
    threshold: float | None,
    seed: int,
) -> None:
    counts = (
        ("--repeat", repeat),
        ("--limit", limit),
        ("--filter-first-n", first),
        ("-j", at_once),
    )
    for name, number in counts:
        if number is not None and number < 1:
            raise UsageError(f"`{name} {number}` asks nothing.", hint=f"{name} 10")
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"`--threshold {threshold:g}` is no share.", hint="--threshold 0.9")
    if seed < 0:
        raise UsageError(f"`--seed {seed}` is negative.", hint="--seed 0")


def _selection(
    pattern: str,
    metadata: str,
    first: int | None,
    failing: Path | None,
    errors_only: Path | None,
    prompts: str,
    providers: str,
    limit: int | None,
    seed: int,
) -> Selection:
    from accordeur.bench.matrix.selection import Selection, failing_ids

    ids = None
    if failing is not None and errors_only is not None:
        raise UsageError(
            "`--filter-failing` holds what ended in an error, too.",
            hint="give one of --filter-failing and --filter-errors-only",
        )
    if failing is not None:
        ids = failing_ids(failing)
    if errors_only is not None:
        ids = failing_ids(errors_only, errors_only=True)
    return Selection(pattern, metadata, first, ids, prompts, providers, limit, seed)


def _watch(config: Path, options: Options) -> int:
    """Do the work, telling how far it is, and show what came of it."""
    from accordeur.bench.matrix.evaluate import Watcher, evaluate
    from accordeur.cli.failures import note, warn
    from accordeur.cli.watching.cells import Cells

    cells = Cells()
    watcher = Watcher(log=note, warn=warn, planned=cells.planned, progress=cells.tell)
    try:
        done = evaluate(config, options, watcher)
    except (KeyboardInterrupt, AccordeurError) as error:
        if cells.done:
            note(f"\n{cells.stopped()} To go on:\n\n  {_again(config)}\n")
        if isinstance(error, AccordeurError):
            raise
        raise typer.Exit(130) from None
    _show(done, config, options.outputs)
    return done.exit_code


def _again(config: Path) -> str:
    return f"accordeur eval -c {config} --resume   (with the other options as before)"


def _show(done: Evaluated, config: Path, outputs: Sequence[Path]) -> None:
    from accordeur.cli.terminal import console, near_path
    from accordeur.report.console.evaluation import evaluation_lines

    out = console()
    for part in evaluation_lines(done.summary, failures(done), width=out.width):
        out.print(part)
    out.print(f"\nresults  {near_path(done.folder)}", soft_wrap=True)
    for file in outputs:
        out.print(f"written  {near_path(file)}", soft_wrap=True)
    if any(one["answer_errors"] for one in done.summary["columns"]):
        out.print(f"\nnext:\n  accordeur eval -c {config} --retry-errors", soft_wrap=True)


def failures(done: Evaluated) -> list[dict[str, Any]]:
    """The first rows that did not pass, for people."""
    from accordeur.bench.matrix.outputs import row_json
    from accordeur.bench.matrix.summary import rows_of

    if all(
        one["passed"] == one["n"] and not one["answer_errors"] for one in done.summary["columns"]
    ):
        return []
    shown = []
    for row in rows_of(done.plan, done.results):
        if row.folded.outcome != "pass":
            shown.append(row_json(row))
            if len(shown) == SHOWN:
                break
    return shown
