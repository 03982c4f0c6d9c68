"""Quotes beside every way of writing every stretch, scored one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from accordeur.core.model import Batch, Capability, Generated, Quotable
from accordeur.models.local import adapter, quoting
from accordeur.models.local.model import LocalModel
from accordeur.models.local.template import ChatTokenizer

from ..conftest import ask

TEXTS = ("A £9 fee is due.", "Ærø, on Friday")
QUESTIONS = ("What is due?", "When?", "Where is it?")


def whole_words(text: str) -> Quotable:
    """Every word may begin a quote, and end one."""
    words, at = [], 0
    for word in text.split(" "):
        words.append((at, at + len(word)))
        at += len(word) + 1
    return Quotable(text, dict(words), frozenset(end for _, end in words))


def stretches(quotable: Quotable) -> set[str]:
    return {
        quotable.text[start:end]
        for start, least in quotable.starts.items()
        for end in quotable.ends
        if end >= least
    }


def spelled(data: bytes, ids: dict[bytes, int]) -> Iterator[tuple[int, ...]]:
    """Every sequence of tokens that spells these bytes."""
    if not data:
        yield ()
    for length in range(1, len(data) + 1):
        if (token := ids.get(data[:length])) is not None:
            for rest in spelled(data[length:], ids):
                yield (token, *rest)


def likeliest(model: LocalModel, question: str, texts: Sequence[str], tokens: int) -> float:
    """Sum of log-probabilities of the best way to write a stretch, end of turn included."""
    ids: dict[bytes, int] = {}
    for at, data in enumerate(model.chat.spellings()):
        if data:
            ids.setdefault(data, at)
    prompt = model.fit(ask(question), tokens).tokens
    ways = [
        (*way, model.chat.end_of_turn)
        for text in texts
        for stretch in stretches(whole_words(text))
        for way in spelled(stretch.encode(), ids)
        if len(way) < tokens
    ]
    scored = model.token_logprobs([(*prompt, *way) for way in ways])
    return max(
        sum(one.logprobs[at] or 0.0 for at in range(-len(way), 0))
        for one, way in zip(scored, ways, strict=True)
    )


def quoted(model: LocalModel, *questions: str, tokens: int = 6) -> list[Generated]:
    texts = [[whole_words(text) for text in TEXTS] for _ in questions]
    batches: list[Batch[Generated]] = list(model.quote([ask(q) for q in questions], texts, tokens))
    assert [batch.indices for batch in batches] == [(at,) for at in range(len(questions))]
    return [one for batch in batches for one in batch.results]


def test_a_wide_beam_finds_the_likeliest_of_all_stretches(
    strict: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quoting, "BEAM", 400)
    for question, found in zip(QUESTIONS, quoted(strict, *QUESTIONS), strict=True):
        best = likeliest(strict, question, TEXTS, 6)
        total = found.logprob * found.usage.output_tokens
        assert total == pytest.approx(best, abs=1e-3)


def test_a_quote_is_a_stretch_whatever_the_beam(tiny: LocalModel) -> None:
    allowed = {stretch for text in TEXTS for stretch in stretches(whole_words(text))}
    for question, found in zip(QUESTIONS, quoted(tiny, *QUESTIONS), strict=True):
        assert found.text in allowed
        assert found.finished
        total = found.logprob * found.usage.output_tokens
        assert total <= likeliest(tiny, question, TEXTS, 6) + 1e-3


def test_without_a_text_there_is_no_answer(tiny: LocalModel) -> None:
    nothing = Quotable("Nothing begins here.", {}, frozenset())
    (batch,) = tiny.quote([ask("What?")], [[nothing]], 8)
    assert (batch.results[0].text, batch.results[0].usage.output_tokens) == ("", 0)


def test_a_stretch_that_needs_more_tokens_than_allowed_is_not_found(tiny: LocalModel) -> None:
    text = "Donaudampfschifffahrtsgesellschaft"
    (batch,) = tiny.quote([ask("What?")], [[whole_words(text)]], 2)
    assert batch.results[0].text == ""
    (batch,) = tiny.quote([ask("What?")], [[whole_words(text)]], 40)
    assert batch.results[0].text == text


def test_what_is_done_is_not_asked_again(tiny: LocalModel) -> None:
    texts = [[whole_words(text) for text in TEXTS]] * 2
    prompts = [ask("What?"), ask("When?")]
    (batch,) = tiny.quote(prompts, texts, 6, done={0})
    assert batch.indices == (1,)
    assert batch.results == quoted_alone(tiny, "When?")


def quoted_alone(model: LocalModel, question: str) -> tuple[Generated, ...]:
    return tuple(quoted(model, question))


def test_text_never_becomes_a_control_token(tiny: LocalModel) -> None:
    text = "<|im_end|> <|endoftext|>"
    (batch,) = tiny.quote([ask("What?")], [[whole_words(text)]], 60)
    assert batch.results[0].text in stretches(whole_words(text))


def test_only_models_that_read_from_left_to_right_quote(
    tiny: LocalModel, t5: LocalModel, tiny_folder: Path
) -> None:
    assert Capability.QUOTE in tiny.capabilities
    assert Capability.QUOTE not in t5.capabilities
    assert torch.is_inference_mode_enabled() is False


def test_modules_of_transformers_find_the_same(tiny_folder: Path) -> None:
    loaded = adapter.load(tiny_folder, dtype=torch.float32, device=torch.device("cpu"))
    own = adapter.own_body(loaded)
    assert own is not None
    vocabulary = quoting.Vocabulary(ChatTokenizer(loaded.tokenizer).spellings())
    texts = [whole_words(text) for text in TEXTS]
    row, stop = list(range(40, 60)), frozenset({2})
    found = [
        quoting.quote(body, loaded.head, row, None, stop, vocabulary, texts, 6)
        for body in (own, adapter.ModulesBody(loaded))
    ]
    assert found[0].tokens == found[1].tokens != ()
    assert found[0].logprob == pytest.approx(found[1].logprob, abs=1e-3)
