"""What a build or an update did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class BuildReport:
    """What a build or an update did.

    Attributes:
        added, changed, deleted: names of documents.
        moved: old and new name of files whose content stayed the same.
        unchanged: documents that were as the index had them.
        duplicates: names that share one content, for each such content.
        skipped: name of a file -> why it is not in the index.
        notes: name -> what was odd but usable.
        documents: names in the index now.
        passages: in the index now.
        tokens: of all passages, as the embedder counts.
        cut: passages longer than the embedder reads.
        embedded: texts whose vectors were computed now.
        kept: texts whose vectors were there from an unfinished build.
        seconds: it all took.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    unchanged: int = 0
    duplicates: list[tuple[str, ...]] = field(default_factory=list)
    skipped: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    documents: int = 0
    passages: int = 0
    tokens: int = 0
    cut: int = 0
    embedded: int = 0
    kept: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)
