from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.models.embedding.conftest import Change

from accordeur.core.errors import MissingDependency, ModelError
from accordeur.models.embedding import choice
from accordeur.models.source import Models

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """As on a machine where a package is not installed."""
    find = importlib.util.find_spec

    def remove(package: str) -> None:
        def found(name: str, *rest: str) -> object:
            return None if name == package else find(name, *rest)

        monkeypatch.setattr("importlib.util.find_spec", found)

    return remove


def stored(cache: Path) -> dict[str, float]:
    (trial,) = json.loads((cache / "embedding-trials.json").read_text()).values()
    speeds: dict[str, float] = trial["texts_per_second"]
    return speeds


def test_the_fastest_of_the_measured_is_taken_and_remembered(cache: Path) -> None:
    told: list[str] = []
    first = Models(log=told.append).embedder("local/minilm", "fastest")
    speeds = stored(cache)
    assert set(speeds) == {str(one) for one in choice.RUNTIMES}
    best = max(speeds, key=speeds.__getitem__)
    assert best.split()[1] == first.identity.dtype
    assert len(told) == 1
    again = Models(log=told.append).embedder("local/minilm", "fastest")
    assert len(told) == 1, "no second trial"
    assert again.identity == first.identity


def test_other_models_stay_in_float32_unless_a_dtype_is_named(tiny_bert: Path, cache: Path) -> None:
    assert Models().embedder(str(tiny_bert), "fastest").identity.dtype == "float32"
    assert set(stored(cache)) == {"torch float32", "onnx float32"}
    assert Models().embedder(str(tiny_bert), "int8").identity.dtype == "int8"


def test_vectors_that_are_far_off_here_do_not_compete(
    tiny_bert: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "CLOSE", 1.1)
    Models().embedder(str(tiny_bert), "fastest")
    assert set(stored(cache).values()) == {0.0}


def test_a_damaged_file_of_trials_is_written_anew(tiny_bert: Path, cache: Path) -> None:
    cache.mkdir()
    (cache / "embedding-trials.json").write_text("[")
    Models().embedder(str(tiny_bert), "fastest")
    assert all(speed > 0 for speed in stored(cache).values())


@pytest.mark.parametrize(
    ("missing", "engine"), [("onnxruntime", "accordeur-bert"), ("torch", "accordeur-onnx")]
)
def test_what_is_installed_is_used_and_told_in_the_identity(
    tiny_bert: Path, without: Callable[[str], None], missing: str, engine: str
) -> None:
    without(missing)
    assert Models().embedder(str(tiny_bert), "fastest").identity.engine.startswith(engine)


def test_a_dtype_that_nothing_installed_computes_is_told(
    tiny_bert: Path, without: Callable[[str], None]
) -> None:
    without("onnxruntime")
    with pytest.raises(MissingDependency, match="int8") as error:
        Models().embedder(str(tiny_bert), "int8")
    assert "accordeur[rag]" in error.value.hint


def test_a_dtype_that_there_is_not_is_refused() -> None:
    with pytest.raises(ModelError, match="int4"):
        Models().embedder("local/minilm", "int4")


def test_a_language_model_is_no_embedder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no embedding model"):
        Models().embedder("local/smollm2", "fastest")


def test_dtypes_and_recipes_make_identities_differ(tiny_bert: Path, saved: Change) -> None:
    models = Models()
    plain = models.embedder(str(tiny_bert)).identity
    others = [
        models.embedder(str(tiny_bert), "bfloat16").identity,
        models.embedder(str(tiny_bert), "int8").identity,
        models.embedder(str(saved(pooling={"pooling_mode": "cls"}))).identity,
    ]
    assert len({(one.digest, one.dtype) for one in [plain, *others]}) == 4
