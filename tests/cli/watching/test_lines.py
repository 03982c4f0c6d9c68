"""A run as lines of a log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accordeur.cli.watching.lines import Lines
from accordeur.cli.watching.progress import Progress

from ..scripted_run import tell


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        now = [0.0]
        observer = Lines(Progress(lambda: now[0]))
        tell(observer)
        now[0] += 60
        observer.progress("few-shot", "k=8", 96, 120)
        observer.progress("few-shot", "k=8", 97, 120)
        caught = capsys.readouterr()
        assert caught.out == ""  # stdout is for results
        return caught.err.splitlines()

    return lines


def test_everything_that_happens_is_one_line_with_its_time(
    told: Callable[[], list[str]],
) -> None:
    lines = told()
    assert "[00:00] levers" in lines
    (bayes,) = [line for line in lines if "floor:naive-bayes: " in line]
    assert bayes.startswith("[00:00] floor:naive-bayes: 41.7 [33.2, 50.6] on 120 dev rows")
    assert bayes.endswith("left")
    assert any("floor:embedding-logistic: 65.8" in line and "before" in line for line in lines)
    assert any("as-is stopped: after 40 rows" in line for line in lines)


def test_progress_is_told_now_and_then(told: Callable[[], list[str]]) -> None:
    lines = [line for line in told() if "of 120 " in line]
    assert len(lines) == 1
    assert lines[0].startswith("[01:00] few-shot: k=8, 96 of 120 · about ")


def test_the_estimate_comes_before_the_entries(told: Callable[[], list[str]]) -> None:
    lines = told()
    first = next(n for n, line in enumerate(lines) if line.startswith("Plan: 5 entries, about"))
    assert "about 3 min 50 s in all" in lines[first]
    assert first < next(n for n, line in enumerate(lines) if "floor:naive-bayes" in line)
    assert any("not possible: `lora` needs weights" in line for line in lines)


def test_nothing_that_was_said_drives_the_terminal(told: Callable[[], list[str]]) -> None:
    text = "\n".join(told())
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "[red]" in text  # no markup is read


def test_a_long_prompt_is_shown_at_both_ends(told: Callable[[], list[str]]) -> None:
    text = "\n".join(told())
    assert "│ line 39" in text
    assert "line 20" not in text
    assert "all of them are in the report" in text
