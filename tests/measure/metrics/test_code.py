from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from accordeur.core.answer import Status
from accordeur.core.errors import CodeNotAllowed, PlanError, TaskError
from accordeur.measure.metrics import load_metric

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = """
from dataclasses import dataclass
import pathlib

pathlib.Path(__file__).with_suffix(".ran").touch()


@dataclass
class Scale:
    top: float = 4.0


def prefix(answer, expected):
    return any(text.startswith(answer) for text in expected)


def quarter(answer: str, expected: list[str]) -> float:
    return len(answer) / Scale().top


def broken(answer, expected):
    return 1 / 0


def lonely(answer):
    return 1.0


def word(answer, expected):
    return "good"


def nothing(answer, expected):
    return float("nan")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "metrics.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_code_is_not_touched_without_leave(folder: Path) -> None:
    with pytest.raises(CodeNotAllowed, match=r"`metrics\.py:prefix`") as caught:
        load_metric("metrics.py:prefix", folder=folder)
    assert "--allow-code" in caught.value.hint
    assert not (folder / "metrics.ran").exists()


def test_a_function_of_a_file_scores(folder: Path, score: Callable[..., float]) -> None:
    prefix = load_metric("metrics.py:prefix", allow_code=True, folder=folder)
    assert score(prefix, "Par", "Rome", "Paris") == 1.0
    assert score(prefix, "Lon", "Rome", "Paris") == 0.0
    quarter = load_metric("metrics.py:quarter", allow_code=True, folder=folder)
    assert score(quarter, "abc", "x") == 0.75
    assert score(quarter, "abc", "x", status=Status.TRUNCATED) == 0.75
    assert score(quarter, "abc", "x", status=Status.REFUSAL) == 0.0


def test_a_function_of_an_importable_module_scores(
    folder: Path, score: Callable[..., float], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "metrics.py").rename(folder / "outside_metrics_of_a_test.py")
    monkeypatch.syspath_prepend(folder)
    metric = load_metric("outside_metrics_of_a_test:quarter", allow_code=True)
    assert metric.name == "outside_metrics_of_a_test:quarter"
    assert score(metric, "ab", "x") == 0.5


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("absent.py:score", r"no file `absent\.py`"),
        ("../metrics.py:score", "outside the task's folder"),
        ("/etc/passwd.py:score", "outside the task's folder"),
        ("no_such_module_at_all:score", "no module `no_such_module_at_all`"),
        (":score", "no module ``"),
        ("metrics.py:absent", "no function `absent`"),
        ("metrics.py:", "no function ``"),
        ("metrics.py:lonely", "two arguments"),
    ],
)
def test_what_cannot_be_found_or_called_is_named(folder: Path, name: str, says: str) -> None:
    with pytest.raises(PlanError, match=says) as caught:
        load_metric(name, allow_code=True, folder=folder)
    assert caught.value.hint


def test_a_failing_import_inside_the_users_file_keeps_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "metrics.py").write_text("import no_such_module_at_all", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError):
        load_metric("metrics.py:score", allow_code=True, folder=tmp_path)


@pytest.mark.parametrize(
    ("function", "text", "says"),
    [
        ("quarter", "abcdef", "returned 1.5 for row `row-1`"),
        ("nothing", "a", "returned nan"),
        ("word", "a", "returned str"),
        ("broken", "a", "ZeroDivisionError"),
    ],
)
def test_a_bad_result_names_metric_and_row(
    folder: Path, score: Callable[..., float], function: str, text: str, says: str
) -> None:
    metric = load_metric(f"metrics.py:{function}", allow_code=True, folder=folder)
    with pytest.raises(TaskError, match=says) as caught:
        score(metric, text, "expected")
    assert f"metrics.py:{function}" in caught.value.message


def test_numbers_of_numpy_are_numbers(score: Callable[..., float]) -> None:
    import numpy as np

    from accordeur.measure.metrics.code import CodeMetric

    assert score(CodeMetric("n", lambda a, e: cast(float, np.float32(0.5))), "a", "b") == 0.5
    assert score(CodeMetric("n", lambda a, e: cast(bool, np.bool_(True))), "a", "b") == 1.0
    with pytest.raises(TaskError, match="inf"):
        score(CodeMetric("n", lambda a, e: math.inf), "a", "b")
