from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from accordeur.core.errors import ModelError
from accordeur.models.source import Models, resolve


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("local/smollm2", "local/smollm2"),
        ("local:smollm2", "local/smollm2"),
        (" local/minilm ", "local/minilm"),
        ("hf/ORG/NAME", "hf/ORG/NAME"),
        ("hf:ORG/NAME", "hf/ORG/NAME"),
    ],
)
def test_both_ways_to_write_a_name_are_read(written: str, meant: str) -> None:
    assert resolve(written) == meant


def test_a_folder_is_named_by_its_path(tmp_path: Path) -> None:
    assert resolve(str(tmp_path)) == str(tmp_path.resolve())


@pytest.mark.parametrize("name", ["local/smolm2", "smollm2", "local:minilmm"])
def test_an_unknown_name_offers_the_nearest(name: str) -> None:
    with pytest.raises(ModelError, match="no model named") as error:
        resolve(name)
    assert "did you mean `local/" in error.value.hint


def test_a_missing_folder_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no folder"):
        resolve(str(tmp_path / "nothing"))


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match="holds no model") as error:
        Models().model(str(tmp_path))
    assert "safetensors" in error.value.hint


def test_a_broken_configuration_is_a_message(tiny_folder: Path, tmp_path: Path) -> None:
    for file in tiny_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text('{"model_type": "no-such-thing"}')
    with pytest.raises(ModelError, match=r"no Hugging Face model|cannot be loaded"):
        Models().model(str(tmp_path))


def test_truncated_weights_are_a_message(tiny_folder: Path, tmp_path: Path) -> None:
    for file in tiny_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        Models().model(str(tmp_path))


def test_a_model_is_loaded_once(tiny_folder: Path) -> None:
    models = Models()
    assert models.model(str(tiny_folder)) is models.model(f"{tiny_folder}/")


def test_models_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(ModelError, match="no language model"):
        Models().model("local/minilm")
    with pytest.raises(ModelError, match="no embedding model"):
        Models().embedder("local/smollm2")


def test_naming_a_model_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, accordeur.models.source as s, accordeur.models.catalog;"
        "s.resolve('local/smollm2'); s.Models();"
        "sys.exit(bool({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_weights_are_a_message_and_not_filled_with_noise(
    tiny_folder: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    for file in tiny_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.layers.1.mlp.down_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights, such as .*layers\.1\.mlp\.down_proj"):
        Models().model(str(tmp_path))
