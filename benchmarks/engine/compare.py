"""Our scorer and lm-evaluation-harness over the same study: equality first, then time."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import torch

from accordeur.models import catalog
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from benchmarks.engine.work import Clock, Study, ceiling, flops, table


def arguments(description: str, questions: int, peer_questions: int) -> argparse.Namespace:
    """The command line both label benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--questions", type=int, default=questions)
    parser.add_argument("--peer", type=Path, help="python of the peers' environment")
    parser.add_argument("--peer-questions", type=int, default=peer_questions)
    parser.add_argument("--peer-dtype", default="float32")
    parser.add_argument("--peer-batch", type=int, default=8)
    parser.add_argument("--dtype", default=None)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=1)
    return parser.parse_args()


def ours(study: Study, options: argparse.Namespace) -> dict[str, Any]:
    """Scores, seconds, memory and arithmetic of our engine; the prefix is computed each time."""
    if options.threads:
        torch.set_num_threads(options.threads)
    model = Models(dtype=options.dtype).local("local/smollm2")
    list(model.score(study.prompts[:2], study.labels))  # pages in, thread pool up
    walls, cpus = [], []
    for _ in range(options.repeats):
        model.forget()
        clock = Clock().start()
        batches = list(model.score(study.prompts, study.labels))
        clock.stop()
        walls.append(clock.wall)
        cpus.append(clock.cpu)
    scores = {i: r.scores for b in batches for i, r in zip(b.indices, b.results, strict=True)}
    work = arithmetic(model, study)
    wall = statistics.median(walls)
    return {
        "identity": model.identity.to_json(),
        "scores": [scores[at] for at in range(len(study.prompts))],
        "wall": wall,
        "cpu": statistics.median(cpus),
        "tokens": sum(batch.tokens for batch in batches),
        "logical": sum(r.usage.input_tokens for b in batches for r in b.results),
        "gflop": work / 1e9,
        "share_of_ceiling": work / wall / ceiling(getattr(torch, model.identity.dtype)),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def arithmetic(model: LocalModel, study: Study) -> float:
    """Operations needed: every distinct prefix once, logits only where a target is predicted."""
    from accordeur.models.local.trie import build_trie

    chat = model.chat
    trie = build_trie([chat.continuation(label) for label in study.labels])
    total = 0.0
    shared = set()
    for prompt in study.prompts:
        length, prefix = model.prompt_tokens(prompt)
        row = length - prefix
        shared.add(prefix)
        seen = row * prefix + row * (row + 1) / 2
        seen += trie.nodes * length + float(trie.sees.sum())
        total += flops(row + trie.nodes, int(seen), 1 + trie.nodes)
    return total + sum(flops(p, p * (p + 1) // 2, 0) for p in shared)


def theirs(study: Study, options: argparse.Namespace, *, together: bool) -> dict[str, Any]:
    """lm-evaluation-harness over the same tokens."""
    model = Models(dtype="float32").local("local/smollm2")
    prompts = study.prompts[: options.peer_questions]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "peer.json"
        asked = {
            "model": str(catalog.ready(catalog.SMOLLM2)),
            "dtype": options.peer_dtype,
            "batch": options.peer_batch,
            "threads": options.threads,
            "contexts": [
                [token for piece in model.chat.pieces(prompt) for token in piece.tokens]
                for prompt in prompts
            ],
            "continuations": [model.chat.continuation(label) for label in study.labels],
            "together": together,
            "out": str(out),
        }
        subprocess.run(
            [str(options.peer), str(Path(__file__).with_name("lm_eval_peer.py"))],
            input=json.dumps(asked),
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        )
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def report(study: Study, options: argparse.Namespace, *, together: bool) -> None:
    """Run both sides and print the JSON line and the table."""
    mine = ours(study, options)
    count = len(study.prompts)
    lines = [
        [
            f"accordeur {mine['identity']['dtype']}",
            str(count),
            f"{mine['wall'] / count:.3f}",
            f"{mine['cpu'] / count:.3f}",
            "",
        ]
    ]
    result: dict[str, Any] = {key: value for key, value in mine.items() if key != "scores"}
    result.update(study=study.name, questions=count, labels=len(study.labels))
    if options.peer is not None:
        peer = theirs(study, options, together=together)
        asked = len(peer["scores"])
        pairs = [
            (a, b)
            for left, right in zip(mine["scores"], peer["scores"], strict=False)
            for a, b in zip(left, right, strict=True)
        ]
        gaps = [abs(a - b) for a, b in pairs]
        same = sum(
            left.index(max(left)) == right.index(max(right))
            for left, right in zip(map(list, mine["scores"]), peer["scores"], strict=False)
        )
        wall, cpu = sum(peer["wall"]) / asked, sum(peer["cpu"]) / asked
        result["peer"] = {
            "dtype": options.peer_dtype,
            "batch": options.peer_batch,
            "questions": asked,
            "wall": wall,
            "cpu": cpu,
            "largest_difference": max(gaps),
            "mean_difference": statistics.mean(gaps),
            "same_answer": same,
            "ratio_wall": wall / (mine["wall"] / count),
            "ratio_cpu": cpu / (mine["cpu"] / count),
        }
        ratio = result["peer"]["ratio_wall"], result["peer"]["ratio_cpu"]
        name = f"lm-eval {options.peer_dtype}, batch {options.peer_batch}"
        ratios = f"{ratio[0]:.1f}x wall, {ratio[1]:.1f}x CPU"
        lines.append([name, str(asked), f"{wall:.3f}", f"{cpu:.3f}", ratios])
        print(f"largest difference {max(gaps):.2e} nats over {len(gaps)} log-probabilities")
    result["threads"] = torch.get_num_threads()
    print(json.dumps(result))
    table(study.name, ["engine", "questions", "s/question", "CPU s/question", "ratio"], lines)
    print(
        f"\n{mine['gflop'] / count:.1f} GFLOP/question, {mine['share_of_ceiling']:.0%} of the "
        f"measured matrix ceiling; {mine['tokens']:,} tokens computed for {mine['logical']:,} "
        f"logical; peak memory {mine['peak_bytes'] / 2**30:.2f} GiB"
    )
