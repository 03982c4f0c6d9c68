from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import BundleError
from accordeur.core.model import FloatArray
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Turn
from accordeur.parts.demonstrations import (
    Demonstration,
    FixedDemonstrations,
    NearestDemonstrations,
    load,
)
from accordeur.parts.demonstrations.demonstration import read_jsonl, write_jsonl


def one(name: str, group: str | None = None, text: str | None = None) -> Demonstration:
    return Demonstration(name, group or name, Request(text or name), "yes")


def own(name: str, group: str | None = None) -> Request:
    return Request(name, row=name, group=group or name)


def shown(part: FixedDemonstrations | NearestDemonstrations, *asked: Request) -> list[str]:
    chosen = part.choose(asked, angles)
    return ["".join(demonstration.row for demonstration in row) for row in chosen]


def angles(texts: Sequence[str]) -> FloatArray:
    """Texts are degrees: near numbers, near vectors."""
    turned = np.radians([float(text) for text in texts])
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


FIXED = FixedDemonstrations((one("a"), one("b", "g"), one("c", "g"), one("d")))


def test_fixed_ones_come_in_their_order() -> None:
    assert shown(FIXED, Request("q")) == ["abcd"]


def test_a_row_is_not_shown_to_itself_nor_to_its_group() -> None:
    assert shown(FIXED, own("a"), own("b", "g"), own("e", "g"), own("x")) == [
        "bcd",
        "ad",
        "ad",
        "abcd",
    ]


def test_a_request_that_is_no_training_row_sees_all_even_with_the_same_text() -> None:
    assert shown(FIXED, Request("a")) == ["abcd"]


def pool(k: int = 2) -> NearestDemonstrations:
    rows = [one("a", text="0"), one("b", text="10"), one("c", "g", "20"), one("d", "g", "90")]
    return NearestDemonstrations(tuple(rows), angles(["0", "10", "20", "90"]), k, "any", "digest")


def test_the_nearest_stands_last() -> None:
    assert shown(pool(), Request("2"), Request("70")) == ["ba", "cd"]
    assert shown(pool(4), Request("12")) == ["dacb"]


def test_own_row_and_group_make_room_for_the_next_nearest() -> None:
    asked = [Request("1", row="a", group="a"), Request("80", row="d", group="g")]
    assert shown(pool(), *asked) == ["cb", "ab"]


def test_fewer_are_shown_when_exclusion_leaves_fewer() -> None:
    rows = (one("a", "g", "0"), one("b", "g", "10"), one("c", text="20"))
    part = NearestDemonstrations(rows, angles(["0", "10", "20"]), 3, "any", "digest")
    assert shown(part, Request("0", row="a", group="g"), Request("0")) == ["c", "cba"]


TEXT = st.text(max_size=20) | st.text(alphabet="\u2028\u2029\x85\x1c\x0b\r\n\"\\'", max_size=6)
INPUTS = (
    TEXT
    | st.dictionaries(TEXT, TEXT, min_size=1, max_size=3)
    | st.lists(
        st.builds(Turn, st.sampled_from(["user", "assistant"]), TEXT), min_size=1, max_size=3
    ).map(tuple)
)


@given(
    st.lists(
        st.builds(
            Demonstration,
            TEXT,
            TEXT,
            st.builds(Request, INPUTS, st.none() | TEXT, st.lists(TEXT, max_size=2).map(tuple)),
            TEXT,
        ),
        max_size=4,
    ).map(tuple)
)
def test_any_demonstrations_read_back_as_written(rows: tuple[Demonstration, ...]) -> None:
    assert read_jsonl(write_jsonl(rows)) == rows
    assert load(FixedDemonstrations(rows).files()) == FixedDemonstrations(rows)


def test_nearest_ones_read_back_with_their_vectors() -> None:
    part = pool()
    read = load(part.files())
    assert isinstance(read, NearestDemonstrations)
    assert read == part
    np.testing.assert_array_equal(read.vectors, part.vectors)
    assert read.files() == part.files()


def test_the_first_of_several_accepted_answers_is_shown() -> None:
    row = Example("1", "Q", ("A", "B"), "1")
    assert Demonstration.from_example(row).expected == "A"
    for nothing in (None, ()):
        with pytest.raises(ValueError, match="no answer"):
            Demonstration.from_example(replace(row, expected=nothing))


def test_a_demonstration_forgets_that_it_was_a_training_row() -> None:
    made = Demonstration.from_example(Example("1", "Q", ("A",), "g"))
    assert (made.row, made.group) == ("1", "g")
    assert (made.request.row, made.request.group) == (None, None)


LINE = b'{"id": "1", "group": "1", "input": "x", "expected": ["y"]}\n'


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"x\n",
        b"[]\n",
        b"{}\n",
        LINE.replace(b'["y"]', b"[]"),
        LINE.replace(b'"x"', b'[{"role": "user"}]'),
        LINE.replace(b'"x"', b"[1]"),
    ],
)
def test_a_damaged_line_is_named(line: bytes) -> None:
    with pytest.raises(BundleError, match="line 2"):
        load({"demonstrations.jsonl": LINE + line + LINE})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("demonstrations.json", b"{}"),
        ("demonstrations.json", b"x"),
        ("demonstrations.json", b'{"k": 0, "embedder": "e", "embedder_digest": "d"}'),
        ("demonstrations.safetensors", b"x"),
        ("demonstrations.safetensors", b"\x80\x04pickle"),
        ("demonstrations.jsonl", LINE),
    ],
)
def test_damaged_files_of_a_pool_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(BundleError):
        load({**pool().files(), name: data})


@pytest.mark.parametrize("missing", ["demonstrations.jsonl", "demonstrations.safetensors"])
def test_a_missing_file_is_refused(missing: str) -> None:
    files = {name: data for name, data in pool().files().items() if name != missing}
    with pytest.raises(BundleError):
        load(files)


def test_files_open_with_public_tools() -> None:
    files = pool().files()
    lines = files["demonstrations.jsonl"].decode().splitlines()
    assert json.loads(lines[0]) == {"id": "a", "group": "a", "input": "0", "expected": ["yes"]}
    assert json.loads(files["demonstrations.json"])["k"] == 2


def test_nothing_shown_is_a_part_too() -> None:
    assert load(FixedDemonstrations(()).files()) == FixedDemonstrations(())
