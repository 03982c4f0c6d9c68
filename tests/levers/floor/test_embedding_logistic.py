from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from accordeur.core.candidate import Candidate
from accordeur.core.task import Example
from accordeur.levers.floor.embedding_logistic import (
    EmbeddingLogisticFloor,
    choose_strength,
    deal_folds,
    fit_embedding_logistic,
)
from accordeur.levers.floor.training_rows import LabelledRows
from accordeur.parts.classifier.embedding_logistic import EmbeddingLogistic

if TYPE_CHECKING:
    Given = tuple[Any, list[Example]]


def rows_of(labels: str, groups: str | None = None) -> LabelledRows:
    learned = tuple(sorted(set(labels)))
    codes = np.array([learned.index(label) for label in labels], dtype=np.intp)
    names = tuple(groups or map(str, range(len(labels))))
    return LabelledRows(learned, learned, ("",) * len(labels), codes, names)


def test_equals_scikit_learn_at_the_chosen_strength(support: Given) -> None:
    context, train = support
    part = fit_embedding_logistic(train, context.task, context.embedder, (3.0,), 3, 0)
    vectors = context.embedder.embed([row.text for row in train])
    oracle = LogisticRegression(C=3.0, tol=1e-10, max_iter=5000)
    oracle.fit(vectors.astype(np.float64), [row.label for row in train])
    asked = [row.text for row in context.dev]
    expected = oracle.predict_proba(context.embedder.embed(asked).astype(np.float64))
    np.testing.assert_allclose(
        part.predict(asked, context.embedder.embed)[:, 1:], expected, atol=5e-4
    )
    assert (part.embedder, part.embedder_digest) == ("test/letters", "e" * 64)


def test_dev_sees_one_configuration(support: Given) -> None:
    context, train = support
    fitted = EmbeddingLogisticFloor().fit(Candidate(context.task, None), train, context)
    assert list(context.ledger) == ["cross-validated"]
    assert fitted.part(EmbeddingLogistic) is not None


def test_folds_keep_groups_together_and_spread_labels() -> None:
    rows = rows_of("aaaaaabbbccc", "111222345678")
    for seed in range(10):
        fold = deal_folds(rows, 3, seed)
        assert len(set(fold[:3])) == len(set(fold[3:6])) == 1
        assert set(fold[6:9]) == set(fold[9:]) == {0, 1, 2}


def test_folds_depend_on_the_seed_alone() -> None:
    rows = rows_of("ab" * 20)
    assert (deal_folds(rows, 3, 1) == deal_folds(rows, 3, 1)).all()
    assert (deal_folds(rows, 3, 1) != deal_folds(rows, 3, 2)).any()


def test_noise_asks_for_a_strong_penalty_and_clear_rows_for_a_weak_one() -> None:
    random = np.random.default_rng(0)
    rows = rows_of("abc" * 30)
    noise = random.normal(size=(90, 20))
    clear = np.eye(3)[rows.codes] + 0.01 * random.normal(size=(90, 3))
    strengths = (0.01, 1.0, 100.0)
    assert choose_strength(noise, rows, strengths, 3, 0) == 0.01
    assert choose_strength(clear, rows, strengths, 3, 0) == 100.0


@pytest.mark.parametrize("labels", ["a", "ab", "abc", "aaaa"])
def test_without_evidence_the_middle_is_taken(labels: str) -> None:
    vectors = np.eye(len(labels))
    assert choose_strength(vectors, rows_of(labels), (1.0, 10.0, 100.0), 3, 0) == 10.0
