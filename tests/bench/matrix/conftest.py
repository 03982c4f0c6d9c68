"""Evaluations in folders of their own, by models that say what they are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.matrix.evaluate import Evaluated, Options, Watcher, evaluate
from accordeur.testing.scripted import Answers, ScriptedModel, ScriptedSource

Evaluate = Callable[..., Evaluated]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EVALS", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"ACCORDEUR_{name}", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Evaluate:
    """`run(config text, answers, option=...)`: an evaluation by a scripted model."""

    def evaluated(
        text: str, answers: Answers = "I see.", watcher: Watcher | None = None, **options: Any
    ) -> Evaluated:
        config = tmp_path / "config.yaml"
        config.write_text(text, encoding="utf-8")
        options.setdefault("source", ScriptedSource(ScriptedModel(answers=answers)))
        return evaluate(config, Options(**options), watcher)

    return evaluated
