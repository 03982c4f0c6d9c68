from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from accordeur.levers.as_is import AsIs
from accordeur.testing import ScriptedModel, toy

if TYPE_CHECKING:
    from accordeur.testing.trial import Workshop

    Bring = Callable[..., Workshop]


def test_it_measures_what_it_was_given_and_changes_nothing(bring: Bring) -> None:
    trial = bring(AsIs()).fit()
    assert trial.evaluated == ["as given"]
    assert trial.result is trial.given
    assert set(trial.result.parts) == {"prompt", "decoding"}


def test_a_model_that_knows_every_answer_scores_one(bring: Bring) -> None:
    task = toy.text_task()
    said = {row.text: (row.expected or ("",))[0] for row in task.dev}
    trial = bring(AsIs(), ScriptedModel(answers=said), task).fit()
    assert dict(trial.ledger) == {"as given": 1.0}
