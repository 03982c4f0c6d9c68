"""Language models, embedding models and rerankers by name, each loaded once.

Names: `local/smollm2` and `local/minilm` (embedded), `hf/ORG/NAME` (the Hugging Face hub), the path
of a folder with safetensors, or a model behind an endpoint, such as `openai/NAME` (`openai_api`).
`provider:model` is read as `provider/model`.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.core.errors import ModelError, UsageError
from accordeur.core.fingerprint import digest as fingerprint
from accordeur.models import catalog
from accordeur.models.catalog import Log
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.models.thread_waiting import wait_briefly

if TYPE_CHECKING:
    from accordeur.core.model import Embedder, Model, Reranker
    from accordeur.models.local.model import LocalModel
    from accordeur.models.openai_api.allowance import Purse
    from accordeur.models.openai_api.model import EndpointModel

LANGUAGE_MODEL = "local/smollm2"
EMBEDDER = "local/minilm"
"""The default models."""


class Models:
    """A `core.model.ModelSource` for models that run here or behind an endpoint.

    Args:
        dtype: `float32` or `bfloat16`; by default a short trial decides per model and machine.
        deterministic: results independent of companions and order (D2).
        device: `cpu` or `cuda`; by default CUDA where there is one.
        log: told what takes long, such as a conversion.
        base_url: of endpoints, instead of their vendor's own.
        at_once: calls to an endpoint at once at most.
        allowance: how much may be spent on endpoints.
    """

    def __init__(
        self,
        *,
        dtype: str | None = None,
        deterministic: bool = False,
        device: str | None = None,
        log: Log | None = None,
        base_url: str | None = None,
        at_once: int | None = None,
        allowance: Purse | None = None,
    ) -> None:
        wait_briefly()
        self._dtype = dtype
        self._deterministic = deterministic
        self._device = device
        self._log = log
        self._base_url = base_url
        self._at_once = at_once
        self._allowance = allowance
        self._local: dict[str, LocalModel] = {}
        self._remote: dict[str, EndpointModel] = {}
        self._embedders: dict[tuple[str, str | None], Embedder] = {}
        self._rerankers: dict[str, Reranker] = {}

    def model(self, name: str) -> Model:
        """The language model of this name.

        Raises:
            ModelError: it cannot be found or loaded, or an endpoint's key is missing. Nothing is
                sent to an endpoint yet.
            UsageError: a base URL for a model that runs here.
        """
        resolved = resolve(name)
        if resolved.partition("/")[0] not in VENDORS:
            return self.local(resolved)
        if resolved not in self._remote:
            self._remote[resolved] = self._called(resolved)
        return self._remote[resolved]

    def local(self, name: str) -> LocalModel:
        """The language model of this name, which runs here. Errors as `model`."""
        resolved = resolve(name)
        if resolved not in self._local:
            if resolved == EMBEDDER:
                raise ModelError(f"`{name}` embeds texts; it is no language model.", hint=_known())
            if self._base_url is not None:
                raise UsageError(
                    f"`{name}` runs on this machine; `--base-url` is for endpoints.",
                    hint="-m openai/NAME --base-url URL",
                )
            place, digest = self._place(resolved)
            from accordeur.models.local.model import LocalModel

            self._local[resolved] = LocalModel.load(
                place,
                name=resolved,
                digest=digest,
                dtype=self._dtype,
                deterministic=self._deterministic,
                device=self._device,
            )
        return self._local[resolved]

    def _called(self, name: str) -> EndpointModel:
        from accordeur.models.openai_api.model import MOST, EndpointModel

        vendor, _, rest = name.partition("/")
        place = endpoint(VENDORS[vendor], self._base_url)
        return EndpointModel(
            place,
            rest,
            most=self._at_once or MOST,
            allowance=self._allowance,
            log=self._log,
        )

    def embedder(self, name: str = EMBEDDER, dtype: str | None = None) -> Embedder:
        """The embedding model of this name: `local/minilm`, a sentence-transformers model of the
        hub or in a folder, or an endpoint's.

        Args:
            dtype: what it computes in, by whatever does so fastest here; `fastest` for whichever
                of the dtypes measured to be good is; torch in float32 by default. An endpoint
                computes in what it likes.

        Raises:
            ModelError: it cannot be found or loaded, or an endpoint's key is missing. Nothing is
                sent to an endpoint yet.
        """
        resolved = resolve(name)
        key = (resolved, dtype)
        if key not in self._embedders:
            if resolved == LANGUAGE_MODEL:
                raise ModelError(f"`{name}` is no embedding model.", hint=f"use `{EMBEDDER}`")
            if resolved.partition("/")[0] in VENDORS:
                self._embedders[key] = self._called_embedder(resolved)
            else:
                self._embedders[key] = self._loaded_embedder(resolved, dtype)
        return self._embedders[key]

    def _loaded_embedder(self, name: str, dtype: str | None) -> Embedder:
        from accordeur.models.embedding.choice import load_embedder
        from accordeur.models.embedding.recipe import Recipe, read_recipe

        place, digest = self._place(name)
        folder = Path(place)
        recipe = Recipe() if name == EMBEDDER else read_recipe(folder)
        if recipe != Recipe():
            digest = fingerprint([digest, recipe.to_json()])
        return load_embedder(
            folder,
            recipe,
            name=name,
            digest=digest,
            dtype=dtype,
            deterministic=self._deterministic,
            log=self._log,
        )

    def _called_embedder(self, name: str) -> Embedder:
        from accordeur.models.openai_api.embeddings import EndpointEmbedder
        from accordeur.models.openai_api.model import MOST

        vendor, _, rest = name.partition("/")
        place = endpoint(VENDORS[vendor], self._base_url)
        return EndpointEmbedder(place, rest, most=self._at_once or MOST, allowance=self._allowance)

    def reranker(self, name: str) -> Reranker:
        """The reranker of this name: a cross-encoder of the hub or in a folder, or an endpoint's.

        Raises:
            ModelError: it cannot be found or loaded, or an endpoint's key is missing. Nothing is
                sent to an endpoint yet.
        """
        resolved = resolve(name)
        if resolved not in self._rerankers:
            if resolved in (LANGUAGE_MODEL, EMBEDDER):
                raise ModelError(
                    f"`{name}` is no reranker, and none is embedded.",
                    hint="name a folder with a cross-encoder, or hf/ORG/NAME",
                )
            if resolved.partition("/")[0] in VENDORS:
                self._rerankers[resolved] = self._called_reranker(resolved)
            else:
                self._rerankers[resolved] = self._loaded_reranker(resolved)
        return self._rerankers[resolved]

    def _loaded_reranker(self, name: str) -> Reranker:
        from accordeur.models.reranking.cross_encoder import load_cross_encoder

        place, digest = self._place(name)
        return load_cross_encoder(
            Path(place), name=name, digest=digest, deterministic=self._deterministic
        )

    def _called_reranker(self, name: str) -> Reranker:
        from accordeur.models.openai_api.reranking import EndpointReranker

        vendor, _, rest = name.partition("/")
        place = endpoint(VENDORS[vendor], self._base_url)
        return EndpointReranker(place, rest, allowance=self._allowance)

    def _place(self, name: str) -> tuple[str | Path, str]:
        """Where a resolved name lies and the digest of its weights."""
        if name.startswith("local/"):
            model = catalog.embedded(name)
            return catalog.ready(model, log=self._log), model.digest
        if name.startswith("hf/"):
            folder = _download(name.removeprefix("hf/"), self._log)
            return folder, folder_digest(folder)
        return Path(name), folder_digest(Path(name))


def resolve(name: str) -> str:
    """The one way to write a name: `provider/model`, or an absolute path.

    Raises:
        ModelError: nothing goes by this name; the nearest names are offered.
    """
    text = name.strip()
    path = Path(text).expanduser()
    if path.is_dir():
        return str(path.resolve())
    provider, colon, rest = text.partition(":")
    if colon and "/" not in provider and rest:
        text = f"{provider}/{rest}"
    provider, _, rest = text.partition("/")
    if provider == "local" and rest in catalog.EMBEDDED:
        return text
    if provider == "hf" and len(rest.split("/")) in (1, 2) and all(rest.split("/")):
        return text
    if provider in VENDORS and rest:
        return text
    if provider == "" or text.startswith((".", "~", "/")):
        raise ModelError(f"There is no folder `{name}`.", hint=_known())
    known = [f"local/{short}" for short in catalog.EMBEDDED]
    near = difflib.get_close_matches(text, [*known, *catalog.EMBEDDED], n=2, cutoff=0.5)
    near = list(dict.fromkeys(n if "/" in n else f"local/{n}" for n in near))
    offer = f"did you mean {' or '.join(f'`{n}`' for n in near)}? " if near else ""
    raise ModelError(f"There is no model named `{name}`.", hint=offer + _known())


def is_endpoint(name: str) -> bool:
    """Whether a name means a model that is called; nothing is called to find out."""
    return name != "none" and resolve(name).partition("/")[0] in VENDORS


def _known() -> str:
    return (
        "known: local/smollm2, hf/ORG/NAME, the path of a folder, or an endpoint such as "
        f"openai/NAME ({', '.join(VENDORS)})"
    )


def folder_digest(folder: Path) -> str:
    """SHA-256 over the digests of a folder's weights, configuration and tokenizer.

    Raises:
        ModelError: it holds no safetensors.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights or not (folder / "config.json").is_file():
        raise ModelError(
            f"`{folder}` holds no model: config.json and *.safetensors are needed.",
            hint="only safetensors are loaded, never pickled weights",
        )
    parts = {}
    for file in [*weights, folder / "config.json", folder / "tokenizer.json"]:
        if file.is_file():
            with open(file, "rb") as handle:
                parts[file.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


_FETCHED = ["*.json", "*.safetensors", "*.jinja", "vocab.txt"]


def _download(name: str, log: Log | None) -> Path:
    """A hub model's folder in the Hugging Face cache; no code and no pickle is fetched."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if log is not None:
        log(f"looking for `{name}` in the Hugging Face cache and hub")
    try:
        return Path(snapshot_download(name, allow_patterns=_FETCHED))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"`hf/{name}` could not be fetched: {reason}",
            hint="check the name and the network, or use `local/smollm2` or a folder",
        ) from error
