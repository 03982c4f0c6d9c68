"""Levers fitted for real on a toy task, with a scripted model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.core.lever import Lever
from accordeur.core.task import Task
from accordeur.testing import ScriptedModel, ScriptedSource, toy
from accordeur.testing.trial import Workshop

Bring = Callable[..., Workshop]


@pytest.fixture
def bring(tmp_path: Path) -> Bring:
    """`bring(lever, model)`: a place to fit the lever on the toy label task."""
    made: list[Workshop] = []

    def workshop(
        lever: Lever, model: ScriptedModel | None = None, task: Task | None = None
    ) -> Workshop:
        place = tmp_path / str(len(made))
        source = ScriptedSource(model)
        made.append(Workshop(lever, task or toy.label_task(), source, "scripted", place))
        return made[-1]

    return workshop
