"""A run as an observer hears it, from the real dataclasses, without a run."""

from __future__ import annotations

from typing import Any

from accordeur.bench.observer import EntryView, Observer, PlannedEntry, PlanView

HOSTILE = "\x1b[2J\x1b]0;owned\x07[red]\u202egnp\nnext"
"""What a model or a data file might say."""

PLAN = PlanView(
    run="toy-0123456789",
    folder="/runs/toy-0123456789",
    entries=[
        PlannedEntry("floor:naive-bayes", "naive Bayes on words", True, 1.0),
        PlannedEntry("floor:embedding-logistic", "logistic head on embeddings", True, 4.0),
        PlannedEntry("as-is", "prompt as given", False, 20.0),
        PlannedEntry("few-shot", "demonstrations", False, 100.0),
        PlannedEntry("few-shot+calibration", "demonstrations + label calibration", False, 75.0),
    ],
    refused=[("lora", "`lora` needs weights that can be trained")],
    seconds=230.0,
    rows={"train": 200, "dev": 120, "test": 240, "unlabelled": 0},
    model="local/smollm2 (bfloat16)",
    effort=8,
)
CHECKS: list[dict[str, Any]] = [
    {"name": "counts", "level": "ok", "message": "train 200, dev 120.", "ids": [], "allow": None},
    {
        "name": "conflicting labels",
        "level": "warn",
        "message": "4 inputs of train and dev have two labels, which no candidate can learn.",
        "ids": ["row-1", "row-2", f"row-3{HOSTILE}", "row-4"],
        "allow": None,
    },
]
BAYES = EntryView(
    "floor:naive-bayes", "naive Bayes on words", "finished",
    dev=0.4167, low=0.332, high=0.506, n=120, configuration="words and pairs",
    fit_seconds=0.06, cold_seconds=0.0004,
)  # fmt: skip
LOGISTIC = EntryView(
    "floor:embedding-logistic", "logistic head on embeddings", "finished",
    dev=0.6583, low=0.57, high=0.737, n=120, configuration="cross-validated",
    fit_seconds=4.2, cold_seconds=0.013, reused=True,
)  # fmt: skip
STOPPED = EntryView(
    "as-is", "prompt as given", "stopped", reason=f"after 40 rows it is behind {HOSTILE}"
)


def tell(observer: Observer) -> None:
    """A run up to the middle of its fourth entry."""
    observer.phase("loading")
    observer.log(f"converting {HOSTILE}")
    observer.phase("checks")
    prompt = f"<|im_start|>user\n{HOSTILE}\n" + "\n".join(f"line {n}" for n in range(40))
    observer.preflight(CHECKS, prompt)
    observer.planned(PLAN)
    observer.phase("levers")
    observer.entry(BAYES)
    observer.entry(LOGISTIC)
    observer.entry(STOPPED)
    observer.progress("few-shot", f"k=8 {HOSTILE}", 64, 120)
