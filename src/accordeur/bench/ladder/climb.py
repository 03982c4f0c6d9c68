"""Measures the rungs of the ladder, within the clock, and once only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from accordeur.bench.comparison import Rows, compare
from accordeur.bench.entries import Outcome
from accordeur.bench.fit_context import Bench
from accordeur.bench.ladder.rungs import CLOSED, FIRST, GOLD, REAL, RUNGS, Searched, shown_at
from accordeur.bench.ladder.words import GAPS, found_sentence, gap_sentence
from accordeur.bench.sinks import RunSink
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError, TaskError
from accordeur.core.fingerprint import digest, seed_for
from accordeur.core.lever import Stopped
from accordeur.core.measurement import Measurement
from accordeur.core.rendering import Request
from accordeur.core.task import Example
from accordeur.documents.passage import Ranking
from accordeur.measure.harness import answer_rows, summarise
from accordeur.measure.retrieval import Judged, Places, retrieval_scores, span_values
from accordeur.measure.retrieval.scores import DEPTH
from accordeur.parts.answering.retrieving import prompt_rooms
from accordeur.parts.assemble import assemble
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.query_writer import QueryWriter
from accordeur.parts.retrieval.retriever import Retriever, holds, told_of_passages

SPLIT = "ladder"
"""Where answers of rungs lie in a run: no split of the task."""

USUAL_K = 3

MODES = (Ranking("fusion"), Ranking("lexical"), Ranking("dense"), Ranking("rrf"))
"""Rankings among which the best is looked for, besides those of the dev ledger."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all rungs stand on.

    Attributes:
        bench: of the run.
        base: the plain prompt on the base model.
        part: retrieval as it is in use, never silent.
        rows: dev rows with places.
        searched: what was found for them.
    """

    bench: Bench
    base: Candidate
    part: Retrieval
    rows: Sequence[Example]
    searched: Searched


def climb(
    base: Candidate, outcomes: Sequence[Outcome], bench: Bench, log: Callable[[str], None]
) -> dict[str, Any] | None:
    """The ladder for the record (docs/run-record.md); `None` for a run without documents.

    Args:
        base: the candidate every entry starts from.
        outcomes: entries; the best configuration of `retrieve` is the real retriever, a usual one
            where that was not pulled.
        bench: what entries share.
        log: told one line per rung.
    """
    if bench.documents is None or base.base is None:
        return None
    placed = [row for row in bench.dev if row.spans and row.expected]
    about: dict[str, Any] = {
        "status": "measured",
        "reason": "",
        "n": len(placed),
        "unanswerable": sum(row.expected == () for row in bench.dev),
        "without_place": sum(bool(row.expected) and not row.spans for row in bench.dev),
        "rungs": [],
        "gaps": [],
        "where_found": None,
        "retrieval": [],
    }
    if not placed:
        reason = "no dev row names the place of its answer (`spans`)"
        return {**about, "status": "skipped", "reason": reason}
    started = time.perf_counter()
    try:
        ground = _ground(base, outcomes, bench, placed)
        about["retriever"] = ground.part.how
        about["k"] = ground.part.k
        about["retrieval"] = _apart(ground)
        measured: dict[str, Measurement] = {}
        for rung in FIRST:
            measured[rung] = _measure(rung, ground)
            about["rungs"] = [_rung_json(name, measured) for name in RUNGS if name in measured]
            log(f"ladder: {rung}")
    except Stopped as stop:
        about |= {"status": "cut", "reason": stop.reason}
    except (ModelError, TaskError) as error:
        about |= {"status": "failed", "reason": error.message}
    else:
        about["seconds"] = time.perf_counter() - started
    if about["rungs"]:
        about["gaps"] = _gaps(measured, ground)
        about["where_found"] = _where_found(measured, ground)
    return about


def _ground(
    base: Candidate, outcomes: Sequence[Outcome], bench: Bench, rows: Sequence[Example]
) -> _Ground:
    assert bench.documents is not None
    assert base.base is not None
    indexed = bench.documents.indexed()
    part = _in_use(outcomes) or Retrieval(indexed.collection, USUAL_K)
    part = replace(part, collection=indexed.collection, confidence=None, threshold=None)
    tried = [found.ranking for outcome in outcomes for found in _parts(outcome)]
    requests = [Request.from_example(row) for row in rows]
    gold = [indexed.placed(row.spans) for row in rows]
    # Deep enough that k distractors are left where some of what is found holds the answer.
    depth = max(DEPTH, 2 * part.k + max(map(len, gold)))
    writer = None
    if part.queries is not None:
        writer = QueryWriter(part.queries, bench.source.model(base.base), bench.cache)
    found = {part.how: Retriever(part, bench.source, writer).find(requests, depth)}
    plain = replace(part, reranking=None, queries=None)
    for ranking in (part.ranking, *tried, *MODES):
        other = replace(plain, ranking=ranking)
        if other.how not in found:
            found[other.how] = Retriever(other, bench.source).find(requests, depth)
    return _Ground(bench, base, part, rows, Searched(found, part.k, gold))


def _parts(outcome: Outcome) -> list[Retrieval]:
    found = (one.candidate.parts.get("retrieval") for one in outcome.scored)
    return [one for one in found if isinstance(one, Retrieval)]


def _in_use(outcomes: Sequence[Outcome]) -> Retrieval | None:
    """Retrieval of the best configuration, of the entry with fewest levers on top of it."""
    for outcome in sorted(outcomes, key=lambda one: len(one.stack.levers)):
        part = outcome.best.candidate.parts.get("retrieval") if outcome.best else None
        if isinstance(part, Retrieval):
            return part
    return None


def _measure(rung: str, ground: _Ground) -> Measurement:
    """One rung on all rows; what an earlier process answered is not asked again."""
    bench = ground.bench
    if bench.budget.spent:
        raise Stopped("the time budget was spent", cut=True)
    candidate, rows = ground.base, list(ground.rows)
    if rung != CLOSED:
        candidate = told_of_passages(candidate, ground.part.words)
        rows = _with_passages(rung, ground, candidate)
    contexts = [row.context for row in rows]
    identity = digest([rung, candidate.fingerprint, contexts])[:16]

    def progress(finished: int, total: int) -> None:
        bench.progress("ladder", rung, finished, total)

    answered = answer_rows(
        assemble(candidate, bench.source, cache=bench.cache),
        rows,
        bench.metric,
        bench.task,
        RunSink(bench.folder, SPLIT, identity),
        budget=bench.budget,
        progress=progress,
    )
    return summarise(
        answered,
        rows,
        bench.metric,
        bench.task,
        candidate=identity,
        split=SPLIT,
        seed=seed_for(bench.seed, "interval"),
    )


def _with_passages(rung: str, ground: _Ground, candidate: Candidate) -> list[Example]:
    """The rows with a rung's passages before their own context, packed as in use."""
    assert candidate.base is not None
    found = shown_at(rung, ground.searched, ground.part.collection.passages)
    requests = [Request.from_example(row) for row in ground.rows]
    source = ground.bench.source
    model = source.model(candidate.base)
    rooms = prompt_rooms(candidate, model, assemble(candidate, source).render(requests))
    plain = replace(ground.part, queries=None)  # nothing is searched for any more
    looked = Retriever(plain, source).put(requests, found, rooms, model.count_tokens)
    return [
        replace(row, context=one.request.context)
        for row, one in zip(ground.rows, looked, strict=True)
    ]


def _rung_json(rung: str, measured: dict[str, Measurement]) -> dict[str, Any]:
    one = measured[rung]
    return {
        "name": rung,
        "configuration_id": one.candidate,
        "score": one.score,
        "n": one.n,
        "interval": one.interval.to_json() if one.interval else None,
        "statuses": dict(one.statuses),
        "privileged": rung not in (CLOSED, REAL),
    }


def _gaps(measured: dict[str, Measurement], ground: _Ground) -> list[dict[str, Any]]:
    """Paired differences of the rungs that were measured, on rows that no rung lost."""
    bench = ground.bench
    rows = Rows(list(measured.values()), ground.rows, bench.metric, bench.task)
    if not len(rows):
        return []
    found = []
    for higher, lower in GAPS:
        if higher in measured and lower in measured:
            seed = seed_for(bench.seed, "ladder")
            pair = compare(rows, measured[higher], measured[lower], seed=seed)
            found.append(
                {
                    "higher": higher,
                    "lower": lower,
                    "difference": pair.difference,
                    "interval": pair.interval.to_json() if pair.interval else None,
                    "n": pair.n,
                    "sentence": gap_sentence(higher, lower, pair),
                }
            )
    return found


def _where_found(measured: dict[str, Measurement], ground: _Ground) -> dict[str, Any] | None:
    """The gold passage against the real retriever on rows whose answer it found: a loss there is
    not the search's. `None` where there are no such rows."""
    if not {GOLD, REAL} <= measured.keys():
        return None
    bench, searched = ground.bench, ground.searched
    places = [
        at
        for at, (found, gold) in enumerate(zip(searched.real, searched.gold, strict=True))
        if holds(found[: searched.k], gold)
    ]
    both = [
        replace(one, rows=tuple(one.rows[at] for at in places))
        for one in (measured[GOLD], measured[REAL])
    ]
    rows = Rows(both, [ground.rows[at] for at in places], bench.metric, bench.task)
    if not len(rows):
        return None
    pair = compare(rows, *both, seed=seed_for(bench.seed, "ladder"))
    over = rows.over(both[1])
    scores = rows.scores(both[1])
    real = float(scores.mean()) if over is None else float(over(np.arange(len(rows))))
    return {
        "n": pair.n,
        "real": real,
        "difference": pair.difference,
        "interval": pair.interval.to_json() if pair.interval else None,
        "sentence": found_sentence(len(ground.rows), real, pair),
    }


def _apart(ground: _Ground) -> list[dict[str, Any]]:
    """How good every ranking is by itself; the one in use first."""
    searched, k = ground.searched, ground.part.k
    places = Places(one.span for one in ground.part.collection.passages)
    relevant = [len(places.relevant(gold)) for gold in searched.gold]
    groups = [row.group for row in ground.rows]
    seed = seed_for(ground.bench.seed, "retrieval")
    table = []
    for how, rows in searched.found.items():
        judged = (
            Judged(group, tuple(gold), tuple(one.passage.span for one in found), many)
            for group, gold, found, many in zip(groups, searched.gold, rows, relevant, strict=True)
        )
        scores = retrieval_scores([span_values(one, (k,)) for one in judged], groups, seed=seed)
        measures = {name: score.to_json() for name, score in scores.items()}
        table.append({"ranking": how, "k": k, "measures": measures})
    return table
