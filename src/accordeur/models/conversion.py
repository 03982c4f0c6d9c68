"""From a GGUF file of the Llama family to a Hugging Face safetensors folder, once and exactly.

Weights are dequantised to float32 and stored so: a Q4_1 weight is `scale * code + minimum` with
half-precision scale and minimum, which neither bfloat16 nor float16 can hold. GGUF stores the
query and key rows in the interleaved order of its own rotary embedding; they are put back into the
half-split order of Hugging Face. The tokenizer is rebuilt from the file's vocabulary, merges and
token types.

A second process that wants the same folder waits for the first (`flock`). The folder appears by one
rename after everything in it was written through to the disk, so a conversion that is killed leaves
only a temporary folder, which the next one clears away.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accordeur.core.errors import MissingDependency, ModelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FORMAT = 1
"""Raised when what is written changes; part of the folder's name, so old ones are left behind."""

_CONTROL_TOKEN = 3
_LAYER_NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_TOP_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, waiting for whoever has it; it is released on any exit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that becomes it when the block ends without an error.

    The caller holds the lock of `target`; temporary folders that a killed process left are removed
    first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*.part"):
        shutil.rmtree(left, ignore_errors=True)
    part = target.parent / f".{target.name}.{os.getpid()}.part"
    part.mkdir()
    try:
        yield part
        for file in part.iterdir():
            _flush(file)
        _flush(part)
        part.rename(target)
        _flush(target.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def convert_gguf(source: Path, target: Path, *, log: Callable[[str], None] | None = None) -> Path:
    """Convert once; return `target`, whoever made it.

    Args:
        source: a GGUF file of architecture `llama` with a byte-level BPE vocabulary.
        target: the folder to make: `config.json`, `model.safetensors`, `tokenizer.json`,
            `tokenizer_config.json`, `chat_template.jinja`, `generation_config.json`.
        log: told before the work starts.

    Raises:
        MissingDependency: `gguf`, `safetensors` or `tokenizers` is not installed.
        ModelError: the file is damaged or of another architecture.
    """
    if target.is_dir():
        return target
    with locked(target.parent / f".{target.name}.lock"):
        if target.is_dir():
            return target
        if log is not None:
            log(f"converting `{source.name}` to safetensors, once; this takes some seconds")
        with appearing(target) as part:
            _write(source, part)
    return target


def _write(source: Path, folder: Path) -> None:
    try:
        from gguf import GGUFReader
        from safetensors.numpy import save_file
    except ImportError as error:
        raise MissingDependency(
            f"Converting a GGUF model needs `{error.name}`.",
            hint="pip install 'accordeur[local]'",
        ) from error
    try:
        reader = GGUFReader(source)
    except (ValueError, OSError) as error:
        raise ModelError(f"`{source}` is not a readable GGUF file: {error}") from error
    fields = {name: field.contents() for name, field in reader.fields.items()}
    if fields.get("general.architecture") != "llama":
        raise ModelError(
            f"`{source.name}` has architecture `{fields.get('general.architecture')}`; "
            "only `llama` files can be converted.",
            hint="name a safetensors folder instead",
        )
    config = _config(fields)
    weights = dict(_tensors(reader, config))
    config["tie_word_embeddings"] = "lm_head.weight" not in weights
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _write_json(folder / "config.json", config)
    _write_json(
        folder / "generation_config.json",
        {name: config[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")},
    )
    _write_tokenizer(fields, folder)


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _config(fields: dict[str, Any]) -> dict[str, Any]:
    def of(name: str) -> Any:
        return fields[f"llama.{name}"]

    heads = of("attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(fields["tokenizer.ggml.tokens"]),
        "hidden_size": of("embedding_length"),
        "intermediate_size": of("feed_forward_length"),
        "num_hidden_layers": of("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": of("attention.head_count_kv"),
        "head_dim": of("embedding_length") // heads,
        "max_position_embeddings": of("context_length"),
        "rope_theta": of("rope.freq_base"),
        # The file keeps the epsilon as a float32; the shortest decimal that gives the same one.
        "rms_norm_eps": float(f"{of('attention.layer_norm_rms_epsilon'):.7g}"),
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"],
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "pad_token_id": fields["tokenizer.ggml.padding_token_id"],
        "dtype": "float32",
    }


def _tensors(reader: Any, config: dict[str, Any]) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Hugging Face names with float32 weights, rows in Hugging Face order."""
    import numpy as np
    from gguf.quants import dequantize

    for tensor in reader.tensors:
        stem = tensor.name.removesuffix(".weight")
        weight = np.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        if stem in _TOP_NAMES:
            yield f"{_TOP_NAMES[stem]}.weight", weight
            continue
        _, layer, kind = stem.split(".")
        if kind == "attn_q":
            weight = _half_split(weight, config["num_attention_heads"])
        elif kind == "attn_k":
            weight = _half_split(weight, config["num_key_value_heads"])
        yield f"model.layers.{layer}.{_LAYER_NAMES[kind]}.weight", weight


def _half_split(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Rows [heads, D/2, 2] of interleaved rotary pairs to [heads, 2, D/2]."""
    import numpy as np

    rows, columns = weight.shape
    paired = weight.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(paired.swapaxes(1, 2)).reshape(rows, columns)


def _write_tokenizer(fields: dict[str, Any], folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    if fields["tokenizer.ggml.model"] != "gpt2" or fields["tokenizer.ggml.pre"] != "smollm":
        raise ModelError(
            f"The tokenizer `{fields['tokenizer.ggml.model']}`/`{fields['tokenizer.ggml.pre']}` "
            "of the GGUF file is not known.",
            hint="name a safetensors folder instead",
        )
    words = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({word: at for at, word in enumerate(words)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = fields["tokenizer.ggml.token_type"]
    control = [word for word, kind in zip(words, kinds, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in control])
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {
        f"{name}_token": words[fields[f"tokenizer.ggml.{key}_token_id"]]
        for name, key in (
            ("bos", "bos"),
            ("eos", "eos"),
            ("unk", "unknown"),
            ("pad", "padding"),
        )
    }
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": fields["llama.context_length"],
        "clean_up_tokenization_spaces": False,
        "chat_template": fields["tokenizer.chat_template"],
        **special,
    }
    _write_json(folder / "tokenizer_config.json", settings)
