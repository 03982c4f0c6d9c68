"""A BERT as an ONNX graph, made of its safetensors: tokens in, pooled states out.

In int8 the linear maps are matrix products of bytes: weights are rounded once, with a scale per
output channel, and activations when they are multiplied, with one scale per batch
(`DynamicQuantizeMatMul`). Embeddings, attention, normalisation and pooling stay in float32: with
rounded embeddings and one scale per weight, over a point of nDCG was lost
(docs/decisions/2026-11-22-retrieval-ranking.md).

All texts of a batch have one length, so there is no mask, and ONNX Runtime's attention takes its
faster path. Residuals are added by a plain `Add` before `LayerNormalization`: the fused operator is
several times slower on a CPU (measured there, too).

Architecture: J. Devlin et al., BERT, NAACL 2019, as transformers names its weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from accordeur.core.errors import ModelError
from accordeur.core.model import FloatArray
from accordeur.models.embedding.recipe import Pooling

TOKENS, POOLED = "tokens", "pooled"
"""Input int64 [B, T] and output float32 [B, H] of a graph."""

_OPSET, _IR_VERSION = 17, 8  # what ONNX Runtime has read since 1.14
_CONTRIB = "com.microsoft"


def supported(config: Mapping[str, Any]) -> bool:
    """Whether a graph can be made of a network of this `config.json`."""
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
        and not config.get("add_cross_attention")
    )


def write_graph(folder: Path, pooling: Pooling, *, int8: bool, target: Path) -> None:
    """Make the graph of a folder's model and write it.

    Raises:
        ModelError: the weights are not those of a BERT that `supported` tells.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    try:
        onnx.save_model(_Graph(config, _weights(folder), int8).model(pooling), str(target))
    except KeyError as error:
        raise ModelError(f"`{folder}` lacks the weight {error} of a BERT.") from error


def _weights(folder: Path) -> dict[str, FloatArray]:
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        for name, value in load_file(file).items():
            if np.issubdtype(value.dtype, np.floating):
                found[name.removeprefix("bert.")] = value.astype(np.float32)
    return found


class _Graph:
    """Nodes and weights as they come together; methods add nodes and return their result's name."""

    def __init__(
        self, config: Mapping[str, Any], weights: Mapping[str, FloatArray], int8: bool
    ) -> None:
        self._config = config
        self._weights = weights
        self._int8 = int8
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self, pooling: Pooling) -> onnx.ModelProto:
        """The whole network."""
        states = self._embedded()
        for layer in range(self._config["num_hidden_layers"]):
            states = self._layer(states, f"encoder.layer.{layer}.")
        if pooling == "mean":
            self._node("ReduceMean", [states], POOLED, axes=[1], keepdims=0)
        else:
            first = self._constant("first", np.array(0, np.int64))
            self._node("Gather", [states, first], POOLED, axis=1)
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [helper.make_tensor_value_info(TOKENS, TensorProto.INT64, ["batch", "tokens"])],
            [helper.make_tensor_value_info(POOLED, TensorProto.FLOAT, ["batch", None])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)

    def _embedded(self) -> str:
        """Words, places and the first token type."""
        words = self._constant("words", self._weights["embeddings.word_embeddings.weight"])
        places = (
            self._weights["embeddings.position_embeddings.weight"]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        start = self._constant("start", np.zeros(1, np.int64))
        length = self._node("Shape", [TOKENS], "length", start=1, end=2)
        token = self._node("Gather", [words, TOKENS], "token")
        place = self._node("Slice", [self._constant("places", places), start, length], "place")
        both = self._node("Add", [token, place], "token_and_place")
        return self._normalised(both, "embeddings.LayerNorm")

    def _layer(self, states: str, name: str) -> str:
        attended = f"{name}attention."
        parts = [
            self._linear(states, f"{attended}self.{part}") for part in ("query", "key", "value")
        ]
        mixed = self._node(
            "MultiHeadAttention",
            parts,
            f"{attended}mixed",
            domain=_CONTRIB,
            num_heads=self._config["num_attention_heads"],
        )
        out = self._linear(mixed, f"{attended}output.dense")
        states = self._normalised(
            self._node("Add", [out, states], f"{attended}sum"), f"{attended}output.LayerNorm"
        )
        inner = self._linear(states, f"{name}intermediate.dense")
        inner = self._node("Gelu", [inner], f"{name}gelu", domain=_CONTRIB)
        out = self._linear(inner, f"{name}output.dense")
        total = self._node("Add", [out, states], f"{name}sum")
        return self._normalised(total, f"{name}output.LayerNorm")

    def _linear(self, states: str, name: str) -> str:
        weight = np.ascontiguousarray(self._weights[f"{name}.weight"].T)  # [in, out]
        bias = self._constant(f"{name}.bias", self._weights[f"{name}.bias"])
        if not self._int8:
            matrix = self._constant(f"{name}.weight", weight)
            product = self._node("MatMul", [states, matrix], f"{name}.product")
            return self._node("Add", [product, bias], name)
        rounded, scales = per_channel(weight)
        constants = [
            self._constant(f"{name}.weight", rounded),
            self._constant(f"{name}.scales", scales),
            self._constant(f"{name}.zeros", np.zeros(len(scales), np.int8)),
        ]
        return self._node(
            "DynamicQuantizeMatMul", [states, *constants, bias], name, domain=_CONTRIB
        )

    def _normalised(self, states: str, name: str) -> str:
        constants = [
            self._constant(f"{name}.{part}", self._weights[f"{name}.{part}"])
            for part in ("weight", "bias")
        ]
        epsilon = float(self._config.get("layer_norm_eps", 1e-12))
        return self._node(
            "LayerNormalization", [states, *constants], name, axis=-1, epsilon=epsilon
        )

    def _node(
        self, operator: str, inputs: list[str], output: str, *, domain: str = "", **settings: Any
    ) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **settings))
        return output

    def _constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self._constants.append(numpy_helper.from_array(value, name))
        return name


def per_channel(weight: FloatArray) -> tuple[npt.NDArray[np.int8], FloatArray]:
    """Bytes and the scale of each column, so that bytes * scales is nearly the weight.

    Args:
        weight: [in, out].
    """
    largest = np.abs(weight).max(axis=0)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.clip(np.rint(weight / scales), -127, 127).astype(np.int8), scales
