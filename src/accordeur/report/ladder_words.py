"""What the oracle ladder says, in the words that page and terminal share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.numbers import interval, points, rows

Found = Mapping[str, Any]


def heading(found: Found) -> str:
    """On how many rows, and with which retriever."""
    passages = "1 passage" if found["k"] == 1 else f"{found['k']} passages"
    return (
        f"plain prompt, {rows(found['n'])} of dev; real retriever: {passages} by "
        f"{found['retriever']}; no part in the verdict"
    )


def gap_name(gap: Found) -> str:
    """The two rungs of a difference."""
    return f"{gap['higher']} − {gap['lower']}"


def searched_words(found: Found) -> str:
    """How good the search in use is by itself; empty where it was not measured."""
    if not found["retrieval"]:
        return ""
    used = found["retrieval"][0]
    said = [
        f"{measure_name(name)} {points(one['value'])} {interval(one['interval'])}".strip()
        for name, one in sorted(used["measures"].items(), reverse=True)
        if not name.startswith(("span_precision", "hit"))
    ]
    return f"The search by itself: {', '.join(said)}."


def measure_name(name: str) -> str:
    """As a table's head: `span recall@3`, `nDCG@10`, `MRR@10`."""
    kind, _, cut = name.partition("@")
    known = {"ndcg": "nDCG", "mrr": "MRR"}
    return f"{known.get(kind, kind.replace('_', ' '))}@{cut}"


def incomplete(found: Found) -> str:
    """Why rungs are missing; empty where none is."""
    if found["status"] == "measured":
        return ""
    what = {"skipped": "not measured", "cut": "not measured to its end", "failed": "not measured"}
    return f"The ladder was {what[found['status']]}: {found['reason']}."


def left_out(found: Found) -> str:
    """Which dev rows stand on no rung; empty where all do."""
    said = []
    if found["unanswerable"]:
        said.append(f"{rows(found['unanswerable'])} without an answer")
    if found["without_place"]:
        said.append(f"{rows(found['without_place'])} that name no place of their answer")
    return f"Not on the ladder: {' and '.join(said)}." if said and found["n"] else ""
