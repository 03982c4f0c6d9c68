"""`--set lever.setting=value`."""

from __future__ import annotations

from typing import Any

import pytest

from accordeur.cli.settings import check_levers, parse_settings, read_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        ("nearest", "nearest"),
        ("4,8", (4, 8)),
        ("a, b", ("a", "b")),
        ("", ""),
    ],
)
def test_a_value_is_json_where_it_can_be_and_text_else(text: str, value: Any) -> None:
    assert read_value(text) == value


def test_a_setting_that_is_a_tuple_takes_one_value() -> None:
    assert parse_settings(["few-shot.k=8"]) == {"few-shot": {"k": (8,)}}


def test_names_of_settings_may_be_written_with_hyphens() -> None:
    assert parse_settings(["few-shot.nearest-k=4,8"]) == {"few-shot": {"nearest_k": (4, 8)}}


def test_settings_of_several_levers() -> None:
    given = ["few-shot.k=2", "few-shot.choose=draw,nearest", "calibration.methods=fitted"]
    assert parse_settings(given) == {
        "few-shot": {"k": (2,), "choose": ("draw", "nearest")},
        "calibration": {"methods": ("fitted",)},
    }


def test_a_text_setting_is_not_read_as_a_number() -> None:
    assert read_value("8", str) == "8"


def test_settings_are_what_the_lever_takes() -> None:
    from accordeur.levers import LEVERS

    settings = check_levers("few-shot", ["few-shot.k=4,8", "few-shot.choose=draw"])
    lever = LEVERS.load("few-shot")(**settings["few-shot"])
    assert (lever.k, lever.choose) == ((4, 8), ("draw",))
