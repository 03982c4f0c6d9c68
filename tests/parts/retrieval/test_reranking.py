from __future__ import annotations

import json
from typing import Any

import pytest

from accordeur.core.errors import BundleError, ModelError
from accordeur.core.model import Reranker
from accordeur.core.rendering import Request
from accordeur.documents.passage import Ranking
from accordeur.parts.retrieval import Collection, Retrieval, load
from accordeur.parts.retrieval.part import FILE
from accordeur.parts.retrieval.query_writer import QueryWriter
from accordeur.parts.retrieval.reranking import Reranking
from accordeur.parts.retrieval.retriever import Retriever
from accordeur.testing import ScriptedModel, ScriptedReranker, ScriptedSource

BY = Reranking("/models/ce", "scripted", 5)


def names(part: Retrieval, source: ScriptedSource, question: str) -> list[str]:
    (found,) = Retriever(part, source).find([Request(question)])
    return [one.passage.span.document for one in found]


def test_what_a_part_finds_is_ordered_by_its_reranker(collection: Collection) -> None:
    source = ScriptedSource(reranker=ScriptedReranker(lambda _, text: float("heron" in text)))
    plain = Retrieval(collection, 1, Ranking("dense"))
    assert names(plain, source, "When are wages paid?") == ["pay.md"]
    reranked = Retrieval(collection, 1, Ranking("dense"), reranking=BY)
    assert names(reranked, source, "When are wages paid?") == ["odd[1].md"]


def test_a_reranker_with_other_weights_is_refused(collection: Collection) -> None:
    source = ScriptedSource(reranker=ScriptedReranker(digest="other"))
    part = Retrieval(collection, 1, Ranking("lexical"), reranking=BY)
    with pytest.raises(ModelError, match=r"another reranker `/models/ce`"):
        names(part, source, "wages")


def test_a_reranker_that_is_not_here_is_named(collection: Collection) -> None:
    class Without(ScriptedSource):
        def reranker(self, name: str) -> Reranker:
            raise ModelError(f"There is no folder `{name}`.", hint="fetch it")

    part = Retrieval(collection, 1, Ranking("lexical"), reranking=BY)
    with pytest.raises(ModelError, match=r"needs the reranker `/models/ce`\. There is no") as told:
        names(part, Without(), "wages")
    assert told.value.hint == "fetch it"


def test_both_are_kept_by_a_bundle(collection: Collection) -> None:
    part = Retrieval(collection, 2, reranking=BY, queries="several")
    read = load(part.files())
    assert (read.reranking, read.queries) == (BY, "several")
    assert read.files() == part.files()
    assert part.describe() == "2 passages of 4 by fusion 0.5, reranked by ce, several"


def test_a_part_without_them_has_the_files_it_always_had(collection: Collection) -> None:
    data = json.loads(Retrieval(collection, 1).files()[FILE])
    assert not {"reranker", "queries"} & set(data)
    assert load(Retrieval(collection, 1).files()).reranking is None


@pytest.mark.parametrize(
    "edit",
    [
        {"reranker": {}},
        {"reranker": {"name": "", "digest": "x", "depth": 3}},
        {"reranker": {"name": "x", "digest": "x", "depth": 0}},
        {"reranker": [1]},
        {"queries": "magic"},
        {"queries": ["rewrite"]},
    ],
)
def test_an_edited_file_is_refused(collection: Collection, edit: dict[str, Any]) -> None:
    files = dict(Retrieval(collection, 1).files())
    files[FILE] = json.dumps({**json.loads(files[FILE]), **edit}).encode()
    with pytest.raises(BundleError, match=FILE):
        load(files)


def test_what_is_written_is_searched_for(collection: Collection) -> None:
    model = ScriptedModel(answers="heron reeds")
    part = Retrieval(collection, 1, Ranking("lexical"), queries="rewrite")
    retriever = Retriever(part, ScriptedSource(), QueryWriter("rewrite", model))
    asked = Request("When are wages paid?")
    (found,) = retriever.find([asked])
    assert [one.passage.span.document for one in found] == ["odd[1].md"]
    (looked,) = retriever.look([asked], [1000], lambda text: len(text.split()))
    assert looked.sought.texts == ("heron reeds",)
    assert looked.request.input == "When are wages paid?", "the question itself is answered"


def test_several_find_what_each_of_them_finds(collection: Collection) -> None:
    model = ScriptedModel(answers="heron reeds\nnine cars")
    part = Retrieval(collection, 3, Ranking("lexical"), queries="several")
    retriever = Retriever(part, ScriptedSource(), QueryWriter("several", model))
    (found,) = retriever.find([Request("When are wages paid?")])
    documents = {one.passage.span.document for one in found}
    assert documents == {"pay.md", "odd[1].md", "boats.md"}


def test_a_part_that_has_queries_written_needs_who_writes(collection: Collection) -> None:
    part = Retrieval(collection, 1, queries="rewrite")
    with pytest.raises(ValueError, match="writer"):
        Retriever(part, ScriptedSource())
