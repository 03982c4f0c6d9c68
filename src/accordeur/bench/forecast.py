"""How long a plan will take, and the effort that fits a wall-time budget.

Forecasts count tokens: rows times (row + answers + demonstrations that are not shared), for every
configuration on dev, the single queries of the price, and the held-out rows. The speed they are
divided by is measured once per machine and model and kept beside the model, so the same command
gives the same plan.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from accordeur.bench.screening import SCREEN_LEAST, SCREEN_ROWS
from accordeur.bench.stacks import Stack
from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError
from accordeur.core.fingerprint import digest
from accordeur.core.lever import Forecast, Need
from accordeur.core.model import Capability, Model, Sampling
from accordeur.core.paths import cache_folder
from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.core.task import Task, TaskBrief
from accordeur.measure.cost import QUERIES
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.decoding import Decoding

DEFAULT_EFFORT = 8
"""Configurations a searching lever may score when no budget is given."""
MOST_EFFORT = 16
FLOOR_SECONDS = 1.0
EMBED_SECONDS = 0.01
"""Of a floor, and of embedding one short text; measured on two AVX2 cores."""
WRITTEN = 0.6
"""Share of the tokens allowed that an answer takes."""
ASKING_TOKENS = 40
"""Of the words that ask for search queries."""
LADDER_RUNGS, LADDER_TOKENS = 4, 660
"""Rungs with passages, and tokens of three passages."""
SURVIVES, SURVIVES_SCORING = 0.25, 0.05
"""Share of levers that make the model write its way to an answer of which more than the screened
rows is expected to be worth it; few where labels are scored otherwise. One that survives takes
longer than forecast."""
IDLE = 1.2
"""Wall seconds for a second of every thread on a quiet machine: 1.1 (scoring) to 1.3 (one answer
alone) with two threads. Beside other work the processor's time changes by a tenth or two."""
FEWEST_ROWS = 20
"""Rows per split under which `--limit` is no advice."""
SAFETY = 0.95
"""Share of the budget a plan may be forecast to take. The plans of the record took 0.57 to 0.89 of
their forecast (benchmarks/record); what takes longer is cut by the clock."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second of a model on this machine.

    Attributes:
        prompt: positions computed per second when scoring batches of rows.
        decode: new tokens per second when generating 16 answers at once.
        single: new tokens per second when generating one answer alone.
    """

    prompt: float
    decode: float
    single: float


UNKNOWN_SPEED = Speed(1000.0, 50.0, 20.0)
"""Of what was not measured."""


@dataclass(frozen=True, slots=True)
class RowTokens:
    """Mean tokens of one row: what every prompt repeats, its answers, and a shown row."""

    row: float
    answers: float
    new: float
    shown: float

    @property
    def scored(self) -> bool:
        """Whether answers are scored and not written."""
        return self.new == 0


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows there are."""

    train: int
    dev: int
    held_out: int

    @classmethod
    def of(cls, task: Task, limit: int | None = None) -> Rows:
        """Of a task, at most `limit` per split."""
        counts = len(task.train), len(task.dev), task.held_out.count if task.held_out else 0
        return cls(*(count if limit is None else min(count, limit) for count in counts))

    @property
    def all(self) -> int:
        """Of the three splits."""
        return self.train + self.dev + self.held_out


def measure_speed(model: Model, folder: Path | None = None) -> Speed:
    """The model's speed, from the user's cache or measured in a few seconds.

    The probe scores 16 rows of about 40 tokens behind a shared prefix, and generates 16 tokens. It
    is measured once, so it must not be wrong for good where the machine is busy at that moment:
    there the processor's time counts instead of the clock's.
    """
    place = (folder or cache_folder()) / "speed" / f"{digest(model.identity.to_json())[:24]}.json"
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
        return Speed(*(float(known[name]) for name in Speed.__slots__))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if model.identity.remote:
        from accordeur.bench.endpoint_speed import SpeedProbe

        probe = SpeedProbe(model, _prompts(), place.with_suffix(".part"))
        measured, keep = probe.measure()
        speed = replace(UNKNOWN_SPEED, **measured)
        if not keep:
            return speed
    else:
        speed = _probe(model, _Clock(model.identity.threads if _busy() else 0))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        kept = {name: getattr(speed, name) for name in Speed.__slots__}
        place.write_text(json.dumps(kept), encoding="utf-8")
    except OSError:
        pass  # a cache that cannot be written costs the next run a few seconds
    return speed


def _busy() -> bool:
    """Whether more than half of the processors had work during the last minute."""
    try:
        return os.getloadavg()[0] > 0.5 * (os.cpu_count() or 1)
    except (AttributeError, OSError):  # Windows has no load average
        return False


class _Clock:
    """Seconds of a piece of work.

    Args:
        threads: that share the work on a busy machine: their time counts, with `IDLE` for what one
            of them does alone while the others wait. 0 for the wall clock.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self.start()

    def start(self) -> None:
        """The work begins."""
        self._wall, self._own = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        """Since `start`."""
        wall = time.perf_counter() - self._wall
        if not self._threads:
            return wall
        return min(wall, IDLE * (time.process_time() - self._own) / self._threads)


def _prompts() -> list[Rendered]:
    """Rows of about 40 tokens behind a shared prefix."""
    words = "the parcel that I was promised for monday has still not come and nobody answers "
    return [
        Rendered(
            (
                Message(
                    "user",
                    (
                        Segment("Which team?\n\n", shared=True),
                        Segment(f"{number} {words * 2}", "data", trim=True),
                    ),
                ),
            )
        )
        for number in range(16)
    ]


def _probe(model: Model, clock: _Clock) -> Speed:
    prompts = _prompts()
    prompt, decode, single = UNKNOWN_SPEED.prompt, UNKNOWN_SPEED.decode, UNKNOWN_SPEED.single
    if Capability.SCORE in model.capabilities:
        list(model.score(prompts[:2], ["yes", "no"]))  # first-use costs are not speed
        model.forget()
        clock.start()
        tokens = sum(batch.tokens for batch in model.score(prompts, ["yes", "no"]))
        prompt = max(1.0, tokens / clock.seconds())
    if Capability.GENERATE in model.capabilities:
        decode = _decode_speed(model, prompts, clock)
        single = _decode_speed(model, prompts[:1], clock)
    return Speed(prompt, decode, single)


def _decode_speed(model: Model, prompts: Sequence[Rendered], clock: _Clock) -> float:
    clock.start()
    made = sum(
        result.usage.output_tokens
        for batch in model.generate(prompts, Sampling(max_tokens=16))
        for result in batch.results
    )
    return max(1.0, made / clock.seconds())


def row_tokens(task: Task, base: Candidate, model: Model, prompting: Prompting) -> RowTokens:
    """Token counts of the task's rows, from at most 50 of them."""
    rows = task.dev[:50]
    rendered = prompting.render([Request.from_example(row) for row in rows])
    counts = [model.prompt_tokens(one) for one in rendered]
    row = statistics.fmean(total - shared for total, shared in counts)
    decoding = base.part(Decoding)
    if decoding is not None and decoding.mode == "score":
        answers = float(sum(model.count_tokens(label.text) for label in task.labels))
        new = 0.0
    else:
        answers = 0.0
        new = float(decoding.max_tokens if decoding else 64) * WRITTEN
    shown_rows = task.train[:50] or task.dev[:50]
    shown = statistics.fmean(
        model.count_tokens(one.text) + model.count_tokens((one.expected or ("",))[0]) + 10
        for one in shown_rows
    )
    return RowTokens(row, answers, new, shown)


def plan_seconds(
    stacks: Sequence[Stack],
    task: Task,
    tokens: RowTokens,
    speed: Speed,
    effort: int,
    *,
    screening: bool = True,
    rows: Rows | None = None,
) -> dict[str, float]:
    """Forecast seconds per entry: dev, single queries, held-out.

    What an earlier entry computed is not counted again: a stack whose lower levers stand alone
    before it refits them from known answers, and calibration asks no new prompts. A stack on a
    lever that screening is expected to stop is stopped with it.
    """
    seconds: dict[str, float] = {}
    computed: dict[str, float] = {}
    rows = rows or Rows.of(task)
    survives = 1.0
    if screening and rows.dev >= SCREEN_LEAST:
        survives = SURVIVES_SCORING if tokens.scored else SURVIVES
    for stack in stacks:
        if stack.floor:
            seconds[stack.name] = _floor_seconds(stack, rows)
        else:
            seconds[stack.name] = _stack_seconds(
                stack, task.brief, rows, tokens, speed, effort, computed, survives
            )
    return seconds


def _stack_seconds(
    stack: Stack,
    task: TaskBrief,
    rows: Rows,
    tokens: RowTokens,
    speed: Speed,
    effort: int,
    computed: dict[str, float],
    survives: float,
) -> float:
    """Seconds of one stack; adds what it computes to `computed`.

    Args:
        computed: chain of levers -> the share of rows behind screening it was counted with.
        survives: share of what follows screening that is counted, where the model writes its way
            to an answer. Nothing is screened before the last lever that trains is done.
    """
    total, shown, new_prompts = 0.0, 0, False
    reached = 1.0  # chance that screening lets pass what came so far
    last = Forecast()
    names: list[str] = []
    trained = [at for at, lever in enumerate(stack.levers) if Need.WEIGHTS in lever.needs]
    for position, lever in enumerate(stack.levers):
        names.append(lever.name)
        chain = "+".join(names)
        passing = 1.0 if trained and position <= trained[-1] else survives
        works = lever.forecast(task, rows.train, effort)
        shown = max([shown, *(work.shown_per_row for work in works)])
        new_prompts = any(work.new_prompts for work in works)
        beneath_it, last = last, _written(works, last)
        before = computed.get(chain)
        for place, work in enumerate(one for one in works if one.uses_model):
            asked = _as_answered(work, shown, beneath_it)
            if before is None:
                learned = _prompt_tokens(asked, tokens) + _new_tokens(asked, tokens)
                total += reached * work.train_rows * learned / speed.prompt
            passes = min(reached, _share(asked, passing))
            if work.new_prompts:
                # The first configuration passes through screening.
                sure = min(rows.dev, SCREEN_ROWS) if place == 0 else 0
                count = reached * sure + passes * (rows.dev - sure)
                if before is not None:  # only what screening was expected to spare
                    count = max(0.0, passes - _share(asked, before)) * (rows.dev - sure)
                total += count * _row_seconds(asked, tokens, speed)
        computed[chain] = max(passing, before or 0.0)
        if works:
            reached = min(reached, _share(last, passing))
    beneath = "+".join(names[:-1]) or "as-is"
    last = replace(last, shown_per_row=shown)
    if new_prompts or beneath not in computed:
        total += reached * rows.held_out * _row_seconds(last, tokens, speed)
    return total + reached * QUERIES * _single_seconds(last, tokens, speed)


def ladder_seconds(task: Task, tokens: RowTokens, speed: Speed) -> float:
    """Of the oracle ladder (`bench.ladder`): the rungs that no entry answers on the way.

    Those are all that show passages, less the real retriever where `retrieve` is pulled; counted
    whole, for it may not be.
    """
    rows = sum(bool(row.spans and row.expected) for row in task.dev)
    return LADDER_RUNGS * rows * _row_seconds(Forecast(read_tokens=LADDER_TOKENS), tokens, speed)


def _share(work: Forecast, survives: float) -> float:
    """Only where the model writes its way to an answer is screening expected to stop a lever."""
    return 1.0 if work.new_tokens is None and work.samples == 1 else survives


def _floor_seconds(stack: Stack, rows: Rows) -> float:
    embeds = any(Need.EMBEDDINGS in lever.needs for lever in stack.levers)
    return FLOOR_SECONDS + (EMBED_SECONDS * rows.all if embeds else 0.0)


def _written(works: Sequence[Forecast], before: Forecast) -> Forecast:
    """The longest way of answering that a lever leaves behind; the one before if it adds none."""
    longest = max(works, key=lambda work: (work.new_tokens or 0, work.samples), default=before)
    return _as_answered(longest, longest.shown_per_row, before)


def _as_answered(work: Forecast, shown: int, beneath: Forecast) -> Forecast:
    """A configuration with demonstrations, passages, calls and samples of the levers beneath."""
    work = replace(work, shown_per_row=max(shown, work.shown_per_row))
    work = replace(work, read_tokens=max(work.read_tokens, beneath.read_tokens))
    work = replace(work, query_tokens=max(work.query_tokens, beneath.query_tokens))
    work = replace(work, samples=work.samples * beneath.samples)
    if work.new_tokens is None:
        return replace(work, calls=beneath.calls, new_tokens=beneath.new_tokens)
    return work


def _row_seconds(work: Forecast, tokens: RowTokens, speed: Speed) -> float:
    return _prompt_tokens(work, tokens) / speed.prompt + _new_tokens(work, tokens) / speed.decode


def _single_seconds(work: Forecast, tokens: RowTokens, speed: Speed) -> float:
    # A short prompt alone runs at about half the speed of a batch.
    prompt = 2.0 * _prompt_tokens(work, tokens)
    return prompt / speed.prompt + _new_tokens(work, tokens) / speed.single


def _prompt_tokens(work: Forecast, tokens: RowTokens) -> float:
    """Positions read: the row in every call, and what was written so far when it is read again."""
    answers = tokens.answers if work.new_tokens is None else 0.0
    again = (work.calls - 1) / 2 * (work.new_tokens or 0)
    row = tokens.row + work.read_tokens
    one = work.calls * row + answers + work.shown_per_row * tokens.shown + again
    queries = tokens.row + ASKING_TOKENS if work.query_tokens else 0.0  # once, however many samples
    return work.samples * one + queries


def _new_tokens(work: Forecast, tokens: RowTokens) -> float:
    one = tokens.new if work.new_tokens is None else WRITTEN * work.new_tokens
    return work.samples * one + WRITTEN * work.query_tokens


def choose_effort(
    stacks: Sequence[Stack],
    task: Task,
    tokens: RowTokens,
    speed: Speed,
    budget: float | None,
    *,
    overhead: float,
    screening: bool = True,
) -> int:
    """The largest effort whose forecast fits the budget.

    Args:
        overhead: seconds already spent or certain to be, such as loading and checks.

    Raises:
        PlanError: even an effort of 1 does not fit.
    """
    if budget is None:
        return DEFAULT_EFFORT
    for effort in range(MOST_EFFORT, 0, -1):
        forecast = plan_seconds(stacks, task, tokens, speed, effort, screening=screening)
        wanted = overhead + sum(forecast.values())
        if wanted <= SAFETY * budget:
            return effort
    forecast = plan_seconds(stacks, task, tokens, speed, 1, screening=screening)
    smallest = overhead + sum(forecast.values())
    hint = f"--budget {math.ceil(smallest / SAFETY / 60)}m"
    for limit in range(len(task.dev) - 1, FEWEST_ROWS - 1, -max(1, len(task.dev) // 100)):
        few = Rows.of(task, limit)
        seconds = plan_seconds(stacks, task, tokens, speed, 1, screening=screening, rows=few)
        if overhead + sum(seconds.values()) <= SAFETY * budget:
            hint += f", or --limit {limit}"
            break
    raise PlanError(
        f"The smallest plan needs about {smallest:.0f} s; the budget is {budget:.0f} s.", hint=hint
    )
