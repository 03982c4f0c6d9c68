"""Held to the passages, or writing freely: the same model, prompts and questions.

    python -m benchmarks.quality.quoting [--questions 60] [--passages 1 3] [--model local/smollm2]
        [--out benchmarks/quality/quoting/results]

Questions of xquad_en's dev split (read from `ACCORDEUR_DATA`) in drawn order (seed 0), each with
the paragraph that answers it, alone and among others of the same article. Token F1 and exact match
of both ways of answering; differences are paired, the questions of a paragraph resampled together.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accordeur.core.candidate import Candidate
from accordeur.core.rendering import Request
from accordeur.core.span import Span
from accordeur.core.task import TaskBrief
from accordeur.measure.metrics.squad import normalise
from accordeur.measure.metrics.token_f1 import token_f1
from accordeur.measure.statistics import Interval, group_bootstrap, paired_difference_interval
from accordeur.models.source import LANGUAGE_MODEL, Models
from accordeur.parts.assemble import assemble
from accordeur.parts.decoding import Decoding
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval.packing import Shown, delimited
from accordeur.parts.retrieval.part import WORDS
from benchmarks.quality.datasets import data_root

INSTRUCTION = "Answer the question in a few words."
TOKENS = 24
SEED = 0

Row = dict[str, Any]


def requests(rows: Sequence[Row], passages: int) -> list[Request]:
    """Each question behind its paragraphs."""
    corpus = {one["id"]: one["text"] for one in lines(data_root() / "xquad_en" / "corpus.jsonl")}
    draw = random.Random(SEED)
    made = []
    for row in rows:
        gold = row["relevant"][0]
        article = gold.partition("-")[0]
        others = [one for one in corpus if one != gold and one.partition("-")[0] == article]
        names = [gold, *draw.sample(others, passages - 1)]
        draw.shuffle(names)
        shown = [Shown(Span(name, 0, len(corpus[name])), corpus[name], 1.0) for name in names]
        made.append(Request(row["input"], context=delimited(shown)))
    return made


def answers(models: Models, name: str, mode: str, asked: Sequence[Request]) -> list[str]:
    """What the model answers in one of the two ways."""
    task = TaskBrief("xquad", "", INSTRUCTION, "text", (), "token-f1")
    prompt, decoding = Prompt(f"{INSTRUCTION} {WORDS}"), Decoding(mode, max_tokens=TOKENS)  # type: ignore[arg-type]
    candidate = Candidate(task, name).with_part(prompt).with_part(decoding)
    found: dict[int, str] = {}
    for batch in assemble(candidate, models).answer(asked):
        found.update((at, one.text) for at, one in zip(batch.indices, batch.results, strict=True))
    return [found[at] for at in range(len(asked))]


def scores(rows: Sequence[Row], said: Sequence[str]) -> dict[str, list[float]]:
    """Token F1 and exact match, the best over the accepted answers."""
    pairs = list(zip(rows, said, strict=True))
    return {
        "token F1": [max(token_f1(text, one) for one in row["answers"]) for row, text in pairs],
        "exact match": [
            float(normalise(text) in {normalise(one) for one in row["answers"]})
            for row, text in pairs
        ],
    }


def compared(rows: Sequence[Row], free: Sequence[str], quoted: Sequence[str]) -> dict[str, Any]:
    """Both ways, and the difference."""
    groups = [row["relevant"][0] for row in rows]
    ways = {"free": scores(rows, free), "quoted": scores(rows, quoted)}
    found: dict[str, Any] = {}
    for measure in ("token F1", "exact match"):
        a, b = ways["quoted"][measure], ways["free"][measure]
        found[measure] = {
            way: told(mean(values[measure]), group_bootstrap(values[measure], groups, seed=SEED))
            for way, values in ways.items()
        }
        spread = paired_difference_interval(a, b, groups, seed=SEED)
        found[measure]["difference"] = told(mean(a) - mean(b), spread)
    return found


def told(value: float, interval: Interval | None) -> list[float]:
    """In points."""
    ends = (interval.low, interval.high) if interval is not None else ()
    return [round(100 * one, 1) for one in (value, *ends)]


def mean(values: Sequence[float]) -> float:
    """Of at least one."""
    return sum(values) / len(values)


def lines(path: Path) -> list[Row]:
    """Rows of a JSON Lines file."""
    if not path.is_file():
        raise SystemExit(f"{path} is not there.\n\nhint: set ACCORDEUR_DATA")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Print and write the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--passages", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--model", default=LANGUAGE_MODEL)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    rows = lines(data_root() / "xquad_en" / "dev.jsonl")
    random.Random(SEED).shuffle(rows)
    rows = rows[: asked.questions]
    models = Models()
    found = {}
    for passages in asked.passages:
        shown = requests(rows, passages)
        free, quoted = (answers(models, asked.model, mode, shown) for mode in ("generate", "quote"))
        found[str(passages)] = {
            **compared(rows, free, quoted),
            "n": len(rows),
            "answers": [
                {"question": row["input"], "accepted": row["answers"], "free": a, "quoted": b}
                for row, a, b in zip(rows, free, quoted, strict=True)
            ],
        }
        print(
            json.dumps({name: found[str(passages)][name] for name in ("token F1", "exact match")})
        )
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
        name = asked.model.replace("/", "-")
        text = json.dumps({"model": asked.model, "passages": found}, indent=1, ensure_ascii=False)
        (asked.out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
