"""A training that was killed goes on where it was, and ends with the same weights."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.training.conftest import Context, rows_of

from accordeur.core.candidate import Candidate
from accordeur.core.errors import StoreError
from accordeur.models.local.model import LocalModel
from accordeur.store.checkpoints import CheckpointFolder
from accordeur.store.durable import TEMPORARY_SUFFIX
from accordeur.training import gradient
from accordeur.training.full import AllWeights
from accordeur.training.ground import Ground
from accordeur.training.key_values import PrefixTuning
from accordeur.training.loop import train
from accordeur.training.lora import LowRank
from accordeur.training.resume import Keeper
from accordeur.training.schedule import Schedule
from accordeur.training.soft_prompt import PromptTuning
from accordeur.training.trainee import Recipe

RECIPES: dict[str, Recipe] = {
    "soft-prompt": PromptTuning("replace", 64),
    "kv-prefix": PrefixTuning(),
    "lora": LowRank(2, 4.0),
    "dora": LowRank(2, 4.0, dora=True),
    "full": AllWeights(),
}
SCHEDULE = Schedule(12, 4, 0.003)
CHECKS = (4, 8, 12)

Found = list[tuple[int, float, str]]


class Killed(Exception):
    pass


def fit(
    name: str,
    candidate: Candidate,
    tiny: LocalModel,
    folder: Path,
    *,
    schedule: Schedule = SCHEDULE,
    checks: tuple[int, ...] = CHECKS,
    on_step: Callable[[int], object] = lambda _: None,
) -> Found:
    """Everything from loading on, as a process that was just started does it; saves every step."""
    ground = Ground.under(candidate, Context(tiny))  # type: ignore[arg-type]
    trainee = RECIPES[name].begin(candidate, ground, 7)
    keeper = Keeper(CheckpointFolder(folder), every=0.0)
    keeper.find(trainee, checks)
    found = train(
        trainee, rows_of(trainee), schedule, seed=1, checks=checks, keeper=keeper, on_step=on_step
    )
    return [(step, loss, trainee.candidate().fingerprint) for step, loss in found]


def stopping_at(last: int) -> Callable[[int], None]:
    def on_step(step: int) -> None:
        if step == last:
            raise Killed

    return on_step


@pytest.mark.parametrize("name", RECIPES)
def test_it_ends_with_the_same_weights_wherever_it_was_stopped(
    name: str, candidate: Candidate, tiny: LocalModel, tmp_path: Path
) -> None:
    whole = fit(name, candidate, tiny, tmp_path / "whole")
    assert [step for step, _, _ in whole] == list(CHECKS)
    for last in (1, 8):
        with pytest.raises(Killed):
            fit(name, candidate, tiny, tmp_path / "cut", on_step=stopping_at(last))
    assert fit(name, candidate, tiny, tmp_path / "cut") == whole


@pytest.mark.parametrize("name", ["lora", "full"])
def test_so_does_one_whose_batches_are_taken_in_parts(
    name: str,
    candidate: Candidate,
    tiny: LocalModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = fit(name, candidate, tiny, tmp_path / "at once")
    monkeypatch.setitem(gradient.MOST_POSITIONS, "cpu", 1)
    parts = fit(name, candidate, tiny, tmp_path / "whole")
    assert [loss for _, loss, _ in parts] == pytest.approx([loss for _, loss, _ in whole], rel=1e-3)
    with pytest.raises(Killed):
        fit(name, candidate, tiny, tmp_path / "cut", on_step=stopping_at(5))
    assert fit(name, candidate, tiny, tmp_path / "cut") == parts


def test_a_damaged_checkpoint_is_passed_over(
    candidate: Candidate, tiny: LocalModel, tmp_path: Path
) -> None:
    whole = fit("lora", candidate, tiny, tmp_path / "whole")
    for damage in ("state-0000006.safetensors", "state-0000006.json", "check-0000004.safetensors"):
        place = tmp_path / damage
        with pytest.raises(Killed):
            fit("lora", candidate, tiny, place, on_step=stopping_at(6))
        assert sorted(path.name for path in place.glob("state-*")) == [
            f"state-000000{step}.{kind}" for step in (5, 6) for kind in ("json", "safetensors")
        ]
        data = bytearray((place / damage).read_bytes())
        data[len(data) // 2] ^= 1
        (place / damage).write_bytes(data)
        taken: list[int] = []
        assert fit("lora", candidate, tiny, place, on_step=taken.append) == whole
        assert taken[0] == (1 if damage.startswith("check") else 6)


def test_checkpoints_of_another_shape_are_passed_over(
    candidate: Candidate, tiny: LocalModel, tmp_path: Path
) -> None:
    fit("lora", candidate, tiny, tmp_path)
    taken: list[int] = []
    fit("soft-prompt", candidate, tiny, tmp_path, on_step=taken.append)
    assert taken[0] == 1


def test_a_full_disk_leaves_the_checkpoint_before_it(
    candidate: Candidate, tiny: LocalModel, tmp_path: Path
) -> None:
    whole = fit("lora", candidate, tiny, tmp_path / "whole")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(step: int) -> None:
        if step == 5:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))

    try:
        with pytest.raises(StoreError, match="could not be written"):
            fit("lora", candidate, tiny, tmp_path / "cut", on_step=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    names = [path.name for path in (tmp_path / "cut").iterdir()]
    assert "state-0000005.json" in names
    assert "state-0000006.json" not in names
    assert not any(name.endswith(TEMPORARY_SUFFIX) for name in names)
    taken: list[int] = []
    assert fit("lora", candidate, tiny, tmp_path / "cut", on_step=taken.append) == whole
    assert taken[0] == 6


KILLS = 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, for speed")
def test_killed_twenty_times_at_random_moments_it_ends_with_the_same_weights(
    candidate: Candidate, tiny: LocalModel, tmp_path: Path
) -> None:
    schedule, checks = Schedule(60, 4, 0.003), (20, 40, 60)
    name = "soft-prompt"
    whole = fit(name, candidate, tiny, tmp_path / "whole", schedule=schedule, checks=checks)
    draws = random.Random(5)
    place = tmp_path / "cut"
    reached: list[int] = []
    for _ in range(KILLS):
        begun, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(begun)
            try:
                fit(
                    name,
                    candidate,
                    tiny,
                    place,
                    schedule=schedule,
                    checks=checks,
                    on_step=lambda step: os.write(write, b"."),  # noqa: B023
                )
            finally:
                os._exit(0)
        os.close(write)
        os.read(begun, 1)  # the first step of this process is done
        time.sleep(draws.uniform(0.0, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(begun)
        steps = [int(path.stem.rpartition("-")[2]) for path in place.glob("state-*.json")]
        reached.append(max(steps, default=0))
    assert reached == sorted(reached)
    assert len(set(reached)) > 5, "kills came while it went on"
    assert fit(name, candidate, tiny, place, schedule=schedule, checks=checks) == whole
