"""Lines to messages, and the lines typed before."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.cli.chat.history import MOST, History
from accordeur.cli.chat.reading import read_message


class Given:
    """Lines from a list."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = iter(lines)

    def read(self, prompt: str) -> str | None:
        return next(self._lines, None)


def messages(*lines: str) -> list[str]:
    def all_of() -> Iterator[str]:
        source = Given(lines)
        while (message := read_message(source)) is not None:
            yield message

    return list(all_of())


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["a", "", "b"], ["a", "", "b"]),
        (["a\\", "b\\", "c", "d"], ["a\nb\nc", "d"]),
        (["C:\\\\", "b"], ["C:\\\\", "b"]),
        (["a\\"], ["a"]),
        (["```", "x\\", "/undo", "```", "b"], ["x\\\n/undo", "b"]),
        (["```python", "x", "```"], ["```python\nx\n```"]),
        (["```inline``` is fine", "b"], ["```inline``` is fine", "b"]),
        (["```", "never closed"], ["never closed"]),
        (["```", "```"], [""]),
    ],
)
def test_lines_make_messages(lines: list[str], wanted: list[str]) -> None:
    assert messages(*lines) == wanted


@given(st.lists(st.text(st.sampled_from("a\\` /"), max_size=6), max_size=12))
def test_no_line_is_read_twice_or_left_behind(lines: list[str]) -> None:
    source = Given(lines)
    while read_message(source) is not None:
        pass
    assert source.read("") is None


def test_typed_lines_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    history = History(tmp_path / "data" / "history")
    assert history.lines() == []
    for line in ("one", "", "  ", "/undo", "drei \N{SNOWMAN}", "half \ud83d"):
        history.add(line)
    assert History(history.path).lines() == ["one", "/undo", "drei \N{SNOWMAN}", "half ?"]
    assert stat.S_IMODE(history.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.path.parent.stat().st_mode) == 0o700


def test_a_long_history_is_cut_down(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    for number in range(2 * MOST + 1):
        history.add(str(number))
    assert history.lines()[-1] == str(2 * MOST)
    assert len(history.path.read_text().splitlines()) == MOST


def test_forgotten_messages_leave_the_history(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    for line in ("keep", "the secret\\", "in two lines", "/edit another secret", "keep too"):
        history.add(line)
    history.forget(["the secret\nin two lines", "another secret"])
    assert history.lines() == ["keep", "keep too"]
    assert b"secret" not in history.path.read_bytes()
    assert stat.S_IMODE(history.path.stat().st_mode) == 0o600


def test_a_history_that_cannot_be_written_bothers_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / "history")
    history.add("x")
    history.forget(["x"])
    assert history.lines() == []
