from __future__ import annotations

import copy
import pickle

import pytest

from accordeur.core.errors import SealError
from accordeur.core.task import Example, Receipt, SealedSplit, Turn
from accordeur.testing import toy

ROWS = (Example("1", "A secret question", ("x",), "1"), Example("2", "Another", ("y",), "2"))


def test_a_sealed_split_tells_its_count_and_digest_and_no_row() -> None:
    sealed = SealedSplit(ROWS)
    assert sealed.count == 2
    assert len(sealed.digest) == 64
    assert "secret" not in repr(sealed) + str(sealed)
    assert not hasattr(sealed, "rows")
    with pytest.raises(TypeError):
        iter(sealed)  # type: ignore[call-overload]


def test_a_sealed_split_opens_against_a_receipt_alone() -> None:
    sealed = SealedSplit(ROWS)
    assert sealed.open(Receipt("a" * 64, "b" * 64)) == ROWS
    for receipt in (Receipt("", ""), Receipt("a" * 64, ""), Receipt("", "b" * 64)):
        with pytest.raises(SealError, match="decision"):
            sealed.open(receipt)


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_sealed_split_cannot_be_copied(copier: object) -> None:
    with pytest.raises(SealError, match="copied"):
        copier(SealedSplit(ROWS))  # type: ignore[operator]


def test_the_digest_follows_every_part_of_a_row() -> None:
    other = Example("1", "A secret question", ("z",), "1")
    assert SealedSplit(ROWS).digest == SealedSplit(ROWS).digest
    assert SealedSplit((other, ROWS[1])).digest != SealedSplit(ROWS).digest
    assert SealedSplit(ROWS[::-1]).digest != SealedSplit(ROWS).digest


def test_an_input_of_any_shape_has_one_text() -> None:
    assert Example("1", "plain", None, "1").text == "plain"
    assert Example("1", {"title": "T", "body": "B"}, None, "1").text == "title: T\nbody: B"
    talk = (Turn("user", "Hi"), Turn("assistant", "Yes?"))
    assert Example("1", talk, None, "1").text == "user: Hi\nassistant: Yes?"


@pytest.mark.parametrize("expected", [None, (), ("a", "b")])
def test_a_label_is_the_single_expected_answer(expected: tuple[str, ...] | None) -> None:
    assert ROWS[0].label == "x"
    with pytest.raises(ValueError, match="no single expected answer"):
        _ = Example("1", "x", expected, "1").label


def test_a_brief_has_words_and_no_rows() -> None:
    brief = toy.label_task().brief
    assert brief.label_text("card") == "Lost or broken card"
    assert not any(hasattr(brief, name) for name in ("train", "dev", "held_out", "folder"))
    with pytest.raises(KeyError):
        brief.label_text("nothing")
