"""Runs in the peers' environment: lm-evaluation-harness over the given contexts.

Reads one JSON object from standard input (`model`, `dtype`, `batch`, `threads`, `contexts`,
`continuations`) and writes one to the file named `out`: log-probabilities [contexts][continuations]
and the seconds of each context. Knows nothing of Accordeur.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    asked = json.load(sys.stdin)
    import torch

    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    model = HFLM(
        pretrained=asked["model"],
        dtype=asked["dtype"],
        batch_size=asked["batch"],
        device="cpu",
        add_bos_token=False,
    )
    groups = asked["contexts"] if not asked["together"] else [None]
    done: dict[str, object] = {
        "scores": [],
        "wall": [],
        "cpu": [],
        "threads": torch.get_num_threads(),
    }
    scores: list[list[float]] = []
    for group in groups:
        contexts = [group] if group is not None else asked["contexts"]
        pairs = [(context, text) for context in contexts for text in asked["continuations"]]
        requests = [
            Instance(request_type="loglikelihood", doc={}, arguments=pair, idx=at)
            for at, pair in enumerate(pairs)
        ]
        wall, cpu = time.perf_counter(), time.process_time()
        found = [value for value, _ in model.loglikelihood(requests, disable_tqdm=True)]
        done["wall"].append(time.perf_counter() - wall)  # type: ignore[attr-defined]
        done["cpu"].append(time.process_time() - cpu)  # type: ignore[attr-defined]
        step = len(asked["continuations"])
        scores += [found[at : at + step] for at in range(0, len(found), step)]
        done["scores"] = scores
        Path(asked["out"]).write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main()
