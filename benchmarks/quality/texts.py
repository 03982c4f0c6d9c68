"""Every lever on texts: author style (shakespeare) and clinical notes (mts_dialog).

    python -m benchmarks.quality.texts [--sets shakespeare,mts_dialog] [--rows 500]
        [--levers few-shot,soft-prompt,kv-prefix,lora,full] [--set lora.steps=64]
        [--out benchmarks/quality/text_results]

One run per set, on ROUGE-L; it resumes where it stopped. Beside the run's own numbers: nats per
word of the held-out answers as people wrote them, end of turn included, and three answers to read.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import accordeur
from accordeur.cli.settings import parse_settings
from accordeur.core.candidate import Candidate
from accordeur.core.rendering import Request
from accordeur.core.task import Example
from accordeur.measure.statistics.bootstrap import group_bootstrap
from accordeur.models.source import Models
from accordeur.parts.answering.adapted import adapted_model
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.bundle import load_bundle
from accordeur.parts.loaded import LoadedBundle
from benchmarks.quality.datasets import data_root, draw_splits, read_rows
from benchmarks.quality.lines import Lines

EFFORT = 2
SHOWN = 3


@dataclass(frozen=True)
class TextSet:
    """One set of texts.

    Attributes:
        name: its folder under `ACCORDEUR_DATA`.
        instruction: ours, written before the first run and not varied.
        dev, held_out: rows measured; answers are written, which takes long on two cores.
    """

    name: str
    instruction: str
    dev: int
    held_out: int


SETS = (
    TextSet(
        "shakespeare",
        "Here is a moment from a play by William Shakespeare. Write what the last speaker says.",
        40,
        80,
    ),
    TextSet(
        "mts_dialog",
        "Sum up this part of a conversation between doctor and patient for the clinical note.",
        40,
        80,
    ),
)


def write_task(chosen: TextSet, train_rows: int, folder: Path) -> Path:
    """A task folder with rows drawn with seed 0."""
    root = data_root() / chosen.name
    if not root.is_dir():
        raise SystemExit(f"{root} is not there.\n\nhint: set ACCORDEUR_DATA")
    draw_splits(root, {"train": train_rows, "dev": chosen.dev, "test": chosen.held_out}, folder)
    config = {
        "name": f"{chosen.name}-{train_rows}",
        "instruction": chosen.instruction,
        "data": {split: f"{split}.jsonl" for split in ("train", "dev", "test")},
        "metric": "rouge-l",
        "allow_leakage": ["near"],
    }
    (folder / "task.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return folder


def nats_per_word(candidate: Candidate, rows: Sequence[Example], source: Models) -> dict[str, Any]:
    """Negative log-likelihood of the rows' answers per word, with its interval over rows."""
    assert candidate.base is not None
    model, _ = adapted_model(candidate, source.model(candidate.base))
    prompts = Prompting(candidate, source).render([Request.from_example(row) for row in rows])
    values, groups = [], []
    for number, (prompt, row) in enumerate(zip(prompts, rows, strict=True)):
        assert row.expected
        (batch,) = model.score([prompt], [row.expected[0]])
        words = len(row.expected[0].split())
        values += [-batch.results[0].scores[0] / words] * words
        groups += [number] * words
    found = group_bootstrap(values, groups, seed=0)
    bounds = None if found is None else [found.low, found.high]
    return {"value": sum(values) / len(values), "interval": bounds, "words": len(values)}


def measure(
    chosen: TextSet,
    rows: int,
    levers: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
    runs: Path,
) -> dict[str, Any]:
    """One run, and what it does not measure itself."""
    source = Models()
    with tempfile.TemporaryDirectory() as name:
        folder = write_task(chosen, rows, Path(name))
        run = accordeur.run(
            folder,
            levers=list(levers),
            effort=EFFORT,
            forgetting="off",
            settings=settings,
            runs=runs,
            source=source,
            observer=Lines(),
        )
        held_out = [
            Example(id=row["id"], input=row["input"], expected=(row["expected"],), group=row["id"])
            for row in read_rows(folder / "test.jsonl")
        ]
    found: dict[str, Any] = {
        "set": chosen.name,
        "rows": rows,
        "settings": settings,
        "pick": run.record["decision"]["pick"],
        "word": run.record["decision"]["word"],
        "dtype": run.record["model"]["dtype"],
        "environment": run.record["environment"],
        "entries": {},
        "samples": [{"input": row.text, "expected": row.expected} for row in held_out[:SHOWN]],
    }
    for entry in run.record["entries"]:
        kept = {
            "status": entry["status"],
            "reason": entry["reason"],
            "dev": entry["dev"] and entry["dev"]["score"],
            "test": entry["test"] and entry["test"]["score"],
            "interval": entry["test"] and entry["test"]["interval"],
            "fit_seconds": entry["cost"] and entry["cost"]["fit_seconds"],
        }
        if entry["status"] == "finished" and entry["kind"] == "lever":
            held = load_bundle(run.folder / "candidates" / entry["configuration_id"])
            kept["nats_per_word"] = nats_per_word(held.candidate, held_out, source)
            loaded = LoadedBundle(held, source)
            kept["samples"] = [loaded.answer(row.text).text for row in held_out[:SHOWN]]
        found["entries"][entry["name"]] = kept
    return found


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """The results as Markdown."""
    lines = [
        "| set | entry | dev ROUGE-L | held-out ROUGE-L | nats per word, held-out | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for one in results:
        for name, entry in one["entries"].items():
            nats = entry.get("nats_per_word")
            cells = [one["set"], name]
            cells += ["-" if entry[s] is None else f"{100 * entry[s]:.1f}" for s in ("dev", "test")]
            if nats is None:
                cells.append("-" if entry["status"] == "finished" else entry["status"])
            else:
                low, high = nats["interval"]
                cells.append(f"{nats['value']:.2f} [{low:.2f}, {high:.2f}]")
            seconds = entry["fit_seconds"]
            cells.append("-" if seconds is None else f"{seconds:.0f}")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def samples(results: Sequence[Mapping[str, Any]]) -> str:
    """What each entry wrote, to be read."""
    parts = []
    for one in results:
        for at, row in enumerate(one["samples"]):
            parts.append(f"### {one['set']}, row {at + 1}\n")
            parts.append("".join(f"> {line}\n" for line in row["input"].splitlines()))
            parts.append(f"- **as people wrote it**: {_flat(row['expected'][0])}")
            parts += [
                f"- **{name}**: {_flat(entry['samples'][at])}"
                for name, entry in one["entries"].items()
                if "samples" in entry
            ]
            parts.append("")
    return "\n".join(parts)


def _flat(text: str) -> str:
    return " / ".join(text.splitlines())


def main() -> None:
    """Measure what is asked and print the table of all results so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="shakespeare,mts_dialog")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--levers", default="few-shot,soft-prompt,kv-prefix,lora,full")
    parser.add_argument("--set", action="append", default=[], metavar="LEVER.NAME=VALUE")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/quality/text_results"))
    parser.add_argument("--runs", type=Path, default=Path(".accordeur/benchmark-runs"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    settings = parse_settings(asked.set)
    for chosen in (one for one in SETS if one.name in asked.sets.split(",")):
        place = asked.out / f"{chosen.name}-{asked.rows}.json"
        if not place.exists():
            found = measure(chosen, asked.rows, asked.levers.split(","), settings, asked.runs)
            place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    results = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(asked.out.glob("*.json"))
    ]
    (asked.out / "table.md").write_text(table(results), encoding="utf-8")
    (asked.out / "samples.md").write_text(samples(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
