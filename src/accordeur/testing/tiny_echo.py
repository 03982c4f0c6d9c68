"""A language model that says the one code word of its prompt again, for tests of who gets what.

One layer of attention with equal weights for all positions: the mean of all tokens' vectors, of
which only code words have any. So the last position holds the code word's direction, whatever
stands around it, and the output layer finds the word again. Batched with others, resumed or
streamed, an answer that is not made of the prompt's own word is somebody else's.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

WIDTH = 128
WORDS = 512


def echoing_model(folder: Path, *, context: int = 2048) -> tuple[Path, tuple[str, ...]]:
    """Write the model into a folder; give the folder and the code words.

    A prompt holds one of the words once, with a space before it, and no other of them; the answer
    is that word again and again, up to its limit.

    Needs the embedded `smollm2` for its tokenizer.

    Raises:
        ModelError: the embedded model is not installed.
    """
    import torch
    from safetensors.torch import save_file

    from accordeur.models import catalog

    real = catalog.ready(catalog.SMOLLM2)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copyfile(real / name, folder / name)
    config: dict[str, Any] = json.loads((real / "config.json").read_text(encoding="utf-8"))
    config.update(
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=WIDTH // 16,
        num_key_value_heads=WIDTH // 16,
        head_dim=16,
        max_position_embeddings=context,
        tie_word_embeddings=True,
    )
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    words = _words(real)
    generator = torch.Generator().manual_seed(0)
    table = torch.zeros(config["vocab_size"], WIDTH)
    table[list(words.values())] = torch.randn(len(words), WIDTH, generator=generator)
    zero, one = torch.zeros(WIDTH, WIDTH), torch.eye(WIDTH)
    weights = {"model.embed_tokens.weight": table, "model.norm.weight": torch.ones(WIDTH)}
    for name, weight in {
        "self_attn.q_proj": zero,  # every position is looked at alike
        "self_attn.k_proj": zero,
        "self_attn.v_proj": one,
        "self_attn.o_proj": one,
        "mlp.gate_proj": zero,
        "mlp.up_proj": zero,
        "mlp.down_proj": zero,
        "input_layernorm": torch.ones(WIDTH),
        "post_attention_layernorm": torch.ones(WIDTH),
    }.items():
        weights[f"model.layers.0.{name}.weight"] = weight.clone()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder, tuple(words)


def _words(real: Path) -> dict[str, int]:
    """Whole words that are one token behind a space, with their ids."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(real / "tokenizer.json"))
    template = (real / "tokenizer_config.json").read_text(encoding="utf-8")
    found = {}
    for token, at in sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1]):
        word = token.removeprefix("\u0120")  # how byte-level tokenizers write a space
        whole = token != word and re.fullmatch("[a-z]{5,9}", word)
        if whole and word not in template and len(tokenizer.encode(word).ids) == 1:
            found[word] = at
        if len(found) == WORDS:
            break
    return found
