"""How long a plan will take, and the effort that fits a wall-time budget.

Forecasts count tokens: rows times (row + answers + demonstrations that are not shared), for every
configuration on dev, the single queries of the price, and the held-out rows. The speed they are
divided by is measured once per machine and model and kept beside the model, so the same command
gives the same plan.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accordeur.bench.stacks import Stack
from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError
from accordeur.core.fingerprint import digest
from accordeur.core.lever import Forecast
from accordeur.core.model import Capability, Model
from accordeur.core.paths import cache_folder
from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.core.task import Task
from accordeur.measure.cost import QUERIES
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.decoding import Decoding

DEFAULT_EFFORT = 8
"""Configurations a searching lever may score when no budget is given."""
MOST_EFFORT = 16
SAFETY = 0.85
"""Share of the budget a plan may be forecast to take."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second of a model on this machine.

    Attributes:
        prompt: positions computed per second when scoring batches of rows.
        decode: new tokens per second when generating in batches.
        single: seconds one short query takes alone, beyond its tokens' share.
    """

    prompt: float
    decode: float


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
        return Speed(float(known["prompt"]), float(known["decode"]))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    speed = _probe(model)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(
            json.dumps({"prompt": speed.prompt, "decode": speed.decode}), encoding="utf-8"
        )
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
    prompt, decode = 1000.0, 50.0
    if Capability.SCORE in model.capabilities:
        list(model.score(prompts[:2], ["yes", "no"]))  # first-use costs are not speed
        model.forget()
        started = time.perf_counter()
        tokens = sum(batch.tokens for batch in model.score(prompts, ["yes", "no"]))
        prompt = max(1.0, tokens / (time.perf_counter() - started))
    if Capability.GENERATE in model.capabilities:
        from accordeur.core.model import Sampling

        started = time.perf_counter()
        made = sum(
            result.usage.output_tokens
            for batch in model.generate(prompts, Sampling(max_tokens=16))
            for result in batch.results
        )
        decode = max(1.0, made / (time.perf_counter() - started))
    return Speed(prompt, decode)


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


def entry_seconds(stack: Stack, task: Task, tokens: RowTokens, speed: Speed, effort: int) -> float:
    """Forecast seconds of one entry: dev, single queries, held-out."""
    if stack.floor:
        return 1.0
    train = len(task.train)
    forecasts = [one for lever in stack.levers for one in lever.forecast(task.brief, train, effort)]
    dev = sum(
        (len(task.dev) if one.new_prompts else 0) * _row_seconds(one, tokens, speed)
        + one.train_rows * _row_seconds(one, tokens, speed)
        for one in forecasts
        if one.uses_model
    )
    dearest = max(forecasts, key=lambda one: one.shown_per_row, default=Forecast())
    final = _row_seconds(dearest, tokens, speed)
    test = task.held_out.count if task.held_out else 0
    return dev + final * (test + 2.0 * QUERIES)


def _row_seconds(work: Forecast, tokens: RowTokens, speed: Speed) -> float:
    prompt = tokens.row + tokens.answers + work.shown_per_row * tokens.shown
    return prompt / speed.prompt + tokens.new / speed.decode


def plan_seconds(
    stacks: Sequence[Stack], task: Task, tokens: RowTokens, speed: Speed, effort: int
) -> dict[str, float]:
    """Forecast seconds per entry; what an earlier entry already computed is not counted again."""
    seconds: dict[str, float] = {}
    for stack in stacks:
        alone = entry_seconds(stack, task, tokens, speed, effort)
        beneath = ["+".join(stack.name.split("+")[:i]) for i in range(1, len(stack.levers))]
        spared = max(
            (
                _dev_seconds(name, stacks, task, tokens, speed, effort)
                for name in (*beneath, "as-is")
                if name != stack.name
            ),
            default=0.0,
        )
        seconds[stack.name] = max(1.0, alone - (spared if beneath else 0.0))
    return seconds


def _dev_seconds(
    name: str,
    stacks: Sequence[Stack],
    task: Task,
    tokens: RowTokens,
    speed: Speed,
    effort: int,
) -> float:
    for stack in stacks:
        if stack.name == name and not stack.floor:
            final = entry_seconds(stack, task, tokens, speed, effort)
            return final
    return 0.0


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
    rows = max(20, int(len(task.dev) * SAFETY * budget / smallest))
    raise PlanError(
        f"The smallest plan needs about {smallest:.0f} s; the budget is {budget:.0f} s.",
        hint=f"--budget {smallest / SAFETY / 60 + 0.5:.0f}m, or --limit {rows}",
    )
