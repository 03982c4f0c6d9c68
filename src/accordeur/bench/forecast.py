"""How long a plan will take, and the effort that fits a wall-time budget.

Forecasts count tokens: rows times (row + answers + demonstrations that are not shared), for every
configuration on dev, the single queries of the price, and the held-out rows. The speed they are
divided by is measured once per machine and model and kept beside the model, so the same command
gives the same plan.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accordeur.bench.stacks import Stack
from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError
from accordeur.core.fingerprint import digest
from accordeur.core.lever import Need
from accordeur.core.model import Capability, Model, Sampling
from accordeur.core.paths import cache_folder
from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.core.task import Task
from accordeur.measure.cost import QUERIES
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.decoding import Decoding

DEFAULT_EFFORT = 8
"""Configurations a searching lever may score when no budget is given."""
MOST_EFFORT = 16
FLOOR_SECONDS = 1.0
EMBED_SECONDS = 0.01
"""Of a floor, and of embedding one short text; measured on two AVX2 cores."""
FEWEST_ROWS = 20
"""Rows per split under which `--limit` is no advice."""
SAFETY = 0.85
"""Share of the budget a plan may be forecast to take."""


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


@dataclass(frozen=True, slots=True)
class RowTokens:
    """Mean tokens of one row: what every prompt repeats, its answers, and a shown row."""

    row: float
    answers: float
    new: float
    shown: float


def measure_speed(model: Model, folder: Path | None = None) -> Speed:
    """The model's speed, from the user's cache or measured in a few seconds.

    The probe scores 16 rows of about 40 tokens behind a shared prefix, and generates 16 tokens.
    """
    place = (folder or cache_folder()) / "speed" / f"{digest(model.identity.to_json())[:24]}.json"
    try:
        known = json.loads(place.read_text(encoding="utf-8"))
        return Speed(*(float(known[name]) for name in Speed.__slots__))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    speed = _probe(model)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        kept = {name: getattr(speed, name) for name in Speed.__slots__}
        place.write_text(json.dumps(kept), encoding="utf-8")
    except OSError:
        pass  # a cache that cannot be written costs the next run a few seconds
    return speed


def _probe(model: Model) -> Speed:
    words = "the parcel that I was promised for monday has still not come and nobody answers "
    prompts = [
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
    prompt, decode, single = 1000.0, 50.0, 20.0
    if Capability.SCORE in model.capabilities:
        list(model.score(prompts[:2], ["yes", "no"]))  # first-use costs are not speed
        model.forget()
        started = time.perf_counter()
        tokens = sum(batch.tokens for batch in model.score(prompts, ["yes", "no"]))
        prompt = max(1.0, tokens / (time.perf_counter() - started))
    if Capability.GENERATE in model.capabilities:
        decode, single = _decode_speed(model, prompts), _decode_speed(model, prompts[:1])
    return Speed(prompt, decode, single)


def _decode_speed(model: Model, prompts: Sequence[Rendered]) -> float:
    started = time.perf_counter()
    made = sum(
        result.usage.output_tokens
        for batch in model.generate(prompts, Sampling(max_tokens=16))
        for result in batch.results
    )
    return max(1.0, made / (time.perf_counter() - started))


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
        new = float(decoding.max_tokens if decoding else 64) * 0.6
    shown_rows = task.train[:50] or task.dev[:50]
    shown = statistics.fmean(
        model.count_tokens(one.text) + model.count_tokens((one.expected or ("",))[0]) + 10
        for one in shown_rows
    )
    return RowTokens(row, answers, new, shown)


def plan_seconds(
    stacks: Sequence[Stack], task: Task, tokens: RowTokens, speed: Speed, effort: int
) -> dict[str, float]:
    """Forecast seconds per entry: dev, single queries, held-out.

    What an earlier entry computed is not counted again: a stack whose lower levers stand alone
    before it refits them from known answers, and calibration asks no new prompts.
    """
    seconds: dict[str, float] = {}
    computed: set[str] = set()
    for stack in stacks:
        if stack.floor:
            seconds[stack.name] = _floor_seconds(stack, task)
            continue
        seconds[stack.name] = _stack_seconds(stack, task, tokens, speed, effort, computed)
    return seconds


def _stack_seconds(
    stack: Stack,
    task: Task,
    tokens: RowTokens,
    speed: Speed,
    effort: int,
    computed: set[str],
) -> float:
    """Seconds of one stack; adds what it computes to `computed`."""
    total, shown, new_prompts = 0.0, 0, False
    names: list[str] = []
    for lever in stack.levers:
        names.append(lever.name)
        chain = "+".join(names)
        works = lever.forecast(task.brief, len(task.train), effort)
        shown = max([shown, *(work.shown_per_row for work in works)])
        new_prompts = any(work.new_prompts for work in works)
        if chain not in computed:
            total += sum(
                (work.train_rows + (len(task.dev) if work.new_prompts else 0))
                * _row_seconds(max(shown, work.shown_per_row), tokens, speed)
                for work in works
                if work.uses_model
            )
        computed.add(chain)
    beneath = "+".join(names[:-1]) or "as-is"
    held_out = task.held_out.count if task.held_out else 0
    if new_prompts or beneath not in computed:
        total += held_out * _row_seconds(shown, tokens, speed)
    return total + QUERIES * _single_seconds(shown, tokens, speed)


def _floor_seconds(stack: Stack, task: Task) -> float:
    embeds = any(Need.EMBEDDINGS in lever.needs for lever in stack.levers)
    held_out = task.held_out.count if task.held_out else 0
    rows = len(task.train) + len(task.dev) + held_out
    return FLOOR_SECONDS + (EMBED_SECONDS * rows if embeds else 0.0)


def _row_seconds(shown: int, tokens: RowTokens, speed: Speed) -> float:
    prompt = tokens.row + tokens.answers + shown * tokens.shown
    return prompt / speed.prompt + tokens.new / speed.decode


def _single_seconds(shown: int, tokens: RowTokens, speed: Speed) -> float:
    # A short prompt alone runs at about half the speed of a batch.
    prompt = tokens.row + tokens.answers + shown * tokens.shown
    return 2.0 * prompt / speed.prompt + tokens.new / speed.single


def choose_effort(
    stacks: Sequence[Stack],
    task: Task,
    tokens: RowTokens,
    speed: Speed,
    budget: float | None,
    *,
    overhead: float,
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
        wanted = overhead + sum(plan_seconds(stacks, task, tokens, speed, effort).values())
        if wanted <= SAFETY * budget:
            return effort
    smallest = overhead + sum(plan_seconds(stacks, task, tokens, speed, 1).values())
    hint = f"--budget {math.ceil(smallest / SAFETY / 60)}m"
    rows = int(len(task.dev) * (SAFETY * budget - overhead) / (smallest - overhead))
    if rows >= FEWEST_ROWS:
        hint += f", or --limit {rows}"
    raise PlanError(
        f"The smallest plan needs about {smallest:.0f} s; the budget is {budget:.0f} s.", hint=hint
    )
