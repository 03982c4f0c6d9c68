from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError, TaskError
from accordeur.core.rendering import Rendered
from accordeur.levers.few_shot import FewShot
from accordeur.parts.demonstrations import FixedDemonstrations, NearestDemonstrations
from accordeur.testing import ScriptedModel, toy

if TYPE_CHECKING:
    from accordeur.testing.trial import Workshop

    Bring = Callable[..., Workshop]

BRIEF = toy.label_task().brief


def fixed(candidate: Candidate) -> FixedDemonstrations:
    part = candidate.part(FixedDemonstrations)
    assert part is not None
    return part


def test_draws_from_the_middle_outwards_alternate_with_nearest_then_search(bring: Bring) -> None:
    trial = bring(FewShot()).fit(effort=7)
    assert trial.evaluated == [
        "k=8 drawn",
        "k=1 nearest",
        "k=4 drawn",
        "k=4 nearest",
        "k=16 drawn",
        *(name for name in trial.evaluated[5:] if " search " in name),
    ]
    assert [name.split()[-1] for name in trial.evaluated[5:]] == ["1", "2"]


@pytest.mark.parametrize(
    ("choose", "names"),
    [
        (("draw",), ["k=2 drawn", "k=1 drawn"]),
        (("nearest",), ["k=3 nearest"]),
        (("search",), ["k=2 drawn", "k=1 drawn", "search", "search", "search"]),
        (("nearest", "draw"), ["k=2 drawn", "k=3 nearest", "k=1 drawn"]),
    ],
)
def test_only_the_chosen_ways_are_tried(
    choose: tuple[str, ...], names: list[str], bring: Bring
) -> None:
    lever = FewShot(k=(1, 2), choose=choose, nearest_k=(3,))  # type: ignore[arg-type]
    found = bring(lever).fit(effort=5).evaluated
    assert len(found) == len(names)
    assert all(name in one for name, one in zip(names, found, strict=True))


def seen_rows(prompt: Rendered) -> int:
    return len({one.demonstration for one in prompt.messages} - {None})


def test_the_configuration_that_scores_best_on_dev_is_kept(bring: Bring) -> None:
    """A model that is right only when it sees exactly 4 demonstrations."""
    answers = {row.text: row.label for row in toy.label_task().dev}
    texts = {label.text: label.name for label in BRIEF.labels}

    def score(prompt: Rendered, label: str) -> float:
        right = texts[label] == answers.get(prompt.messages[-1].text)
        return float(right) if seen_rows(prompt) == 4 else -float(right)

    shop = bring(FewShot(k=(2, 4, 6), choose=("draw",)), ScriptedModel(scores=score))
    trial = shop.fit()
    assert dict(trial.ledger) == {"k=4 drawn": 1.0, "k=2 drawn": 0.0, "k=6 drawn": 0.0}
    assert len(fixed(trial.result).shown) == 4


def test_search_starts_from_the_best_draw_and_keeps_an_improvement(bring: Bring) -> None:
    """A model that is right once a certain row is among the demonstrations."""
    answers = {row.text: row.label for row in toy.label_task().dev}
    texts = {label.text: label.name for label in BRIEF.labels}
    charm = "My new card has still not come in the post."

    def score(prompt: Rendered, label: str) -> float:
        right = texts[label] == answers.get(prompt.messages[-1].text)
        charmed = any(charm in message.text for message in prompt.messages)
        return float(right) if charmed else -float(right)

    shop = bring(FewShot(k=(3,), choose=("search",)), ScriptedModel(scores=score))
    trial = shop.fit(effort=60)
    scores = [score for _, score in trial.ledger]
    assert scores[0] == 0.0
    assert max(score for score in scores if score is not None) == 1.0
    shown = fixed(trial.result).shown
    assert any(one.request.text == charm for one in shown)
    assert len(shown) == 3


def test_all_scores_equal_keeps_the_first(bring: Bring) -> None:
    model = ScriptedModel(scores=lambda prompt, label: 0.0)
    trial = bring(FewShot(), model).fit()
    assert len(fixed(trial.result).shown) == 8


def test_demonstrations_come_one_per_group_with_every_label_among_them(bring: Bring) -> None:
    shown = fixed(bring(FewShot(k=(9,), choose=("draw",))).fit().result).shown
    assert len({one.group for one in shown}) == 9
    assert {one.expected for one in shown} == {"billing", "card", "login"}
    assert [one.expected for one in shown].count("card") == 3


def test_nearest_holds_all_labelled_rows_and_their_vectors(bring: Bring) -> None:
    trial = bring(FewShot(choose=("nearest",), nearest_k=(4,))).fit()
    part = trial.result.part(NearestDemonstrations)
    assert part is not None
    assert part.vectors.shape == (24, 64)
    assert part.k == 4
    assert trial.result.describe() == "instruction, 4 nearest of 24 demonstrations"


def test_small_train_sets_bring_the_sizes_down_without_repeating_one(bring: Bring) -> None:
    shop = bring(FewShot())
    trial = shop.fit(train=shop.task.train[:6], effort=8)
    drawn = [name for name in trial.evaluated if name.endswith("drawn")]
    assert drawn == ["k=2 drawn"]  # six rows, three groups


def test_one_train_row_is_enough(bring: Bring) -> None:
    shop = bring(FewShot())
    trial = shop.fit(train=shop.task.train[:1], effort=3)
    assert trial.evaluated[0] == "k=1 drawn"


def test_rows_without_answers_cannot_be_shown(bring: Bring) -> None:
    shop = bring(FewShot())
    with pytest.raises(TaskError, match="has an answer to show"):
        shop.fit(train=())


@given(st.integers(1, 500), st.integers(1, 20), st.sets(st.integers(1, 64), min_size=1))
def test_a_forecast_never_passes_the_effort_and_never_is_empty(
    rows: int, effort: int, sizes: set[int]
) -> None:
    planned = FewShot(k=tuple(sizes)).forecast(BRIEF, rows, effort)
    assert 1 <= len(planned) <= effort
    assert all(one.shown_per_row <= rows for one in planned)


def test_nearest_is_forecast_with_what_it_shows_per_row() -> None:
    planned = FewShot(choose=("nearest",), nearest_k=(2, 8)).forecast(BRIEF, 5, 9)
    assert [one.shown_per_row for one in planned] == [2, 5]


@pytest.mark.parametrize(
    "settings",
    [
        {"k": ()},
        {"k": (0,)},
        {"k": (4, -1)},
        {"nearest_k": (0,)},
        {"choose": ()},
        {"choose": ("nearby",)},
        {"choose": ("nearest",), "nearest_k": ()},
    ],
)
def test_settings_out_of_range_are_refused_with_what_to_type(settings: dict[str, object]) -> None:
    with pytest.raises(PlanError) as caught:
        FewShot(**settings)  # type: ignore[arg-type]
    assert "--set few-shot." in caught.value.hint
