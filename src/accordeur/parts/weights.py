"""The slot `weights`: what fine-tuning changed in the base model.

An adapter is stored as PEFT stores LoRA (Hu et al. 2021), so PEFT and everything that reads its
format can load it; `adapter/training.json` beside it says which prompt it was trained with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.model import FloatArray
from accordeur.core.part import Slot

_CONFIG = "adapter/adapter_config.json"
_WEIGHTS = "adapter/adapter_model.safetensors"
_OWN = "adapter/training.json"
_PREFIX = "base_model.model."


@dataclass(frozen=True, eq=False, slots=True)
class LoraWeights:
    """Low-rank updates of linear modules.

    Attributes:
        pairs: module name -> (A [r, in], B [out, r]), float32.
        rank: r.
        alpha: the update is scale * B @ A; scale is alpha / r, or alpha / sqrt(r) if rank-stable.
        rank_stable: rsLoRA (Kalajdzievski 2023).
        base: name of the base model.
        prompt: fingerprint of the prompt it was trained with.
    """

    slot: ClassVar[Slot] = "weights"

    pairs: Mapping[str, tuple[FloatArray, FloatArray]] = field(repr=False)
    rank: int
    alpha: float
    rank_stable: bool
    base: str
    prompt: str

    @property
    def scale(self) -> float:
        """Factor of B @ A."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stable else self.rank)

    @property
    def trained_parameters(self) -> int:
        """Numbers in all A and B."""
        return sum(a.size + b.size for a, b in self.pairs.values())

    @property
    def deltas(self) -> dict[str, tuple[FloatArray, FloatArray, float]]:
        """As `core.model.Adaptation` takes them."""
        return {name: (a, b, self.scale) for name, (a, b) in self.pairs.items()}

    def describe(self) -> str:
        """A few words."""
        return f"LoRA of rank {self.rank}"

    def files(self) -> Mapping[str, bytes]:
        """PEFT's two files and ours."""
        from safetensors.numpy import save

        config = {
            "base_model_name_or_path": self.base,
            "bias": "none",
            "fan_in_fan_out": False,
            "inference_mode": True,
            "lora_alpha": self.alpha,
            "lora_dropout": 0.0,
            "peft_type": "LORA",
            "r": self.rank,
            "target_modules": sorted({name.rpartition(".")[2] for name in self.pairs}),
            "task_type": "CAUSAL_LM",
            "use_dora": False,
            "use_rslora": self.rank_stable,
        }
        tensors = {}
        for name, (a, b) in self.pairs.items():
            tensors[f"{_PREFIX}{name}.lora_A.weight"] = np.ascontiguousarray(a)
            tensors[f"{_PREFIX}{name}.lora_B.weight"] = np.ascontiguousarray(b)
        return {
            _CONFIG: json.dumps(config, indent=2, sort_keys=True).encode(),
            _WEIGHTS: save(tensors),
            _OWN: json.dumps({"prompt": self.prompt}, indent=2).encode(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> LoraWeights:
        """Read the files back.

        Raises:
            BundleError: they are not what `files` writes.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            config, own = json.loads(files[_CONFIG]), json.loads(files[_OWN])
            tensors = load(files[_WEIGHTS])
            rank, alpha = int(config["r"]), float(config["lora_alpha"])
            pairs = {}
            for name, first in tensors.items():
                module, found, _ = name.removeprefix(_PREFIX).partition(".lora_A.weight")
                if not found:
                    continue
                second = tensors[f"{_PREFIX}{module}.lora_B.weight"]
                pair = (first, second)
                fits = first.ndim == second.ndim == 2 and first.shape[0] == second.shape[1] == rank
                if not (fits and all(_finite(one) for one in pair)):
                    raise ValueError(f"the tensors of `{module}` are no low-rank pair")
                pairs[module] = pair
            if len(tensors) != 2 * len(pairs) or not pairs:
                raise ValueError("tensors without a partner")
            if config["peft_type"] != "LORA" or config.get("use_dora"):
                raise ValueError("this version reads plain LoRA only")
            return cls(
                pairs,
                rank,
                alpha,
                bool(config["use_rslora"]),
                str(config["base_model_name_or_path"]),
                str(own["prompt"]),
            )
        except (KeyError, ValueError, TypeError, AttributeError, SafetensorError) as error:
            raise BundleError(
                f"The adapter of the bundle cannot be read: {error}.",
                hint="save the bundle again from its run",
            ) from error


def _finite(values: FloatArray) -> bool:
    return values.dtype == np.float32 and bool(np.isfinite(values).all())
