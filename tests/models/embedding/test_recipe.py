from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.models.embedding.conftest import MODULES, Change

from accordeur.core.errors import ModelError
from accordeur.models.embedding.recipe import Recipe, read_recipe


def test_a_folder_that_says_nothing_has_the_default(tiny_bert: Path) -> None:
    assert read_recipe(tiny_bert) == Recipe(64, "mean"), "it has no more positions"


def test_the_embedded_model_is_read_as_it_is_used(minilm_folder: Path) -> None:
    assert read_recipe(minilm_folder) == Recipe()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Recipe(32)),
        ({"pooling": {"pooling_mode": "cls"}}, Recipe(32, "cls")),
        (
            {"pooling": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}},
            Recipe(32, "cls"),
        ),
        ({"pooling": {"pooling_mode_mean_tokens": True}}, Recipe(32)),
        ({"settings": {"x": 1}, "tokenizer": {"model_max_length": 48}}, Recipe(48)),
        ({"settings": {"x": 1}, "tokenizer": {"model_max_length": 10**30}}, Recipe(64)),
        ({"settings": {"max_seq_length": 20, "do_lower_case": True}}, Recipe(20, lower=True)),
        (
            {"whole": {"prompts": {"q": "query: "}, "default_prompt_name": "q"}},
            Recipe(32, prompt="query: "),
        ),
        ({"whole": {"prompts": {"q": "query: "}, "default_prompt_name": None}}, Recipe(32)),
        ({"modules": MODULES[:2]}, Recipe(32)),
    ],
)
def test_what_a_folder_says_is_read(
    saved: Change, change: dict[str, Any], expected: Recipe
) -> None:
    assert read_recipe(saved(**change)) == expected


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"modules": (*MODULES, ("3_Dense", "Dense"))}, "Dense"),
        ({"modules": (("", "StaticEmbedding"),)}, "StaticEmbedding"),
        ({"modules": ()}, "not known"),
        ({"pooling": {"pooling_mode": "lasttoken"}}, "lasttoken"),
        (
            {"pooling": {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}},
            "pooling_mode_max_tokens",
        ),
        ({"pooling": {}}, "none"),
        ({"modules": MODULES[:2], "whole": {"similarity_fn_name": "dot"}}, "similarity `dot`"),
        ({"pooling": ["not", "an", "object"]}, "damaged"),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    saved: Change, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(ModelError, match=says):
        read_recipe(saved(**change))


def test_a_damaged_list_of_steps_is_a_message(saved: Change) -> None:
    folder = saved()
    (folder / "modules.json").write_text("[{", encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        read_recipe(folder)
