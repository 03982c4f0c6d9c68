"""The prompts of the label benchmarks, and what one forward pass costs in arithmetic."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from accordeur.core.rendering import Message, Rendered, Segment


def data_folder(name: str) -> Path:
    """Where a real data set lies.

    Raises:
        SystemExit: it is not there.
    """
    folder = Path(os.environ.get("ACCORDEUR_DATA", "../shared/data")) / name
    if not folder.is_dir():
        raise SystemExit(
            f"`{folder}` is missing: set ACCORDEUR_DATA; see benchmarks/engine/README.md"
        )
    return folder


def rows(name: str, split: str) -> list[dict[str, Any]]:
    """A split, as read."""
    lines = (data_folder(name) / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@dataclass(frozen=True, slots=True)
class Study:
    """Prompts and the labels to be scored after each."""

    name: str
    prompts: list[Rendered]
    labels: list[str]


def study(name: str, instruction: str, *, questions: int, shots: int, seed: int = 0) -> Study:
    """The first `questions` test rows behind an instruction and drawn demonstrations."""
    train = rows(name, "train")
    labels = sorted({row["expected"] for row in train})
    drawn = random.Random(seed).sample(train, shots)
    first = Message("user", (Segment(f"{instruction}\n\n", shared=True),))
    shown = [first]
    for number, row in enumerate(drawn):
        asked = Segment(row["input"], "data", shared=True)
        answer = Segment(row["expected"], "data", shared=True)
        shown.append(Message("user", (asked,), number))
        shown.append(Message("assistant", (answer,), number))
    prompts = [
        Rendered((*shown, Message("user", (Segment(row["input"], "data", trim=True),))))
        for row in rows(name, "test")[:questions]
    ]
    return Study(name, prompts, labels)


BODY_WEIGHTS = 30 * (576 * 960 + 576 * 576 + 3 * 576 * 1536)
HEAD_WEIGHTS = 49_152 * 576


def flops(tokens: int, seen: int, heads: int) -> float:
    """Floating point operations of SmolLM2-135M.

    Args:
        tokens: positions computed.
        seen: pairs of a position and a position it sees, summed.
        heads: positions whose logits are computed.
    """
    return 2.0 * (tokens * BODY_WEIGHTS + heads * HEAD_WEIGHTS) + 30 * 4.0 * 576 * seen


def ceiling(dtype: torch.dtype) -> float:
    """Best observed operations per second of a large matrix product, at the threads in use."""
    left, right = (torch.randn(1536, 1536).to(dtype) for _ in range(2))
    best = min(seconds(lambda: left @ right) for _ in range(8))
    return 2.0 * 1536**3 / best


def seconds(call: Callable[[], Any]) -> float:
    """Wall time of a call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@dataclass(slots=True)
class Clock:
    """Wall and CPU seconds between `start` and `stop`."""

    wall: float = 0.0
    cpu: float = 0.0

    def start(self) -> Clock:
        """Begin."""
        self.wall, self.cpu = -time.perf_counter(), -time.process_time()
        return self

    def stop(self) -> Clock:
        """End."""
        self.wall += time.perf_counter()
        self.cpu += time.process_time()
        return self


def table(title: str, header: list[str], lines: list[list[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n")
    for line in (header, ["---"] * len(header), *lines):
        print("| " + " | ".join(line) + " |")
