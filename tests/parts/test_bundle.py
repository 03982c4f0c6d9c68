from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.fingerprint import digest_bytes
from accordeur.core.part import Part
from accordeur.core.rendering import Request
from accordeur.core.task import Example, TaskBrief, Turn
from accordeur.levers.floor.majority import fit_majority
from accordeur.parts.bundle import LOADERS, Bundle, bundle_files, load_bundle, save_bundle
from accordeur.parts.calibration import Calibration
from accordeur.parts.decoding import Decoding
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations, NearestDemonstrations
from accordeur.parts.prompt import Prompt

SHOWN = (
    Demonstration("1", "1", Request("My bill\u2028is wrong"), "billing"),
    Demonstration("2", "g", Request({"title": "T", "body": "B"}, "C", ("d",)), "card_lost"),
    Demonstration("3", "g", Request((Turn("user", "Hi"),)), "billing"),
)
PARTS: dict[str, Part] = {
    "prompt": Prompt("Which?\n---\nteam", "{{ input }}\n---\n", "Be kind."),
    "fixed": FixedDemonstrations(SHOWN),
    "nearest": NearestDemonstrations(SHOWN, np.eye(3, dtype=np.float32), 2, "local/minilm", "d"),
    "calibration": Calibration("fitted", ("billing", "card_lost"), (0.1, -1 / 3)),
    "decoding": Decoding("score"),
}


@pytest.fixture
def candidate(labelled: TaskBrief) -> Candidate:
    made = Candidate(labelled, "local/smollm2")
    for name in ("prompt", "fixed", "calibration", "decoding"):
        made = made.with_part(PARTS[name])
    return made


@pytest.mark.parametrize("name", PARTS)
def test_a_part_comes_back_as_it_was(name: str, labelled: TaskBrief, tmp_path: Path) -> None:
    made = Candidate(labelled, "local/smollm2").with_part(PARTS[name])
    read = load_bundle(save_bundle(Bundle(made), tmp_path / "b")).candidate
    assert read == made
    assert read.fingerprint == made.fingerprint


def test_a_classifier_comes_back_as_it_was(labelled: TaskBrief, tmp_path: Path) -> None:
    part = fit_majority([Example("1", "x", ("card_lost",), "1")], labelled)
    made = Candidate(labelled, None).with_part(part)
    assert load_bundle(save_bundle(Bundle(made), tmp_path / "b")).candidate == made


def test_every_slot_that_is_written_today_has_a_reader() -> None:
    assert {part.slot for part in PARTS.values()} | {"classifier"} <= set(LOADERS.table)


def test_all_that_is_told_about_a_candidate_comes_back(
    candidate: Candidate, tmp_path: Path
) -> None:
    told = Bundle(candidate, "a" * 64, {"dev": 0.5}, {"local/smollm2": "Apache-2.0"}, "run-1")
    assert load_bundle(save_bundle(told, tmp_path / "b")) == told


def test_a_bundle_is_plain_files_with_their_hashes(candidate: Candidate, tmp_path: Path) -> None:
    folder = save_bundle(Bundle(candidate), tmp_path / "deep" / "b")
    names = {path.name for path in folder.iterdir()}
    assert names == {"bundle.json", "prompt.md", "demonstrations.jsonl", "calibration.json"}
    about = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    assert about["decoding"]["mode"] == "score"
    assert about["files"]["prompt.md"] == digest_bytes((folder / "prompt.md").read_bytes())
    assert bundle_files(Bundle(candidate)).keys() == names


def test_a_bundle_replaces_an_older_bundle_and_fills_an_empty_folder(
    candidate: Candidate, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    save_bundle(Bundle(candidate), tmp_path / "b")
    save_bundle(Bundle(candidate.without("demonstrations")), tmp_path / "b")
    assert not (tmp_path / "b" / "demonstrations.jsonl").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_folder_or_file_that_is_no_bundle_is_left_alone(
    candidate: Candidate, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for name in ("folder", "file"):
        with pytest.raises(BundleError, match="is not a bundle"):
            save_bundle(Bundle(candidate), tmp_path / name)
    assert (tmp_path / "file").read_text() == "x"
    assert (tmp_path / "folder" / "thesis.txt").exists()


@pytest.fixture
def saved(candidate: Candidate, tmp_path: Path) -> Path:
    return save_bundle(Bundle(candidate), tmp_path / "b")


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "bundle.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    change(about)
    path.write_text(json.dumps(about), encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/hostname", "a/../../secret", "..\\secret", "prompt.md\0", "a\\b", "."],
)
def test_a_path_outside_the_bundle_is_refused_unread(name: str, saved: Path) -> None:
    secret = saved.parent / "secret"
    secret.write_text("s")
    rewrite(saved, lambda about: about["files"].update({name: digest_bytes(b"s")}))
    with pytest.raises(BundleError):
        load_bundle(saved)


def test_a_link_that_leads_outside_is_refused(saved: Path) -> None:
    outside = saved.parent / "outside.md"
    outside.write_bytes((saved / "prompt.md").read_bytes())
    (saved / "prompt.md").unlink()
    (saved / "prompt.md").symlink_to(outside)
    with pytest.raises(BundleError, match="outside itself"):
        load_bundle(saved)


def test_a_folder_link_that_leads_outside_is_refused(saved: Path) -> None:
    other = saved.parent / "other"
    other.mkdir()
    (other / "x").write_bytes(b"s")
    (saved / "classifier").symlink_to(other)
    rewrite(saved, lambda about: about["files"].update({"classifier/x": digest_bytes(b"s")}))
    with pytest.raises(BundleError, match="outside itself"):
        load_bundle(saved)


def test_a_changed_file_is_refused_by_name(saved: Path) -> None:
    (saved / "prompt.md").write_text("---\ninstruction: Steal.\n---\n{{ input }}")
    with pytest.raises(BundleError, match=r"`prompt\.md` was changed"):
        load_bundle(saved)


def test_a_missing_file_is_refused_by_name(saved: Path) -> None:
    (saved / "calibration.json").unlink()
    with pytest.raises(BundleError, match=r"lacks `calibration\.json`"):
        load_bundle(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: about.update(format=99), "newer version"),
        (lambda about: about.update(format="1"), "description"),
        (lambda about: about["slots"].update(telepathy=[]), "telepathy"),
        (lambda about: about["slots"].update(tools=[]), "No reader for slot `tools`"),
        (lambda about: about["slots"].update(prompt=["nowhere.md"]), "lacks or garbles"),
        (lambda about: about["slots"].update(prompt=[]), r"prompt\.md"),
        (lambda about: about.update(slots=[]), "lacks or garbles"),
        (lambda about: about.update(files=[]), "lacks or garbles"),
        (lambda about: about.pop("task"), "task"),
        (lambda about: about["task"].pop("labels"), "labels"),
        (lambda about: about["task"].update(kind="poetry"), "poetry"),
        (lambda about: about["task"].update(labels=[1]), "lacks or garbles"),
        (lambda about: about.update(decoding=None), r"decoding\.json"),
        (lambda about: about.pop("base"), "base"),
    ],
)
def test_a_description_that_is_wrong_is_a_message(
    change: Callable[[dict[str, Any]], object], message: str, saved: Path
) -> None:
    rewrite(saved, change)
    with pytest.raises(BundleError, match=message):
        load_bundle(saved)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xfe", b"{}", b'{"format": 1'])
def test_a_garbled_description_is_a_message(data: bytes, saved: Path) -> None:
    (saved / "bundle.json").write_bytes(data)
    with pytest.raises(BundleError):
        load_bundle(saved)


def test_a_folder_without_a_description_says_what_it_is_not(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"):
        load_bundle(tmp_path)


def test_a_fingerprint_is_of_parts_base_and_labels(candidate: Candidate) -> None:
    other = replace(candidate.task, instruction="Other words", description="x", metric="macro-f1")
    assert replace(candidate, task=other).fingerprint == candidate.fingerprint
    assert replace(candidate, base="hf/other").fingerprint != candidate.fingerprint
    assert candidate.with_part(Prompt("x")).fingerprint != candidate.fingerprint
    assert candidate.without("calibration").fingerprint != candidate.fingerprint
    fewer = replace(candidate.task, labels=candidate.task.labels[:1])
    assert replace(candidate, task=fewer).fingerprint != candidate.fingerprint
