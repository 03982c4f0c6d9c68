"""Tokens to bytes and back to text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers

from accordeur.models.local.model import LocalModel
from accordeur.models.local.token_bytes import TokenBytes, offsets, spelling


def pieced() -> Tokenizer:
    """SentencePiece's way: a letter for spaces, bytes for what the vocabulary lacks."""
    words = ["<unk>", "\u2581card", "\u2581", "s", *(f"<0x{at:02X}>" for at in range(256))]
    made = Tokenizer(
        models.BPE({word: at for at, word in enumerate(words)}, [], byte_fallback=True)
    )
    made.normalizer = normalizers.Replace(" ", "\u2581")
    made.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return made


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_bytes_of_byte_level_tokens_are_those_of_the_text(tiny: LocalModel, text: str) -> None:
    tokens = tiny.chat.plain(text)
    assume(tiny.chat.decode(tokens) == text)  # this vocabulary lacks some bytes
    assert b"".join(map(tiny.chat.token_bytes, tokens)) == text.encode()


@pytest.mark.parametrize("text", ["cards", " card", "\u20ac 5", "a\U0001f44d b"])
def test_bytes_that_a_vocabulary_falls_back_to(text: str) -> None:
    tokenizer = pieced()
    found = TokenBytes(tokenizer)
    assert b"".join(map(found, tokenizer.encode(text).ids)) == text.encode()


def test_control_tokens_are_spelled_out(tiny: LocalModel) -> None:
    assert tiny.chat.token_bytes(tiny.chat.end_of_turn) == b"<|im_end|>"


def test_a_part_of_a_character_is_shown_as_bytes() -> None:
    whole = "\u20ac".encode()
    assert spelling(whole) == "\u20ac"
    assert spelling(whole[:2]) == "bytes:\\xe2\\x82"


def test_tokens_within_a_character_are_at_that_character() -> None:
    euro = "\u20ac".encode()
    assert offsets([b"a", euro[:1], euro[1:], b"b", b"cd", b"e"]) == [0, 1, 1, 2, 3, 5]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.lists(st.integers(0, 120), max_size=8))
def test_an_offset_never_lies_behind_the_text_before_it(text: str, cuts: list[int]) -> None:
    data = text.encode()
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    parts = [data[start:end] for start, end in itertools.pairwise(ends)]
    for at, start in zip(offsets(parts), ends, strict=False):
        assert at == len(data[:start].decode(errors="ignore"))
