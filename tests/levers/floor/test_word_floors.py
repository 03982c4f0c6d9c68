from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from accordeur.core.task import Example, Label, TaskBrief
from accordeur.levers.floor.naive_bayes import fit_naive_bayes
from accordeur.levers.floor.vocabulary import frequent_terms
from accordeur.levers.floor.words_logistic import fit_words_logistic

if TYPE_CHECKING:
    Given = tuple[Any, list[Example]]

PATTERN = r"[a-z0-9']+"
ASKED = ["the bank card looks odd", "", "my my invoice", "password password password"]


def test_naive_bayes_equals_scikit_learn(support: Given) -> None:
    context, train = support
    part = fit_naive_bayes(train, context.task, 10_000)
    counter = CountVectorizer(token_pattern=PATTERN, ngram_range=(1, 2))
    counts = counter.fit_transform([row.text for row in train])
    oracle = MultinomialNB(alpha=1.0).fit(counts, [row.label for row in train])
    assert part.vocabulary == tuple(counter.get_feature_names_out())
    assert part.learned == tuple(oracle.classes_)
    expected = oracle.predict_proba(counter.transform(ASKED))
    np.testing.assert_allclose(part.predict(ASKED)[:, 1:], expected, atol=1e-6)
    np.testing.assert_allclose(part.predict([""])[0, 1:], [12 / 38, 14 / 38, 12 / 38], atol=1e-6)


def test_words_logistic_equals_scikit_learn(support: Given) -> None:
    context, train = support
    parts = list(fit_words_logistic(train, context.task, (1.0, 10.0), 10_000))
    weigher = TfidfVectorizer(token_pattern=PATTERN, ngram_range=(1, 2))
    rows = weigher.fit_transform([row.text for row in train])
    assert parts[0].vocabulary == tuple(weigher.get_feature_names_out())
    np.testing.assert_allclose(parts[0].idf, weigher.idf_, rtol=1e-6)
    for part in parts:
        oracle = LogisticRegression(C=part.c, tol=1e-10, max_iter=5000)
        oracle.fit(rows, [row.label for row in train])
        np.testing.assert_allclose(part.weights.T, oracle.coef_, atol=2e-3)
        expected = oracle.predict_proba(weigher.transform(ASKED))
        np.testing.assert_allclose(part.predict(ASKED)[:, 1:], expected, atol=5e-4)


def test_a_small_vocabulary_keeps_the_terms_of_most_texts() -> None:
    texts = ["b a", "a b", "c", "a a a z"]
    vocabulary, idf = frequent_terms(texts, 3)
    assert vocabulary == ("a", "a a", "b")
    np.testing.assert_allclose(idf, np.log([5 / 4, 5 / 2, 5 / 3]) + 1, rtol=1e-6)


def test_texts_without_words_still_give_a_vocabulary() -> None:
    assert frequent_terms(["...", ""], 10)[0] == ("",)


def banking77(count: int) -> tuple[TaskBrief, list[Example], list[Example]]:
    default = Path(__file__).parents[4] / "shared" / "data"
    folder = Path(os.environ.get("ACCORDEUR_DATA") or default) / "banking77"
    if not folder.is_dir():
        pytest.skip(f"banking77 is not in {folder.parent}; set ACCORDEUR_DATA")
    splits = []
    for name in ("train", "dev"):
        lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        data = [json.loads(line) for line in lines]
        splits.append([Example(d["id"], d["input"], (d["expected"],), d["id"]) for d in data])
    train = [splits[0][i] for i in np.random.default_rng(0).permutation(len(splits[0]))[:count]]
    names = sorted({row.label for row in splits[0]})
    task = TaskBrief("banking77", "", "", "labels", tuple(Label(n, n) for n in names), "accuracy")
    return task, train, splits[1][:300]


def test_500_questions_of_77_intents_are_learned_quickly_and_well() -> None:
    task, train, dev = banking77(500)
    started = time.perf_counter()
    part = list(fit_words_logistic(train, task, (10.0, 100.0), 20_000))[-1]
    assert time.perf_counter() - started < 20  # half a second on two idle cores
    chosen = part.predict([row.text for row in dev]).argmax(axis=1)
    right = np.mean([part.labels[c] == row.label for c, row in zip(chosen, dev, strict=True)])
    assert right > 0.45
