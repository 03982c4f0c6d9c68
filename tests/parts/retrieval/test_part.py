from __future__ import annotations

import json
from typing import Any

import pytest

from accordeur.core.errors import BundleError
from accordeur.documents.passage import Ranking
from accordeur.parts.retrieval import Collection, Retrieval, load
from accordeur.parts.retrieval.abstention import Signals, learn_confidence
from accordeur.parts.retrieval.part import FILE


def unsure(collection: Collection) -> Retrieval:
    signals = [Signals(dense=at / 20) for at in range(20)]
    confidence = learn_confidence(signals, [float(at > 8) for at in range(20)])
    return Retrieval(
        collection, 2, Ranking("rrf"), 300, "Read.", confidence, threshold=0.25, gold=0.5
    )


def test_it_comes_back_from_its_files_as_it_was(collection: Collection) -> None:
    part = unsure(collection)
    read = load(part.files())
    assert read.files() == part.files()
    assert (read.ranking, read.confidence, read.threshold) == (
        part.ranking,
        part.confidence,
        part.threshold,
    )


def test_it_says_what_it_does(collection: Collection) -> None:
    assert Retrieval(collection, 1).describe() == "1 passage of 4 by fusion 0.5"
    assert unsure(collection).describe() == "2 passages of 4 by rrf, silent under 0.25"


def test_words_alone_need_no_embedding_model(collection: Collection) -> None:
    assert Retrieval(collection, 1, Ranking("lexical")).embedder is None
    assert Retrieval(collection, 1).embedder == "scripted-embedder"


def test_only_the_estimate_is_fitted(collection: Collection) -> None:
    assert Retrieval(collection, 1).trained_parameters == 0
    assert unsure(collection).trained_parameters == 7


@pytest.mark.parametrize(
    "edit",
    [
        {"k": 0},
        {"tokens": 0},
        {"mode": "magic"},
        {"weight": 2},
        {"weight": "nan"},
        {"threshold": -1},
        {"confidence": None},
        {"confidence": {"signals": {}}},
        {"gold": 1.5},
    ],
)
def test_an_edited_file_is_refused_and_named(collection: Collection, edit: dict[str, Any]) -> None:
    files = dict(unsure(collection).files())
    files[FILE] = json.dumps({**json.loads(files[FILE]), **edit}).encode()
    with pytest.raises(BundleError, match=FILE):
        load(files)


def test_a_missing_file_is_refused(collection: Collection) -> None:
    files = dict(unsure(collection).files())
    del files[FILE]
    with pytest.raises(BundleError, match=FILE):
        load(files)
