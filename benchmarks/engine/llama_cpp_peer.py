"""Runs in an environment with llama-cpp-python: greedy answers, one prompt after another.

Reads one JSON object from standard input (`model`, `threads`, `prompts` as tokens, `steps`, `out`)
and writes one to the file named `out`: answers as tokens; seconds until every first token with all
of the prompt computed (`whole_wall`), and with the start kept that it shares with the one before
(`prompts_wall`); seconds of the steps after it (`steps_wall`). Knows nothing of Accordeur.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    asked = json.load(sys.stdin)
    from llama_cpp import Llama

    model = Llama(
        asked["model"],
        n_ctx=2048,
        n_threads=asked["threads"],
        n_threads_batch=asked["threads"],
        n_batch=512,
        verbose=False,
    )
    next(model.generate(asked["prompts"][0], temp=0.0))  # pages in
    started = time.perf_counter()
    for prompt in asked["prompts"]:
        model.reset()
        next(model.generate(prompt, temp=0.0))
    whole_wall = time.perf_counter() - started
    answers, prompts_wall, steps_wall = [], 0.0, 0.0
    for prompt in asked["prompts"]:
        started = time.perf_counter()
        stream = model.generate(prompt, temp=0.0)
        answer = [next(stream)]
        prompts_wall += time.perf_counter() - started
        started = time.perf_counter()
        while len(answer) < asked["steps"]:
            answer.append(next(stream))
        steps_wall += time.perf_counter() - started
        answers.append(answer)
    done = {
        "answers": answers,
        "whole_wall": whole_wall,
        "prompts_wall": prompts_wall,
        "steps_wall": steps_wall,
    }
    Path(asked["out"]).write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main()
