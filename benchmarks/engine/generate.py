"""Answers of 64 tokens to 64 questions, against `transformers.generate` and llama.cpp.

Both sides decode greedily in the same dtype from the same tokens and never stop early; equal tokens
are checked before speed. llama.cpp (`--llama PYTHON`) runs the same weights as shipped (Q4_1), one
prompt at a time, keeping the start each shares with the one before; its prompts and its decoding
are timed apart.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models import catalog
from accordeur.models.local import adapter
from accordeur.models.local.body import Body
from accordeur.models.local.dtype_trial import DTYPES
from accordeur.models.local.fitting import Prompt, fit
from accordeur.models.local.generation import decode
from accordeur.models.local.head import Head
from accordeur.models.local.scoring import pad_left
from accordeur.models.local.template import ChatTokenizer
from benchmarks.engine.work import Clock, rows, table

INSTRUCTION = "You work for a bank. Answer the customer's question in a few friendly sentences."


def prompts(chat: ChatTokenizer, count: int) -> list[Prompt]:
    """The first banking77 questions behind an instruction."""
    lead = Segment(f"{INSTRUCTION}\n\n", shared=True)
    return [
        fit(chat, Rendered((Message("user", (lead, Segment(row["input"], "data"))),)), 8_192, 64)
        for row in rows("banking77", "test")[:count]
    ]


def ours(
    body: Body, head: Head, asked: Sequence[Prompt], batch: int, steps: int
) -> list[list[int]]:
    """Our tokens; the shared prefix is computed once and counted."""
    with torch.inference_mode():
        prefix = body.extend(asked[0].prefix, None)
    sampling = Sampling(max_tokens=steps)
    found: list[list[int]] = []
    for at in range(0, len(asked), batch):
        part = [prompt.row for prompt in asked[at : at + batch]]
        answers = decode(body, head, part, prefix, sampling, frozenset())
        found += [answer.tokens for answer in answers]
    return found


def theirs(model: Any, asked: Sequence[Prompt], batch: int, steps: int) -> list[list[int]]:
    """Tokens of `generate`, left-padded batches."""
    found: list[list[int]] = []
    model.generation_config.eos_token_id = None
    for at in range(0, len(asked), batch):
        part = [prompt.tokens for prompt in asked[at : at + batch]]
        width = max(len(row) for row in part)
        mask = pad_left([[1] * len(row) for row in part], width)
        with torch.inference_mode():
            output = model.generate(
                pad_left(part, width),
                attention_mask=mask,
                max_new_tokens=steps,
                do_sample=False,
                pad_token_id=0,
            )
        found += output[:, width:].tolist()
    return found


def llama_cpp(python: Path, asked: Sequence[Prompt], steps: int, threads: int) -> dict[str, Any]:
    """First tokens, seconds a prompt and tokens a second of llama.cpp, in its own environment."""
    place = catalog.find(catalog.SMOLLM2)
    assert place is not None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "peer.json"
        question = {
            "model": str(place[1] / catalog.SMOLLM2.weights.rpartition("/")[2]),
            "threads": threads,
            "prompts": [list(prompt.tokens) for prompt in asked],
            "steps": steps,
            "out": str(out),
        }
        subprocess.run(
            [str(python), str(Path(__file__).with_name("llama_cpp_peer.py"))],
            input=json.dumps(question),
            text=True,
            check=True,
        )
        found = json.loads(out.read_text(encoding="utf-8"))
    return {
        "first_tokens": [answer[0] for answer in found["answers"]],
        "prompt_seconds": found["prompts_wall"] / len(asked),
        "whole_prompt_seconds": found["whole_wall"] / len(asked),
        "tokens_per_second": len(asked) * (steps - 1) / found["steps_wall"] if steps > 1 else None,
    }


def apart(body: Body, head: Head, asked: Sequence[Prompt], steps: int) -> dict[str, Any]:
    """First tokens, our seconds a prompt begun with all others, tokens a second of one stream."""
    clock = Clock().start()
    answers = ours(body, head, asked, len(asked), 1)
    prompt_seconds = clock.stop().wall / len(asked)
    first = Clock().start()
    ours(body, head, asked[:1], 1, 1)
    first.stop()
    stream = Clock().start()
    ours(body, head, asked[:1], 1, steps)
    stream.stop()
    return {
        "first_tokens": [answer[0] for answer in answers],
        "prompt_seconds": prompt_seconds,
        "tokens_per_second": (steps - 1) / (stream.wall - first.wall),
    }


def main() -> None:
    """Measure batch sizes 1, 16 and 64."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--dtype", default="float32", choices=sorted(DTYPES))
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--llama", type=Path, help="python of an environment with llama-cpp-python")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = catalog.ready(catalog.SMOLLM2)
    loaded = adapter.load(folder, dtype=DTYPES[options.dtype], device=torch.device("cpu"))
    asked = prompts(ChatTokenizer(loaded.tokenizer), options.answers)
    body = adapter.own_body(loaded)
    assert body is not None
    ours(body, loaded.head, asked[:2], 2, 2)  # both sides once, to page everything in
    theirs(loaded.model, asked[:2], 2, 2)
    results: list[dict[str, Any]] = []
    for batch in options.batches:
        # One at a time is slow and steady: a few answers say it.
        part = asked if batch > 1 else asked[: max(1, options.answers // 16)]
        clock = Clock().start()
        mine = ours(body, loaded.head, part, batch, options.tokens)
        clock.stop()
        other = Clock().start()
        reference = theirs(loaded.model, part, batch, options.tokens)
        other.stop()
        made = len(part) * options.tokens
        results.append(
            {
                "batch": batch,
                "answers": len(part),
                "equal": sum(a == b for a, b in zip(mine, reference, strict=True)),
                "ours": made / clock.wall,
                "theirs": made / other.wall,
                "ratio_wall": other.wall / clock.wall,
                "ratio_cpu": other.cpu / clock.cpu,
            }
        )
    threads = torch.get_num_threads()
    result: dict[str, Any] = {"dtype": options.dtype, "threads": threads, "batches": results}
    if options.llama is not None:
        result["accordeur"] = apart(body, loaded.head, asked, options.tokens)
        result["llama_cpp"] = llama_cpp(options.llama, asked, options.tokens, threads)
        pair = result["accordeur"].pop("first_tokens"), result["llama_cpp"].pop("first_tokens")
        result["same_first_token"] = sum(a == b for a, b in zip(*pair, strict=True))
    print(json.dumps(result))
    table(
        f"answer tokens per second, {options.dtype}, prompts included",
        ["batch", "answers", "equal", "transformers", "accordeur", "ratio wall", "ratio CPU"],
        [
            [
                str(one["batch"]),
                str(one["answers"]),
                str(one["equal"]),
                f"{one['theirs']:.0f}",
                f"{one['ours']:.0f}",
                f"{one['ratio_wall']:.2f}x",
                f"{one['ratio_cpu']:.2f}x",
            ]
            for one in results
        ],
    )
    if options.llama is not None:
        sides = {"accordeur, float32": result["accordeur"], "llama.cpp, Q4_1": result["llama_cpp"]}
        table(
            "prompts until their first token; one stream after it",
            ["engine", "ms a prompt", "its start not kept", "tokens/s"],
            [
                [
                    name,
                    f"{1e3 * one['prompt_seconds']:.1f}",
                    f"{1e3 * one['whole_prompt_seconds']:.1f}"
                    if "whole_prompt_seconds" in one
                    else "",
                    f"{one['tokens_per_second']:.0f}",
                ]
                for name, one in sides.items()
            ],
        )


if __name__ == "__main__":
    main()
