"""What is done, what is left, and for how long."""

from __future__ import annotations

from accordeur.bench.observer import EntryView
from accordeur.cli.watching.progress import Progress

from ..scripted_run import BAYES, LOGISTIC, PLAN, STOPPED


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def begun() -> tuple[Progress, Clock]:
    clock = Clock()
    progress = Progress(clock)
    progress.fix(PLAN)
    progress.enter("levers")
    return progress, clock


def test_nothing_is_known_before_the_plan() -> None:
    assert Progress().left is None
    assert Progress().waiting == ()


def test_at_first_the_forecast_is_what_is_left() -> None:
    progress, _ = begun()
    assert progress.left == PLAN.seconds


def test_time_goes_down_while_an_entry_works() -> None:
    progress, clock = begun()
    progress.finish(BAYES)
    progress.finish(LOGISTIC)
    before = progress.left
    clock.now += 10
    assert before is not None
    assert progress.left is not None
    assert 9.9 < before - progress.left < 10.1


def test_an_entry_slower_than_forecast_makes_the_rest_longer() -> None:
    progress, clock = begun()
    clock.now += 80
    for view in (BAYES, LOGISTIC, STOPPED):
        progress.finish(view)
    rest = PLAN.seconds - 25.0
    assert progress.pace > 2
    assert progress.left is not None
    assert progress.left > 2 * rest


def test_an_entry_from_an_earlier_run_says_nothing_about_the_pace() -> None:
    progress, clock = begun()
    clock.now += 0.01
    progress.finish(LOGISTIC)
    assert LOGISTIC.reused
    assert progress.pace == 1


def test_an_entry_that_takes_longer_than_forecast_never_makes_time_negative() -> None:
    progress, clock = begun()
    for planned in PLAN.entries[:-1]:
        progress.finish(EntryView(planned.name, planned.title, "finished"))
    clock.now += 10_000
    assert progress.left is not None
    assert progress.left >= 0


def test_what_runs_is_first_among_what_waits() -> None:
    progress, _ = begun()
    progress.finish(BAYES)
    assert progress.waiting[0].name == "floor:embedding-logistic"
