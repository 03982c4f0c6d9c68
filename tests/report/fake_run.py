"""Run folders as a run leaves them: real files, seeded answers, a record computed from them.

Statistics are simple stand-ins (normal intervals); the report only shows what the record says.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accordeur.core.answer import Answer, Reply, Status
from accordeur.core.measurement import Cost, RowResult
from accordeur.core.model import Usage
from accordeur.store import RunFolder

from .fake_record import build_record, render_prompt

EXAMPLES = Path(__file__).parents[2] / "examples"

Row = dict[str, Any]


@dataclass
class Kind:
    """How one entry behaves."""

    name: str
    title: str
    skill: float
    configurations: Sequence[str] = ("as given",)
    make: float = 0.0
    use: float = 1e-9
    cold: float = 2e-4
    floor: bool = False
    status: str = "finished"
    reason: str = ""
    failures: float = 0.0
    prompt: str = ""
    written: tuple[str, ...] = ()


LABEL_KINDS = (
    Kind("floor:majority", "majority answer", 0.09, floor=True, cold=4e-6, use=1.1e-10),
    Kind("floor:naive-bayes", "naive Bayes on words", 0.66, floor=True, make=2e-6),
    Kind("floor:words-logistic", "logistic head on words", 0.68, floor=True, make=4e-5),
    Kind("floor:embedding-nearest", "nearest train rows", 0.7, floor=True, make=2e-4, use=2.6e-7),
    Kind(
        "floor:embedding-logistic",
        "logistic head on embeddings",
        0.81,
        ("l2=0.1", "l2=1", "l2=10"),
        make=4.2e-4,
        use=2.7e-7,
        cold=0.0097,
        floor=True,
    ),
    Kind("as-is", "prompt as given", 0.41, use=1.9e-6, cold=0.068, make=3e-4),
    Kind("calibration", "label calibration", 0.52, ("content-free", "fitted"), 9e-4, 1.9e-6, 0.069),
    Kind(
        "few-shot",
        "demonstrations",
        0.74,
        ("k=1 drawn", "k=2 drawn", "k=4 drawn", "k=8 drawn", "k=16 drawn", "k=8 nearest"),
        4.1e-3,
        4.4e-6,
        0.16,
    ),
    Kind(
        "few-shot+calibration",
        "demonstrations + label calibration",
        0.82,
        ("k=8 nearest, fitted", "k=8 nearest, content-free"),
        5.3e-3,
        4.5e-6,
        0.163,
    ),
)

TEXT_KINDS = (
    Kind("floor:lead", "first sentences", 0.23, floor=True, make=1e-7, use=1e-10, cold=3e-6),
    Kind("floor:copy", "copy of the input", 0.15, floor=True, make=1e-7, use=1e-10, cold=1e-6),
    Kind("as-is", "prompt as given", 0.27, make=8e-3, use=3.1e-5, cold=1.1, failures=0.12),
    Kind("few-shot", "demonstrations", 0.33, ("k=1 drawn", "k=2 drawn"), 0.03, 5e-5, 1.8),
    Kind("critique", "self-correction", 0.3, cold=4.2, written=("draft", "checks")),
    Kind(
        "few-shot+calibration",
        "demonstrations + label calibration",
        0.0,
        status="refused",
        reason="`calibration` needs a task with labels",
    ),
)


@dataclass
class FakeRun:
    """Settings of a run to make; `write` makes it."""

    task: str = "support"
    kind: str = "labels"
    kinds: Sequence[Kind] = LABEL_KINDS
    dev: int = 120
    test: int = 240
    metric: str = "accuracy"
    queries: int = 50_000
    seed: int = 0
    plant: str = ""
    labels: Sequence[str] = ()
    headline: str = ""
    label_next: Mapping[str, Any] | None = None
    rows_repeated: int = 0
    record: dict[str, Any] = field(default_factory=dict)

    def write(self, root: Path) -> RunFolder:
        """Make the folder."""
        self.random = random.Random(self.seed)
        rows = {split: self._rows(split) for split in ("dev", "test")}
        if not self.labels and self.kind == "labels":
            self.labels = sorted({row["expected"][0] for row in rows["dev"] + rows["test"]})
        run = RunFolder.create_or_open(root, self.task, {"seed": self.seed, "plant": self.plant})
        with run.lock():
            entries = [self._entry(run, kind, rows) for kind in self.kinds]
            self.record = build_record(self, run, entries)
            for split, content in rows.items():
                if content:
                    lines = "".join(json.dumps(row) + "\n" for row in content)
                    (run.folder / f"rows-{split}.jsonl").write_text(lines)
            run.write_json("record.json", self.record)
        return run

    # -- rows and answers --

    def _rows(self, split: str) -> list[Row]:
        wanted = self.dev if split == "dev" else self.test
        path = EXAMPLES / self.task / f"{split}.jsonl"
        found = [json.loads(line) for line in path.read_text().splitlines() if line][:wanted]
        if split == "test" and self.rows_repeated:
            copies = (found * -(-self.rows_repeated // len(found)))[: self.rows_repeated]
            found = [{**row, "id": f"{row['id']}-{place}"} for place, row in enumerate(copies)]
        return [
            {
                "id": row["id"],
                "input": row["input"] + self.plant,
                "expected": [row["expected"] + self.plant]
                if self.kind == "labels"
                else [row["expected"]],
                "split": split,
            }
            for row in found
        ]

    def _result(self, kind: Kind, row: Row, split: str) -> RowResult:
        draw = self.random.random
        failed = draw() < kind.failures
        usage = Usage() if kind.floor else Usage(80 + int(draw() * 40), 4, 30)
        seconds = kind.cold * (0.5 + draw())
        if self.kind != "labels":
            words = str(row["input"]).split()
            text = " ".join(words[: 20 + int(draw() * 40)]) + self.plant
            status = Status.TRUNCATED if failed else Status.OK
            score = min(max(kind.skill + 0.2 * (draw() - 0.5), 0.0), 1.0)
            trace = tuple(Reply(name, f"{text} ({name})") for name in kind.written)
            answer = Answer(text, status, usage=usage, seconds=seconds, trace=trace)
            return RowResult(row["id"], row["id"], answer, score)
        gold = row["expected"][0]
        right = draw() < kind.skill
        near = [label for label in self.labels if label != gold]
        label = gold if right else near[int(draw() ** 2 * len(near))]
        weights = {name: draw() ** 4 for name in self.labels}
        weights[label] = 1.2 + 2 * draw()
        total = sum(weights.values())
        probabilities = tuple(weights[name] / total for name in self.labels)
        answer = Answer(label, Status.OK, label, None, probabilities, None, usage, seconds)
        return RowResult(row["id"], row["id"], answer, float(right))

    def _measure(
        self, run: RunFolder, kind: Kind, configuration: str, split: str, rows: Sequence[Row]
    ) -> tuple[dict[str, Any], list[RowResult]]:
        results = [self._result(kind, row, split) for row in rows]
        run.append_answers(split, configuration, range(len(rows)), results)
        scores = [one.score for one in results if one.score is not None]
        mean = sum(scores) / len(scores)
        spread = 1.96 * math.sqrt(max(mean * (1 - mean), 0.01) / len(scores))
        statuses: dict[str, int] = {}
        for one in results:
            statuses[str(one.answer.status)] = statuses.get(str(one.answer.status), 0) + 1
        interval = {
            "low": max(mean - spread, 0.0),
            "high": min(mean + spread, 1.0),
            "level": 0.95,
            "method": "wilson",
        }
        measured = {
            "score": mean,
            "n": len(scores),
            "interval": interval,
            "statuses": statuses,
            "missing": len(results) - len(scores),
            "extra": {
                name: {
                    "value": value,
                    "n": len(scores),
                    "interval": {**interval, "low": value - 0.02, "high": value + 0.02},
                }
                for name, value in (("ece", 0.0712), ("brier", 0.311))
                if self.kind == "labels"
            },
        }
        return measured, results

    def _confusion(self, rows: Sequence[Row], results: Sequence[RowResult], split: str) -> Any:
        if self.kind != "labels":
            return None
        place = {name: index for index, name in enumerate(self.labels)}
        matrix = [[0] * len(self.labels) for _ in self.labels]
        for row, result in zip(rows, results, strict=True):
            matrix[place[row["expected"][0]]][place[result.answer.label or ""]] += 1
        other = [0] * len(self.labels)
        return {"split": split, "labels": list(self.labels), "matrix": matrix, "other": other}

    # -- the record --

    def _entry(self, run: RunFolder, kind: Kind, rows: Mapping[str, list[Row]]) -> dict[str, Any]:
        finished = kind.status == "finished"
        entry: dict[str, Any] = {
            "name": kind.name,
            "title": kind.title,
            "kind": "floor" if kind.floor else "lever",
            "describe": f"{kind.title}{self.plant}" if finished else "",
            "status": kind.status,
            "reason": kind.reason + (self.plant if kind.reason else ""),
            "configuration": None,
            "configuration_id": None,
            "configurations": 0,
            "dev": None,
            "test": None,
            "est": None,
            "optimism": None,
            "shortfall": None,
            "close": False,
            "eligible": finished,
            "ineligible_because": "" if finished else kind.reason,
            "against_as_is": None,
            "cost": None,
            "seconds": 13.5,
            "tokens": {"logical": 0, "computed": 0},
            "needs": "",
            "prompt": "",
            "confusion": None,
        }
        if not finished:
            return entry
        identifier = f"{kind.name}/{kind.configurations[-1]}"
        dev, results = self._measure(run, kind, identifier, "dev", rows["dev"])
        optimism = 0.006 * (len(kind.configurations) - 1)
        entry |= {
            "configuration": kind.configurations[-1],
            "configuration_id": identifier,
            "configurations": len(kind.configurations),
            "dev": dev,
            "est": dev["score"] - optimism,
            "optimism": optimism,
            "confusion": self._confusion(rows["dev"], results, "dev"),
            "cost": Cost(
                fit_seconds=kind.make * 36_000,
                make=kind.make,
                use=kind.use,
                cold_seconds=kind.cold,
                latency_p95=kind.cold * 1.3,
                latency_queries=20,
                queries=self.queries,
                trained_parameters=768 if kind.floor else 0,
                bytes=4096,
            ).to_json(),
            "tokens": {
                "logical": sum(
                    one.answer.usage.input_tokens + one.answer.usage.output_tokens
                    for one in results
                ),
                "computed": sum(one.answer.usage.computed_tokens for one in results),
            },
            "needs": "To be close it would need 7.2 points more.",
            "prompt": "" if kind.floor else render_prompt(self, kind, rows["dev"][0]),
        }
        if rows["test"]:
            entry["test"], results = self._measure(run, kind, identifier, "test", rows["test"])
            entry["confusion"] = self._confusion(rows["test"], results, "test")
        return entry


def unconfirmed_run() -> FakeRun:
    """40 dev rows, no held-out split, ids of rows to label next."""
    ids = [f"support-{place:04d}" for place in range(561, 591)]
    return FakeRun(
        dev=40,
        test=0,
        seed=3,
        headline="Use `floor:embedding-logistic` (l2=10): unconfirmed, there are too few rows for "
        "a held-out split (within tolerance in 63% of resamples).",
        label_next={"n_more": 20, "ids": ids},
    )


def text_run() -> FakeRun:
    """Summaries: no labels, ROUGE, long inputs, answers that were cut."""
    return FakeRun(
        task="calls",
        kind="text",
        kinds=TEXT_KINDS,
        dev=30,
        test=60,
        metric="ROUGE-L",
        queries=5_000,
        seed=2,
    )


def failed_run() -> FakeRun:
    """Nothing finished."""
    reason = "The model `local/smollm2` could not be loaded: its file is damaged"
    kinds = [
        Kind(name, title, 0.0, status=status, reason=reason)
        for name, title, status in (
            ("as-is", "prompt as given", "failed"),
            ("few-shot", "demonstrations", "cut"),
            ("calibration", "label calibration", "stopped"),
        )
    ]
    return FakeRun(kinds=kinds, test=0, dev=20)
