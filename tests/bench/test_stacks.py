"""What can be asked for, and every refusal by name."""

from __future__ import annotations

from typing import Any

import pytest

from accordeur.bench.stacks import DEFAULT_STACKS, parse_stacks, raise_refusals, refuse_impossible
from accordeur.core.errors import PlanError
from accordeur.core.model import Capability
from accordeur.levers.few_shot import FewShot
from accordeur.testing.toy import label_task, text_task

EVERYTHING = frozenset({Capability.SCORE, Capability.GENERATE})


def names(asked: Any, settings: Any = None) -> list[str]:
    return [stack.name for stack in parse_stacks(asked, settings or {})[0]]


def test_commas_part_entries_and_plus_joins_levers() -> None:
    assert names("few-shot, calibration,few-shot + calibration") == [
        "as-is",
        "few-shot",
        "calibration",
        "few-shot+calibration",
    ]


def test_as_is_comes_first_whatever_is_asked_and_keeps_its_place_when_named() -> None:
    assert names("few-shot") == ["as-is", "few-shot"]
    assert names("few-shot,as-is") == ["few-shot", "as-is"]
    assert names("as-is") == ["as-is"]


def test_all_pulls_every_lever_and_the_default_stacks() -> None:
    stacks, everything = parse_stacks("all", {})
    assert everything
    assert tuple(stack.name for stack in stacks)[: len(DEFAULT_STACKS)] == DEFAULT_STACKS
    assert not parse_stacks("few-shot", {})[1]


def test_lever_objects_and_settings_reach_the_lever() -> None:
    assert names([FewShot(k=(3,)), "calibration"]) == ["as-is", "few-shot", "calibration"]
    stacks, _ = parse_stacks("few-shot+calibration", {"few-shot": {"k": (3,)}})
    assert stacks[-1].levers[0].settings["k"] == [3]
    assert stacks[-1].title == "demonstrations + label calibration"


@pytest.mark.parametrize(
    ("asked", "settings", "message", "hint"),
    [
        ("few-shots", {}, "no lever named `few-shots`", "did you mean `few-shot`"),
        ("as-is,calibraton", {}, "no lever named `calibraton`", "`calibration`"),
        ("few-shot+xyzzy", {}, "no lever named `xyzzy`", "known: as-is, few-shot, calibration"),
        ("few-shot", {"few-sho": {}}, "no lever named `few-sho`", "`few-shot`"),
        ("few-shot", {"few-shot": {"kk": 2}}, "setting of lever `few-shot` named `kk`", "`k`"),
        ("few-shot", {"few-shot": {"k": (-1,)}}, "must be positive", "few-shot.k="),
        ("few-shot", {"few-shot": {"k": ()}}, "must be positive", "few-shot.k="),
        ("few-shot", {"few-shot": {"k": 4}}, "cannot use these settings", "settings: "),
        ("few-shot", {"few-shot": {"choose": ("best",)}}, "choose by `best`", "draw,nearest"),
        ("calibration", {"calibration": {"methods": ("m",)}}, "no method `m`", "content-free"),
        ("few-shot+few-shot", {}, "both fill the slot `demonstrations`", "--levers few-shot,"),
        ("calibration+calibration", {}, "both fill the slot `calibration`", "--levers"),
        ("as-is+few-shot", {}, "`as-is` adds nothing", "--levers few-shot"),
        ("few-shot+as-is", {}, "`as-is` adds nothing", "--levers few-shot"),
        ("few-shot,few-shot", {}, "`few-shot` is named twice", "once"),
        ("", {}, "No lever is named", "--levers as-is,"),
        ("few-shot,,as-is", {}, "No lever is named", "--levers as-is,"),
        ([], {}, "No lever is named", "--levers as-is,"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_name(
    asked: Any, settings: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(PlanError) as caught:
        parse_stacks(asked, settings)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("asked", "kind", "capabilities", "reason"),
    [
        ("calibration", "text", EVERYTHING, "`calibration` works on labels tasks only"),
        ("few-shot", "labels", None, "`few-shot` needs a language model"),
        ("calibration", "labels", None, "`calibration` needs a language model"),
        (
            "few-shot+calibration",
            "labels",
            frozenset({Capability.GENERATE}),
            "`calibration` needs log-probabilities, which this model does not give",
        ),
        ("kv-prefix", "labels", EVERYTHING, "`kv-prefix` needs weights that can be trained"),
        (
            "kv-prefix",
            "labels",
            EVERYTHING | {Capability.WEIGHTS},
            "`kv-prefix` needs a decoder-only model; try `soft-prompt`",
        ),
    ],
)
def test_what_task_or_model_lack_is_refused_by_name(
    asked: str, kind: str, capabilities: Any, reason: str
) -> None:
    task = label_task() if kind == "labels" else text_task()
    stacks, _ = parse_stacks(asked, {})
    possible, refused = refuse_impossible(stacks, task.brief, capabilities, labelled_rows=100)
    assert {one.name: one.reason for one in refused}[asked] == reason
    assert asked not in [one.name for one in possible]
    with pytest.raises(PlanError, match="Not possible here") as caught:
        raise_refusals([one for one in refused if one.name != "as-is"], possible)
    assert reason in caught.value.message
    assert caught.value.hint == ("--levers as-is" if capabilities else "--levers all")


def test_under_20_labelled_rows_only_as_is_is_left() -> None:
    stacks, _ = parse_stacks("all", {})
    able = frozenset(Capability)
    possible, refused = refuse_impossible(
        stacks, label_task().brief, able, labelled_rows=19, has_documents=True
    )
    assert [one.name for one in possible] == ["as-is"]
    assert all(one.reason.startswith("19 labelled rows are too few") for one in refused)
    assert not refuse_impossible(
        stacks,
        label_task().brief,
        able,
        labelled_rows=20,
        has_documents=True,
        has_steps=True,
    )[1]


@pytest.mark.parametrize("trained", ["lora", "full", "soft-prompt", "kv-prefix"])
def test_training_stands_under_a_conversation_and_on_worked_steps(trained: str) -> None:
    able = frozenset(Capability)

    def reason(name: str, *, steps: bool) -> str:
        stacks, _ = parse_stacks(name, {})
        _, refused = refuse_impossible(
            stacks, text_task().brief, able, labelled_rows=99, has_steps=steps
        )
        return refused[0].reason if refused else ""

    for talk in ("critique", "decompose"):
        assert f"stack `{trained}+{talk}`" in reason(f"{talk}+{trained}", steps=True)
        assert not reason(f"{trained}+{talk}", steps=False)
    assert "no train row carries `steps`" in reason(f"reason+{trained}", steps=False)
    assert not reason(f"reason+{trained}", steps=True)
    assert not reason(f"reason+{trained}+self-consistency", steps=True)


@pytest.mark.parametrize(
    ("stack", "settings", "said"),
    [
        ("reason+calibration", {}, "labels that are scored"),
        ("calibration+self-consistency", {}, "labels that are scored"),
        ("critique+calibration", {}, "labels that are scored"),
        ("soft-prompt+critique", {"soft-prompt": {"seeds": 2}}, "several seeds"),
        ("soft-prompt+reason", {}, "stack `reason+soft-prompt`"),
        ("kv-prefix+reason", {}, "stack `reason+kv-prefix`"),
    ],
)
def test_stacks_in_which_one_lever_would_be_lost_are_refused(
    stack: str, settings: dict[str, dict[str, Any]], said: str
) -> None:
    stacks, _ = parse_stacks(stack, settings)
    able = frozenset(Capability)
    [one] = refuse_impossible(
        stacks[1:], label_task().brief, able, labelled_rows=99, has_steps=True
    )[1]
    assert said in one.reason


def test_what_fills_a_slot_twice_is_refused_by_name() -> None:
    for stack in ("few-shot+reason", "reason+critique", "critique+decompose"):
        with pytest.raises(PlanError, match="both fill"):
            parse_stacks(stack, {})
