"""Run every task of the record once and print what came of the verdicts.

    python -m benchmarks.record.run [--tasks uci_sentences-100,svamp] [--out FOLDER]

Eighteen runs of ten minutes and the held-out rows: about four hours on two cores. Runs resume where
they stopped; a task whose result is there is not run again. Results are one JSON file per task,
with the held-out score of every row and entry, `table.md`, and `brief.md` for the front page.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import accordeur
from accordeur.bench.finished import Run
from accordeur.core.errors import PlanError
from accordeur.store.run_folder import RunFolder
from benchmarks.quality.lines import Lines
from benchmarks.record.peers.table import peers_table
from benchmarks.record.table import brief, table
from benchmarks.record.tasks import BUDGET, ENTRIES, LEVERS, Entry, fixed, write


def measure(entry: Entry, tasks: Path, runs: Path) -> dict[str, Any]:
    """One run; what the table needs of it."""
    folder = tasks / entry.name
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    run = accordeur.run(
        write(entry, folder),
        levers=LEVERS,
        budget=BUDGET,
        forgetting="off",
        runs=runs,
        observer=Lines(),
    )
    return summary(entry, run, time.perf_counter() - began)


def summary(entry: Entry, run: Run, seconds: float) -> dict[str, Any]:
    """Verdict, and the held-out score of every row under every finished entry."""
    record = run.record
    folder = RunFolder.open(run.folder)
    entries = {}
    for one in record["entries"]:
        found: dict[str, Any] = {
            "status": one["status"],
            "reason": one["reason"],
            "configuration": one["configuration"],
            "dev": one["dev"] and one["dev"]["score"],
            "est": one["est"],
            "total": one["cost"] and one["cost"]["total"],
            "fit_seconds": one["cost"] and one["cost"]["fit_seconds"],
        }
        if one["test"]:
            rows = folder.read_answers("test", one["configuration_id"])
            found["test"] = [rows[place].score for place in sorted(rows)]
        entries[one["name"]] = found
    return {
        "name": entry.name,
        "fixed": fixed(),
        "counts": record["task"]["counts"],
        "metric": record["task"]["metric"],
        "pick": record["decision"]["pick"],
        "word": record["decision"]["word"],
        "sureness": record["decision"]["sureness"],
        "too_few": record["decision"]["too_few"],
        "refused": [[one["name"], one["reason"]] for one in record["plan"]["refused"]],
        "entries": entries,
        "seconds": seconds,
        "model": record["model"],
        "environment": record["environment"],
    }


def main() -> None:
    """Measure what is asked and print the table of all results so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", default=",".join(one.name for one in ENTRIES))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/record/results"))
    parser.add_argument("--peers", type=Path, default=Path("benchmarks/record/peer_results"))
    parser.add_argument("--runs", type=Path, default=Path(".accordeur/record-runs"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for entry in (one for one in ENTRIES if one.name in asked.tasks.split(",")):
            place = asked.out / f"{entry.name}.json"
            if place.exists() and json.loads(place.read_text())["fixed"] == fixed():
                continue
            print(entry.name, flush=True)
            try:
                found = measure(entry, Path(name), asked.runs)
            except PlanError as error:
                found = {"name": entry.name, "fixed": fixed(), "not_possible": str(error)}
            place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    results = []
    for entry in ENTRIES:
        place = asked.out / f"{entry.name}.json"
        if place.exists():
            results.append(json.loads(place.read_text(encoding="utf-8")))
    peers = {}
    for place in sorted(asked.peers.glob("*.json")):
        found = json.loads(place.read_text(encoding="utf-8"))
        peers[found["name"], found["peer"]] = found
    text = "\n".join(filter(None, [table(results), peers_table(results, peers)]))
    (asked.out / "table.md").write_text(text, encoding="utf-8")
    (asked.out / "brief.md").write_text(brief(results), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
