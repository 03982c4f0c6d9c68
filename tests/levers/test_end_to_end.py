"""Each lever once on the embedded language model: 12 train rows, 8 dev rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from accordeur.core.lever import Lever
from accordeur.core.model import ModelSource
from accordeur.core.rendering import Request
from accordeur.core.task import Task
from accordeur.levers.as_is import AsIs
from accordeur.levers.calibration import Calibrate
from accordeur.levers.critique import CritiqueLever
from accordeur.levers.decompose import Decompose
from accordeur.levers.few_shot import FewShot
from accordeur.levers.reason import ReasonLever
from accordeur.levers.self_consistency import SelfConsistency
from accordeur.levers.soft_prompt import SoftPromptLever
from accordeur.parts.assemble import assemble
from accordeur.parts.bundle import Bundle, load_bundle, save_bundle
from accordeur.testing import toy
from accordeur.testing.trial import Workshop

pytestmark = pytest.mark.smollm2

MODEL = "local/smollm2"
LEVERS: list[Lever] = [
    AsIs(),
    FewShot(k=(3,), nearest_k=(2,)),
    Calibrate(),
    SoftPromptLever(steps=2, batch_rows=4, must_improve=False),
]


@pytest.fixture(scope="module")
def source() -> ModelSource:
    from accordeur.models.source import Models

    return Models()


def small(task: Task, dev: int = 8) -> Task:
    return replace(task, train=task.train[:12], dev=task.dev[:dev])


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_lever_adapts_the_real_model_to_labels(
    lever: Lever, source: ModelSource, tmp_path: Path
) -> None:
    shop = Workshop(lever, small(toy.label_task()), source, MODEL, tmp_path / "runs")
    trial = shop.fit(effort=3)
    assert 1 <= len(trial.ledger) <= 3
    assert all(score is not None and 0 <= score <= 1 for _, score in trial.ledger)
    folder = save_bundle(Bundle(trial.result), tmp_path / "bundle")
    answerer = assemble(load_bundle(folder).candidate, source)
    [batch] = answerer.answer([Request("Someone stole my debit card!")])
    answer = batch.results[0]
    assert answer.label in {"billing", "card", "login"}
    assert sum(answer.probabilities or ()) == pytest.approx(1.0)


def test_demonstrations_teach_the_real_model_the_form_of_a_text_answer(
    source: ModelSource, tmp_path: Path
) -> None:
    scores = {}
    for lever in (AsIs(), FewShot(k=(4,), choose=("draw",))):
        shop = Workshop(lever, small(toy.text_task(), dev=4), source, MODEL, tmp_path / lever.name)
        [(_, scores[lever.name])] = shop.fit(effort=1).ledger
    as_is, few_shot = scores["as-is"], scores["few-shot"]
    assert as_is is not None
    assert few_shot is not None
    assert few_shot > as_is


WRITING: list[tuple[Lever, int]] = [
    (ReasonLever(), 1),
    (SelfConsistency(samples=2), 2),
    (CritiqueLever(max_tokens=12), 4),
    (Decompose(questions=1, max_tokens=12), 2),
]


@pytest.mark.parametrize(("lever", "replies"), WRITING, ids=lambda one: getattr(one, "name", ""))
def test_a_lever_that_writes_its_way_to_an_answer_answers_with_the_real_model(
    lever: Lever, replies: int, source: ModelSource, tmp_path: Path
) -> None:
    shop = Workshop(lever, small(toy.text_task(), dev=4), source, MODEL, tmp_path / "runs")
    trial = shop.fit(effort=1)
    folder = save_bundle(Bundle(trial.result), tmp_path / "bundle")
    answerer = assemble(load_bundle(folder).candidate, source)
    asked = [Request("A call about a broken window in the school.")]
    [[one], [again]] = ([a for b in answerer.answer(asked) for a in b.results] for _ in range(2))
    assert len(one.trace) >= replies
    assert all(reply.text for reply in one.trace)
    assert (one.text, one.trace) == (again.text, again.trace)
