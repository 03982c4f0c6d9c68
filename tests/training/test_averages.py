"""What a check shows is the average of the last steps; what trains is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.training.conftest import Context, rows_of

from accordeur.core.candidate import Candidate
from accordeur.models.local.model import LocalModel
from accordeur.training.averages import WINDOW, Averages
from accordeur.training.ground import Ground
from accordeur.training.loop import train
from accordeur.training.lora import LowRank
from accordeur.training.schedule import Schedule
from accordeur.training.trainee import Moving


class OneNumber:
    """A trainee of which only the masters matter here."""

    def __init__(self) -> None:
        self.moving: Sequence[Moving] = (Moving("x", torch.zeros(1)),)
        self.spreads = 0

    def spread(self) -> None:
        self.spreads += 1


def follow(values: Sequence[float], steps: int) -> tuple[OneNumber, Averages]:
    trainee = OneNumber()
    averages = Averages(trainee, steps)  # type: ignore[arg-type]
    for value in values:
        trainee.moving[0].master.fill_(value)
        averages.add()
    return trainee, averages


@given(st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=30), st.integers(1, 60))
def test_it_is_the_mean_of_the_first_steps_and_then_forgets(
    values: list[float], steps: int
) -> None:
    _, averages = follow(values, steps)
    expected = 0.0
    for count, value in enumerate(values, start=1):
        weight = max(1 / max(1.0, steps * WINDOW), 1 / count)
        expected += weight * (value - expected)
    np.testing.assert_allclose(averages.arrays()["x"], [expected], atol=1e-4)


def test_the_masters_come_back_whatever_happens() -> None:
    trainee, averages = follow([1.0, 3.0], 600)
    master = trainee.moving[0].master

    def fail() -> None:
        with averages.in_place():
            assert master.item() == 2.0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert master.item() == 3.0
    assert trainee.spreads == 2


def test_nothing_was_averaged_before_the_first_step() -> None:
    trainee, averages = follow([], 600)
    with averages.in_place():
        assert trainee.moving[0].master.item() == 0.0


def test_averaging_does_not_change_what_trains(candidate: Candidate, tiny: LocalModel) -> None:
    seen: dict[bool, tuple[list[float], np.ndarray]] = {}
    for average in (False, True):
        ground = Ground.under(candidate, Context(tiny))  # type: ignore[arg-type]
        trainee = LowRank(4, 8.0).begin(candidate, ground, 5)
        schedule = Schedule(12, 4, 0.01, average=average)
        found = train(trainee, rows_of(trainee), schedule, seed=0, checks=(3, 12))
        losses = [loss for _, loss in found]
        end = np.concatenate([one.master.detach().numpy().ravel() for one in trainee.moving])
        seen[average] = losses, end
    assert seen[True][0] == seen[False][0]
    np.testing.assert_array_equal(seen[True][1], seen[False][1])
