from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from accordeur.core.errors import PlanError
from accordeur.core.rendering import Rendered
from accordeur.levers.calibration import Calibrate
from accordeur.levers.few_shot import FewShot
from accordeur.parts.calibration import Calibration
from accordeur.parts.decoding import Decoding
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations
from accordeur.testing import ScriptedModel, toy

if TYPE_CHECKING:
    from accordeur.testing.trial import Workshop

    Bring = Callable[..., Workshop]

TASK = toy.label_task()
ANSWERS = {row.text: row.label for row in (*TASK.train, *TASK.dev)}
TEXTS = {label.text: label.name for label in TASK.labels}
PRIOR = {"billing": 3.0, "card": 0.0, "login": 0.0}


def biased(prompt: Rendered, label: str) -> float:
    """Knows the answer, but brings a strong liking for one label with it."""
    name = TEXTS[label]
    return PRIOR[name] + 1.0 * (name == ANSWERS.get(prompt.messages[-1].text))


@pytest.mark.parametrize("method", ["fitted", "content-free"])
def test_a_prior_of_the_prompt_is_corrected(method: str, bring: Bring) -> None:
    shop = bring(Calibrate((method,)), ScriptedModel(scores=biased))  # type: ignore[arg-type]
    trial = shop.fit()
    assert dict(trial.ledger) == {method: 1.0}
    part = trial.result.part(Calibration)
    assert part is not None
    assert part.labels == ("billing", "card", "login")
    assert part.bias[0] < part.bias[1] - 2
    assert part.bias[1] == pytest.approx(part.bias[2])


def test_the_content_free_bias_comes_from_the_three_empty_inputs(bring: Bring) -> None:
    trial = bring(Calibrate(("content-free",)), ScriptedModel(scores=biased)).fit()
    part = trial.result.part(Calibration)
    assert part is not None
    p = np.exp([3.0, 0.0, 0.0])
    np.testing.assert_allclose(part.bias, -np.log(p / p.sum()))


def test_the_better_method_on_dev_stays(bring: Bring) -> None:
    """Here the empty inputs mislead: on them the model likes another label than on rows."""

    def misled(prompt: Rendered, label: str) -> float:
        row = prompt.messages[-1].text
        return biased(prompt, label) if row in ANSWERS else 9.0 * (TEXTS[label] == "card")

    trial = bring(Calibrate(), ScriptedModel(scores=misled)).fit()
    ledger = dict(trial.ledger)
    assert ledger["fitted"] == 1.0
    assert ledger["content-free"] is not None
    assert ledger["content-free"] < 1.0
    part = trial.result.part(Calibration)
    assert part is not None
    assert part.method == "fitted"


def test_one_effort_is_one_method(bring: Bring) -> None:
    assert bring(Calibrate()).fit(effort=1).evaluated == ["fitted"]
    assert bring(Calibrate(("content-free", "fitted"))).fit(effort=1).evaluated == ["content-free"]


def test_stacked_on_demonstrations_it_leaves_them_out_of_what_it_scores(bring: Bring) -> None:
    scored: set[str] = set()

    def watched(prompt: Rendered, label: str) -> float:
        scored.add(prompt.messages[-1].text)
        return biased(prompt, label)

    shop = bring(Calibrate(("fitted",)), ScriptedModel(scores=watched))
    shown = bring(FewShot(k=(6,), choose=("draw",))).fit().result.part(FixedDemonstrations)
    assert shown is not None
    given = shop.given().with_part(shown)
    shop.given = lambda: given  # type: ignore[method-assign]
    result = shop.fit().result
    assert set(result.parts) == {
        "prompt",
        "demonstrations",
        "calibration",
        "decoding",
    }
    assert not scored & {one.request.text for one in shown.shown}
    groups = {one.group for one in shown.shown}
    free = {row.text for row in TASK.train if row.group not in groups}
    assert scored & {row.text for row in TASK.train} == free
    assert 12 <= len(free) <= 18


def test_rows_of_a_shown_group_are_left_out_so_every_row_has_the_same_prompt(bring: Bring) -> None:
    sizes: set[int] = set()
    train = [replace(row, group=f"pair-{place // 2}") for place, row in enumerate(TASK.train)]
    texts = {row.text for row in train}

    def watched(prompt: Rendered, label: str) -> float:
        if prompt.messages[-1].text in texts:
            sizes.add(len(prompt.messages))
        return biased(prompt, label)

    shop = bring(Calibrate(("fitted",)), ScriptedModel(scores=watched))
    shown = FixedDemonstrations(tuple(Demonstration.from_example(row) for row in train[:5:2]))
    given = shop.given().with_part(shown)
    shop.given = lambda: given  # type: ignore[method-assign]
    shop.fit(train=train)
    assert len(sizes) == 1


def test_calibrating_twice_starts_from_raw_scores(bring: Bring) -> None:
    shop = bring(Calibrate(), ScriptedModel(scores=biased))
    once = shop.fit().result
    shop.given = lambda: once  # type: ignore[method-assign]
    assert shop.fit().result.fingerprint == once.fingerprint


def test_without_rows_to_fit_on_the_bias_is_zero(bring: Bring) -> None:
    part = bring(Calibrate(("fitted",))).fit(train=()).result.part(Calibration)
    assert part is not None
    assert part.bias == (0.0, 0.0, 0.0)


def test_a_candidate_that_writes_cannot_be_calibrated(bring: Bring) -> None:
    shop = bring(Calibrate())
    given = shop.given().with_part(Decoding("generate", 9))
    shop.given = lambda: given  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="scores labels"):
        shop.fit()


@pytest.mark.parametrize("methods", [(), ("isotonic",)])
def test_unknown_methods_are_refused(methods: tuple[str, ...]) -> None:
    with pytest.raises(PlanError, match="no method"):
        Calibrate(methods)  # type: ignore[arg-type]


def test_its_forecast_costs_the_scoring_of_train_rows_alone() -> None:
    planned = Calibrate().forecast(TASK.brief, 500, 8)
    assert [(one.new_prompts, one.train_rows) for one in planned] == [(False, 100), (False, 3)]
