from __future__ import annotations

import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.part import SLOTS, Part
from accordeur.parts.calibration import Calibration
from accordeur.parts.decoding import Decoding
from accordeur.parts.demonstrations import FixedDemonstrations, NearestDemonstrations
from accordeur.parts.prompt import Prompt
from accordeur.testing import toy

BRIEF = toy.label_task().brief
PARTS: list[Part] = [Decoding("score"), Prompt("x"), FixedDemonstrations(())]


def test_parts_stand_in_slot_order_however_they_were_put_in() -> None:
    made = Candidate(BRIEF, "m")
    for part in PARTS:
        made = made.with_part(part)
    assert list(made.parts) == [slot for slot in SLOTS if slot in made.parts]
    assert (
        made.fingerprint
        == (
            Candidate(BRIEF, "m").with_part(PARTS[1]).with_part(PARTS[2]).with_part(PARTS[0])
        ).fingerprint
    )


def test_a_part_replaces_the_one_in_its_slot_in_a_new_candidate() -> None:
    first = Candidate(BRIEF, "m").with_part(Prompt("x"))
    second = first.with_part(Prompt("y"))
    assert first.part(Prompt) == Prompt("x")
    assert second.part(Prompt) == Prompt("y")
    assert second.without("prompt").parts == {}


def test_asking_for_the_wrong_class_of_a_slot_is_a_mistake_of_the_program() -> None:
    made = Candidate(BRIEF, "m").with_part(FixedDemonstrations(()))
    assert made.part(Calibration) is None
    with pytest.raises(TypeError, match="NearestDemonstrations"):
        made.part(NearestDemonstrations)


def test_trained_parameters_and_words_add_up() -> None:
    made = Candidate(BRIEF, "m").with_part(Prompt("x"))
    made = made.with_part(Calibration("fitted", ("a", "b"), (0.0, 1.0)))
    assert made.trained_parameters == 2
    assert made.describe() == "instruction, fitted calibration"
