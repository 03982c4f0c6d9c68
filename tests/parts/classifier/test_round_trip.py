from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from safetensors.numpy import load, save

from accordeur.core.errors import BundleError, ModelError
from accordeur.core.model import FloatArray
from accordeur.core.part import Part
from accordeur.core.rendering import Request
from accordeur.parts.classifier import KINDS, LabelClassifier, TextClassifier, load_classifier
from accordeur.parts.classifier.copied import Copied
from accordeur.parts.classifier.embedding_logistic import EmbeddingLogistic
from accordeur.parts.classifier.embedding_nearest import EmbeddingNearest
from accordeur.parts.classifier.lead import Lead
from accordeur.parts.classifier.majority import Majority
from accordeur.parts.classifier.most_common import MostCommon
from accordeur.parts.classifier.naive_bayes import NaiveBayes
from accordeur.parts.classifier.silence import Silence
from accordeur.parts.classifier.storage import SETTINGS_FILE, TENSOR_FILE
from accordeur.parts.classifier.words_logistic import WordsLogistic

RANDOM = np.random.default_rng(0)
LABELS = ("bill", "card", "login")
TEXTS = ["my card is lost", "I can't log in", "", "naïve café", "unknown words only"]
VOCABULARY = ("can't", "card", "card is", "naïve")


def numbers(*shape: int) -> FloatArray:
    return RANDOM.normal(size=shape).astype(np.float32)


def embed(texts: Sequence[str]) -> FloatArray:
    vectors = np.ones((len(texts), 5), np.float32)
    for row, text in enumerate(texts):
        for place, character in enumerate(text):
            vectors[row, (place + ord(character)) % 5] += 1
    unit: FloatArray = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


LABEL_PARTS: list[LabelClassifier] = [
    Majority(LABELS, (2, 0, 5)),
    NaiveBayes(LABELS, LABELS[1:], VOCABULARY, numbers(2), numbers(4, 2)),
    WordsLogistic(
        LABELS, LABELS[::2], VOCABULARY, abs(numbers(4)) + 1, numbers(4, 2), numbers(2), 10.0
    ),
    # A transposed view: written as it stands in memory it would come back scrambled.
    EmbeddingLogistic(LABELS, LABELS, numbers(3, 5).T, numbers(3), 1.0, "local/minilm", "ab" * 32),
    EmbeddingNearest(LABELS, embed(TEXTS), np.array([0, 2, 0, 2, 0]), 3, "local/minilm", "c" * 64),
]
TEXT_PARTS: list[TextClassifier] = [
    Lead(2),
    Copied("input"),
    Copied("context"),
    MostCommon('“quoted”\nand "so"'),
    Silence(),
]
PARTS = [*LABEL_PARTS, *TEXT_PARTS]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.kind)
def test_comes_back_from_its_files_and_answers_the_same(
    part: LabelClassifier | TextClassifier,
) -> None:
    files = part.files()
    again = load_classifier(files)
    assert type(again) is type(part)
    assert isinstance(again, Part)
    assert again.files() == files
    assert again.describe() == part.describe() != ""
    assert again.trained_parameters == part.trained_parameters
    assert (again.embedder, again.embedder_digest) == (part.embedder, part.embedder_digest)
    if isinstance(part, TextClassifier):
        assert isinstance(again, TextClassifier)
        requests = [Request(text, context="beside") for text in TEXTS]
        assert again.predict_text(requests) == part.predict_text(requests)
    else:
        assert isinstance(again, LabelClassifier)
        table = part.predict(TEXTS, embed)
        np.testing.assert_array_equal(again.predict(TEXTS, embed), table)
        assert table.dtype == np.float64
        assert table.shape == (len(TEXTS), len(LABELS))
        np.testing.assert_allclose(table.sum(axis=1), 1.0)
        assert (table >= 0).all()
        assert part.predict([], embed).shape == (0, len(LABELS))


def test_every_kind_is_tested_here_and_none_passes_for_the_other_sort() -> None:
    assert {part.kind for part in PARTS} == set(KINDS.names())
    assert not any(isinstance(part, TextClassifier) for part in LABEL_PARTS)
    assert not any(isinstance(part, LabelClassifier) for part in TEXT_PARTS)


def test_labels_without_train_rows_get_no_probability() -> None:
    assert (LABEL_PARTS[1].predict(TEXTS)[:, 0] == 0).all()
    assert (LABEL_PARTS[2].predict(TEXTS)[:, 1] == 0).all()


@pytest.mark.parametrize("part", LABEL_PARTS, ids=lambda part: part.kind)
def test_texts_are_answered_independently_of_each_other(part: LabelClassifier) -> None:
    together = part.predict(TEXTS, embed)
    alone = np.concatenate([part.predict([text], embed) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-12)


@pytest.mark.parametrize("part", LABEL_PARTS[3:], ids=lambda part: part.kind)
def test_another_embedding_model_is_refused(part: LabelClassifier) -> None:
    with pytest.raises(ModelError, match="needs the embedding model `local/minilm`"):
        part.predict(TEXTS)
    with pytest.raises(ModelError, match="with 5 numbers"):
        part.predict(TEXTS, lambda texts: np.ones((len(texts), 7), np.float32))


def changed(part: LabelClassifier | TextClassifier, **settings: object) -> dict[str, bytes]:
    files = dict(part.files())
    data = {**json.loads(files[SETTINGS_FILE]), **settings}
    kept = {name: value for name, value in data.items() if value is not ...}
    return files | {SETTINGS_FILE: json.dumps(kept).encode()}


def retensored(part: LabelClassifier, name: str, tensor: object) -> dict[str, bytes]:
    files = dict(part.files())
    tensors = {**load(files[TENSOR_FILE]), name: tensor}
    return files | {
        TENSOR_FILE: save({key: value for key, value in tensors.items() if value is not None})
    }


MAJORITY, BAYES, LOGISTIC, HEAD, NEAREST = LABEL_PARTS
ODD: dict[str, dict[str, bytes]] = {
    "nothing": {},
    "not JSON": {SETTINGS_FILE: b"kind: majority"},
    "not UTF-8": {SETTINGS_FILE: b'{"kind": "\xff"}'},
    "a list": {SETTINGS_FILE: b"[]"},
    "endless nesting": {SETTINGS_FILE: b"[" * 100_000},
    "no kind": changed(MAJORITY, kind=...),
    "kind of another type": changed(MAJORITY, kind=3),
    "unknown kind": changed(MAJORITY, kind="pickle"),
    "kind of another part": changed(MAJORITY, kind="lead"),
    "missing setting": changed(MAJORITY, counts=...),
    "unknown setting": changed(MAJORITY, code="os:system"),
    "labels twice": changed(MAJORITY, labels=["a", "a", "b"]),
    "labels no texts": changed(MAJORITY, labels=[1, 2, 3]),
    "negative counts": changed(MAJORITY, counts=[-1, 2, 3]),
    "true as a count": changed(MAJORITY, counts=[True, 2, 3]),
    "all counts zero": changed(MAJORITY, counts=[0, 0, 0]),
    "too few counts": changed(MAJORITY, counts=[1]),
    "a stray file": {**MAJORITY.files(), "classifier/run.py": b""},
    "a stray tensor file": {**MAJORITY.files(), TENSOR_FILE: b""},
    "no tensor file": {SETTINGS_FILE: BAYES.files()[SETTINGS_FILE]},
    "tensors garbled": {**BAYES.files(), TENSOR_FILE: b"\x80\x04N."},
    "a tensor too many": retensored(BAYES, "extra", np.ones(1, np.float32)),
    "a tensor renamed": retensored(BAYES, "log_prior", None),
    "a tensor too short": retensored(BAYES, "log_prior", np.ones(1, np.float32)),
    "a tensor of float64": retensored(BAYES, "log_prior", np.ones(2)),
    "a tensor with NaN": retensored(BAYES, "log_prior", np.full(2, np.nan, np.float32)),
    "a learned label that is none": changed(BAYES, learned=["card", "other"]),
    "vocabulary of another size": changed(LOGISTIC, vocabulary=["a"]),
    "infinite C": {
        **LOGISTIC.files(),
        SETTINGS_FILE: changed(LOGISTIC, c=10.0)[SETTINGS_FILE].replace(b"10.0", b"1e999"),
    },
    "C no number": changed(HEAD, c=True),
    "embedder no text": changed(HEAD, embedder=None),
    "a code outside the labels": retensored(NEAREST, "codes", np.full(5, 3)),
    "no rows": retensored(NEAREST, "codes", np.zeros(0, np.int64)),
    "k of zero": changed(NEAREST, k=0),
    "k of half": changed(NEAREST, k=1.5),
    "no sentences": changed(TEXT_PARTS[0], count=0),
    "source elsewhere": changed(TEXT_PARTS[1], source="documents"),
    "answer no text": changed(TEXT_PARTS[3], text=["a"]),
}


@pytest.mark.parametrize("name", ODD)
def test_anything_odd_is_refused(name: str) -> None:
    with pytest.raises(BundleError):
        load_classifier(ODD[name])
