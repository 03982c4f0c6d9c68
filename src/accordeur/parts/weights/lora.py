"""An adapter, stored as PEFT stores LoRA (Hu et al. 2021) and DoRA (Liu et al. 2024).

PEFT and everything that reads its format can load it; `adapter/training.json` beside it says which
prompt it was trained with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.model import Delta, FloatArray
from accordeur.core.part import Slot

_CONFIG = "adapter/adapter_config.json"
_WEIGHTS = "adapter/adapter_model.safetensors"
_OWN = "adapter/training.json"
_PREFIX = "base_model.model."
_LENGTHS = ".lora_magnitude_vector"


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
        magnitudes: module name -> [out], lengths of the updated weight's rows; for DoRA only.
        encoder_decoder: the base model has an encoder.
    """

    slot: ClassVar[Slot] = "weights"

    pairs: Mapping[str, tuple[FloatArray, FloatArray]] = field(repr=False)
    rank: int
    alpha: float
    rank_stable: bool
    base: str
    prompt: str
    magnitudes: Mapping[str, FloatArray] = field(default_factory=dict, repr=False)
    encoder_decoder: bool = False

    @property
    def scale(self) -> float:
        """Factor of B @ A."""
        return self.alpha / (math.sqrt(self.rank) if self.rank_stable else self.rank)

    @property
    def trained_parameters(self) -> int:
        """Numbers in all A and B, and magnitudes."""
        lengths = sum(one.size for one in self.magnitudes.values())
        return lengths + sum(a.size + b.size for a, b in self.pairs.values())

    @property
    def deltas(self) -> dict[str, Delta]:
        """As `core.model.Adaptation` takes them."""
        return {
            name: Delta(a, b, self.scale, self.magnitudes.get(name))
            for name, (a, b) in self.pairs.items()
        }

    def describe(self) -> str:
        """A few words."""
        return f"{'DoRA' if self.magnitudes else 'LoRA'} of rank {self.rank}"

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
            "task_type": "SEQ_2_SEQ_LM" if self.encoder_decoder else "CAUSAL_LM",
            "use_dora": bool(self.magnitudes),
            "use_rslora": self.rank_stable,
        }
        tensors = {}
        for name, (a, b) in self.pairs.items():
            tensors[f"{_PREFIX}{name}.lora_A.weight"] = np.ascontiguousarray(a)
            tensors[f"{_PREFIX}{name}.lora_B.weight"] = np.ascontiguousarray(b)
        for name, lengths in self.magnitudes.items():
            tensors[f"{_PREFIX}{name}{_LENGTHS}"] = np.ascontiguousarray(lengths)
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
            lengths = {
                name.removeprefix(_PREFIX).removesuffix(_LENGTHS): tensors.pop(name)
                for name in list(tensors)
                if name.endswith(_LENGTHS)
            }
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
            if config["peft_type"] != "LORA":
                raise ValueError("it is no LoRA")
            if bool(config.get("use_dora")) != bool(lengths) or not (
                lengths.keys() <= pairs.keys()
                and all(one.shape == pairs[name][1].shape[:1] for name, one in lengths.items())
                and all(_finite(one) for one in lengths.values())
            ):
                raise ValueError("the magnitudes do not fit")
            return cls(
                pairs,
                rank,
                alpha,
                bool(config["use_rslora"]),
                str(config["base_model_name_or_path"]),
                str(own["prompt"]),
                lengths,
                config["task_type"] == "SEQ_2_SEQ_LM",
            )
        except (KeyError, ValueError, TypeError, AttributeError, SafetensorError) as error:
            raise BundleError(
                f"The adapter of the bundle cannot be read: {error}.",
                hint="save the bundle again from its run",
            ) from error


def _finite(values: FloatArray) -> bool:
    return values.dtype == np.float32 and bool(np.isfinite(values).all())
