"""A tiny random language model with the real SmolLM2 tokenizer and chat template.

For quick tests of mechanics: two layers, random weights, loaded in well under a second. What it
says means nothing.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any


def tiny_model(
    folder: Path, *, seed: int = 0, layers: int = 2, hidden: int = 64, context: int = 1024
) -> Path:
    """Write a random Llama into a folder; a folder that already holds one is left as it is.

    Needs the embedded `smollm2` for its tokenizer.

    Args:
        folder: where to write; name it to `models.source.Models.model` as a path.
        seed: of the weights; equal seeds give equal files.
        layers, hidden: size; 16 numbers per head, two query heads per key/value head.
        context: positions.

    Raises:
        ModelError: the embedded model is not installed.
    """
    import torch
    from safetensors.torch import save_file

    from accordeur.models import catalog

    if (folder / "model.safetensors").is_file():
        return folder
    real = catalog.ready(catalog.SMOLLM2)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copyfile(real / name, folder / name)
    config: dict[str, Any] = json.loads((real / "config.json").read_text(encoding="utf-8"))
    config.update(
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 16,
        num_key_value_heads=hidden // 32,
        head_dim=16,
        max_position_embeddings=context,
    )
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.3

    weights = {
        "model.embed_tokens.weight": random(config["vocab_size"], hidden),
        "model.norm.weight": 1 + random(hidden) / 3,
    }
    for layer in range(layers):
        inner = 2 * hidden
        for name, shape in {
            "self_attn.q_proj": (hidden, hidden),
            "self_attn.k_proj": (hidden // 2, hidden),
            "self_attn.v_proj": (hidden // 2, hidden),
            "self_attn.o_proj": (hidden, hidden),
            "mlp.gate_proj": (inner, hidden),
            "mlp.up_proj": (inner, hidden),
            "mlp.down_proj": (hidden, inner),
        }.items():
            weights[f"model.layers.{layer}.{name}.weight"] = random(*shape)
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"model.layers.{layer}.{name}.weight"] = 1 + random(hidden) / 3
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
