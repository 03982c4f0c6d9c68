"""A tiny random encoder-decoder model of the T5 family, tokenizer included.

For quick tests of mechanics, as `tiny_model`; nothing has to be installed for its tokenizer, which
is a small one of T5's own kind: letters and a few words behind SentencePiece's word mark, letters
it lacks becoming `<unk>`, sentinels `<extra_id_0>` and on at the end.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

SENTINELS = 10

WORDS = """
the a of to and is in it you that for on with my your not please card bank money account lost stolen
payment parcel order where when how which team answer question yes no billing delivery returns never
"""


def tiny_t5(
    folder: Path, *, seed: int = 0, layers: int = 2, hidden: int = 64, context: int = 512
) -> Path:
    """Write a random T5 into a folder; a folder that already holds one is left as it is.

    Args:
        folder: where to write; name it to `models.source.Models.model` as a path.
        seed: of the weights; equal seeds give equal files.
        layers, hidden: size of encoder and decoder each; 16 numbers per head.
        context: tokens of a prompt.
    """
    import torch
    from safetensors.torch import save_file

    if (folder / "model.safetensors").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    pieces = _pieces()
    _write(folder / "tokenizer.json", _tokenizer(pieces))
    names = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    about = {**names, "tokenizer_class": "T5Tokenizer", "extra_ids": SENTINELS}
    _write(folder / "tokenizer_config.json", {**about, "model_max_length": context})
    config: dict[str, Any] = {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "is_encoder_decoder": True,
        "vocab_size": len(pieces),
        "d_model": hidden,
        "d_kv": 16,
        "d_ff": 2 * hidden,
        "num_heads": hidden // 16,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "n_positions": context,
        "feed_forward_proj": "relu",
        "tie_word_embeddings": True,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "decoder_start_token_id": 0,
    }
    _write(folder / "config.json", config)
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    weights = {"shared.weight": random(len(pieces), hidden)}
    for stack in ("encoder", "decoder"):
        kinds = ["SelfAttention", "EncDecAttention"][: 1 + (stack == "decoder")]
        buckets = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        weights[buckets] = random(32, hidden // 16)
        for layer in range(layers):
            block = f"{stack}.block.{layer}.layer"
            for at, kind in enumerate(kinds):
                # T5 does not divide attention scores; its query weights are small instead.
                for name, size in {"q": 0.05, "k": 0.2, "v": 0.2, "o": 0.2}.items():
                    weights[f"{block}.{at}.{kind}.{name}.weight"] = size * random(hidden, hidden)
            feed = f"{block}.{len(kinds)}.DenseReluDense"
            weights[f"{feed}.wi.weight"] = 0.2 * random(2 * hidden, hidden)
            weights[f"{feed}.wo.weight"] = 0.2 * random(hidden, 2 * hidden)
            for at in range(len(kinds) + 1):
                weights[f"{block}.{at}.layer_norm.weight"] = 1 + 0.1 * random(hidden)
        weights[f"{stack}.final_layer_norm.weight"] = 1 + 0.1 * random(hidden)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _pieces() -> list[tuple[str, float]]:
    """The vocabulary with log-probabilities: whole words before letters."""
    letters = string.ascii_letters + string.digits + string.punctuation.replace("{", "")
    found = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -3.0)]
    found += [(f"\u2581{word}", -4.0) for word in WORDS.split()]
    found += [(letter, -6.0) for letter in letters]
    found += [(f"<extra_id_{at}>", 0.0) for at in reversed(range(SENTINELS))]
    return found


def _tokenizer(pieces: list[tuple[str, float]]) -> dict[str, Any]:
    """`tokenizer.json` as T5 models carry it."""
    word_mark = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"}
    special = [at for at, (piece, _) in enumerate(pieces) if piece[:1] == "<" and piece[-1:] == ">"]
    added = [
        {
            "id": at,
            "content": pieces[at][0],
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for at in special
    ]
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    pair = [text, end, {"Sequence": {"id": "B", "type_id": 0}}, end]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, {**word_mark, "split": True}],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [text, end],
            "pair": pair,
            "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
        },
        "decoder": {**word_mark, "split": True},
        "model": {"type": "Unigram", "unk_id": 2, "vocab": pieces, "byte_fallback": False},
    }


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
