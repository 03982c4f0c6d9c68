"""The pick of a run beside what the peers reached in the same seconds, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.record.regret import Scores, mean_interval

NAMES = {
    "setfit_head": "SetFit on MiniLM",
    "trl_lora": "TRL LoRA",
    "dspy_bootstrap": "DSPy bootstrap",
}
SEED = 0


def peers_table(
    results: Sequence[Mapping[str, Any]], peers: Mapping[tuple[str, str], Mapping[str, Any]]
) -> str:
    """A line per task that some peer was measured on; empty when there is none.

    Args:
        results: of the record, as `run.summary` makes them.
        peers: (task, peer) -> as `peers.run.measure` makes them.

    Raises:
        ValueError: a peer answered another number of rows than the run.
    """
    lines = []
    for one in results:
        mine = _scores(one.get("entries", {}).get(one.get("pick"), {}).get("test"))
        if mine is None:
            continue
        cells = [_cell(mine, peers.get((one["name"], peer)), one["name"]) for peer in NAMES]
        if any(cell != "-" for cell in cells):
            best = f"{one['pick']} {100 * float(np.nanmean(mine)):.1f}"
            lines.append(f"| {one['name']} | {best} | {' | '.join(cells)} |")
    if not lines:
        return ""
    head = f"| task | picked | {' | '.join(NAMES.values())} |"
    return "\n".join([head, f"|{'---|' * (2 + len(NAMES))}", *lines]) + "\n"


def _cell(mine: Scores, peer: Mapping[str, Any] | None, task: str) -> str:
    """Score, and what the pick is ahead by on the same rows with its 95 % interval."""
    if peer is None:
        return "-"
    theirs = _scores(peer["test"])
    if theirs is None or len(theirs) != len(mine):
        raise ValueError(f"{task}: a peer did not answer the rows of the run")
    ahead = (mine - theirs)[~np.isnan(mine - theirs)]
    low, high = mean_interval(ahead, seed=SEED)
    score = f"{100 * float(np.nanmean(theirs)):.1f}"
    return f"{score} ({100 * ahead.mean():+.1f} [{100 * low:+.1f}, {100 * high:+.1f}])"


def _scores(rows: Sequence[float | None] | None) -> Scores | None:
    if not rows:
        return None
    return np.array([np.nan if one is None else one for one in rows], np.float64)
