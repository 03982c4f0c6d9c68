"""Run the peers on tasks of the record and score them with the record's metric.

    python -m benchmarks.record.peers.run --python .venv-bench/bin/python
        [--peers setfit_head,trl_lora,dspy_bootstrap] [--tasks uci_sentences-300,support]

Each gets the seconds that a run of the record gets. SetFit applies to label tasks only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

import accordeur
from accordeur.core.model import Generated, Usage
from accordeur.core.rendering import Request
from accordeur.core.task import Example, Task
from accordeur.measure.metrics import load_metric
from accordeur.models.catalog import embedded, ready
from accordeur.models.source import LANGUAGE_MODEL, Models
from accordeur.parts.answering.reading import read_text
from accordeur.parts.decoding import answer_limit
from benchmarks.record.peers.job import Job
from benchmarks.record.tasks import BUDGET, ENTRIES, Entry, write

PEERS = ("setfit_head", "trl_lora", "dspy_bootstrap")
LABELS_ONLY = frozenset({"setfit_head"})


def job(task: Task, seconds: float) -> Job:
    """The task for a peer: context before the text, labels as their display text."""
    labels = tuple(label.text for label in task.labels)
    instruction = task.brief.instruction
    if labels:
        instruction = f"{instruction} Answer with one of: {', '.join(labels)}."
    train = tuple((_text(row), _answer(task, row)) for row in task.train if row.expected)
    model = Models().model(LANGUAGE_MODEL)
    limit = answer_limit([name for _, name in train], model.count_tokens)
    return Job(
        instruction=instruction,
        labels=labels,
        train=train,
        held_out=tuple(_text(row) for row in task.dev),
        seconds=seconds,
        model=str(ready(embedded("smollm2"))),
        embedder=str(ready(embedded("minilm"))),
        new_tokens=limit,
    )


def held_out_as_dev(folder: Path) -> Task:
    """The task with the rows that peers are asked in the place of dev, where they can be read."""
    place = folder / "task.yaml"
    config = yaml.safe_load(place.read_text(encoding="utf-8"))
    config["data"] = {"train": config["data"]["train"], "dev": config["data"]["test"]}
    place.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return accordeur.load_task(folder)


def _text(row: Example) -> str:
    return Request.from_example(row).text


def _answer(task: Task, row: Example) -> str:
    assert row.expected
    answer = row.expected[0]
    return task.brief.label_text(answer) if task.brief.kind == "labels" else answer


def measure(entry: Entry, peer: str, python: str, seconds: float, log: Path) -> dict[str, Any]:
    """One peer on one task; the held-out score of every row."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        task = held_out_as_dev(write(entry, place / "task"))
        job(task, seconds).write(place / "job.json")
        command = [python, "-m", f"benchmarks.record.peers.{peer}"]
        with log.open("w", encoding="utf-8") as out:
            done = subprocess.run(
                [*command, str(place / "job.json"), str(place / "answers.json")],
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise SystemExit(f"{peer} failed on {entry.name}.\n\nhint: read {log}")
        found = json.loads((place / "answers.json").read_text(encoding="utf-8"))
    metric = load_metric(task.metric)
    scores = []
    for text, row in zip(found.pop("answers"), task.dev, strict=True):
        made = Generated(text, finished=True, logprob=0.0, usage=Usage())
        scores.append(metric.row(read_text(made, task.brief, 0.0), row, task.brief))
    return {"name": entry.name, "peer": peer, "test": scores, **found}


def main() -> None:
    """Measure what is asked and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--tasks", default=",".join(one.name for one in ENTRIES))
    parser.add_argument("--seconds", type=float, default=BUDGET)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/record/peer_results"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for entry in (one for one in ENTRIES if one.name in asked.tasks.split(",")):
        for peer in asked.peers.split(","):
            place = asked.out / f"{entry.name}-{peer}.json"
            if place.exists() or (peer in LABELS_ONLY and entry.kind == "text"):
                continue
            found = measure(entry, peer, asked.python, asked.seconds, place.with_suffix(".log"))
            place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            mean = 100 * sum(found["test"]) / len(found["test"])
            print(f"{entry.name} {peer}: {mean:.1f} on {len(found['test'])}", flush=True)


if __name__ == "__main__":
    main()
