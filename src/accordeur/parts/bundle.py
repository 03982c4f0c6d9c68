"""Bundles: a candidate as a folder of plain files that public tools open.

`bundle.json` names the base model and its digest, the task's words, the files of each slot with
their SHA-256, the decoding settings, a summary of what was measured, and licences. Every other file
belongs to one slot. Reading trusts nothing: paths stay inside the folder, links are refused,
digests are checked, and nothing in a bundle can bring code to run: what it names (a slot, a kind of
pattern) is looked up among what is installed here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

from accordeur._version import __version__
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.fingerprint import digest_bytes
from accordeur.core.part import SLOTS, Part, Slot
from accordeur.core.registry import Registry
from accordeur.core.task import Label, TaskBrief

FORMAT = 1
"""Version of `bundle.json`; a reader refuses newer ones."""

LOADERS = Registry(
    "accordeur.parts",
    "part",
    {
        "prompt": "accordeur.parts.prompt:Prompt.from_files",
        "demonstrations": "accordeur.parts.demonstrations:load",
        "retrieval": "accordeur.parts.retrieval:load",
        "memory": "accordeur.parts.memory:load",
        "pattern": "accordeur.parts.pattern:load",
        "soft_prompt": "accordeur.parts.soft_prompt:load",
        "weights": "accordeur.parts.weights:load",
        "classifier": "accordeur.parts.classifier:load_classifier",
        "calibration": "accordeur.parts.calibration:Calibration.from_files",
        "decoding": "accordeur.parts.decoding:Decoding.from_files",
    },
)
"""Slot -> reader of its files."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle read back.

    Attributes:
        candidate: its parts.
        base_digest: digest of the base model it was measured on, empty for floors.
        measurement: what was measured, as the run's record has it.
        licence: of base model and embeddings, by name.
        run: id of the run it came from.
    """

    candidate: Candidate
    base_digest: str = ""
    measurement: Mapping[str, Any] = field(default_factory=dict)
    licence: Mapping[str, str] = field(default_factory=dict)
    run: str = ""


def bundle_files(bundle: Bundle) -> dict[str, bytes]:
    """Every file of a bundle by relative path, `bundle.json` last."""
    task = bundle.candidate.task
    files: dict[str, bytes] = {}
    slots: dict[str, list[str]] = {}
    decoding: Any = None
    for slot, part in bundle.candidate.parts.items():
        held = dict(part.files())
        if slot == "decoding":
            decoding = json.loads(held.pop("decoding.json"))
        slots[slot] = sorted(held)
        files.update(held)
    about = {
        "format": FORMAT,
        "accordeur": __version__,
        "base": {"name": bundle.candidate.base, "digest": bundle.base_digest},
        "task": {
            "name": task.name,
            "description": task.description,
            "instruction": task.instruction,
            "template": task.template,
            "kind": task.kind,
            "labels": [{"name": label.name, "text": label.text} for label in task.labels],
            "metric": task.metric,
        },
        "slots": slots,
        "decoding": decoding,
        "measurement": dict(bundle.measurement),
        "licence": dict(bundle.licence),
        "run": bundle.run,
        "files": {name: digest_bytes(data) for name, data in sorted(files.items())},
    }
    files["bundle.json"] = json.dumps(about, indent=2, ensure_ascii=False).encode()
    return files


def save_bundle(bundle: Bundle, folder: Path) -> Path:
    """Write a bundle as a new folder, whole or not at all.

    Raises:
        BundleError: the folder exists and is not an older bundle, or cannot be written.
    """
    folder = folder.absolute()
    empty = folder.is_dir() and not any(folder.iterdir())
    if folder.exists() and not empty and not (folder / "bundle.json").is_file():
        raise BundleError(
            f"`{folder}` exists and is not a bundle.", hint="name another folder or move it away"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".bundle-", dir=folder.parent) as scratch:
            made = Path(scratch) / "new"
            for name, data in bundle_files(bundle).items():
                target = made / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            if folder.exists():
                folder.replace(Path(scratch) / "old")
            made.replace(folder)
    except OSError as error:
        raise BundleError(
            f"The bundle cannot be written to `{folder}`: {error.strerror}.",
            hint="free space or name another folder, then save it again",
        ) from error
    return folder


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle.

    Raises:
        BundleError: not a bundle, damaged, from a newer version, or a path leaves the folder.
    """
    about = _read_about(folder)
    try:
        files = _read_files(folder, about["files"])
        parts: dict[Slot, Part] = {}
        for name, names in about["slots"].items():
            if name not in SLOTS:
                raise BundleError(
                    f"The bundle fills a slot `{name}` this version does not know.",
                    hint="pip install -U accordeur",
                )
            held = {path: files[path] for path in names}
            if name == "decoding":
                held = {"decoding.json": json.dumps(about["decoding"]).encode()}
            parts[cast(Slot, name)] = _loader(name)(held)
        words = about["task"]
        if words["kind"] not in ("labels", "text"):
            raise BundleError(
                f"The bundle answers a kind of task this version does not know: {words['kind']}.",
                hint="pip install -U accordeur",
            )
        task = TaskBrief(
            name=words["name"],
            description=words["description"],
            instruction=words["instruction"],
            kind=words["kind"],
            labels=tuple(Label(label["name"], label["text"]) for label in words["labels"]),
            metric=words["metric"],
            template=words.get("template", ""),
        )
        base = about["base"]
        candidate = Candidate(
            task, base["name"], {slot: parts[slot] for slot in SLOTS if slot in parts}
        )
        return Bundle(
            candidate,
            base.get("digest", ""),
            about.get("measurement", {}),
            about.get("licence", {}),
            about.get("run", ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            f"`{folder / 'bundle.json'}` lacks or garbles {error}.",
            hint="save the bundle again from its run",
        ) from error


def _loader(slot: str) -> Any:
    if slot not in LOADERS.table:
        raise BundleError(
            f"No reader for slot `{slot}` is installed.", hint="pip install -U accordeur"
        )
    return LOADERS.load(slot)


def _read_about(folder: Path) -> dict[str, Any]:
    path = folder / "bundle.json"
    if not path.is_file():
        raise BundleError(
            f"`{folder}` is not a bundle: it has no `bundle.json`.",
            hint="a run leaves its winner in .accordeur/runs/RUN/winner",
        )
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(
            f"`{path}` cannot be read.", hint="save the bundle again from its run"
        ) from error
    if not isinstance(about, dict) or not isinstance(about.get("format"), int):
        raise BundleError(
            f"`{path}` is not a bundle's description.", hint="save the bundle again from its run"
        )
    if about["format"] > FORMAT:
        raise BundleError(
            f"The bundle was written by a newer version (format {about['format']}).",
            hint="pip install -U accordeur",
        )
    return about


def _read_files(folder: Path, listed: Mapping[str, str]) -> dict[str, bytes]:
    root = folder.resolve()
    files = {}
    for name, expected in listed.items():
        relative = PurePosixPath(name)
        path = root.joinpath(*relative.parts)
        inside = not relative.is_absolute() and ".." not in relative.parts
        plain = "\\" not in name and "\0" not in name
        if not (inside and plain and path.resolve().is_relative_to(root)):
            raise BundleError(
                f"The bundle names a path outside itself: `{name}`.",
                hint="do not use this bundle; ask where it came from",
            )
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BundleError(
                f"The bundle lacks `{name}`.", hint="copy the whole folder again"
            ) from error
        if digest_bytes(data) != expected:
            raise BundleError(
                f"`{name}` was changed after the bundle was saved.",
                hint="save the bundle again from its run",
            )
        files[name] = data
    return files
