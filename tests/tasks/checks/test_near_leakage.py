from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from accordeur.core.task import SealedSplit
from accordeur.tasks import check_near_leakage, load_task, near_duplicates

Folder = Callable[..., Path]
Rows = Callable[..., list[dict[str, Any]]]
Floats = npt.NDArray[np.float32]


def unit(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float32)
    unit_length: Floats = array / np.linalg.norm(array, axis=-1, keepdims=True)
    return unit_length


def letter_counts(texts: Sequence[str]) -> Floats:
    """A real, if simple, embedding: letter frequencies; it hardly sees digits or order."""
    letters = "abcdefghijklmnopqrstuvwxyz "
    counts = [[text.lower().count(letter) + 1e-3 for letter in letters] for text in texts]
    return unit(counts)


def test_pairs_are_those_of_the_whole_matrix() -> None:
    rng = np.random.default_rng(0)
    sizes = {"train": 1500, "dev": 700, "held-out": 1100}
    vectors = {name: unit(rng.normal(size=(size, 4))) for name, size in sizes.items()}
    ids = {name: [f"{name}-{n}" for n in range(size)] for name, size in sizes.items()}
    pairs = near_duplicates(vectors, ids, 0.99)
    expected = set()
    for first, second in (("train", "dev"), ("train", "held-out"), ("dev", "held-out")):
        cosines = vectors[first].astype(np.float64) @ vectors[second].astype(np.float64).T
        expected |= {(f"{first}-{i}", f"{second}-{j}") for i, j in np.argwhere(cosines >= 0.99)}
    assert len(expected) > 100
    assert {(pair.first, pair.second) for pair in pairs} == expected
    assert len(pairs) == len(expected)
    assert all(pair.similarity >= 0.99 for pair in pairs)


def test_an_empty_split_and_a_wrong_length() -> None:
    empty = np.zeros((0, 3), dtype=np.float32)
    assert near_duplicates({"a": empty, "b": unit([[1, 0, 0]])}, {"a": [], "b": ["x"]}) == ()
    with pytest.raises(ValueError, match="1 vectors for 2 ids"):
        near_duplicates({"a": unit([[1, 0, 0]])}, {"a": ["x", "y"]})


def row(name: str, text: str) -> dict[str, Any]:
    return {"id": name, "input": text, "expected": "card"}


def near(folder: Path) -> Any:
    return check_near_leakage(load_task(folder), letter_counts)


def test_near_leakage_is_an_error_with_the_later_rows(rows: Rows, task_folder: Folder) -> None:
    train = [*rows(9, "train"), row("a", "Is the PIN delivered separately?")]
    test = [row("b", "Is the PIN separately delivered?"), row("c", "Zulu quartz hymn box")]
    check = near(task_folder(train=train, dev=[row("d", "juggling vex fjord")], test=test))
    assert (check.name, check.level, check.ids, check.allow) == (
        "near leakage",
        "error",
        ("b",),
        "near",
    )
    assert "1 row of held-out like one of train" in check.message
    assert "PIN" not in str(check)


def test_near_leakage_allowed_by_name_only_warns(rows: Rows, task_folder: Folder) -> None:
    train = [*rows(9, "train"), row("a", "Is the PIN delivered separately?")]
    dev = [row("b", "Is the PIN separately delivered?")]
    assert near(task_folder("allow_leakage: [near]\n", train=train, dev=dev)).level == "warn"


def test_other_numbers_make_another_row(rows: Rows, task_folder: Folder) -> None:
    train = [*rows(9, "train"), row("a", "Jack received 6 emails and then 3 more, how many?")]
    dev = [row("b", "Jack received 8 emails and then 2 more, how many?")]
    assert near(task_folder(train=train, dev=dev)).level == "ok"


def test_long_texts_must_share_their_words(rows: Rows, task_folder: Folder) -> None:
    # Same letters in other words, as an embedder sees it that reads the beginning alone.
    words = [f"{a}{b}" for a in "bcdfghjklmnp" for b in "aeiouyrstvwx"][:140]
    train = [*rows(9, "train"), row("a", " ".join(words))]
    other = [row("b", " ".join(word[::-1] for word in words))]
    assert near(task_folder(train=train, dev=other)).level == "ok"
    same = [row("b", " ".join(reversed(words)))]
    assert near(task_folder(train=train, dev=same)).level == "error"


def test_exact_leakage_is_left_to_its_own_check(rows: Rows, task_folder: Folder) -> None:
    train = [*rows(9, "train"), row("a", "Where is it?")]
    assert near(task_folder(train=train, dev=[row("b", "where is it")])).level == "ok"


def test_only_ids_and_counts_leave_the_held_out_split(rows: Rows, task_folder: Folder) -> None:
    train = [*rows(9, "train"), row("a", "Is the PIN delivered separately?")]
    test = [row("b", "Is the PIN separately delivered?")]
    task = load_task(task_folder(train=train, dev=9, test=test))
    assert task.held_out is not None
    left: list[Any] = []
    audit = SealedSplit.audit

    def listen(self: SealedSplit, check: Callable[[Any], Any]) -> Any:
        left.append(audit(self, check))
        return left[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SealedSplit, "audit", listen)
        check_near_leakage(task, letter_counts)
    assert [[tuple(pair[:4]) for pair in pairs] for pairs in left] == [
        [("a", "b", "train", "held-out")]
    ]
