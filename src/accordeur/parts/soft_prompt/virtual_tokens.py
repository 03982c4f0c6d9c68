"""The slot `soft_prompt`: virtual tokens inside the chat-templated prompt.

Stored as PEFT stores prompt tuning (Lester et al. 2021): everything up to the last soft token,
template header and hard text included, is one virtual prefix, which plain PEFT with transformers
then reproduces exactly. `soft_prompt.json` beside it says which of its vectors are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.model import FloatArray
from accordeur.core.part import Slot

Mode = Literal["replace", "insert"]

_FOLDER = "soft_prompt"
_CONFIG = f"{_FOLDER}/adapter_config.json"
_WEIGHTS = f"{_FOLDER}/adapter_model.safetensors"
_OWN = f"{_FOLDER}/soft_prompt.json"


@dataclass(frozen=True, eq=False, slots=True)
class SoftPrompt:
    """Virtual tokens at the place of the instruction.

    Attributes:
        mode: `replace` when they stand instead of the instruction, `insert` when after it.
        vectors: float32 [n, width], in the space of the embeddings.
        header: float32 [h, width], embeddings of all that stands before them.
        trained: how many of `vectors`, the last ones, were trained.
        base: name of the base model.
        prompt: fingerprint of the prompt they were trained with.
        layers, heads: of the base model, which PEFT wants to know.
        encoder_decoder: they stand in the encoder's input.
    """

    slot: ClassVar[Slot] = "soft_prompt"

    mode: Mode
    vectors: FloatArray
    header: FloatArray
    trained: int
    base: str
    prompt: str
    layers: int
    heads: int
    encoder_decoder: bool = False

    @property
    def tokens(self) -> int:
        """n, virtual tokens in the prompt."""
        return len(self.vectors)

    @property
    def trained_parameters(self) -> int:
        """Numbers that training moved."""
        return self.trained * int(self.vectors.shape[1])

    def describe(self) -> str:
        """A few words."""
        return f"{self.trained} soft tokens"

    def files(self) -> Mapping[str, bytes]:
        """PEFT's two files and ours."""
        from safetensors.numpy import save

        prefix = np.ascontiguousarray(np.concatenate((self.header, self.vectors)))
        config = {
            "base_model_name_or_path": self.base,
            "inference_mode": True,
            "num_attention_heads": self.heads,
            "num_layers": self.layers,
            "num_transformer_submodules": 1,
            "num_virtual_tokens": len(prefix),
            "peft_type": "PROMPT_TUNING",
            "prompt_tuning_init": "RANDOM",
            "task_type": "SEQ_2_SEQ_LM" if self.encoder_decoder else "CAUSAL_LM",
            "token_dim": prefix.shape[1],
        }
        own = {
            "mode": self.mode,
            "soft_tokens": self.tokens,
            "trained_tokens": self.trained,
            "prompt": self.prompt,
        }
        return {
            _CONFIG: json.dumps(config, indent=2, sort_keys=True).encode(),
            _WEIGHTS: save({"prompt_embeddings": prefix}),
            _OWN: json.dumps(own, indent=2, sort_keys=True).encode(),
        }

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> SoftPrompt:
        """Read the files back.

        Raises:
            BundleError: they are not what `files` writes.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            config, own = json.loads(files[_CONFIG]), json.loads(files[_OWN])
            prefix = load(files[_WEIGHTS])["prompt_embeddings"]
            count, trained = int(own["soft_tokens"]), int(own["trained_tokens"])
            mode: Mode = own["mode"]
            if mode not in ("replace", "insert"):
                raise ValueError(mode)
            if prefix.ndim != 2 or prefix.dtype != np.float32 or not np.isfinite(prefix).all():
                raise ValueError("the vectors are no finite float32 table")
            if not 0 < trained <= count <= len(prefix):
                raise ValueError("more soft tokens than vectors")
            return cls(
                mode,
                prefix[len(prefix) - count :],
                prefix[: len(prefix) - count],
                trained,
                str(config["base_model_name_or_path"]),
                str(own["prompt"]),
                int(config["num_layers"]),
                int(config["num_attention_heads"]),
                config["task_type"] == "SEQ_2_SEQ_LM",
            )
        except (KeyError, ValueError, TypeError, SafetensorError) as error:
            raise BundleError(
                f"The soft prompt of the bundle cannot be read: {error}.",
                hint="save the bundle again from its run",
            ) from error
