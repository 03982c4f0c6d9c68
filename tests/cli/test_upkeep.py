"""`accordeur models ...`, `cache ...` and `doctor`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.cli.cache.prune import parse_size
from accordeur.cli.diagnosis import Finding, diagnose
from accordeur.core.paths import cache_folder
from accordeur.models.catalog import EMBEDDED
from accordeur.store import SqliteAnswerCache

Say = Callable[..., Any]


def test_models_are_listed_with_size_and_licence(say: Say) -> None:
    said = say("models", "list")
    assert said.code == 0
    assert "local/smollm2" in said.out
    assert "Apache-2.0" in said.out
    rows = json.loads(say("models", "list", "--json").out)
    assert [row["name"] for row in rows] == [f"local/{name}" for name in EMBEDDED]
    assert all(row["state"] in {"ready", "not converted", "missing"} for row in rows)


def test_removing_a_model_frees_what_the_cache_holds_of_it(say: Say) -> None:
    folder = EMBEDDED["smollm2"].converted_folder
    assert folder.is_relative_to(cache_folder())
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"x" * 2_000_000)
    said = say("models", "rm", "smollm2")
    assert said.code == 0
    assert "local/smollm2: 2 MB freed" in said.out
    assert not folder.exists()


def test_the_cache_says_what_it_holds_and_forgets(say: Say) -> None:
    assert "no answers yet" in say("cache", "info").out
    assert not cache_folder().exists()  # looking makes nothing
    with SqliteAnswerCache() as cache:
        cache.put_many({f"key-{n}": {"text": "x" * 100} for n in range(5)})
    assert "5 answers" in say("cache", "info").out
    assert json.loads(say("cache", "info", "--json").out)["entries"] == 5
    assert "0 answers forgotten; 5 answers" in say("cache", "prune", "--older-than", "1").out
    assert "5 answers forgotten; 0 answers" in say("cache", "prune", "--max-size", "0").out


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("12b", 12)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_doctor_names_everything_and_the_command_for_what_is_missing(say: Say) -> None:
    said = say("doctor")
    for word in ("Python", "processor", "torch", "local/smollm2", "local/minilm", "cache", "runs"):
        assert word in said.out
    findings = [Finding(**one) for one in json.loads(say("doctor", "--json").out)]
    assert said.code == int(any(one.needed and one.state != "ok" for one in findings))
    assert all(one.command for one in findings if one.needed and one.state != "ok")


def test_doctor_says_what_to_type_for_a_missing_model(
    monkeypatch: pytest.MonkeyPatch, say: Say, tmp_path: Path
) -> None:
    # Without the packages' metadata the models are as good as not installed.
    import importlib.metadata as metadata

    real = metadata.distribution

    def without(name: str) -> metadata.Distribution:
        if name in {model.package for model in EMBEDDED.values()}:
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "distribution", without)
    said = say("doctor")
    assert said.code == 1
    assert "accordeur models pull smollm2" in said.out
    assert "accordeur models pull minilm" in said.out


def test_a_folder_that_cannot_be_written_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "file" / "cache"))
    (cache,) = [one for one in diagnose() if one.name == "cache"]
    assert cache.state == "broken"
    assert cache.command == "export ACCORDEUR_CACHE=/another/folder"


def test_free_space_is_told() -> None:
    (runs,) = [one for one in diagnose() if one.name == "runs"]
    assert "free" in runs.detail
    assert shutil.disk_usage(".").free > 0
