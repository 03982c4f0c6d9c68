"""Settings of the lever and its `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, get_args

from accordeur.core.candidate import Candidate
from accordeur.core.errors import PlanError, TaskError
from accordeur.core.lever import FitContext, Forecast, Need
from accordeur.core.model import Capability
from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.core.task import Example, TaskBrief, TaskKind
from accordeur.documents.passage import Mode, Ranking
from accordeur.levers.retrieve.abstaining import THRESHOLDS, configuration_name, withholding
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval import Collection, Retrieval
from accordeur.parts.retrieval.part import TOKENS, WORDS
from accordeur.parts.retrieval.queries import MOST_TOKENS, WAYS, Way
from accordeur.parts.retrieval.reranking import Reranking

PASSAGE_TOKENS = 220
"""Of a passage with its delimiters, for the forecast."""


@dataclass(frozen=True, slots=True)
class Retrieve:
    """Retrieval over the task's documents.

    Args:
        k: numbers of passages to try, with the first of `modes`.
        modes: rankings to try, the others with the best k.
        weights: shares of the vectors in `fusion`; the first is the usual one.
        tokens: that passages may take of the prompt.
        words: stand behind the instruction and tell of passages; may be empty.
        quote: try answers that are a stretch of the passages and nothing else, where the task wants
            text and the model can be held to it.
        abstain: learn when an answer is better withheld, where train has rows without an answer.
        gold: when weights are trained on top, the share of train rows that are given a passage with
            the answer where the search missed it, among the distractors it found (RAFT).
        reranker: name of a cross-encoder that orders what is found, tried with the best ranking;
            empty for none. It runs on this machine.
        queries: ways in which the base model writes what is searched for, tried with the best
            search.

    Raises:
        PlanError: a setting is out of range.
    """

    name: ClassVar[str] = "retrieve"
    title: ClassVar[str] = "retrieval"
    writes: ClassVar[frozenset[Slot]] = frozenset({"retrieval"})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.DOCUMENTS, Need.LANGUAGE_MODEL})
    kinds: ClassVar[frozenset[TaskKind]] = frozenset({"labels", "text"})

    k: tuple[int, ...] = (3, 1, 5)
    modes: tuple[Mode, ...] = ("fusion", "lexical", "dense")
    weights: tuple[float, ...] = (0.5, 0.25, 0.75)
    tokens: int = TOKENS
    words: str = WORDS
    quote: bool = True
    abstain: bool = True
    gold: float = 0.8
    reranker: str = ""
    queries: tuple[Way, ...] = ()

    def __post_init__(self) -> None:
        _expect(bool(self.k) and all(k >= 1 for k in self.k), "k", "positive numbers", "3,1,5")
        known = get_args(Mode)
        fits = bool(self.modes) and all(mode in known for mode in self.modes)
        _expect(fits, "modes", f"of {', '.join(known)}", ",".join(known[:3]))
        shares = bool(self.weights) and all(0 <= one <= 1 for one in self.weights)
        _expect(shares, "weights", "shares from 0 to 1", "0.5,0.25,0.75")
        _expect(self.tokens >= 1, "tokens", "a positive number", str(TOKENS))
        _expect(0 <= self.gold <= 1, "gold", "a share from 0 to 1", "0.8")
        _expect(isinstance(self.quote, bool), "quote", "true or false", "false")
        _expect(isinstance(self.abstain, bool), "abstain", "true or false", "false")
        ways = all(way in WAYS for way in self.queries)
        _expect(ways, "queries", f"of {', '.join(WAYS)}", ",".join(WAYS))

    @property
    def settings(self) -> Mapping[str, Any]:
        """All of them."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}

    @property
    def _sizes(self) -> list[int]:
        return list(dict.fromkeys(self.k))

    @property
    def _rankings(self) -> list[Ranking]:
        """Every mode once, then fusion with its other weights."""
        weights = list(dict.fromkeys(self.weights))
        once = [Ranking(mode, weights[0]) for mode in dict.fromkeys(self.modes)]
        others = weights[1:] if "fusion" in self.modes else []
        return once + [Ranking("fusion", weight) for weight in others]

    def forecast(self, task: TaskBrief, train_rows: int, effort: int) -> tuple[Forecast, ...]:
        """In the order of `fit`; only the first threshold asks the model about train rows.

        Whether some row has no answer, and whether the model can be held to quotes, is not known
        here, so the forecast may be too long; what a reranker takes is not in it.
        """
        quoted = self.quote and task.kind == "text"
        shares = self._shares(effort, quoted=quoted, unsure=self.abstain)
        usual = min(self.tokens, PASSAGE_TOKENS * shares.sizes[0])
        read = [usual] * (1 + shares.quoted)
        read += [min(self.tokens, PASSAGE_TOKENS * k) for k in shares.sizes[1:]]
        read += [usual] * len((*shares.rankings, *shares.rerankers))
        planned = [Forecast(read_tokens=tokens) for tokens in read]
        planned += [
            Forecast(read_tokens=usual, query_tokens=MOST_TOKENS[way]) for way in shares.ways
        ]
        planned += [
            Forecast(new_prompts=False, train_rows=0 if at else train_rows, read_tokens=usual)
            for at in range(shares.thresholds)
        ]
        return tuple(planned)

    def _shares(self, effort: int, *, quoted: bool, unsure: bool) -> _Shares:
        """What an effort has room for: the first size, quoted, what was asked for by name, then
        sizes and thresholds by turns, then rankings."""
        sizes = self._sizes
        quoted = quoted and effort > 1
        left = max(0, effort - 1 - quoted)
        rerankers = ((self.reranker,) if self.reranker else ())[:left]
        left -= len(rerankers)
        ways = tuple(dict.fromkeys(self.queries))[:left]
        left -= len(ways)
        thresholds = min(THRESHOLDS, (left + 1) // 2) if unsure else 0
        more = min(len(sizes) - 1, left - thresholds)
        rankings = self._rankings[1 : 1 + left - thresholds - more]
        return _Shares(sizes[: 1 + more], quoted, rankings, rerankers, ways, thresholds)

    def fit(self, candidate: Candidate, train: Sequence[Example], context: FitContext) -> Candidate:
        """The candidate with the passages that scored best on dev; the first on a tie.

        Raises:
            TaskError: the task's template shows no context, so passages would not be seen.
            ModelError: the reranker is not here.
        """
        _check_template(candidate, train)
        collection = Collection.from_files(context.passages())
        unsure = self.abstain and any(row.expected == () for row in train)
        quoted = self.quote and context.task.kind == "text"
        quoted = quoted and Capability.QUOTE in context.model.capabilities
        shares = self._shares(context.effort, quoted=quoted, unsure=unsure)
        scored: list[tuple[float, Retrieval]] = []

        def score(part: Retrieval, name: str = "") -> None:
            named = name or configuration_name(part)
            evaluation = context.evaluate(candidate.with_part(part), named)
            scored.append((evaluation.rank, part))

        def best() -> Retrieval:
            return max(scored, key=lambda pair: pair[0])[1]

        first = Retrieval(
            collection,
            shares.sizes[0],
            self._rankings[0],
            tokens=self.tokens,
            words=self.words,
            gold=self.gold,
        )
        score(first)
        if shares.quoted:
            score(replace(first, quote=True))
        told = best()
        for k in shares.sizes[1:]:
            score(replace(told, k=k))
        sized = best()
        for ranking in shares.rankings:
            score(replace(sized, ranking=ranking))
        ranked = best()
        for name in shares.rerankers:
            score(replace(ranked, reranking=Reranking.by(context.reranker(name))))
        found = best()
        for way in shares.ways:
            score(replace(found, queries=way))
        if shares.thresholds:
            for part, name in withholding(candidate, best(), train, context, shares.thresholds):
                score(part, name)
        return candidate.with_part(best())

    def unsettled(self, candidate: Candidate) -> Candidate:
        """Without an estimate and a threshold: both are of answers that levers above will change.

        Raises:
            TypeError: the candidate has no retrieval.
        """
        return candidate.with_part(replace(_part(candidate), confidence=None, threshold=None))

    def settled(
        self, candidate: Candidate, train: Sequence[Example], context: FitContext
    ) -> Candidate:
        """With the threshold that scored best on dev, none included."""
        if not self.abstain or not any(row.expected == () for row in train):
            return candidate
        scored: list[tuple[float, Retrieval]] = []
        part, after = _part(candidate), ", settled"
        imitated = not _TRAINED.isdisjoint(candidate.parts)
        for silent, name in withholding(
            candidate, part, train, context, THRESHOLDS, imitated=imitated, named=after
        ):
            if not scored:
                again = context.evaluate(candidate, f"{configuration_name(part)}{after}")
                scored.append((again.rank, part))
            evaluation = context.evaluate(candidate.with_part(silent), name)
            scored.append((evaluation.rank, silent))
        best = max(scored, key=lambda pair: pair[0], default=(0.0, part))[1]
        return candidate.with_part(best)


@dataclass(frozen=True, slots=True)
class _Shares:
    """Configurations that an effort has room for, in the order they are scored.

    Attributes:
        sizes: numbers of passages, one at least.
        quoted: whether the first is tried with quotes for answers, too.
        rankings: beside the first one.
        rerankers: by name, at most one.
        ways: of writing queries.
        thresholds: how many.
    """

    sizes: list[int]
    quoted: bool
    rankings: list[Ranking]
    rerankers: tuple[str, ...]
    ways: tuple[Way, ...]
    thresholds: int


_TRAINED: frozenset[Slot] = frozenset({"weights", "soft_prompt"})
"""Slots whose content was trained on train rows."""


def _part(candidate: Candidate) -> Retrieval:
    part = candidate.part(Retrieval)
    if part is None:
        raise TypeError("the candidate has no retrieval")
    return part


def _check_template(candidate: Candidate, train: Sequence[Example]) -> None:
    prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
    mark = "passages stand here"
    asked = Request.from_example(train[0]) if train else Request("")
    turns = prompt.row(replace(asked, context=mark))
    if not any(mark in segment.text for _, segments in turns for segment in segments):
        raise TaskError(
            "The task's template shows no context, so passages would never be seen.",
            hint="print it: template: '{% if context %}{{ context }}\\n\\n{% endif %}{{ input }}'",
        )


def _expect(holds: bool, setting: str, what: str, example: str) -> None:
    if not holds:
        raise PlanError(
            f"Setting `{setting}` of lever `retrieve` must be {what}.",
            hint=f"--set retrieve.{setting}={example}",
        )
