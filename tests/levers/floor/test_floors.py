from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from accordeur.core.answer import Status
from accordeur.core.errors import TaskError
from accordeur.core.lever import Lever
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Label, TaskBrief
from accordeur.levers.floor import FLOORS, floors_for
from accordeur.levers.floor.copied import CopyFloor
from accordeur.levers.floor.embedding_nearest import EmbeddingNearestFloor
from accordeur.levers.floor.lead import LeadFloor
from accordeur.levers.floor.majority import MajorityFloor
from accordeur.levers.floor.most_common import MostCommonFloor
from accordeur.levers.floor.words_logistic import WordsLogisticFloor
from accordeur.parts.assemble import assemble
from accordeur.parts.classifier import LabelClassifier, load_classifier
from accordeur.parts.classifier.copied import Copied
from accordeur.parts.classifier.lead import Lead
from accordeur.parts.classifier.majority import Majority
from accordeur.parts.classifier.most_common import MostCommon
from accordeur.parts.classifier.silence import Silence
from accordeur.testing import ScriptedSource

if TYPE_CHECKING:
    Given = tuple[Any, list[Example]]

LABEL_FLOORS = [floor for floor in FLOORS if "labels" in floor.kinds]
LEARNING = [floor for floor in LABEL_FLOORS if floor.name != "floor:majority"]


def by_name(floor: Lever) -> str:
    return floor.name


def given(floor: Lever, support: Given, calls: Given) -> Given:
    return support if "labels" in floor.kinds else calls


def blank(task: TaskBrief) -> Any:
    from accordeur.core.candidate import Candidate

    return Candidate(task, "some/model")


@pytest.mark.parametrize("floor", FLOORS, ids=by_name)
def test_a_floor_is_a_lever_that_says_what_it_is(floor: Lever) -> None:
    assert isinstance(floor, Lever)
    assert floor.name.startswith("floor:")
    assert floor.title
    assert floor.writes == {"classifier"}
    assert len(floor.kinds) == 1
    assert type(floor)(**floor.settings).settings == floor.settings


@pytest.mark.parametrize("floor", FLOORS, ids=by_name)
def test_fit_gives_a_candidate_without_a_base_that_holds_a_classifier_alone(
    floor: Lever, support: Given, calls: Given
) -> None:
    context, train = given(floor, support, calls)
    fitted = floor.fit(blank(context.task), train, context)
    assert fitted.base is None
    assert list(fitted.parts) == ["classifier"]
    files = fitted.parts["classifier"].files()
    assert load_classifier(files).files() == files
    planned = floor.forecast(context.task, len(train), context.effort)
    assert 1 <= len(context.ledger) <= len(planned)
    assert not any(work.uses_model for work in planned)


@pytest.mark.parametrize("floor", FLOORS, ids=by_name)
def test_a_second_fit_forgets_the_first_and_the_same_fit_repeats(
    floor: Lever, support: Given, calls: Given
) -> None:
    context, train = given(floor, support, calls)
    prints = []
    for rows in (train, train[: len(train) // 2], train):
        context.ledger.clear()
        prints.append(floor.fit(blank(context.task), rows, context).fingerprint)
    assert prints[0] == prints[2]


@pytest.mark.parametrize("floor", LEARNING, ids=by_name)
def test_a_learning_floor_passes_the_majority(floor: Lever, support: Given) -> None:
    context, train = support
    MajorityFloor().fit(blank(context.task), train, context)
    majority = context.ledger.pop("majority")
    floor.fit(blank(context.task), train, context)
    assert max(context.ledger.values()) > majority + 0.3


@pytest.mark.parametrize("floor", LABEL_FLOORS, ids=by_name)
@pytest.mark.parametrize("kept", [("card",), ("bill", "card")])
def test_labels_missing_from_train_are_never_chosen(
    floor: Lever, kept: tuple[str, ...], support: Given
) -> None:
    context, train = support
    rows = [row for row in train if row.label in kept]
    part = floor.fit(blank(context.task), rows, context).parts["classifier"]
    assert isinstance(part, LabelClassifier)
    table = part.predict([row.text for row in train], context.embedder.embed)
    names = [label.name for label in context.task.labels]
    assert part.labels == tuple(names)
    assert {names[best] for best in table.argmax(axis=1)} <= set(kept)
    assert table[:, names.index("absent")].max() == 0.0


@pytest.mark.parametrize("floor", LABEL_FLOORS, ids=by_name)
def test_one_row_is_enough(floor: Lever, support: Given) -> None:
    context, train = support
    floor.fit(blank(context.task), train[:1], context)


@pytest.mark.parametrize("floor", LABEL_FLOORS, ids=by_name)
def test_rows_without_a_word_do_no_harm(floor: Lever, support: Given) -> None:
    context, train = support
    silent = [Example(str(i), "…", row.expected, str(i)) for i, row in enumerate(train)]
    floor.fit(blank(context.task), silent, context)


@pytest.mark.parametrize("floor", LABEL_FLOORS, ids=by_name)
def test_train_rows_that_cannot_be_learned_from_are_named(floor: Lever, support: Given) -> None:
    context, train = support
    with pytest.raises(TaskError, match="No train row of `support` has a label"):
        floor.fit(blank(context.task), [Example("1", "x", None, "1")], context)
    with pytest.raises(TaskError, match="label `odd`"):
        floor.fit(blank(context.task), [*train, Example("1", "x", ("odd",), "1")], context)


def test_floors_for_gives_those_of_the_tasks_kind() -> None:
    labels = TaskBrief("t", "", "", "labels", (Label("a", "A"),), "accuracy")
    text = TaskBrief("t", "", "", "text", (), "rouge-l")
    assert [floor.name for floor in floors_for(labels)] == [
        "floor:majority",
        "floor:naive-bayes",
        "floor:words-logistic",
        "floor:embedding-nearest",
        "floor:embedding-logistic",
    ]
    assert [floor.name for floor in floors_for(text)] == [
        "floor:lead",
        "floor:copy",
        "floor:most-common",
    ]


def test_majority_stores_shares_and_breaks_ties_by_label_order(support: Given) -> None:
    context, train = support
    part = MajorityFloor().fit(blank(context.task), train, context).part(Majority)
    assert part == Majority(("absent", "bill", "card", "login"), (0, 12, 14, 12))
    tied = MajorityFloor()
    context.ledger.clear()
    part = tied.fit(blank(context.task), train[:36], context).part(Majority)
    assert part is not None
    assert part.describe() == "always `bill`"


def test_lead_takes_the_best_number_of_sentences_on_dev(calls: Given) -> None:
    context, train = calls
    fitted = LeadFloor().fit(blank(context.task), train, context)
    assert list(context.ledger) == ["n=1", "n=2", "n=3"]
    assert context.ledger["n=1"] == 1.0 > context.ledger["n=2"]
    assert fitted.part(Lead) == Lead(1)


def test_equal_configurations_give_the_first(calls: Given) -> None:
    context, train = calls
    fitted = LeadFloor(counts=(9, 3, 4)).fit(blank(context.task), train, context)
    assert len(set(context.ledger.values())) == 1
    assert fitted.part(Lead) == Lead(9)


def test_effort_limits_what_is_tried(calls: Given, support: Given) -> None:
    context, train = calls
    context.effort = 2
    assert len(LeadFloor().forecast(context.task, 8, 2)) == 2
    LeadFloor().fit(blank(context.task), train, context)
    assert list(context.ledger) == ["n=1", "n=2"]
    context, train = support
    context.effort = 0
    WordsLogisticFloor().fit(blank(context.task), train, context)
    assert list(context.ledger) == ["C=10"]


def test_copy_tries_the_context_only_where_there_is_one(calls: Given) -> None:
    context, train = calls
    assert CopyFloor().fit(blank(context.task), train, context).part(Copied) == Copied("input")
    assert list(context.ledger) == ["input"]
    context.ledger.clear()
    beside = [Example(r.id, r.input, r.expected, r.group, r.expected[0]) for r in context.dev]
    context.dev = beside
    assert CopyFloor().fit(blank(context.task), beside, context).part(Copied) == Copied("context")


def test_most_common_counts_rows_not_repeats_and_prefers_the_first(calls: Given) -> None:
    context, train = calls
    assert MostCommonFloor().fit(blank(context.task), train, context).part(
        MostCommon
    ) == MostCommon("A card was lost.")
    rows = [
        Example("1", "x", ("a", "a", "b"), "1"),
        Example("2", "x", ("b",), "2"),
        Example("3", "x", (), "3"),
        Example("4", "x", None, "4"),
    ]
    context.ledger.clear()
    assert MostCommonFloor().fit(blank(context.task), rows, context).part(MostCommon) == MostCommon(
        "b"
    )
    with pytest.raises(TaskError, match="No train row of `calls` has an answer"):
        MostCommonFloor().fit(blank(context.task), rows[2:], context)


def test_nearest_records_the_embedder_and_reads_dev_once_per_k(support: Given) -> None:
    context, train = support
    fitted = EmbeddingNearestFloor(neighbours=(3, 1)).fit(blank(context.task), train, context)
    part = fitted.parts["classifier"]
    assert isinstance(part, LabelClassifier)
    assert (part.embedder, part.embedder_digest) == ("test/letters", "e" * 64)
    assert list(context.ledger) == ["k=3", "k=1"]


def test_where_as_many_rows_have_no_answer_saying_nothing_is_the_most_common(calls: Given) -> None:
    context, _ = calls
    rows = [
        Example("1", "x", ("a",), "1"),
        Example("2", "x", ("b",), "2"),
        Example("3", "x", (), "3"),
    ]
    context.dev = [*rows, Example("4", "y", (), "4")]
    fitted = MostCommonFloor().fit(blank(context.task), rows, context)
    assert fitted.part(Silence) == Silence()
    (batch,) = assemble(fitted, ScriptedSource()).answer([Request("y"), Request("z")])
    assert [one.status for one in batch.results] == [Status.ABSTAINED] * 2
