"""When to abstain: an estimate of being right, learned from labelled questions, beside an index.

Every row is answered; signals of the search and of the answer are fitted to whether it was right
(`parts.retrieval.abstention`). The curve is drawn from estimates by fits that did not see their
row. An answer is withheld where that would have gained most on these rows: rightly abstaining is
worth as much as a right answer. What is learned belongs to a model, its prompt and the way passages
are looked up; another one is not calibrated by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accordeur.core.errors import TaskError, UsageError

if TYPE_CHECKING:
    from accordeur.cli.ask.asking import Answered, Asker
    from accordeur.core.task import Example
    from accordeur.measure.retrieval.risk_coverage import CoveragePoint
    from accordeur.parts.retrieval.abstention import Confidence

FILE = "calibration.json"
METRIC = "icontains"
SHOWN = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
"""Coverages of the table."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learned.

    Attributes:
        confidence: the estimate.
        threshold: estimate under which an answer is withheld; `None` where always answering is
            best on the rows.
        key: of model, prompt and search.
        index: fingerprint of the collection then.
        metric: by which answers were right.
        rows: it was learned on.
    """

    confidence: Confidence
    threshold: float | None
    key: str
    index: str
    metric: str
    rows: int

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        data = {name: getattr(self, name) for name in self.__slots__}
        return {**data, "confidence": self.confidence.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Calibration:
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        from accordeur.parts.retrieval.abstention import Confidence

        threshold = data["threshold"]
        return cls(
            Confidence.from_json(data["confidence"]),
            None if threshold is None else float(threshold),
            str(data["key"]),
            str(data["index"]),
            str(data["metric"]),
            int(data["rows"]),
        )


def key_of(asker: Asker, digest_of_model: str) -> str:
    """What an estimate belongs to: who answers, what is asked of it, how passages are found."""
    from accordeur.core.fingerprint import digest
    from accordeur.documents.ranking.reranking import Reranked

    search = asker.search
    how = search.ranking
    mode = None if how is None else [how.mode, how.weight, how.depth]
    known = [digest_of_model, asker.answerer.candidate.fingerprint, search.k, mode]
    searchable = asker.asked.searchable
    if isinstance(searchable, Reranked):
        known.append({"reranker": searchable.reranker.identity.digest})
    if search.writer is not None:
        known.append({"queries": search.writer.way})
    return digest(known)


def read_calibration(folder: Path | None, key: str) -> Calibration | None:
    """What was learned for this key; `None` where nothing was, or the file is damaged."""
    from accordeur.store.json_files import read_object

    held = read_object(folder / FILE) if folder is not None else None
    try:
        return Calibration.from_json(held["calibrations"][key]) if held is not None else None
    except (KeyError, TypeError, ValueError):
        return None


def write_calibration(folder: Path, made: Calibration) -> None:
    """Put it beside the index, with those of other models.

    Raises:
        StoreError: it cannot be written.
    """
    from accordeur.store.durable import pretty_json, write_atomic
    from accordeur.store.json_files import read_object

    held = read_object(folder / FILE) or {}
    others = held.get("calibrations")
    known = others if isinstance(others, dict) else {}
    data = {"calibrations": {**known, made.key: made.to_json()}}
    write_atomic(folder / FILE, pretty_json(data))


def calibrate(asker: Asker, rows: Path, digest_of_model: str, metric: str | None) -> int:
    """Answer labelled questions, learn when to abstain, print the curve and keep what was learned.

    Raises:
        TaskError: the rows cannot be used.
        UsageError: too few rows, all right or all wrong, or the documents are those of a bundle.
    """
    from accordeur.cli.ask.batch import answer_questions
    from accordeur.cli.failures import note

    folder = asker.asked.folder
    if folder is None:
        raise UsageError(
            "A bundle is calibrated by its run.", hint="accordeur run TASK --levers retrieve"
        )
    examples = _labelled(rows)
    answered = answer_questions(asker, [one.text.strip() for one in examples])
    right = _scores(answered, examples, metric or METRIC, asker)
    made, points = learned(answered, examples, right)
    if made is None:
        raise UsageError(
            f"Nothing can be learned from these {len(examples)} rows: at least 8 are needed, some "
            f"answered rightly and some not ({sum(right):g} were right).",
            hint="label more rows; unanswerable questions have `expected: []`",
        )
    key = key_of(asker, digest_of_model)
    confidence, threshold = made
    write_calibration(
        folder,
        Calibration(
            confidence,
            threshold,
            key,
            asker.asked.searchable.fingerprint,
            metric or METRIC,
            len(examples),
        ),
    )
    _show(points, threshold, right, examples)
    note(f"kept in {folder / FILE}; `accordeur ask {asker.asked.name}` uses it from here on")
    return 0


def _labelled(path: Path) -> list[Example]:
    from accordeur.tasks.columns import resolve_columns
    from accordeur.tasks.config import FieldsConfig
    from accordeur.tasks.formats import read_table
    from accordeur.tasks.rows import Ids, example_from

    table = read_table(path)
    if not table.rows:
        raise TaskError(f"`{path}` has no rows.", hint='{"input": "...", "expected": "..."}')
    fields = FieldsConfig.model_validate({"spans": None})  # places are not asked here
    columns = resolve_columns(fields, table.columns, str(path))
    ids = Ids()
    return [example_from(row, columns, ids) for row in table.rows]


def _scores(
    answered: Sequence[Answered], examples: Sequence[Example], metric: str, asker: Asker
) -> list[float]:
    """Of the answers as if none were withheld: an unanswerable question has no right answer."""
    from accordeur.measure.metrics import load_metric

    judge = load_metric(metric)
    task = asker.answerer.candidate.task
    return [
        judge.row(one.answer, example, task) if example.expected else 0.0
        for one, example in zip(answered, examples, strict=True)
    ]


def learned(
    answered: Sequence[Answered], examples: Sequence[Example], right: Sequence[float]
) -> tuple[tuple[Confidence, float | None] | None, list[CoveragePoint]]:
    """The estimate with its threshold, and the curve of estimates that did not see their row."""
    from accordeur.measure.retrieval.risk_coverage import risk_coverage
    from accordeur.parts.answering.retrieving import answer_signals
    from accordeur.parts.retrieval.abstention import (
        held_out_probabilities,
        learn_confidence,
        thresholds,
    )

    signals = [answer_signals(one.looked.request, one.looked, one.answer) for one in answered]
    confidence = learn_confidence(signals, right)
    if confidence is None:
        return None, []
    sure = held_out_probabilities(signals, right)
    unanswerable = [not one.expected for one in examples]
    cuts = thresholds(sure, right, unanswerable)
    known = [at for at in range(len(right)) if not math.isnan(sure[at])]
    points = risk_coverage([float(sure[at]) for at in known], [right[at] for at in known])
    return (confidence, cuts[0] if cuts else None), points


def _show(
    points: Sequence[CoveragePoint],
    threshold: float | None,
    right: Sequence[float],
    examples: Sequence[Example],
) -> None:
    from accordeur.cli.terminal import console, table
    from accordeur.measure.retrieval.risk_coverage import area

    unanswerable = sum(not one.expected for one in examples)
    out = console()
    shown = table(">answered", ">n", ">wrong", ">95 % interval", ">surer than", "~")
    for point in at_coverages(points):
        given = threshold is None or point.threshold >= threshold
        shown.add_row(
            f"{point.coverage:.0%}",
            f"{point.answered:,}",
            f"{point.risk:.0%}",
            f"{point.interval.low:.0%} to {point.interval.high:.0%}",
            f"{point.threshold:.2f}",
            "given" if given else "withheld",
        )
    print(
        f"{len(examples):,} questions, {unanswerable:,} of them unanswerable; {sum(right):g} "
        "answers were right. The surest answers alone:"
    )
    out.print(shown)
    if points:
        print(f"mean risk over all coverages: {area(points):.3f}")
        if missing := len(examples) - points[-1].n:
            print(f"{missing:,} rows have no estimate: the others were all right or all wrong.")
    if threshold is None:
        print("Always answering is best on these rows: nothing is withheld.")
        return
    kept = [one for one in points if one.threshold >= threshold]
    n = kept[-1].answered if kept else 0
    print(
        f"Answers under {threshold:.2f} are withheld: {len(examples) - n:,} of {len(examples):,}."
    )


def at_coverages(points: Sequence[CoveragePoint]) -> list[CoveragePoint]:
    """The point nearest to each tenth of coverage, each once, from all to the surest."""
    if not points:
        return []
    nearest = [min(points, key=lambda one: abs(one.coverage - wanted)) for wanted in SHOWN]
    return list(dict.fromkeys(nearest))
