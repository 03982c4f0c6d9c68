"""The forecast: three steps that change nothing, and what is said when it will not do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.conftest import rows_of

from accordeur.core.candidate import Candidate
from accordeur.training.gradient import positions
from accordeur.training.ground import Ground
from accordeur.training.lora import LowRank
from accordeur.training.memory import PeakWatch, available
from accordeur.training.schedule import Schedule, batches
from accordeur.training.trial import Forecast, _line, state_bytes, too_little, trial


def test_nothing_has_moved_and_all_positions_are_counted(
    candidate: Candidate, ground: Ground
) -> None:
    trainee = LowRank(2, 4.0).begin(candidate, ground, 0)
    rows = rows_of(trainee)
    before = trainee.candidate().fingerprint
    schedule = Schedule(7, 4, 0.01)
    found = trial(trainee, rows, schedule, seed=3)
    assert trainee.candidate().fingerprint == before
    assert all(one.master.grad is None for one in trainee.moving)
    assert found.positions == sum(positions(batch) for batch in batches(rows, schedule, 3))
    assert found.seconds > 0
    assert found.bytes is None or found.bytes >= state_bytes(trainee)
    assert found.fits


def test_seconds_follow_a_line_over_positions() -> None:
    assert _line([(10, 1.0), (20, 2.0), (30, 3.0)], [10, 40]) == pytest.approx(5.0)
    assert _line([(10, 2.0), (20, 3.0), (30, 4.0)], [0, 10]) == pytest.approx(3.0)
    assert _line([(10, 2.0), (10, 4.0), (10, 3.0)], [10, 10]) == pytest.approx(6.0)
    assert _line([(10, 4.0), (20, 3.0), (30, 2.0)], [100]) == pytest.approx(3.0)
    assert _line([(10, 0.5), (20, 2.0), (30, 3.5)], [1]) > 0


def test_memory_that_will_not_suffice_is_told() -> None:
    gigabyte = 2**30
    assert Forecast(1.0, 3 * gigabyte, 4 * gigabyte, 1).fits
    assert not Forecast(1.0, 4 * gigabyte, 4 * gigabyte, 1).fits
    assert Forecast(1.0, None, 4 * gigabyte, 1).fits
    assert too_little(5 * gigabyte, gigabyte) == (
        "training needs about 5.0 GiB of memory; 1.0 are free"
    )


def test_the_peak_is_what_was_held_at_once() -> None:
    cpu = torch.device("cpu")
    watch = PeakWatch(cpu)
    watch.begin()
    held = np.ones(25_000_000)  # 200 MB
    del held
    top = watch.end()
    if top is None:
        pytest.skip("this system does not tell")
    assert 150e6 < top < 400e6
    assert (available(cpu) or 0) > 0
