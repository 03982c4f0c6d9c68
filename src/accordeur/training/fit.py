"""From a candidate and train rows to trained candidates: what every trained lever does alike.

Rows are rendered as serving renders them; their targets are shown; three steps forecast time and
memory; then the loop runs, with checkpoints. What cannot work stops this lever with a sentence and
the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import torch

from accordeur.core.candidate import Candidate
from accordeur.core.checkpoints import Checkpoints
from accordeur.core.errors import ModelError
from accordeur.core.fingerprint import digest, seed_for
from accordeur.core.lever import FitContext, Stopped
from accordeur.core.task import Example
from accordeur.training.ground import Ground
from accordeur.training.loop import train
from accordeur.training.memory import PeakWatch, release, resident
from accordeur.training.resume import Keeper
from accordeur.training.rows import TrainingRow
from accordeur.training.schedule import Schedule
from accordeur.training.targets import targets
from accordeur.training.task_rows import task_rows
from accordeur.training.trainee import Recipe, Trainee
from accordeur.training.trial import Forecast, too_little, trial

SLACK = 1.25
"""A forecast this much beyond the time left is believed; a closer one is tried."""

MARGIN = 1.25
"""Over what was still in use after memory was given back."""

_FORECAST = "forecast"


def trained(
    recipe: Recipe,
    candidate: Candidate,
    examples: Sequence[Example],
    context: FitContext,
    schedule: Schedule,
    checks: Sequence[int],
    *,
    member: int = 0,
) -> Iterator[tuple[int, float, Candidate]]:
    """Step, loss and candidate after every check.

    Args:
        recipe: what is trained.
        candidate: what it is trained on top of.
        examples: rows to learn from, each with an answer.
        context: gives the model, the seed, the clock and a place for checkpoints.
        schedule: counts and learning rate.
        checks: rising step numbers.
        member: of an ensemble; each draws its start and its order of rows anew.

    Raises:
        ModelError: the model's weights are not here.
        TaskError: a row that cannot be trained on.
        Stopped: time or memory does not suffice, or the loss became no number.
        StoreError: a checkpoint cannot be written.
    """
    ground = Ground.under(candidate, context)
    seed = seed_for(context.seed, f"member {member}") if member else context.seed
    trainee = recipe.begin(candidate, ground, seed)
    rows = task_rows(trainee.candidate(), examples, context, trainee.ground.chat)
    facts = targets(trainee.ground.chat, rows)
    context.note("targets", facts)
    context.log(f"learns {facts['shown'][0]['trained']!r} after {facts['shown'][0]['masked']!r}")
    checkpoints = context.checkpoints(
        _key(
            context.model.identity,
            seed,
            recipe,
            candidate.fingerprint,
            rows,
            schedule,
            tuple(checks),
        )
    )
    release()
    before = resident(trainee.ground.device)
    expected = _forecast(trainee, rows, schedule, context, checkpoints)
    release()
    most = None if before is None or expected.bytes is None else before + expected.bytes
    keeper = Keeper(checkpoints)
    keeper.find(trainee, checks)
    context.carried(keeper.state.seconds)
    watch, peaks = PeakWatch(trainee.ground.device), list[int]()
    watch.begin()
    try:
        for step, loss in train(
            trainee,
            rows,
            schedule,
            seed=seed,
            checks=checks,
            keeper=keeper,
            on_step=_each_step(context, schedule.steps, trainee.ground.device, most),
        ):
            peaks += [top for top in [watch.end()] if top is not None]
            yield step, loss, trainee.candidate()
            watch.begin()
    except ModelError as error:
        raise Stopped(error.message) from error
    context.note(
        "training",
        {
            "steps": schedule.steps,
            "batch_rows": schedule.batch_rows,
            "learning_rate": schedule.learning_rate,
            "trained": sum(one.master.numel() for one in trainee.moving),
            "positions": expected.positions,
            "losses": keeper.state.losses,
            "forecast": {"seconds": expected.seconds, "bytes": expected.bytes},
            "actual": {"seconds": keeper.state.seconds, "bytes": max(peaks, default=None)},
        },
    )


def _forecast(
    trainee: Trainee,
    rows: Sequence[TrainingRow],
    schedule: Schedule,
    context: FitContext,
    checkpoints: Checkpoints,
) -> Forecast:
    """From three steps, or as an earlier process of this fit measured it.

    Raises:
        Stopped: time or memory will not suffice.
    """
    known = checkpoints.read(_FORECAST)
    if known is not None:
        return Forecast(**known[1])
    context.progress("trial of three steps", 0, 3)
    try:
        found = trial(trainee, rows, schedule, context.seed)
    except ModelError as error:
        raise Stopped(error.message) from error
    context.log(
        f"{schedule.steps} steps are forecast to take {found.seconds:.0f} s"
        + ("" if found.bytes is None else f" and {found.bytes / 2**30:.2f} GiB")
    )
    if not found.fits:
        assert found.bytes is not None
        assert found.free is not None
        raise Stopped(too_little(found.bytes, found.free))
    left = context.budget.left
    if left is not None and found.seconds > SLACK * left:
        raise Stopped(
            f"training is forecast to take {found.seconds:.0f} s; {left:.0f} s are left", cut=True
        )
    checkpoints.write(_FORECAST, {}, asdict(found))
    return found


def _each_step(
    context: FitContext, steps: int, device: torch.device, most: int | None
) -> Callable[[int], None]:
    """After each step: tells how far training is, ends it when the clock has run out.

    Args:
        context: of the fit.
        steps: of the schedule.
        device: where it trains.
        most: bytes that the longest batch was seen to need; what the process holds beyond is given
            back. Doing that after every step would cost short ones more than it is worth, so what
            is in use after all, such as a checkpoint's weights, raises the mark.
    """
    mark = most

    def on_step(taken: int) -> None:
        nonlocal mark
        context.progress("training", taken, steps)
        if mark is not None and (resident(device) or 0) > mark:
            release()
            mark = max(mark, int(MARGIN * (resident(device) or 0)))
        if context.budget.spent and taken < steps:
            raise Stopped(f"the time budget ended after {taken} of {steps} steps", cut=True)

    return on_step


def _key(*parts: object) -> str:
    """Of everything that decides what training computes."""
    return digest([repr(part) for part in parts])
