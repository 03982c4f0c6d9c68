from __future__ import annotations

import json

import numpy as np
import pytest

from accordeur.core.errors import BundleError, ModelError
from accordeur.documents.passage import Ranking
from accordeur.parts.retrieval import Collection
from accordeur.parts.retrieval.collection import ABOUT, PASSAGES, VECTORS
from accordeur.testing import ScriptedEmbedder, ScriptedSource


def test_it_comes_back_from_its_files_as_it_was(collection: Collection) -> None:
    read = Collection.from_files(collection.files)
    assert read.passages == collection.passages
    assert read.vectors is not None
    assert collection.vectors is not None
    assert np.array_equal(read.vectors, collection.vectors)
    assert read.files == collection.files


def test_it_is_read_once_while_somebody_holds_it(collection: Collection) -> None:
    first = Collection.from_files(collection.files)
    assert Collection.from_files(dict(collection.files)) is first


def test_words_alone_need_no_vectors(collection: Collection) -> None:
    plain = Collection(collection.passages)
    assert VECTORS not in plain.files
    assert Collection.from_files(plain.files).embedder is None
    assert plain.opened(ScriptedSource(), Ranking("lexical")).search(["heron"], 1)[0]


def test_a_line_break_that_json_leaves_alone_ends_no_passage(collection: Collection) -> None:
    from dataclasses import replace

    odd = replace(collection.passages[0], text="one\u2028two" + "x" * 24)
    made = Collection((odd, *collection.passages[1:]))
    assert Collection.from_files(made.files).passages == made.passages


@pytest.mark.parametrize(
    "damage",
    [
        {PASSAGES: b"not json\n"},
        {PASSAGES: b'{"document": "a.md", "start": 0, "end": 0, "text": ""}\n'},
        {PASSAGES: b"\xff\n"},
        {ABOUT: b"{}"},
        {ABOUT: b"[]"},
        {VECTORS: b"no array"},
        {VECTORS: b""},
    ],
)
def test_damaged_files_are_refused_and_named(
    collection: Collection, damage: dict[str, bytes]
) -> None:
    with pytest.raises(BundleError, match="index/"):
        Collection.from_files({**collection.files, **damage})


def test_vectors_of_other_passages_and_pickles_are_refused(collection: Collection) -> None:
    import io

    for array in (np.zeros((3, 64), np.float32), np.full((4, 64), np.nan, np.float32)):
        held = io.BytesIO()
        np.save(held, array)
        with pytest.raises(BundleError, match="belong together"):
            Collection.from_files({**collection.files, VECTORS: held.getvalue()})
    held = io.BytesIO()
    np.save(held, np.array([{"a": 1}] * 4, dtype=object), allow_pickle=True)
    with pytest.raises(BundleError):
        Collection.from_files({**collection.files, VECTORS: held.getvalue()})


def test_it_is_opened_once_for_all_who_share_it(collection: Collection) -> None:
    source = ScriptedSource()
    assert collection.opened(source, Ranking()) is collection.opened(source, Ranking("dense"))
    assert collection.opened(source, Ranking("lexical")) is not collection.opened(source, Ranking())


def test_vectors_of_another_model_are_refused(collection: Collection) -> None:
    other = ScriptedSource(embedder=ScriptedEmbedder(dimension=32))
    with pytest.raises(ModelError, match="fitted with another"):
        collection.opened(other, Ranking())


def test_no_path_of_this_machine_stands_in_it(collection: Collection) -> None:
    assert b"/" not in b"".join(collection.files[name] for name in (ABOUT, PASSAGES))
    assert json.loads(collection.files[ABOUT])["documents"] == 4
