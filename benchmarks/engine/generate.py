"""Answers of 64 tokens to 64 questions, against `transformers.generate` and llama.cpp.

Both sides decode greedily in the same dtype from the same tokens and never stop early; equal tokens
are checked before speed. llama.cpp runs the same weights as shipped (Q4_1), one prompt at a time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
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


def llama_cpp(asked: Sequence[Prompt], steps: int, threads: int) -> float | None:
    """Answer tokens per second of llama.cpp, prompts included; `None` where it is missing."""
    try:
        from llama_cpp import Llama
    except ImportError:
        return None
    place = catalog.find(catalog.SMOLLM2)
    assert place is not None
    file = place[1] / catalog.SMOLLM2.weights.rpartition("/")[2]
    model = Llama(str(file), n_ctx=1024, n_threads=threads, verbose=False)
    clock = Clock().start()
    made = 0
    for prompt in asked:
        model.reset()
        for made_here, _ in enumerate(model.generate(list(prompt.tokens), temp=0.0), start=1):
            if made_here == steps:
                break
        made += steps
    return made / clock.stop().wall


def main() -> None:
    """Measure batch sizes 1, 16 and 64."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--dtype", default="float32", choices=sorted(DTYPES))
    parser.add_argument("--threads", type=int, default=0)
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
    single = llama_cpp(asked[:4], options.tokens, torch.get_num_threads())
    threads = torch.get_num_threads()
    print(
        json.dumps(
            {"dtype": options.dtype, "threads": threads, "batches": results, "llama_cpp": single}
        )
    )
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
    print("llama.cpp: not installed" if single is None else f"llama.cpp, single: {single:.0f}")


if __name__ == "__main__":
    main()
