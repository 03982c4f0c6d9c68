"""A bundle that scores labels, called where the model may tell no log-probabilities.

What an endpoint can do is often known only once it was asked. Its labels are then written and read
instead (DESIGN P5), and that is said: it is not what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from accordeur.core.answer import Answer
from accordeur.core.candidate import Candidate
from accordeur.core.errors import NoLogprobs
from accordeur.core.model import Batch, Model
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.calibration import Calibration

Tell = Callable[[str], None]


class ScoredWherePossible:
    """Scores labels until the model says that it cannot, and writes from then on.

    Args:
        scored: the answerer that scores.
        written: makes the one that writes.
        tell: told once, when it comes to that.
    """

    def __init__(self, scored: Answerer, written: Callable[[], Answerer], tell: Tell) -> None:
        self._answerer = scored
        self._make_written: Callable[[], Answerer] | None = written
        self._tell = tell

    @property
    def candidate(self) -> Candidate:
        """What it was assembled from."""
        return self._answerer.candidate

    @property
    def model(self) -> Model | None:
        """The language model, with what training added."""
        return self._answerer.model

    def render(self, requests: Sequence[Request]) -> list[Rendered]:
        """The prompts, the same in both ways."""
        return self._answerer.render(requests)

    def forget(self) -> None:
        """Drop the model's prefixes."""
        self._answerer.forget()

    def answer(
        self, requests: Sequence[Request], *, done: Collection[int] = ()
    ) -> Iterator[Batch[Answer]]:
        """Answers in the model's batches."""
        try:
            yield from self._answerer.answer(requests, done=done)
        except NoLogprobs:
            self._write_instead()
        else:
            return
        yield from self._answerer.answer(requests, done=done)

    def _write_instead(self) -> None:
        make, self._make_written = self._make_written, None
        if make is not None:  # else a thread beside this one has done it
            tell_unscored(self.candidate, self._tell)
            self._answerer = make()


def tell_unscored(candidate: Candidate, tell: Tell) -> None:
    """Say that labels of a bundle that scores them are written and read."""
    unused = ", its calibration is not used" if candidate.part(Calibration) else ""
    tell(
        f"`{candidate.base}` tells no log-probabilities here: labels are read out of what it "
        f"writes, without probabilities{unused}; the bundle's scores do not carry over."
    )
