"""The same calls through inspect-ai; run by `peers.py` with the Python that has inspect-ai.

    python benchmarks/endpoint/inspect_drive.py PROMPTS.jsonl BASE_URL AT_ONCE FOLDER

Prints one line of JSON: seconds of `eval` without imports, and the answers in order.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Ask all prompts once; no retries are needed, no score is asked for but `match`."""
    prompts, base_url, at_once, folder = sys.argv[1:5]
    os.environ.update(LOOP_API_KEY="none", LOOP_BASE_URL=base_url)
    from inspect_ai import Task, eval  # type: ignore[import-not-found]
    from inspect_ai.dataset import Sample  # type: ignore[import-not-found]
    from inspect_ai.log import read_eval_log  # type: ignore[import-not-found]
    from inspect_ai.scorer import match  # type: ignore[import-not-found]

    rows = [json.loads(line) for line in Path(prompts).read_text("utf-8").splitlines()]
    task = Task(
        dataset=[
            Sample(id=number, input=row["prompt"], target=row["answer"])
            for number, row in enumerate(rows)
        ],
        scorer=match(),
    )
    begun = time.perf_counter()
    (log,) = eval(
        task,
        model="openai-api/loop/scripted",
        max_connections=int(at_once),
        max_samples=int(at_once),
        max_tokens=16,
        temperature=0.0,
        display="none",
        log_dir=folder,
    )
    seconds = time.perf_counter() - begun
    told = {
        sample.id: sample.output.completion for sample in read_eval_log(log.location).samples or ()
    }
    print(json.dumps({"seconds": seconds, "answers": [told[at] for at in range(len(rows))]}))


if __name__ == "__main__":
    main()
