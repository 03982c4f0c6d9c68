"""Conversion of a small GGUF file: exact, once, and never half-made; with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from accordeur.core.errors import ModelError
from accordeur.models.conversion import appearing, convert_gguf, locked

HEADS, GROUPS, WIDTH, INNER = 4, 2, 64, 96
WORDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + [chr(c) for c in range(33, 127)] + ["Ġ"]
WORDS += ["he", "ll", "hell", "hello"]


def write_gguf(path: Path, architecture: str = "llama") -> dict[str, np.ndarray]:
    """A one-layer Q4_1 model; returns the dequantised weights by GGUF name."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(WORDS)
    writer.add_token_types([3] * 3 + [1] * (len(WORDS) - 3))
    writer.add_token_merges(["h e", "l l", "he ll", "hell o"])
    for name, at in (("bos", 1), ("eos", 2), ("unk", 0), ("pad", 2)):
        getattr(writer, f"add_{name}_token_id")(at)
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    random = np.random.default_rng(0)
    shapes = {
        "token_embd": (len(WORDS), WIDTH),
        "blk.0.attn_q": (WIDTH, WIDTH),
        "blk.0.attn_k": (WIDTH // 2, WIDTH),
        "blk.0.attn_v": (WIDTH // 2, WIDTH),
        "blk.0.attn_output": (WIDTH, WIDTH),
        "blk.0.ffn_gate": (INNER, WIDTH),
        "blk.0.ffn_up": (INNER, WIDTH),
        "blk.0.ffn_down": (WIDTH, INNER),
    }
    expected = {}
    for name, shape in shapes.items():
        kind = gguf.GGMLQuantizationType.Q4_1
        packed = gguf.quants.quantize(random.standard_normal(shape).astype(np.float32), kind)
        writer.add_tensor(f"{name}.weight", packed, raw_dtype=kind)
        expected[name] = gguf.quants.dequantize(packed, kind)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        expected[name] = random.standard_normal(WIDTH).astype(np.float32)
        writer.add_tensor(f"{name}.weight", expected[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "model.gguf")
    return tmp_path / "model.gguf"


def test_weights_survive_to_the_last_bit(tmp_path: Path) -> None:
    expected = write_gguf(tmp_path / "model.gguf")
    found = load_file(convert_gguf(tmp_path / "model.gguf", tmp_path / "out") / "model.safetensors")
    np.testing.assert_array_equal(found["model.embed_tokens.weight"], expected["token_embd"])
    down = found["model.layers.0.mlp.down_proj.weight"]
    np.testing.assert_array_equal(down, expected["blk.0.ffn_down"])
    norm = found["model.layers.0.input_layernorm.weight"]
    np.testing.assert_array_equal(norm, expected["blk.0.attn_norm"])


def test_query_and_key_rows_return_to_half_split_order(tmp_path: Path) -> None:
    expected = write_gguf(tmp_path / "model.gguf")
    found = load_file(convert_gguf(tmp_path / "model.gguf", tmp_path / "out") / "model.safetensors")
    size = WIDTH // HEADS
    for kind, heads in (("q", HEADS), ("k", GROUPS)):
        rows = found[f"model.layers.0.self_attn.{kind}_proj.weight"]
        for head in range(heads):
            for pair in range(size // 2):
                low, high = head * size + pair, head * size + size // 2 + pair
                packed = expected[f"blk.0.attn_{kind}"][head * size + 2 * pair :][:2]
                np.testing.assert_array_equal(rows[[low, high]], packed)


def test_the_tokenizer_splits_digits_and_knows_its_control_tokens(
    tmp_path: Path, source: Path
) -> None:
    folder = convert_gguf(source, tmp_path / "out")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoding = tokenizer.encode("<|im_start|>hello 12<|im_end|>")
    assert encoding.tokens == ["<|im_start|>", "hello", "Ġ", "1", "2", "<|im_end|>"]
    assert tokenizer.decode(encoding.ids) == "hello 12"


def test_the_configuration_is_that_of_the_file(tmp_path: Path, source: Path) -> None:
    config = json.loads((convert_gguf(source, tmp_path / "out") / "config.json").read_text())
    assert config["num_key_value_heads"] == GROUPS
    assert config["rms_norm_eps"] == 1e-5
    assert config["tie_word_embeddings"] is True


def test_another_architecture_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    write_gguf(tmp_path / "model.gguf", "mamba")
    with pytest.raises(ModelError, match="mamba"):
        convert_gguf(tmp_path / "model.gguf", tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name and path.is_dir()]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"not a model" * 100)
    with pytest.raises(ModelError, match="not a readable GGUF"):
        convert_gguf(tmp_path / "bad.gguf", tmp_path / "out")


CONVERT = """
import sys, time
from pathlib import Path
from accordeur.models.conversion import convert_gguf
def log(message):
    print("working", flush=True)
    time.sleep(float(sys.argv[3]))
print(convert_gguf(Path(sys.argv[1]), Path(sys.argv[2]), log=log), flush=True)
"""

WRITE_HALF = """
import sys, time
from pathlib import Path
from accordeur.models.conversion import appearing, locked
target = Path(sys.argv[1])
with locked(target.parent / f".{target.name}.lock"), appearing(target) as part:
    (part / "config.json").write_text("{")
    print("half", flush=True)
    time.sleep(60)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def test_of_two_processes_one_converts_and_the_other_waits(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "out"
    first, second = (start(CONVERT, source, target, 0.5) for _ in range(2))
    outputs = [process.communicate(timeout=60)[0].split() for process in (first, second)]
    assert sorted(len(output) for output in outputs) == [1, 2]
    assert [output[-1] for output in outputs] == [str(target)] * 2


def test_a_killed_conversion_leaves_nothing_half_made(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "out"
    process = start(WRITE_HALF, target)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "half"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    assert not target.exists()
    began = time.monotonic()
    assert (convert_gguf(source, target) / "model.safetensors").is_file()
    assert time.monotonic() - began < 20  # the dead process holds no lock
    assert not list(tmp_path.glob(".out.*.part"))


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def fill_the_disk() -> None:
        with locked(tmp_path / "lock"), appearing(target) as part:
            (part / "half").write_text("x")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk"):
        fill_the_disk()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
