"""Trained keys and values of a prompt's first tokens, stored as PEFT stores prefix tuning.

X. L. Li and P. Liang, Prefix-Tuning: Optimizing Continuous Prompts for Generation, ACL 2021.
`soft_prompt.json` beside PEFT's two files holds the tokens they stand for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.model import KeyValues
from accordeur.core.part import Slot

_CONFIG = "soft_prompt/adapter_config.json"
_WEIGHTS = "soft_prompt/adapter_model.safetensors"
_OWN = "soft_prompt/soft_prompt.json"


@dataclass(frozen=True, eq=False, slots=True)
class KeyValuePrefix:
    """Keys and values instead of those of the words.

    Attributes:
        stored: the tokens and their keys and values; layers L, heads K, positions P, size D.
        base: name of the base model.
        prompt: fingerprint of the prompt they were trained with.
    """

    slot: ClassVar[Slot] = "soft_prompt"

    stored: KeyValues
    base: str
    prompt: str

    @property
    def trained_parameters(self) -> int:
        """Numbers in all keys and values."""
        return int(self.stored.keys.size + self.stored.values.size)

    def describe(self) -> str:
        """A few words."""
        return f"trained keys and values of {len(self.stored.tokens)} tokens"

    def files(self) -> Mapping[str, bytes]:
        """PEFT's two files and ours."""
        from safetensors.numpy import save

        layers, groups, positions, size = self.stored.keys.shape
        # PEFT reads [P, layers * 2 * K * D], keys before values in every layer.
        both = np.stack((self.stored.keys, self.stored.values), 1)  # [L, 2, K, P, D]
        flat = both.transpose(3, 0, 1, 2, 4).reshape(positions, -1)
        config = {
            "base_model_name_or_path": self.base,
            "inference_mode": True,
            "num_attention_heads": groups,
            "num_layers": layers,
            "num_transformer_submodules": 1,
            "num_virtual_tokens": positions,
            "peft_type": "PREFIX_TUNING",
            "prefix_projection": False,
            "task_type": "CAUSAL_LM",
            "token_dim": groups * size,
        }
        own = {"tokens": list(self.stored.tokens), "prompt": self.prompt}
        return {
            _CONFIG: json.dumps(config, indent=2, sort_keys=True).encode(),
            _WEIGHTS: save({"prompt_embeddings": np.ascontiguousarray(flat)}),
            _OWN: json.dumps(own, sort_keys=True).encode(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> KeyValuePrefix:
        """Read the files back.

        Raises:
            BundleError: they are not what `files` writes.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            config, own = json.loads(files[_CONFIG]), json.loads(files[_OWN])
            flat = load(files[_WEIGHTS])["prompt_embeddings"]
            tokens = tuple(int(token) for token in own["tokens"])
            layers, groups = int(config["num_layers"]), int(config["num_attention_heads"])
            if flat.dtype != np.float32 or not np.isfinite(flat).all() or not tokens:
                raise ValueError("the numbers are no finite float32 table")
            both = flat.reshape(len(tokens), layers, 2, groups, -1).transpose(1, 2, 3, 0, 4)
            keys, values = (np.ascontiguousarray(both[:, at]) for at in (0, 1))
            return cls(
                KeyValues(tokens, keys, values),
                str(config["base_model_name_or_path"]),
                str(own["prompt"]),
            )
        except (KeyError, ValueError, TypeError, SafetensorError) as error:
            raise BundleError(
                f"The trained prefix of the bundle cannot be read: {error}.",
                hint="save the bundle again from its run",
            ) from error
