"""The same network in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.models.embedding.conftest import Change

from accordeur.core.model import FloatArray, ModelIdentity
from accordeur.models.embedding.recipe import read_recipe
from accordeur.models.embedding.text_embedder import TextEmbedder, read_tokenizer
from accordeur.models.source import Models

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from accordeur.models.embedding.onnx_body import OnnxBody
from accordeur.models.embedding.onnx_graph import per_channel, supported

TEXTS = [
    "I lost my card.",
    "hello",
    "",
    "Ünïcode, and a longer sentence about money. " * 3,
    "word " * 400,
    "I lost my card.",
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def cosines(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = (a * b).sum(axis=1)
    return product


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_float32_vectors_are_those_of_torch(saved: Change, pooling: str) -> None:
    folder = saved(pooling={"pooling_mode": pooling})
    torch_vectors = Models().embedder(str(folder)).embed(TEXTS)
    recipe = read_recipe(folder)
    body = OnnxBody(folder, recipe.pooling, "float32", model=pooling, threads=1)
    identity = ModelIdentity("saved", "", "")
    embedder = TextEmbedder(body, read_tokenizer(folder), recipe, identity)
    np.testing.assert_allclose(embedder.embed(TEXTS), torch_vectors, atol=2e-6)


def test_bytes_lose_little(minilm_folder: Path) -> None:
    exact = Models().embedder().embed(TEXTS)
    embedder = Models().embedder("local/minilm", "int8")
    assert embedder.identity.dtype == "int8"
    vectors = embedder.embed(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert cosines(vectors, exact).min() > 0.97
    np.testing.assert_array_equal(vectors[0], vectors[5])


def test_deterministic_vectors_do_not_depend_on_companions(tiny_bert: Path) -> None:
    strict = Models(deterministic=True).embedder(str(tiny_bert), "int8")
    together = strict.embed(TEXTS)
    for at in (3, 0):
        np.testing.assert_array_equal(strict.embed([TEXTS[at]])[0], together[at])


def test_the_graph_is_made_once_and_kept(tiny_bert: Path, cache: Path) -> None:
    first = Models().embedder(str(tiny_bert), "int8")
    (graph,) = cache.glob("models/onnx-*/model.onnx")
    made = graph.stat().st_mtime_ns
    again = Models().embedder(str(tiny_bert), "int8")
    assert graph.stat().st_mtime_ns == made
    np.testing.assert_array_equal(first.embed(TEXTS), again.embed(TEXTS))


def test_each_channel_is_rounded_to_its_own_scale() -> None:
    random = np.random.default_rng(0)
    sizes = np.array([1, 10, 100, 1e-3, 1, 0])
    weight = (random.normal(size=(20, 6)) * sizes).astype(np.float32)
    rounded, scales = per_channel(weight)
    assert rounded.dtype == np.int8
    error = np.abs(rounded * scales - weight).max(axis=0)
    assert (error <= scales / 2 + 1e-9).all()


def test_a_graph_is_made_of_plain_encoders_only() -> None:
    plain = {"model_type": "bert", "hidden_act": "gelu"}
    assert supported(plain)
    for other in (
        {"model_type": "roberta"},
        {"hidden_act": "relu"},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
    ):
        assert not supported({**plain, **other})
