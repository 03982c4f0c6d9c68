"""The record as Markdown: a line per task, then what the verdicts were worth together.

The cost is the pick's, to make and for the task's queries (10,000 unless it says otherwise).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.record.regret import Scores, cross_fitted_regret, mean_interval, raw_regret

TOLERANCE = 0.01
SEED = 0

_HEAD = (
    "task",
    "held-out",
    "picked",
    "how sure",
    "pick",
    "best in hindsight",
    "best",
    "regret",
    "cross-fitted",
    "minutes",
    "pick's cost, USD",
)


def held_out(result: Mapping[str, Any]) -> dict[str, Scores]:
    """Per-row scores by entry, rows that any entry lost left out."""
    found = {
        name: np.array([np.nan if one is None else one for one in entry["test"]], np.float64)
        for name, entry in result["entries"].items()
        if entry.get("test")
    }
    if not found:
        return {}
    whole = ~np.isnan(np.stack(list(found.values()))).any(axis=0)
    return {name: scores[whole] for name, scores in found.items()}


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """All tasks measured so far."""
    lines = [f"| {' | '.join(_HEAD)} |", f"|{'---|' * len(_HEAD)}"]
    raw, crossed, right = [], [], []
    for one in results:
        if "not_possible" in one:
            said = " ".join(one["not_possible"].split())
            lines.append(f"| {one['name']} | - | not possible: {said} |{' - |' * 8}")
            continue
        scores = held_out(one)
        pick = one["pick"]
        if pick not in scores:
            lines.append(f"| {one['name']} | - | {pick} | {one['word']} |{' - |' * 7}")
            continue
        best = max(scores, key=lambda name: float(scores[name].mean()))
        mine, top = float(scores[pick].mean()), float(scores[best].mean())
        raw.append(raw_regret(scores, pick))
        crossed.append(cross_fitted_regret(scores, pick, seed=SEED))
        word = "too few" if one["too_few"] else one["word"]
        right.append((word, raw[-1] <= TOLERANCE + 1e-9))  # three rows of 300 are one point
        sure = "" if one["sureness"] is None else f" ({one['sureness']:.2f})"
        cells = [
            one["name"],
            str(len(scores[pick])),
            pick,
            f"{word}{sure}",
            f"{100 * mine:.1f}",
            best,
            f"{100 * top:.1f}",
            f"{100 * raw[-1]:.1f}",
            f"{100 * crossed[-1]:+.1f}",
            f"{one['seconds'] / 60:.1f}",
            f"{one['entries'][pick]['total']:.2g}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if raw:
        lines += ["", *_together(raw, crossed, right)]
    return "\n".join(lines) + "\n"


def brief(results: Sequence[Mapping[str, Any]]) -> str:
    """What the front page shows: pick and best in hindsight, held-out."""
    lines = [
        "| task | picked | how sure | held-out | best in hindsight | regret |",
        "|---|---|---|---|---|---|",
    ]
    for one in results:
        scores = {} if "not_possible" in one else held_out(one)
        if one.get("pick") not in scores:
            continue
        pick = one["pick"]
        best = max(scores, key=lambda name: float(scores[name].mean()))
        same = best == pick or raw_regret(scores, pick) == 0.0
        top = "the same" if same else f"{best} {100 * float(scores[best].mean()):.1f}"
        word = "too few rows" if one["too_few"] else one["word"]
        mine = f"{100 * float(scores[pick].mean()):.1f}"
        regret = f"{100 * raw_regret(scores, pick):.1f}"
        lines.append(f"| {one['name']} | {pick} | {word} | {mine} | {top} | {regret} |")
    return "\n".join(lines) + "\n"


def _together(
    raw: Sequence[float], crossed: Sequence[float], right: Sequence[tuple[str, bool]]
) -> list[str]:
    low, high = mean_interval(np.array(crossed), seed=SEED)
    lines = [
        f"Mean regret over {len(raw)} tasks: {100 * np.mean(raw):.2f} points raw, "
        f"{100 * np.mean(crossed):.2f} [{100 * low:.2f}, {100 * high:.2f}] cross-fitted "
        "(tasks resampled).",
        "",
        "| how sure | verdicts | within tolerance of the best in hindsight |",
        "|---|---|---|",
    ]
    for word in ("clear", "likely", "tie", "too few"):
        found = [good for said, good in right if said == word]
        if found:
            lines.append(f"| {word} | {len(found)} | {sum(found)} |")
    return lines
