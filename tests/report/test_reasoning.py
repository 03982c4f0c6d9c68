"""Words on what a second look did."""

from __future__ import annotations

import pytest

from accordeur.report.sections.reasoning import second_look


@pytest.mark.parametrize(
    ("gained", "lost", "words"),
    [
        (0, 5, "the second look hurts: of 240 answers it turned 5 from right to wrong and 0 from"),
        (3, 1, "the second look helps"),
        (2, 2, "the second look gains nothing: of 240 answers it turned 2"),
        (0, 0, ""),
    ],
)
def test_what_revising_did_is_said(gained: int, lost: int, words: str) -> None:
    said = second_look({"wrong_to_right": gained, "right_to_wrong": lost, "n": 240})
    assert said.startswith(words)
    assert bool(said) == bool(words)
