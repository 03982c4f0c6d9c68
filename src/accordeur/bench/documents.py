"""The documents of a run's task: indexed once, checked against the rows, looked up.

The index lies in the user's cache folder, one per place and embedder, and is brought up to date
with its files: what did not change is not read again. What making it took is remembered there with
the fingerprint of what it holds, so every run that uses it is told the price of the first (P8).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from accordeur.core.errors import StoreError, TaskError, UsageError
from accordeur.core.fingerprint import digest
from accordeur.core.model import Embedder
from accordeur.core.paths import cache_folder
from accordeur.core.span import Span
from accordeur.core.task import Example, SealedSplit
from accordeur.documents.index import BuildReport, Index, build_index, open_index
from accordeur.documents.index.settings import EmbedderInfo
from accordeur.parts.retrieval import Collection
from accordeur.store.durable import make_folder, write_atomic
from accordeur.store.file_lock import FileLock
from accordeur.store.json_files import read_object

PRICE = "price.json"
"""Beside an index: its fingerprint, and the seconds that making it took."""

SHOWN = 5
"""Documents that were left out and are named."""

_LOOK_AGAIN = 0.5  # seconds

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """Documents as passages.

    Attributes:
        collection: what is searched.
        seconds: that making the index took, when it was made.
        fingerprint: of documents, cut and embedder.
        names: every name of a document -> the one it is found under.
        told: for people: how much was read, what was not.
    """

    collection: Collection
    seconds: float
    fingerprint: str
    names: Mapping[str, str]
    told: tuple[str, ...] = ()

    def placed(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Spans under the names that passages have."""
        return tuple(
            replace(one, document=self.names.get(one.document, one.document)) for one in spans
        )


class TaskDocuments:
    """Documents that are indexed when they are first asked for.

    Args:
        source: folder or file.
        embedder: of passages.
        rows: whose places and documents must be there.
        held_out: rows that are looked at through their seal.
        progress: told how far it is.
        indexes: folder of indexes; default in the user's cache.
    """

    def __init__(
        self,
        source: Path,
        embedder: Embedder,
        rows: Sequence[Example],
        held_out: SealedSplit | None,
        progress: Progress | None = None,
        *,
        indexes: Path | None = None,
    ) -> None:
        self._source = source
        self._embedder = embedder
        self._rows = rows
        self._held_out = held_out
        self._progress = progress
        self._indexes = indexes or cache_folder() / "indexes"
        self._indexed: Indexed | None = None

    def indexed(self) -> Indexed:
        """The documents as passages, made or brought up to date the first time.

        Raises:
            TaskError: no document can be read, or a row names a place that is not there.
        """
        if self._indexed is None:
            self._indexed = self._index()
        return self._indexed

    def _index(self) -> Indexed:
        embedder = self._embedder
        info = EmbedderInfo.of(embedder)
        # Two embedders have a folder each, for their vectors cannot be mixed.
        name = digest([str(self._source.absolute()), info.key])[:24]
        folder = self._indexes / name
        try:
            with _in_turn(self._indexes / f"{name}.lock"):
                report = build_index(
                    [self._source], folder, None, embedder, progress=self._progress
                )
                opened = open_index(folder, embedder)
                seconds = _price(folder, opened.fingerprint, report.seconds)
        except UsageError as error:
            raise TaskError(error.message, hint=error.hint) from error
        with opened as index:
            if not len(index):
                skipped = "; ".join(
                    f"`{name}`: {why}" for name, why in list(report.skipped.items())[:3]
                )
                raise TaskError(
                    f"No document of `{self._source}` holds text."
                    + (f" {skipped}" if skipped else ""),
                    hint="name a folder of text, Markdown, HTML or PDF files under `documents:`",
                )
            names = {name: one.name for one in index.documents() for name in (one.name, *one.also)}
            check_places(index, names, self._rows)
            if self._held_out is not None:
                self._held_out.audit(lambda rows: check_places(index, names, rows))
            return Indexed(
                _collection(index, info), seconds, index.fingerprint, names, told(report)
            )


@contextmanager
def _in_turn(place: Path) -> Iterator[None]:
    """Wait for another run that reads the same documents: it reads them for this one, too."""
    make_folder(place.parent)
    lock = FileLock(place)
    while not lock.acquire(_LOOK_AGAIN):
        pass
    try:
        yield
    finally:
        lock.release()


def told(report: BuildReport) -> tuple[str, ...]:
    """What an index holds and what it does not, a sentence each."""
    lines = [f"documents: {report.documents:,} in {report.passages:,} passages"]
    for name, why in list(report.skipped.items())[:SHOWN]:
        lines.append(f"documents: `{name}` was left out: {why}")
    if len(report.skipped) > SHOWN:
        lines.append(f"documents: {len(report.skipped) - SHOWN:,} more were left out")
    if report.cut:
        lines.append(f"documents: {report.cut:,} passages are longer than the embedder reads")
    return tuple(lines)


def _collection(index: Index, info: EmbedderInfo) -> Collection:
    passages = tuple(index.passage(number) for number in range(len(index)))
    # A copy: the file it is mapped from goes with the next update of the index.
    vectors = None if index.vectors is None else np.array(index.vectors)
    return Collection(passages, vectors, info.name, info.digest)


def _price(folder: Path, fingerprint: str, seconds: float) -> float:
    """What making this very content took at first; what it took now where that is not known."""
    known = read_object(folder / PRICE)
    if known is not None and known.get("fingerprint") == fingerprint:
        return float(known["seconds"])
    data = json.dumps({"fingerprint": fingerprint, "seconds": seconds}).encode()
    with suppress(StoreError):  # without it later runs are told the price of looking for changes
        write_atomic(folder / PRICE, data)
    return seconds


def check_places(index: Index, names: Mapping[str, str], rows: Iterable[Example]) -> None:
    """Hold rows against the documents: every place must be there, and say what the row quotes.

    Messages name the row, never its text.

    Raises:
        TaskError: a document is not there, a place ends behind it, or another text stands there.
    """
    texts: dict[str, str] = {}
    for row in rows:
        for span, quote in zip(row.spans, row.quotes or ("",) * len(row.spans), strict=True):
            if span.document not in names:
                raise TaskError(
                    f"Row `{row.id}`: there is no document `{span.document}`.",
                    hint=f"documents are named from their folder, such as `{min(names)}`",
                )
            if span.document not in texts:
                texts[span.document] = index.document(span.document).text
            text = texts[span.document]
            if span.end > len(text):
                raise TaskError(
                    f"Row `{row.id}`: `{span.document}` has {len(text)} characters; its place "
                    f"ends at {span.end}.",
                    hint="count characters of the text as it is read: accordeur index inspect",
                )
            if quote and " ".join(text[span.start : span.end].split()) != " ".join(quote.split()):
                raise TaskError(
                    f"Row `{row.id}`: its quote does not stand in `{span.document}` at "
                    f"{span.start} to {span.end}.{_elsewhere(text, quote)}",
                    hint="count characters of the text as it is read: accordeur index inspect",
                )


def _elsewhere(text: str, quote: str) -> str:
    at = text.find(quote)
    return "" if at < 0 else f" It stands at {at} to {at + len(quote)}."
