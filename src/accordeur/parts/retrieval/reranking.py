"""The reranker that a part was made with, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from accordeur.core.errors import ModelError
from accordeur.core.model import ModelSource, Reranker
from accordeur.documents.passage import Searchable
from accordeur.documents.ranking.reranking import DEPTH, Reranked


@dataclass(frozen=True, slots=True)
class Reranking:
    """Which reranker orders what is found.

    Attributes:
        name: of the model.
        digest: of its weights; another model's order is refused.
        depth: passages that it reads.
    """

    name: str
    digest: str
    depth: int = DEPTH

    @classmethod
    def by(cls, reranker: Reranker) -> Reranking:
        """By a model that is here."""
        return cls(reranker.identity.name, reranker.identity.digest)

    @property
    def short(self) -> str:
        """The last word of the name, which may be a path."""
        return PurePath(self.name).name

    def around(self, searchable: Searchable, source: ModelSource) -> Reranked:
        """The search with this order.

        Raises:
            ModelError: the reranker is not here, or has other weights.
        """
        try:
            reranker = source.reranker(self.name)
        except ModelError as error:
            told = f"This candidate needs the reranker `{self.name}`. {error.message}"
            raise ModelError(told, hint=error.hint) from error
        if reranker.identity.digest != self.digest:
            raise ModelError(
                f"This candidate was made with another reranker `{self.name}` than the one here.",
                hint="run the task again to make it with the reranker at hand",
            )
        return Reranked(searchable, reranker, self.depth)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reranking:
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        made = cls(str(data["name"]), str(data["digest"]), int(data["depth"]))
        if not made.name or made.depth < 1:
            raise ValueError("`reranker` must have a name and a positive depth")
        return made
