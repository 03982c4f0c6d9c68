"""What fills the slot `classifier`: something that answers by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from accordeur.core.model import FloatArray
from accordeur.core.part import Slot
from accordeur.core.rendering import Request

Embed = Callable[[Sequence[str]], FloatArray]
"""Texts -> unit vectors, float32 [texts, d]."""

Probabilities = npt.NDArray[np.float64]
"""[n, labels] in the task's label order; rows sum to 1."""


class Classifier(Protocol):
    """What both kinds share: a part, and the embedding model it was fitted on, if any."""

    slot: ClassVar[Slot]
    kind: ClassVar[str]

    @property
    def embedder(self) -> str | None:
        """Name of the embedding model it needs."""
        ...

    @property
    def embedder_digest(self) -> str | None:
        """Digest of that model's weights when it was fitted."""
        ...

    @property
    def trained_parameters(self) -> int:
        """Numbers fitted to data."""
        ...

    def files(self) -> Mapping[str, bytes]:
        """As it stands in a bundle."""
        ...

    def describe(self) -> str:
        """A few words for a table."""
        ...


@runtime_checkable
class LabelClassifier(Classifier, Protocol):
    """Chooses among labels."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names, in the order of the task and of the columns of `predict`."""
        ...

    def predict(self, texts: Sequence[str], embed: Embed | None = None) -> Probabilities:
        """A probability for each label; one without train rows gets 0.

        Args:
            texts: inputs as one text each (`Request.text`).
            embed: the embedding model `embedder` names; unused by word classifiers.

        Returns:
            float64 [texts, labels].
        """
        ...


@runtime_checkable
class TextClassifier(Classifier, Protocol):
    """Answers with text it did not have to think up."""

    def predict_text(self, requests: Sequence[Request]) -> list[str]:
        """One answer per request."""
        ...
