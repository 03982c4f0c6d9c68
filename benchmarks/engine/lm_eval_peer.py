"""Runs in the peers' environment: lm-evaluation-harness over the given contexts.

Reads one JSON object from standard input (`model`, `dtype`, `batch`, `threads`, `contexts` and
`continuations` as tokens, `together`) and writes one to the file named `out`: log-probabilities
[contexts][continuations] and the seconds of each context, or of all of them with `together`.

Tokens go straight to what `HFLM.loglikelihood` calls after tokenising. Given strings, it would
tokenise prompt and answer in one go and move the prompt's last line break into the answer, which
asks another question than ours, by tenths of a nat. Knows nothing of Accordeur.
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
    from lm_eval.models.huggingface import HFLM

    model = HFLM(
        pretrained=asked["model"],
        dtype=asked["dtype"],
        batch_size=asked["batch"],
        device="cpu",
        add_bos_token=False,
    )
    groups = [asked["contexts"]] if asked["together"] else [[one] for one in asked["contexts"]]
    scores: list[list[float]] = []
    walls: list[float] = []
    cpus: list[float] = []
    for group in groups:
        requests = [
            ((str(context), str(answer)), context, answer)
            for context in group
            for answer in asked["continuations"]
        ]
        wall, cpu = time.perf_counter(), time.process_time()
        found = [value for value, _ in model._loglikelihood_tokens(requests, disable_tqdm=True)]
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
        step = len(asked["continuations"])
        scores += [found[at : at + step] for at in range(0, len(found), step)]
        done = {"scores": scores, "wall": walls, "cpu": cpus, "threads": torch.get_num_threads()}
        Path(asked["out"]).write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main()
