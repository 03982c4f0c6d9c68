from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import StoreError
from accordeur.store.safe_path import file_name, inside, slug


@given(st.text(max_size=40), st.text(max_size=40))
def test_different_names_give_different_files_even_where_case_is_not_told_apart(
    one: str, other: str
) -> None:
    assert (file_name(one).lower() == file_name(other).lower()) == (one == other)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_a_file_name_is_one_harmless_part_and_can_be_read_back(text: str) -> None:
    name = file_name(text)
    assert "/" not in name
    assert not name.startswith((".", "-", " "))
    assert unquote(name) == text


def test_long_names_are_cut_and_stay_different() -> None:
    names = {file_name("k" * 500 + tail) for tail in "abc"}
    assert len(names) == 3
    assert all(len(name) < 200 for name in names)


def test_a_plain_configuration_keeps_its_name() -> None:
    assert file_name("few-shot k=8 nearest") == "few-shot k=8 nearest"


@pytest.mark.parametrize(
    ("text", "short"),
    [("support", "support"), ("Öl & Gas / Q3", "l-gas-q3"), ("../../etc", "etc"), ("日本", "run")],
)
def test_a_task_name_becomes_a_short_folder_name(text: str, short: str) -> None:
    assert slug(text) == short


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\\..\\x",
        "a\nb",
        "a\0b",
        "a//b",
        "./a",
        "a/",
    ],
)
def test_a_name_that_leads_outside_or_is_odd_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="does not stay inside"):
        inside(tmp_path, name)


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "link").symlink_to(tmp_path)
    with pytest.raises(StoreError):
        inside(tmp_path / "run", "link/secret.json")
    assert inside(tmp_path / "run", "a/b.json") == tmp_path / "run" / "a" / "b.json"
