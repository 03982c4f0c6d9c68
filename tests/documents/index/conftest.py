"""Small collections of documents, and what must be true of every index of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from accordeur.core.model import FloatArray
from accordeur.documents.index import (
    BuildReport,
    Index,
    IndexSettings,
    build_index,
    open_index,
    update_index,
)
from accordeur.documents.index.titles import embedded_text
from accordeur.testing import ScriptedEmbedder

SMALL = IndexSettings(chunk_tokens=24, overlap=6)

TEXTS = {
    "leave.md": "---\ntitle: Leave\ntags: [hr, people]\n---\n# Leave\n\nFive days of holiday may be"
    " carried over.\n\n## Illness\n\nRing the desk before eight. A note is needed on day four.\n",
    "boats/oars.txt": "An oar is made of spruce. It is sanded twice and oiled once a year.",
    "boats/hulls.txt": "A hull is made of oak. It is caulked in March, when the weather is dry.",
    "money.csv": "item,price\nmooring,12 pounds a night\nwinter berth,300 pounds\n",
}


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder of four documents."""
    return write(tmp_path / "docs", TEXTS)


def write(folder: Path, texts: dict[str, str]) -> Path:
    """Files of a folder."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder


class Counting(ScriptedEmbedder):
    """Counts the texts it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """As ever."""
        self.texts += texts
        return super().embed(texts)


@pytest.fixture
def embedder() -> Counting:
    """What embeds here."""
    return Counting()


Build = Callable[..., BuildReport]


@pytest.fixture
def build(tmp_path: Path, docs: Path, embedder: Counting) -> Build:
    """Build or update the index `tmp_path/index`."""

    def go(*sources: Path, settings: IndexSettings = SMALL, **options: object) -> BuildReport:
        return build_index(
            sources or (docs,),
            tmp_path / "index",
            settings,
            embedder,
            **options,  # type: ignore[arg-type]
        )

    return go


@pytest.fixture
def update(tmp_path: Path, embedder: Counting) -> Callable[[], BuildReport]:
    """Bring it up to date."""
    return lambda: update_index(tmp_path / "index", embedder)


@pytest.fixture
def opened(tmp_path: Path, embedder: Counting) -> Callable[[], Index]:
    """Open it."""
    return lambda: open_index(tmp_path / "index", embedder)


def check(index: Index) -> None:
    """What is true of every index: spans, numbers, words and vectors belong together."""
    for number in range(len(index)):
        passage = index.passage(number)
        text = index.document(passage.span.document).text
        assert passage.number == number
        assert passage.text == text[passage.span.start : passage.span.end]
        assert passage.text.strip() == passage.text != ""
        assert index.vectors is not None
        (titles,) = index.connection.execute(
            "SELECT titles FROM passages WHERE number = ?", (number,)
        ).fetchone()
        above = [passage.metadata.get("title", ""), *passage.headings]
        assert not titles or set(titles.split(" > ")) <= set(above)
        (vector,) = ScriptedEmbedder().embed([embedded_text(titles, passage.text)])
        assert np.array_equal(index.vectors[number], vector)
    (words,) = index.connection.execute("SELECT COUNT(*) FROM passage_words_docsize").fetchone()
    assert words == len(index)


def same(one: Index, other: Index) -> bool:
    """Two indexes in which exactly the same is found."""
    assert (one.fingerprint == other.fingerprint) == (
        [one.passage(at) for at in range(len(one))]
        == [other.passage(at) for at in range(len(other))]
    )
    question = ["What is an oar made of?", "holiday"]
    return one.fingerprint == other.fingerprint and one.search(question, 5) == other.search(
        question, 5
    )
