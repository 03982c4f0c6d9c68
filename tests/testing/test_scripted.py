from __future__ import annotations

import numpy as np
import pytest

from accordeur.core.answer import Status
from accordeur.core.errors import ContextOverflow
from accordeur.core.model import Capability, Embedder, Generated, Model, Sampling, Usage
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.testing import ScriptedEmbedder, ScriptedModel


def asked(row: str, *shown: str) -> Rendered:
    demonstrations: list[Message] = []
    for number, text in enumerate(shown):
        data = (Segment(text, "data", shared=True),)
        demonstrations.append(Message("user", data, demonstration=number))
        demonstrations.append(Message("assistant", (Segment("so", "data"),), demonstration=number))
    lead = Message("user", (Segment("Say it.\n\n", shared=True),))
    last = Message("user", (Segment(row, "data", trim=True),))
    return Rendered((lead, *demonstrations, last))


def said(model: ScriptedModel, *rows: str, limit: int = 9) -> list[str]:
    prompts = [asked(row) for row in rows]
    batches = model.generate(prompts, Sampling(max_tokens=limit))
    return [one.text for batch in batches for one in batch.results]


def test_it_is_a_model_and_an_embedder() -> None:
    assert isinstance(ScriptedModel(), Model)
    assert isinstance(ScriptedEmbedder(), Embedder)


def test_it_says_what_it_is_told_by_text_mapping_or_function() -> None:
    assert said(ScriptedModel(answers="yes"), "a", "b") == ["yes", "yes"]
    assert said(ScriptedModel(answers={"a": "A"}), "a", "b") == ["A", "I see."]
    echo = ScriptedModel(answers=lambda prompt: prompt.messages[-1].text)
    assert said(echo, "a", "b") == ["a", "b"]


def test_a_long_answer_is_cut_and_unfinished() -> None:
    [batch] = ScriptedModel(answers="one two three").generate([asked("a")], Sampling(max_tokens=2))
    assert (batch.results[0].text, batch.results[0].finished) == ("one two", False)
    assert batch.results[0].usage.output_tokens == 2


def test_an_error_can_be_scripted() -> None:
    broken = Generated("", False, 0.0, Usage(), error="503")
    [batch] = ScriptedModel(answers={"a": broken}).generate([asked("a")], Sampling())
    assert batch.results[0].error == "503"
    assert str(Status.ERROR) == "error"


def test_scores_come_from_the_script_and_else_from_a_hash() -> None:
    model = ScriptedModel(scores={"a": {"yes": -0.5}})
    [batch] = model.score([asked("a"), asked("b")], ["yes", "no"])
    assert batch.results[0].scores[0] == -0.5
    again = next(iter(ScriptedModel().score([asked("b")], ["yes", "no"])))
    assert batch.results[1].scores == again.results[0].scores
    assert all(-5.0 <= score <= -1.0 for score in batch.results[1].scores)


def test_batches_that_are_done_are_skipped_and_half_done_ones_are_whole() -> None:
    model = ScriptedModel(batch_rows=2)
    prompts = [asked(str(number)) for number in range(5)]
    batches = list(model.score(prompts, ["yes"], done={0, 1, 2}))
    assert [batch.indices for batch in batches] == [(2, 3), (4,)]


def test_what_does_not_fit_is_dropped_then_cut_then_refused() -> None:
    model = ScriptedModel(context_window=10)
    prompts = [asked("a b c d", "x x x x"), asked("a b c d e f g h i"), asked("a")]
    used = [one.usage for batch in model.score(prompts, ["yes"]) for one in batch.results]
    assert [one.dropped_demonstrations for one in used] == [1, 0, 0]
    assert [one.truncated_tokens for one in used] == [0, 2, 0]
    with pytest.raises(ContextOverflow):
        list(ScriptedModel(context_window=2).score([asked("a")], ["yes"]))


def test_equal_scripts_share_an_identity_and_functions_never_do() -> None:
    assert ScriptedModel(answers={"a": "b"}).identity == ScriptedModel(answers={"a": "b"}).identity
    assert ScriptedModel(answers={"a": "b"}).identity != ScriptedModel(answers={"a": "c"}).identity
    same = lambda prompt: "a"  # noqa: E731
    assert ScriptedModel(answers=same).identity != ScriptedModel(answers=same).identity


def test_capabilities_and_streaming_are_as_told() -> None:
    model = ScriptedModel(answers="one two", capabilities=[Capability.GENERATE])
    assert model.capabilities == {Capability.GENERATE}
    assert "".join(model.stream(asked("a"), Sampling())) == "one two"


def test_embeddings_are_unit_vectors_and_follow_spelling() -> None:
    a, b, c = ScriptedEmbedder().embed(["my card is lost", "my card was lost", "printer paper"])
    assert np.linalg.norm(a) == pytest.approx(1.0, abs=1e-6)
    assert a @ b > a @ c
