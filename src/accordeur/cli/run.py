"""`accordeur run`: the main job, watched from beginning to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.cli.calling import AtOnce, BaseUrl, MaxCalls, MaxCost, MaxTokens, check_spending
from accordeur.core.errors import AccordeurError, UsageError

if TYPE_CHECKING:
    from accordeur.bench.finished import Run
    from accordeur.cli.watching.progress import Progress

LEAKAGE = ("exact", "near")
LABELS_BY = ("auto", "logprobs", "top", "schema", "parse")
FORGETTING = ("trained", "full", "off")
SPENDING = ("at_once", "max_calls", "max_tokens", "max_cost")
WITH_RESUME = ("resume", "budget", "output", *SPENDING)
OUTPUTS = (".json", ".jsonl", ".csv", ".html")


def command(
    context: typer.Context,
    task: Annotated[
        Path | None,
        typer.Argument(metavar="TASK", help="Folder with task.yaml, a task.yaml, or a data file."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", metavar="PATH", help="The same as TASK.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "-m",
            "--model",
            metavar="NAME",
            help="Base model: local/smollm2, hf/ORG/NAME, a folder, an endpoint such as "
            "openai/NAME, or `none` for floors alone.",
        ),
    ] = "local/smollm2",
    base_url: BaseUrl = None,
    at_once: AtOnce = None,
    labels_by: Annotated[
        str,
        typer.Option(
            metavar="WAY",
            help="How an endpoint chooses among labels: logprobs, top, schema, parse, or `auto`, "
            "the best of them that it can.",
        ),
    ] = "auto",
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    levers: Annotated[
        str,
        typer.Option(
            metavar="A,B,C+D",
            help="What to pull: `all`, or names with commas between them; c+d is a stack.",
        ),
    ] = "all",
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="LEVER.SETTING=VALUE", help="A lever's setting; may be repeated."
        ),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune", help="Trained levers search their learning rate and size on dev first."
        ),
    ] = False,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Wall time for the whole run: 90s, 10m, 1h30m. Default: no limit."
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="Keep this many rows of each split.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Of every random draw.")] = 0,
    max_latency: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Longest time a query may take, p95."),
    ] = None,
    no_screening: Annotated[
        bool, typer.Option("--no-screening", help="Score hopeless levers to the end, too.")
    ] = False,
    forgetting: Annotated[
        str,
        typer.Option(
            metavar="SCOPE",
            help="Measure what was forgotten off the task: `trained` entries, `full` for all "
            "that use a language model, or `off`.",
        ),
    ] = "trained",
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="float32, each answer independent of its batch."),
    ] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Use no answers of other runs, and keep none.")
    ] = False,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with an interrupted run; needs no TASK."),
    ] = None,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Run code that the task names.")
    ] = False,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECK",
            help="Leakage that only warns: exact, near; may be repeated.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="Write the record (.json), all answers (.jsonl, .csv) or the report (.html).",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the data, show the plan, and stop.")
    ] = False,
) -> int:
    """Pull the levers on a task, compare them on the same rows, and say which one to use.

    Every run measures the floors and the prompt as given, too. What is computed is on disk at once:
    Ctrl-C loses at most the batch in flight, and the same command goes on where it stopped.
    """
    place = _task(task, config, resume)
    if resume is not None:
        _refuse_beside_resume(context)
    _check_numbers(limit, seed, max_latency, at_once)
    check_spending(max_calls, max_tokens, max_cost)
    _check_allowed(allow or [])
    _check_forgetting(forgetting)
    _check_labels_by(labels_by)
    _check_output(output)
    from accordeur.cli.settings import check_levers
    from accordeur.core.budget import parse_duration

    seconds = None if budget is None else parse_duration(budget)
    if resume is not None:
        return _watch(
            lambda bench, observer: bench.resume(
                resume,
                budget=seconds,
                observer=observer,
                at_once=at_once,
                max_calls=max_calls,
                max_tokens=max_tokens,
                max_cost=max_cost,
            ),
            output,
        )
    options = {
        "model": model,
        "levers": levers,
        "settings": check_levers(levers, setting or [], tune=tune),
        "budget": seconds,
        "limit": limit,
        "seed": seed,
        "max_latency": max_latency,
        "allow_leakage": tuple(allow or ()),
        "screening": not no_screening,
        "deterministic": deterministic,
        "use_cache": not no_cache,
        "allow_code": allow_code,
        "forgetting": forgetting,
        "base_url": base_url,
        "at_once": at_once,
        "labels_by": labels_by,
        "max_calls": max_calls,
        "max_tokens": max_tokens,
        "max_cost": max_cost,
    }
    if dry_run:
        return _watch(
            lambda bench, observer: bench.dry_run(place, observer=observer, **options), None
        )
    return _watch(lambda bench, observer: bench.run(place, observer=observer, **options), output)


def _task(task: Path | None, config: Path | None, resume: str | None) -> Path:
    given = [path for path in (task, config) if path is not None]
    if resume is not None:
        if given:
            raise UsageError(
                "`--resume` names a run, which knows its task.",
                hint=f"accordeur run --resume {resume}",
            )
        return Path()
    if len(given) > 1:
        raise UsageError(
            f"The task is named twice: `{task}` and `{config}`.", hint=f"accordeur run {task}"
        )
    if not given:
        raise UsageError(
            "No task is named.",
            hint="accordeur run FOLDER; `accordeur init FOLDER --data FILE` makes one",
        )
    return given[0]


def _refuse_beside_resume(context: typer.Context) -> None:
    """A run that goes on keeps its own settings; a flag that would be ignored is a mistake."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and name not in WITH_RESUME:
            raise UsageError(
                f"`--{name.replace('_', '-')}` has no meaning beside `--resume`: a run that goes "
                "on keeps its own settings.",
                hint="leave it out, or start another run: accordeur run TASK ...",
            )


def _check_numbers(
    limit: int | None, seed: int, max_latency: float | None, at_once: int | None
) -> None:
    if at_once is not None and at_once < 1:
        raise UsageError(f"`-j {at_once}` makes no call.", hint="-j 8")
    if limit is not None and limit < 1:
        raise UsageError(f"`--limit {limit}` keeps no row.", hint="--limit 100")
    if seed < 0:
        raise UsageError(f"`--seed {seed}` is negative.", hint="--seed 0")
    if max_latency is not None and not 0 < max_latency < float("inf"):
        raise UsageError(
            f"`--max-latency {max_latency:g}` is not a positive number of seconds.",
            hint="--max-latency 2.0",
        )


def _check_allowed(allow: list[str]) -> None:
    from accordeur.core.registry import unknown_name

    for name in allow:
        if name not in LEAKAGE:
            error = unknown_name("check to allow", name, LEAKAGE)
            raise UsageError(error.message, hint=error.hint)


def _check_forgetting(scope: str) -> None:
    if scope not in FORGETTING:
        from accordeur.core.registry import unknown_name

        error = unknown_name("scope of the forgetting check", scope, FORGETTING)
        raise UsageError(error.message, hint=error.hint)


def _check_labels_by(way: str) -> None:
    if way not in LABELS_BY:
        from accordeur.core.registry import unknown_name

        error = unknown_name("way of choosing labels", way, LABELS_BY)
        raise UsageError(error.message, hint=error.hint)


def _check_output(output: Path | None) -> None:
    if output is None:
        return
    if output.suffix.lower() not in OUTPUTS:
        raise UsageError(
            f"A run cannot be written as `{output.suffix or output.name}`.",
            hint=f"choose a file ending in {', '.join(OUTPUTS)}",
        )
    if not output.absolute().parent.is_dir():
        raise UsageError(
            f"The folder of `{output}` does not exist.", hint=f"mkdir -p {output.parent}"
        )


def _watch(work: Any, output: Path | None) -> int:
    """Do the work under the eyes of an observer, then show what came of it."""
    from accordeur.cli.terminal import lively
    from accordeur.cli.watching.lines import Lines
    from accordeur.cli.watching.progress import Progress

    progress = Progress()
    observer: Any
    if lively():
        from accordeur.cli.watching.live import Live

        observer = Live(progress)
    else:
        observer = Lines(progress)
    try:
        from accordeur.bench import run as bench

        finished = work(bench, observer)
    except KeyboardInterrupt:
        observer.close()
        _tell_how_to_resume(progress, listed=not lively())
        raise typer.Exit(130) from None
    finally:
        observer.close()
    from accordeur.bench.finished import Run

    if not isinstance(finished, Run):
        return 0  # the plan of a dry run, shown already
    return _show(finished, output)


def _tell_how_to_resume(progress: Progress, *, listed: bool) -> None:
    from accordeur.cli.terminal import console
    from accordeur.cli.watching.lines import finished_line, running

    out = console(stderr=True)
    out.print()
    if progress.plan is None:
        out.print("Stopped before the plan was fixed; nothing is lost. Type the command again.")
        return
    done = progress.finished
    out.print(f"Stopped. {len(done)} of {len(progress.plan.entries)} entries are done.")
    if listed:  # on a terminal the table stands above
        for view in done.values():
            out.print(f"  {finished_line(view)}", soft_wrap=True)
    if progress.entry:
        out.print(f"Half done: {running(progress)}.")
    out.print("\nEverything computed so far is kept. To go on:")
    out.print(f"\n  accordeur run --resume {progress.plan.run}", soft_wrap=True)


def _show(finished: Run, output: Path | None) -> int:
    from accordeur.cli.tables.outcome import show_outcome
    from accordeur.cli.terminal import console, near_path

    out = console()
    show_outcome(out, finished.record)
    report = finished.folder / "report.html"
    problem: AccordeurError | None = None
    try:
        finished.report(report)
    except AccordeurError as error:
        problem = error  # the verdict stands all the same
    written = ""
    if output is not None:
        from accordeur.cli.outputs import write_output

        written = f"{write_output(finished.folder, output)} in {near_path(output)}"
    _show_places(out, finished, None if problem else report, written)
    if problem is not None:
        raise problem
    return 0


def _address(finished: Run) -> str:
    """The flag that leads to the endpoint the winner was measured on, if one was named."""
    from accordeur.bench.options import kept_options
    from accordeur.store.run_folder import RunFolder

    options = kept_options(RunFolder.open(finished.folder)) or {}
    pick = finished.record["decision"]["pick"] or ""
    url = None if pick.startswith("floor:") else options.get("base_url")
    return f" --base-url {url}" if url else ""


def _show_places(out: Any, finished: Run, report: Path | None, written: str) -> None:
    from accordeur.cli.terminal import near_path

    bundle = finished.folder / "winner"
    has_bundle = bundle.is_dir()
    out.print()
    if report is not None:
        out.print(f"report  {near_path(report)}", soft_wrap=True)
    if has_bundle:
        out.print(f"bundle  {near_path(bundle)}", soft_wrap=True)
    label_next = finished.record.get("label_next") or {}
    if written:
        out.print(f"output  {written}", soft_wrap=True)
    if label_next.get("file"):
        out.print(f"label   {near_path(Path(label_next['file']))}", soft_wrap=True)
    out.print("\nnext:")
    if has_bundle:
        asked = f'accordeur answer {near_path(bundle)} "your text"{_address(finished)}'
        out.print(f"  {asked}", soft_wrap=True)
    out.print(f"  accordeur runs show {finished.name}", soft_wrap=True)
    out.print("  accordeur init FOLDER --data YOUR.csv", soft_wrap=True)
