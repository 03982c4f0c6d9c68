"""Candidates answering through a scripted model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from accordeur.bench.memory_cache import MemoryCache
from accordeur.core.answer import Answer, Status
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, ModelError
from accordeur.core.model import Capability, Generated, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.core.task import Example, TaskBrief
from accordeur.levers.floor import FLOORS
from accordeur.parts.answering.answerer import StreamingAnswerer
from accordeur.parts.answering.labels import LabelAnswerer
from accordeur.parts.assemble import assemble
from accordeur.parts.base import base_candidate
from accordeur.parts.calibration import Calibration
from accordeur.parts.decoding import Decoding
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations, NearestDemonstrations
from accordeur.parts.prompt import Prompt
from accordeur.testing import ScriptedEmbedder, ScriptedModel, ScriptedSource

SCORES = {
    "pay": {"Billing": -1.0, "Lost or stolen card": -2.0},
    "card": {"Billing": -3.0, "Lost or stolen card": -0.5},
    "tie": {"Billing": -1.0, "Lost or stolen card": -1.0},
}


def ask(candidate: Candidate, model: ScriptedModel, *rows: str, **more: Any) -> list[Answer]:
    answerer = assemble(candidate, ScriptedSource(model), **more)
    batches = answerer.answer([Request(row) for row in rows])
    answers = {
        index: answer
        for batch in batches
        for index, answer in zip(batch.indices, batch.results, strict=True)
    }
    return [answers[index] for index in range(len(rows))]


def scoring(task: TaskBrief) -> Candidate:
    return Candidate(task, "m").with_part(Prompt("Which?")).with_part(Decoding("score"))


def test_the_label_of_the_highest_score_is_the_answer(labelled: TaskBrief) -> None:
    pay, card = ask(scoring(labelled), ScriptedModel(scores=SCORES), "pay", "card")
    assert (pay.label, card.label) == ("billing", "card_lost")
    assert pay.text == "billing"
    assert pay.scores == (-1.0, -2.0)
    assert pay.probabilities is not None
    weights = np.exp([-1.0, -2.0])
    np.testing.assert_allclose(pay.probabilities, weights / weights.sum())
    assert pay.status is Status.OK


def test_a_tie_goes_to_the_first_label(labelled: TaskBrief) -> None:
    [answer] = ask(scoring(labelled), ScriptedModel(scores=SCORES), "tie")
    assert answer.label == "billing"


def test_a_bias_moves_the_choice_and_not_the_scores(labelled: TaskBrief) -> None:
    bias = Calibration("fitted", ("card_lost", "billing"), (1.5, 0.0))
    [answer] = ask(scoring(labelled).with_part(bias), ScriptedModel(scores=SCORES), "pay")
    assert answer.label == "card_lost"
    assert answer.scores == (-1.0, -2.0)
    np.testing.assert_allclose(sum(answer.probabilities or ()), 1.0)


def test_a_bias_that_lacks_a_label_is_refused_by_name(labelled: TaskBrief) -> None:
    made = scoring(labelled).with_part(Calibration("fitted", ("billing",), (1.0,)))
    with pytest.raises(BundleError, match="card_lost"):
        ask(made, ScriptedModel(), "pay")


@pytest.mark.parametrize(
    ("said", "status", "label"),
    [
        ("Billing", Status.OK, "billing"),
        ("It is the lost or stolen card.", Status.OK, "card_lost"),
        ("Something else", Status.PARSE_FAILURE, None),
        ("billing or lost or stolen card", Status.PARSE_FAILURE, None),
        ("I'm sorry, but I cannot answer.", Status.REFUSAL, None),
        ("", Status.EMPTY, None),
        ("Answer:", Status.EMPTY, None),
        ("billing " + "and so on " * 20, Status.OK, "billing"),  # cut, but the label is there
    ],
)
def test_a_model_that_only_writes_has_its_label_read(
    said: str, status: Status, label: str | None, labelled: TaskBrief
) -> None:
    model = ScriptedModel(answers=said, capabilities=[Capability.GENERATE])
    [answer] = ask(scoring(labelled).with_part(Decoding("generate", 12)), model, "pay")
    assert (answer.status, answer.label) == (status, label)


def test_a_candidate_made_for_scoring_still_answers_where_the_model_only_writes(
    labelled: TaskBrief,
) -> None:
    model = ScriptedModel(answers="billing", capabilities=[Capability.GENERATE])
    [answer] = ask(scoring(labelled), model, "pay")
    assert answer.label == "billing"


@pytest.mark.parametrize(
    ("said", "text", "status"),
    [
        ("One sentence.", "One sentence.", Status.OK),
        ("Thinking. Answer: Two.", "Two.", Status.OK),
        ("a b c d e f", "a b c d", Status.TRUNCATED),
        ("  ", "", Status.EMPTY),
        ("I can't help with that.", "I can't help with", Status.REFUSAL),
    ],
)
def test_a_text_is_read_and_its_status_told(
    said: str, text: str, status: Status, free: TaskBrief
) -> None:
    made = Candidate(free, "m").with_part(Decoding("generate", 4))
    [answer] = ask(made, ScriptedModel(answers=said), "q")
    assert (answer.text, answer.status, answer.label) == (text, status, None)
    assert answer.logprob == -0.5


def test_an_error_of_an_endpoint_is_an_error_and_no_answer(free: TaskBrief) -> None:
    lost = Generated("", False, 0.0, Usage(), error="503 busy")
    made = Candidate(free, "m").with_part(Decoding("generate", 9))
    cache, model = MemoryCache(), ScriptedModel(answers={"q": lost})
    broken, fine = ask(made, model, "q", "r", cache=cache)
    assert (broken.status, broken.error) == (Status.ERROR, "503 busy")
    assert fine.status is Status.OK
    # Asked again, the lost row is asked anew and the other is remembered.
    mended = ScriptedModel(answers="now", identity=model.identity)
    again, remembered = ask(made, mended, "q", "r", cache=cache)
    assert (again.text, remembered.text) == ("now", "I see.")


def test_every_answer_carries_its_share_of_seconds_and_its_tokens(labelled: TaskBrief) -> None:
    model = ScriptedModel(seconds=0.8, batch_rows=4)
    answers = ask(scoring(labelled), model, "one two", "a", "b", "c")
    # A quarter of the batch, and a quarter of rendering, which takes microseconds.
    assert all(0.2 < answer.seconds < 0.3 for answer in answers)
    assert len({answer.seconds for answer in answers}) == 1
    assert answers[0].usage.input_tokens == 3


def test_cached_answers_equal_fresh_ones_and_repeats_do_not_share(labelled: TaskBrief) -> None:
    asked: list[Rendered] = []

    def score(prompt: Rendered, label: str) -> float:
        asked.append(prompt)
        return -float(len(label))

    model, cache = ScriptedModel(scores=score), MemoryCache()
    first = ask(scoring(labelled), model, "x", "y", cache=cache)
    number = len(asked)
    assert ask(scoring(labelled), model, "x", "y", cache=cache) == first
    assert len(asked) == number
    repeated = ask(scoring(labelled), model, "x", "y", cache=cache, repeat=1)
    assert [answer.scores for answer in repeated] == [answer.scores for answer in first]
    assert len(asked) == 2 * number


def test_demonstrations_reach_the_model_without_a_rows_own(labelled: TaskBrief) -> None:
    rows = [Example(str(i), f"text {i}", ("billing",), "g" if i < 2 else str(i)) for i in range(4)]
    shown = tuple(Demonstration.from_example(row) for row in rows)
    made = scoring(labelled).with_part(FixedDemonstrations(shown))
    answerer = assemble(made, ScriptedSource())
    asked = [Request.from_example(rows[0], training=True), Request.from_example(rows[0])]
    own, other = ("\n".join(turn.text for turn in one.turns()) for one in answerer.render(asked))
    assert [f"text {i}" in own.replace("\ntext 0", "") for i in range(4)] == [0, 0, 1, 1]
    assert all(f"text {i}" in other for i in range(4))


def nearest(embedder: ScriptedEmbedder) -> NearestDemonstrations:
    rows = [Example(text, text, ("billing",), text) for text in ("my card", "my bill", "the app")]
    vectors = embedder.embed([row.text for row in rows])
    pool = tuple(Demonstration.from_example(row) for row in rows)
    identity = embedder.identity
    return NearestDemonstrations(pool, vectors, 1, identity.name, identity.digest)


def test_nearest_demonstrations_are_looked_up_with_the_embedding_model(
    labelled: TaskBrief,
) -> None:
    made = scoring(labelled).with_part(nearest(ScriptedEmbedder()))
    [prompt] = assemble(made, ScriptedSource()).render([Request("my bills")])
    assert prompt.messages[1].text == "my bill"


def test_vectors_of_another_embedding_model_are_refused(labelled: TaskBrief) -> None:
    made = scoring(labelled).with_part(nearest(ScriptedEmbedder()))
    other = ScriptedSource(embedder=ScriptedEmbedder(name="another"))
    with pytest.raises(ModelError, match="another"):
        assemble(made, other).render([Request("my bills")])


def test_a_floor_answers_without_a_model(labelled: TaskBrief) -> None:
    from accordeur.levers.floor.majority import fit_majority

    rows = [Example(str(i), "x", ("card_lost",), str(i)) for i in range(3)]
    made = Candidate(labelled, None).with_part(fit_majority(rows, labelled))
    assert FLOORS[0].name == "floor:majority"
    answerer = assemble(made, ScriptedSource())
    [batch] = answerer.answer([Request("a"), Request("b")])
    assert [answer.label for answer in batch.results] == ["card_lost"] * 2
    assert answerer.render([Request("a")]) == []
    assert list(answerer.answer([Request("a")], done={0})) == []


def test_a_candidate_with_nothing_to_answer_with_is_refused(labelled: TaskBrief) -> None:
    with pytest.raises(BundleError, match="neither"):
        assemble(Candidate(labelled, None), ScriptedSource())


ROWS: Sequence[Example] = [Example(str(i), "x", ("card_lost",), str(i)) for i in range(4)]


def test_the_base_candidate_scores_labels_where_the_model_can(labelled: TaskBrief) -> None:
    made = base_candidate(labelled, "m", ScriptedModel(), ROWS)
    assert made.part(Decoding) == Decoding("score")
    assert made.base == "m"
    prompt = made.part(Prompt)
    assert prompt is not None
    assert prompt.instruction == "Which team? Answer with one of: Billing, Lost or stolen card."
    assert isinstance(assemble(made, ScriptedSource()), LabelAnswerer)


def test_the_base_candidate_leaves_room_for_the_display_text(labelled: TaskBrief) -> None:
    model = ScriptedModel(capabilities=[Capability.GENERATE])
    made = base_candidate(labelled, "m", model, ROWS)
    assert made.part(Decoding) == Decoding("generate", max_tokens=2 * 4 + 8)  # four words


def test_the_base_candidate_of_a_text_task_writes(free: TaskBrief) -> None:
    rows = [Example(str(i), "x", ("one two three", "one"), str(i)) for i in range(4)]
    made = base_candidate(free, "m", ScriptedModel(), rows)
    assert made.part(Decoding) == Decoding("generate", max_tokens=2 * 3 + 8)


def test_a_text_is_streamed_as_it_is_written_and_labels_are_not(
    labelled: TaskBrief, free: TaskBrief
) -> None:
    model = ScriptedModel(answers="I think so. Answer: yes")
    source = ScriptedSource(model)
    writes = assemble(base_candidate(free, "m", model, ()), source)
    assert isinstance(writes, StreamingAnswerer)
    assert "".join(writes.stream(Request("is it?"))) == "I think so. Answer: yes"
    assert writes.model is model
    assert not isinstance(assemble(scoring(labelled), source), StreamingAnswerer)
