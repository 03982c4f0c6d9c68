"""Every lever that can be named, present and future, keeps every promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accordeur.core.lever import Lever, Need
from accordeur.core.model import ModelSource
from accordeur.levers import LEVERS
from accordeur.levers.floor import FLOORS
from accordeur.tasks import load_task
from accordeur.testing import check_lever, tiny_model, toy

REGISTERED = [LEVERS.load(name)() for name in LEVERS.names()]
SCRIPTED = [lever for lever in (*REGISTERED, *FLOORS) if Need.WEIGHTS not in lever.needs]
"""A scripted model has no weights to train."""


@pytest.mark.parametrize("lever", SCRIPTED, ids=lambda lever: lever.name)
def test_a_lever_conforms_on_toy_tasks_with_a_scripted_model(lever: Lever) -> None:
    check_lever(lever)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny"), context=512)


@pytest.fixture(scope="session")
def models() -> ModelSource:
    from accordeur.models.source import Models

    return Models(dtype="float32")


# Random weights learn to say a label, not which one: dev cannot be expected to improve.
BRIEFLY = {"steps": 2, "batch_rows": 4, "must_improve": False}
SMALL: dict[str, dict[str, Any]] = {
    "few-shot": {"k": [2, 3], "nearest_k": [2]},
    "full": BRIEFLY,
    "kv-prefix": BRIEFLY,
    "retrieve": {"k": [1], "modes": ["lexical"], "abstain": False},
    "lora": {"rank": 2, **BRIEFLY},
    "soft-prompt": {"tokens": 4, **BRIEFLY},
}
"""Settings that spare the engine work; the defaults are checked above where they can be."""


@pytest.mark.smollm2
@pytest.mark.parametrize("name", LEVERS.names())
def test_a_lever_conforms_with_the_local_engine(
    name: str, models: ModelSource, tiny: Path, tmp_path: Path
) -> None:
    lever = LEVERS.load(name)(**SMALL.get(name, {}))
    write = toy.write_label_task if "labels" in lever.kinds else toy.write_text_task
    if Need.DOCUMENTS in lever.needs:
        write = toy.write_document_task
    check_lever(lever, task=load_task(write(tmp_path)), source=models, model=str(tiny))
