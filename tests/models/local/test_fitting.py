from __future__ import annotations

from pathlib import Path

import pytest
import transformers

from accordeur.core.errors import ContextOverflow
from accordeur.models.local.fitting import fit
from accordeur.models.local.template import ChatTokenizer

from ..conftest import ask

SHOTS = (("first question", "one"), ("second question", "two"), ("third question", "three"))


@pytest.fixture(scope="module")
def chat(tiny_folder: Path) -> ChatTokenizer:
    return ChatTokenizer(transformers.AutoTokenizer.from_pretrained(tiny_folder))


def test_what_fits_is_left_alone(chat: ChatTokenizer) -> None:
    found = fit(chat, ask("row", shots=SHOTS), 1_000, 10)
    assert (found.dropped, found.truncated) == (0, 0)


def test_the_shared_prefix_ends_before_the_row(chat: ChatTokenizer) -> None:
    found = fit(chat, ask("my row", shots=SHOTS), 1_000, 10)
    assert chat.decode(found.prefix).endswith("three\nuser\n")
    assert chat.decode(found.row).startswith("my row")


def test_demonstrations_are_dropped_whole_first_ones_first(chat: ChatTokenizer) -> None:
    prompt = ask("row", shots=SHOTS)
    length = len(fit(chat, prompt, 1_000, 0).tokens)
    found = fit(chat, prompt, length + 4, 5)
    text = chat.decode(found.tokens)
    assert (found.dropped, found.truncated) == (1, 0)
    assert "first question" not in text
    assert "one" not in text
    assert "second question" in text


def test_then_the_row_is_cut_from_the_left(chat: ChatTokenizer) -> None:
    row = " ".join(f"word{at}" for at in range(50))
    bare = len(fit(chat, ask(""), 1_000, 0).tokens)
    found = fit(chat, ask(row, shots=SHOTS), bare + 20, 5)
    assert found.dropped == 3
    assert len(found.tokens) == bare + 15
    assert found.truncated == len(chat.plain(row)) - 15
    assert "word49" in chat.decode(found.tokens)
    assert "word0 " not in chat.decode(found.tokens)


def test_static_text_that_does_not_fit_is_an_error(chat: ChatTokenizer) -> None:
    with pytest.raises(ContextOverflow, match="context has 30") as error:
        fit(chat, ask("row"), 30, 5)
    assert "shorten" in error.value.hint


def test_a_prompt_that_is_all_shared_keeps_a_token_to_predict_from(chat: ChatTokenizer) -> None:
    found = fit(chat, ask("", shots=()), 1_000, 5)
    assert len(found.row) >= 1
