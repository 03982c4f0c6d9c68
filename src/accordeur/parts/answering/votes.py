"""Self-consistency: several sampled answers to a request, the most frequent of them given (P5).

X. Wang et al., Self-Consistency Improves Chain of Thought Reasoning in Language Models, 2022.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import replace

from accordeur.core.answer import Answer, Reply, Status
from accordeur.core.candidate import Candidate
from accordeur.core.model import Batch, Model
from accordeur.core.rendering import Rendered, Request
from accordeur.core.task import TaskBrief
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.answering.members import collected, every_member, total_usage
from accordeur.parts.extraction import fold, last_number


class VotingAnswerer:
    """Asks another answerer several times.

    Args:
        answerer: samples, so that a request asked again is answered anew.
        samples: answers per request.
    """

    def __init__(self, answerer: Answerer, samples: int) -> None:
        self._answerer = answerer
        self._samples = samples

    @property
    def candidate(self) -> Candidate:
        """What it was assembled from."""
        return self._answerer.candidate

    @property
    def model(self) -> Model | None:
        """The language model."""
        return self._answerer.model

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """The prompts, each once."""
        return self._answerer.render(requests)

    def forget(self) -> None:
        """Drop the model's prefixes."""
        self._answerer.forget()

    def answer(
        self, requests: Sequence[Request], *, done: Collection[int] = ()
    ) -> Iterator[Batch[Answer]]:
        """Answers, as soon as all samples of a request are there."""
        again = [request for request in requests for _ in range(self._samples)]
        batches = self._answerer.answer(again, done=every_member(done, self._samples))
        task = self.candidate.task
        return collected(batches, self._samples, lambda sampled: vote(sampled, task))


def vote(samples: Sequence[Answer], task: TaskBrief) -> Answer:
    """The most frequent answer; ties to the higher mean log-probability, then to the first.

    Samples that gave no answer have no vote, unless none gave one: then the first stands. A sample
    lost to an error makes the whole row one, so that it is asked again. The trace is that of the
    sample given, then what every other sample said; the one given, too, where it has no trace.
    """
    usage = total_usage([one.usage for one in samples])
    seconds = sum(one.seconds for one in samples)
    lost = [one for one in samples if one.status is Status.ERROR]
    heard = [
        one for one in samples if one.status is Status.OK and _parsed(one, task) not in (None, "")
    ]
    chosen = lost[0] if lost else _winner(heard, task) if heard else samples[0]
    said = tuple(
        Reply(f"sample {number}", one.trace[-1].text if one.trace else one.text)
        for number, one in enumerate(samples, start=1)
        if one is not chosen or not chosen.trace
    )
    return replace(chosen, usage=usage, seconds=seconds, trace=(*chosen.trace, *said))


def _winner(heard: Sequence[Answer], task: TaskBrief) -> Answer:
    votes = Counter(_parsed(one, task) for one in heard)
    sums: Counter[Hashable] = Counter()
    for one in heard:
        sums[_parsed(one, task)] += one.logprob or 0.0  # type: ignore[assignment]
    best = max(votes, key=lambda key: (votes[key], sums[key] / votes[key]))  # the first on a tie
    return next(one for one in heard if _parsed(one, task) == best)


def _parsed(answer: Answer, task: TaskBrief) -> Hashable:
    if task.kind == "labels":
        return answer.label
    if task.metric == "numeric":
        return last_number(answer.text)
    return fold(answer.text)
