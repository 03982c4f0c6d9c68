from __future__ import annotations

from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.core.task import Example


def message(role: str, text: str, demonstration: int | None = None) -> Message:
    return Message(role, (Segment(text),), demonstration)  # type: ignore[arg-type]


RENDERED = Rendered(
    (
        message("system", "S"),
        message("user", "I "),
        message("user", "d0", 0),
        message("assistant", "a0", 0),
        message("user", "d1", 1),
        message("assistant", "a1", 1),
        message("user", "Q"),
    )
)


def test_neighbours_of_one_role_are_one_turn() -> None:
    assert [(one.role, one.text) for one in RENDERED.turns()] == [
        ("system", "S"),
        ("user", "I d0"),
        ("assistant", "a0"),
        ("user", "d1"),
        ("assistant", "a1"),
        ("user", "Q"),
    ]


def test_the_first_demonstrations_are_dropped_and_what_stood_before_them_moves_on() -> None:
    assert [one.text for one in RENDERED.turns(1)] == ["S", "I d1", "a1", "Q"]
    assert [one.text for one in RENDERED.turns(2)] == ["S", "I Q"]
    assert [one.text for one in RENDERED.turns(9)] == ["S", "I Q"]


def test_turns_keep_their_segments_apart() -> None:
    assert [segment.text for segment in RENDERED.turns()[1].segments] == ["I ", "d0"]


def test_an_endpoint_receives_roles_and_contents_and_a_prefill_last() -> None:
    data = Rendered((message("user", "Q"),), prefill="A").to_json()
    assert data == [{"role": "user", "content": "Q"}, {"role": "prefill", "content": "A"}]


def test_only_a_training_row_is_known_by_its_id_and_group() -> None:
    row = Example("1", "Q", ("A",), "g", context="C", documents=("d",))
    asked = Request.from_example(row)
    assert (asked.input, asked.context, asked.documents) == ("Q", "C", ("d",))
    assert (asked.row, asked.group) == (None, None)
    own = Request.from_example(row, training=True)
    assert (own.row, own.group) == ("1", "g")
