"""The network of an embedding model, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from accordeur.core.fingerprint import digest
from accordeur.core.model import FloatArray
from accordeur.core.paths import cache_folder
from accordeur.models.conversion import appearing, locked
from accordeur.models.embedding.onnx_graph import POOLED, TOKENS, write_graph
from accordeur.models.embedding.recipe import Pooling

ENGINE = f"accordeur-onnx/1 onnxruntime/{onnxruntime.__version__}"

FORMAT = 1
"""Raised when the graph changes; part of the folder's name, so old ones are left behind."""

_SMALLEST = 1e-12
"""Length below which a vector is not divided by it, as torch's `normalize`."""


def graph_folder(model: str, pooling: Pooling, dtype: str) -> Path:
    """Where the graph of a model stands in the user's cache.

    Args:
        model: digest of its weights.
    """
    key = digest([model, pooling])[:12]
    return cache_folder() / "models" / f"onnx-{key}-{dtype}-v{FORMAT}"


class OnnxBody:
    """A network on the processor; its graph is made once and kept in the user's cache.

    Args:
        folder: with `config.json` and safetensors of a BERT.
        pooling: how states become a vector.
        dtype: `float32` or `int8`.
        model: digest of the weights.
        threads: to compute with.

    Raises:
        ModelError: the folder holds no such model.
    """

    pads = False
    batch_tokens = 1_024  # more fits no cache; measured: 256 to 4,096 differ by a tenth

    def __init__(
        self, folder: Path, pooling: Pooling, dtype: str, *, model: str, threads: int
    ) -> None:
        place = graph_folder(model, pooling, dtype)
        with locked(place.parent / f".{place.name}.lock"):
            if not place.is_dir():
                with appearing(place) as part:
                    int8 = dtype == "int8"
                    write_graph(folder, pooling, int8=int8, target=part / "model.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A thread that spins keeps the core from what it waits for on a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(place / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.threads = threads
        self.dimension = int(self.vectors([[0]]).shape[1])

    def vectors(self, rows: Sequence[Sequence[int]]) -> FloatArray:
        """Unit vectors of texts of one length, float32 [rows, dimension]."""
        (pooled,) = self._session.run([POOLED], {TOKENS: np.array(rows, dtype=np.int64)})
        lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
        vectors: FloatArray = pooled / np.maximum(lengths, _SMALLEST)
        return vectors
