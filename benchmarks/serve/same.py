"""One task in the process and over the wire, `serve` behind it: the same answers and scores?

    python -m benchmarks.serve.same [--task examples/support] [--limit 60] [--dtype bfloat16]
        [--levers few-shot,calibration]

By default both sides compute deterministically in float32, every row alone. With `--dtype bfloat16`
they compute as they usually do, in batches; flips are then counted and the differences shown.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import accordeur
from accordeur.bench.finished import Run
from accordeur.core.measurement import RowResult
from accordeur.store.run_folder import RunFolder
from benchmarks.serve.load import serving

Key = tuple[str, str, int]


def answers(run: Run) -> dict[Key, RowResult]:
    """What every entry's chosen configuration answered, by entry, split and row."""
    folder = RunFolder.open(run.folder)
    record = json.loads((run.folder / "record.json").read_text(encoding="utf-8"))
    return {
        (entry["name"], split, at): row
        for entry in record["entries"]
        if entry.get("configuration_id") and not entry["name"].startswith("floor:")
        for split in ("dev", "test")
        for at, row in folder.read_answers(split, entry["configuration_id"]).items()
    }


def compare(here: dict[Key, RowResult], there: dict[Key, RowResult]) -> dict[str, object]:
    """Per entry: rows, answers that differ, score difference in points, log-probabilities."""
    found: dict[str, object] = {"same rows": here.keys() == there.keys()}
    for name in dict.fromkeys(key[0] for key in here):
        keys = [key for key in here if key[0] == name and key in there]
        mine, theirs = [here[key] for key in keys], [there[key] for key in keys]
        pairs = list(zip(mine, theirs, strict=True))
        deltas = [
            np.abs(np.subtract(a.answer.scores, b.answer.scores))
            for a, b in pairs
            if a.answer.scores is not None and b.answer.scores is not None
        ]
        scored = [(a.score, b.score) for a, b in pairs]
        found[name] = {
            "rows": len(keys),
            "flips": sum(a.answer.text != b.answer.text for a, b in pairs),
            "score difference, points": round(
                100 * float(np.mean([(b or 0.0) - (a or 0.0) for a, b in scored])), 2
            ),
            **(
                {
                    "mean |difference|, nats": float(f"{np.mean(deltas):.2g}"),
                    "largest": float(f"{np.max(deltas):.2g}"),
                }
                if deltas
                else {}
            ),
        }
    return found


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="examples/support")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--levers", default="few-shot,calibration")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    asked = parser.parse_args()
    deterministic = asked.dtype == "float32"
    how = ["--deterministic"] if deterministic else []
    with tempfile.TemporaryDirectory() as name, serving("local/smollm2", *how) as url:
        runs = [
            accordeur.run(
                asked.task,
                model=model,
                levers=asked.levers.split(","),
                limit=asked.limit,
                effort=2,
                use_cache=False,
                screening=False,
                deterministic=deterministic and base is None,
                base_url=base,
                runs=Path(name) / ("there" if base else "here"),
            )
            for model, base in (("local/smollm2", None), ("vllm/local/smollm2", f"{url}/v1"))
        ]
        print(json.dumps(compare(*(answers(run) for run in runs)), indent=1))


if __name__ == "__main__":
    main()
