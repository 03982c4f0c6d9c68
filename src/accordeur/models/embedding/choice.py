"""What computes an embedding model on this machine: torch or ONNX Runtime, in which numbers.

A *runtime* is an engine and a dtype. Vectors of the same dtype may stand side by side in an index
whatever the engine (they differ in the seventh digit); vectors of different dtypes may not. So a
new index takes the fastest runtime whose quality was measured to be within half a point of nDCG@10
(`MEASURED`), and an index that exists takes the fastest runtime of its own dtype.

Speed is measured here, once per machine and model, by embedding the same few texts with each
runtime. A runtime whose vectors are not close to float32's on this machine does not compete: bytes
are multiplied with less room on processors without the instructions for it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from accordeur.core.errors import MissingDependency, ModelError
from accordeur.core.fingerprint import digest
from accordeur.core.model import FloatArray, ModelIdentity
from accordeur.core.paths import cache_folder
from accordeur.models.catalog import MINILM, Log
from accordeur.models.embedding.recipe import Recipe
from accordeur.models.embedding.text_embedder import TextEmbedder, read_tokenizer
from accordeur.models.trials import read_trials, remember_trial

Engine = Literal["torch", "onnx"]

FASTEST = "fastest"
"""As a dtype: whichever runtime is fastest here and measured to be good."""

FLOAT32 = "float32"


@dataclass(frozen=True, slots=True)
class Runtime:
    """An engine and the numbers it computes in."""

    engine: Engine
    dtype: str

    def __str__(self) -> str:
        return f"{self.engine} {self.dtype}"


TORCH = Runtime("torch", FLOAT32)
"""What everything but an index uses."""

RUNTIMES = (TORCH, Runtime("torch", "bfloat16"), Runtime("onnx", FLOAT32), Runtime("onnx", "int8"))

MEASURED: Mapping[str, tuple[str, ...]] = {MINILM.digest: (FLOAT32, "bfloat16", "int8")}
"""Digest of a model -> dtypes whose nDCG@10 was measured to be within half a point of float32's
(benchmarks/quality/retrieval/README.md). Other models run in float32 unless a dtype is named."""

CLOSE = 0.98
"""Mean cosine to float32's vectors below which a runtime does not compete."""

_FAR_BEHIND = 1.5
"""Times the leader's seconds after which a second turn could not change the choice."""

_TEXT = (
    "The tuner listens first and turns nothing. Every string has a number in her notebook, and "
    "beside it stands how far it was off last spring, when the hall had not been heated for a "
    "month. She writes the new number under the old one. Only when the page is full does she take "
    "the key out of its cloth, and even then she begins with the string that needs it least. "
)


def load_embedder(
    folder: Path,
    recipe: Recipe,
    *,
    name: str,
    digest: str,
    dtype: str | None = None,
    deterministic: bool = False,
    log: Log | None = None,
) -> TextEmbedder:
    """The embedding model in a folder.

    Args:
        recipe: from text to tokens to vector.
        name, digest: of its identity; the digest is of the weights and all that goes with them.
        dtype: `None` for torch in float32; a dtype for the fastest runtime of it; `FASTEST`.
        deterministic: a vector does not depend on what is embedded with it.
        log: told what takes long.

    Raises:
        ModelError: the folder holds no such model, or nothing computes it in this dtype.
        MissingDependency: what could compute it is not installed.
    """
    loading = _Loading(folder, recipe, name, digest, deterministic)
    if dtype is None:
        return loading.load(TORCH)
    able = loading.runtimes(MEASURED.get(digest, (FLOAT32,)) if dtype == FASTEST else (dtype,))
    if len(able) == 1:
        return loading.load(able[0])
    return loading.load(_fastest(loading, able, log))


@dataclass(frozen=True, slots=True)
class _Loading:
    """A model that can be loaded in several ways."""

    folder: Path
    recipe: Recipe
    name: str
    digest: str
    deterministic: bool

    def runtimes(self, dtypes: Sequence[str]) -> list[Runtime]:
        """Those that are installed and can run this model in one of these dtypes."""
        known = [one for one in RUNTIMES if one.dtype in dtypes]
        if not known:
            raise ModelError(
                f"`{self.name}` cannot be computed in `{dtypes[0]}`.",
                hint=f"one of {', '.join(sorted({one.dtype for one in RUNTIMES}))}",
            )
        able = [one for one in known if one.engine == "torch" or self._graph_can_be_made()]
        if not able:
            raise ModelError(
                f"`{self.name}` cannot be computed in `{dtypes[0]}`: ONNX Runtime is given networks"
                " of the BERT family only.",
                hint="float32",
            )
        there = [one for one in able if _installed(one.engine)]
        if not there:
            extra = "rag" if any(one.engine == "onnx" for one in able) else "local"
            raise MissingDependency(
                f"What computes `{self.name}` in `{dtypes[0]}` is not installed.",
                hint=f"pip install 'accordeur[{extra}]'",
            )
        return there

    def load(self, runtime: Runtime) -> TextEmbedder:
        """The model in this runtime."""
        # Each engine is an import of its own: a machine needs one of them.
        if runtime.engine == "torch":
            from accordeur.models.embedding.torch_body import ENGINE as TORCH_ENGINE
            from accordeur.models.embedding.torch_body import TorchBody

            torch_body = TorchBody(self.folder, self.recipe.pooling, runtime.dtype)
            return self._embedder(torch_body, TORCH_ENGINE, torch_body.threads, runtime)
        from accordeur.models.embedding.onnx_body import ENGINE, OnnxBody

        body = OnnxBody(
            self.folder,
            self.recipe.pooling,
            runtime.dtype,
            model=self.digest,
            threads=threads(),
        )
        return self._embedder(body, ENGINE, body.threads, runtime)

    def _embedder(self, body: Any, engine: str, used: int, runtime: Runtime) -> TextEmbedder:
        identity = ModelIdentity(
            name=self.name,
            digest=self.digest,
            engine=engine,
            dtype=runtime.dtype,
            threads=used,
            batch_tokens=body.batch_tokens,
            device="cpu",
            deterministic=self.deterministic,
        )
        return TextEmbedder(body, read_tokenizer(self.folder), self.recipe, identity)

    def _graph_can_be_made(self) -> bool:
        if not _installed("onnx"):
            return True  # so that the hint is to install it
        from accordeur.models.embedding.onnx_graph import supported

        try:
            return supported(json.loads((self.folder / "config.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return False


def _installed(engine: Engine) -> bool:
    wanted = ("torch", "transformers") if engine == "torch" else ("onnxruntime", "onnx")
    return all(importlib.util.find_spec(name) is not None for name in wanted)


def threads() -> int:
    """As torch counts: what `OMP_NUM_THREADS` says, else the cores this process may use."""
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if said.isdigit() and int(said) > 0:
        return int(said)
    cores = getattr(os, "sched_getaffinity", None)
    return len(cores(0)) if cores is not None else os.cpu_count() or 1


def _fastest(loading: _Loading, able: Sequence[Runtime], log: Log | None) -> Runtime:
    """The stored trial of this model on this machine, or a new one, among these runtimes."""
    key = digest([loading.digest, loading.recipe.to_json(), _machine(able)])
    path = cache_folder() / "embedding-trials.json"
    speeds = read_trials(path).get(key, {}).get("texts_per_second")
    if not isinstance(speeds, dict) or not all(
        isinstance(speeds.get(str(one)), (int, float)) for one in able
    ):
        if log is not None:
            log(f"finding out what embeds fastest here: {', '.join(map(str, able))}")
        speeds = _speeds(loading, able)
        remember_trial(path, key, {"texts_per_second": speeds, "machine": _machine(able)})
    return max(able, key=lambda one: speeds[str(one)])


def _machine(able: Sequence[Runtime]) -> list[str]:
    """What makes two machines the same for a trial."""
    versions = [
        importlib.metadata.version("torch" if engine == "torch" else "onnxruntime")
        for engine in sorted({one.engine for one in able})
    ]
    processor = platform.processor() or platform.machine()
    return [platform.node(), processor, str(threads()), *map(str, able), *versions]


def _speeds(loading: _Loading, able: Sequence[Runtime]) -> dict[str, float]:
    """Texts per second of each, the better of two turns; 0 where vectors are not close to
    float32's. A runtime that is far behind after the first turn gets no second."""
    texts = [text[shift:] for shift in (0, 10) for text in (_TEXT * 3, _TEXT * 2, _TEXT, "", "?")]
    embedders = {one: loading.load(one) for one in able}
    seconds, vectors = {}, {}
    for one, embedder in embedders.items():
        embedder.embed(texts[-2:])  # the first call of all prepares more than itself
        seconds[one], vectors[one] = _timed(embedder, texts)
    leading = min(seconds.values())
    for one, embedder in embedders.items():
        if seconds[one] < _FAR_BEHIND * leading:
            seconds[one] = min(seconds[one], _timed(embedder, texts)[0])
    exact = next((vectors[one] for one in able if one.dtype == FLOAT32), None)
    return {
        str(one): len(texts) / seconds[one] if _close(vectors[one], exact) else 0.0 for one in able
    }


def _timed(embedder: TextEmbedder, texts: Sequence[str]) -> tuple[float, FloatArray]:
    began = time.perf_counter()
    vectors = embedder.embed(texts)
    return time.perf_counter() - began, vectors


def _close(vectors: FloatArray, exact: FloatArray | None) -> bool:
    return exact is None or float(np.mean((vectors * exact).sum(axis=1))) >= CLOSE
