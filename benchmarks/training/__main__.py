"""Our training beside TRL's and transformers' trainers: equal losses first, then time and memory.

    python -m benchmarks.training --peer .venv-bench/bin/python [--methods lora,soft,full]
        [--steps 10] [--alone] [--sides ours-32,trl-32] [--out benchmarks/training/results]

All sides of a study are alive at once and take one step each in turn. Seconds of a step are the
median over all steps but the first two, which page weights in.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.engine.work import ceiling, table
from benchmarks.training.race import Study, race
from benchmarks.training.sides import CHOSEN, SIDES
from benchmarks.training.work import Work, needed

WARM = 2
"""Steps that are not counted."""

FIRST_STEPS = 3
"""Steps over which losses must agree closest: afterwards rounding grows with every update."""


def result(study: Study, work: Work, steps: Mapping[str, Sequence[Mapping[str, Any]]]) -> Any:
    """What is kept of a race."""
    once = [needed(batch, once=True, targets=True) for batch in work.batches]
    whole = [needed(batch, once=False, targets=False) for batch in work.batches]
    passes = 3 if study.method == "full" else 2
    top = {name: ceiling(getattr(torch, name)) for name in ("float32", "bfloat16")}
    found: dict[str, Any] = {
        "study": study.name,
        "steps": study.steps,
        "tokens_of_a_step": statistics.fmean(
            sum(len(row.prefix) + row.own for row in batch) for batch in work.batches
        ),
        "gflop_of_a_step": {
            "prefix once, logits at answers": passes * statistics.fmean(once) / 1e9,
            "every row whole, all logits": passes * statistics.fmean(whole) / 1e9,
        },
        "ceiling_gflops": {name: value / 1e9 for name, value in top.items()},
        "sides": {},
    }
    for name, made in steps.items():
        counted = made[WARM:]
        found["sides"][name] = {
            "title": SIDES[name].title,
            "seconds": statistics.median(one["wall"] for one in counted),
            "cpu_seconds": statistics.median(one["cpu"] for one in counted),
            "peak_gib": made[-1]["peak_bytes"] / 2**30,
            "losses": [one["loss"] for one in made],
        }
    return found


def differences(found: Mapping[str, Any], name: str, base: str) -> tuple[float, float]:
    """Largest relative difference of the losses from `base`: over the first steps, and over all."""
    mine, theirs = (found["sides"][one]["losses"] for one in (name, base))
    apart = [abs(a - b) / abs(b) for a, b in zip(mine, theirs, strict=True)]
    return max(apart[:FIRST_STEPS]), max(apart)


def show(found: Mapping[str, Any]) -> None:
    """Print the result as a table; ratios are of a side's seconds to our best dtype's."""
    sides = found["sides"]
    mine = min(
        (name for name in sides if SIDES[name].dtype), key=lambda name: sides[name]["seconds"]
    )
    base = next((name for name in sides if name.endswith("-32")), mine)
    rows = []
    for name, one in sides.items():
        first, whole = differences(found, name, base)
        rows.append(
            [
                one["title"],
                f"{one['seconds']:.3f}",
                f"{one['cpu_seconds']:.3f}",
                f"{one['seconds'] / sides[mine]['seconds']:.2f}x",
                f"{one['peak_gib']:.1f}",
                f"{one['losses'][-1]:.4f}",
                f"{first:.1e}",
                f"{whole:.1e}",
            ]
        )
    work, top = found["gflop_of_a_step"], found["ceiling_gflops"]
    dtype = SIDES[mine].dtype
    least = work["prefix once, logits at answers"]
    speed = least / sides[mine]["seconds"]
    table(
        f"{found['study']}: {found['steps']} steps, {found['tokens_of_a_step']:.0f} tokens each",
        ["side", "s/step", "CPU s/step", "ours is", "peak GiB", "last loss", "off, first 3", "all"],
        rows,
    )
    print(
        f"\n{least:.0f} GFLOP a step with the prefix once and logits at answers, "
        f"{work['every row whole, all logits']:.0f} with every row whole and all logits; ours "
        f"{speed:.0f} GFLOP/s, {speed / top[str(dtype)]:.0%} of the ceiling in {dtype}",
        flush=True,
    )


def main() -> None:
    """Race what is asked; print and keep the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", required=True, help="python of the peers' environment")
    parser.add_argument("--methods", default="lora,soft,full")
    parser.add_argument("--alone", action="store_true", help="rows share no prefix")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--sides", help=f"some of {', '.join(SIDES)}")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("benchmarks/training/results"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for method in asked.methods.split(","):
        study = Study(method, not asked.alone, asked.steps)
        names = asked.sides.split(",") if asked.sides else CHOSEN[method]
        work, runners = race(study, names, asked.peer, asked.threads)
        found = result(study, work, {name: one.steps for name, one in runners.items()})
        found["threads"] = asked.threads
        place = asked.out / f"{method}-{'alone' if asked.alone else 'shared'}.json"
        place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        show(found)


if __name__ == "__main__":
    main()
