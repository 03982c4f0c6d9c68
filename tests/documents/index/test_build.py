"""Building an index."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.documents.index.conftest import SMALL, TEXTS, Build, Counting, check, same, write

from accordeur.core.errors import ModelError, StoreError, UsageError
from accordeur.documents.index import BuildReport, Index, IndexSettings, build_index, open_index
from accordeur.testing import ScriptedEmbedder

Open = Callable[[], Index]


def test_everything_is_read_cut_and_counted(build: Build, opened: Open, embedder: Counting) -> None:
    report = build()
    assert report.added == ["boats/hulls.txt", "boats/oars.txt", "leave.md", "money.csv"]
    assert (report.documents, report.cut, report.skipped) == (4, 0, {})
    assert report.passages == report.embedded == len(embedder.texts)
    with opened() as index:
        check(index)
        passages = [index.passage(number).text for number in range(len(index))]
        assert report.tokens == sum(embedder.count_tokens(text) for text in passages)
        assert len(index) == report.passages
        for text in TEXTS.values():
            assert text in {index.document(one.name).text for one in index.documents()} | {
                TEXTS["money.csv"]
            }
        assert index.document("money.csv").text.startswith("item: mooring; price: 12 pounds")


def test_passages_know_where_they_stand(build: Build, opened: Open) -> None:
    build()
    with opened() as index:
        note = next(one for one in index.passages("leave.md") if "day four" in one.text)
        assert note.headings == ("Leave", "Illness")
        assert note.metadata == {"title": "Leave", "tags": "hr, people"}
        assert not any("tags:" in one.text for one in index.passages("leave.md"))


def test_a_build_does_not_depend_on_the_order_of_sources(
    tmp_path: Path, docs: Path, embedder: Counting
) -> None:
    for name, sources in (("a", ["boats", "leave.md"]), ("b", ["leave.md", "boats"])):
        build_index([docs / one for one in sources], tmp_path / name, SMALL, embedder)
    with open_index(tmp_path / "a", embedder) as a, open_index(tmp_path / "b", embedder) as b:
        assert same(a, b)
        assert [one.name for one in a.documents()] == [
            "boats/hulls.txt",
            "boats/oars.txt",
            "leave.md",
        ]


def test_sources_that_cannot_be_told_apart_are_refused(tmp_path: Path, build: Build) -> None:
    for name in ("a/docs", "b/docs"):
        write(tmp_path / name, {"x.txt": "words"})
    with pytest.raises(UsageError, match="Two sources are called `docs`"):
        build(tmp_path / "a/docs", tmp_path / "b/docs")
    with pytest.raises(UsageError, match="no file or folder"):
        build(tmp_path / "nothing")
    with pytest.raises(UsageError, match="Say which documents"):
        build_index([], tmp_path / "index")


def test_hidden_files_and_what_links_lead_to_stay_out(
    tmp_path: Path, docs: Path, build: Build
) -> None:
    secret = write(tmp_path / "outside", {"secret.txt": "keep out"})
    (docs / "link.txt").symlink_to(secret / "secret.txt")
    (docs / "linked").symlink_to(secret)
    (docs / "loop").symlink_to(docs)
    write(docs, {".hidden": "x", ".git/config.txt": "x"})
    os.mkfifo(docs / "pipe.txt")
    assert build().documents == 4


def test_names_that_are_no_utf_8_are_spelled_out(docs: Path, build: Build, opened: Open) -> None:
    (Path(os.fsdecode(os.fsencode(docs) + b"/caf\xe9.txt"))).write_text("A menu of the day.")
    assert "caf\\udce9.txt" in build().added
    with opened() as index:
        assert index.document("caf\\udce9.txt").text == "A menu of the day."


def test_patterns_leave_names_out(docs: Path, build: Build) -> None:
    settings = IndexSettings(24, 6, exclude=("boats", "*.csv"))
    assert build(settings=settings).added == ["leave.md"]


def test_an_index_within_its_own_documents_does_not_read_itself(
    docs: Path, embedder: Counting
) -> None:
    for _ in range(2):
        report = build_index([docs], docs / "index", SMALL, embedder)
    assert (report.documents, report.unchanged) == (4, 4)


def test_what_cannot_be_read_is_named_and_the_rest_is_indexed(docs: Path, build: Build) -> None:
    (docs / "picture.png").write_bytes(b"\x89PNG")
    (docs / "binary.txt").write_bytes(b"\0\1\2")
    (docs / "broken.pdf").write_bytes(b"%PDF nothing")
    (docs / "empty.md").write_text("\n\n")
    (docs / "old.txt").write_bytes("für".encode("cp1252"))
    (docs / "large.txt").write_text("word " * 1_000)
    report = build(settings=IndexSettings(24, 6, max_file_size=4_000))
    assert report.documents == 5
    assert {name: reason.split(" (")[0] for name, reason in report.skipped.items()} == {
        "binary.txt": "it holds zero bytes, as no text does",
        "broken.pdf": "it is no PDF that can be read",
        "empty.md": "it holds no text",
        "large.txt": "it has 0 MB, more than 0 MB",
        "picture.png": "`.png` files are not read",
    }
    assert report.notes == {"old.txt": "not UTF-8; read as Windows-1252"}


def test_the_same_content_at_two_places_is_embedded_and_found_once(
    docs: Path, build: Build, opened: Open, embedder: Counting
) -> None:
    write(docs, {"copies/oars.txt": TEXTS["boats/oars.txt"]})
    report = build()
    assert report.duplicates == [("boats/oars.txt", "copies/oars.txt")]
    assert len(embedder.texts) == len(set(embedder.texts))
    with opened() as index:
        (found,) = index.search(["spruce oar"], 10)
        assert [one.passage.span.document for one in found].count("boats/oars.txt") == 1
        assert not any(one.passage.span.document.startswith("copies") for one in found)
        assert index.also("boats/oars.txt") == ("copies/oars.txt",)
        assert index.passages("copies/oars.txt")[0].span.document == "copies/oars.txt"


def test_without_an_embedder_words_alone_are_indexed(tmp_path: Path, docs: Path) -> None:
    report = build_index([docs], tmp_path / "words", SMALL)
    assert (report.embedded, report.documents) == (0, 4)
    assert not list((tmp_path / "words").glob("*.npy"))
    with open_index(tmp_path / "words") as index:
        (found,) = index.search(["caulked hull"], 1)
        assert found[0].passage.span.document == "boats/hulls.txt"
        assert found[0].dense is None


def test_chunks_are_never_longer_than_the_embedder_reads(
    tmp_path: Path, docs: Path, embedder: Counting
) -> None:
    embedder.max_tokens = 18
    report = build_index([docs], tmp_path / "index", IndexSettings(200, 4), embedder)
    assert report.cut == 0
    assert max(embedder.count_tokens(text) for text in embedder.texts) <= 18


def test_other_chunks_or_another_embedder_are_refused_until_again(
    tmp_path: Path, docs: Path, build: Build, embedder: Counting
) -> None:
    build()
    with pytest.raises(StoreError, match="chunks of 24 tokens") as caught:
        build(settings=IndexSettings(30, 6))
    assert "--again" in caught.value.hint
    other = ScriptedEmbedder(name="other", dimension=32)
    with pytest.raises(StoreError, match="`scripted-embedder`"):
        build_index([docs], tmp_path / "index", SMALL, other)
    with pytest.raises(StoreError, match="words alone"):
        build_index([docs], tmp_path / "index", SMALL)
    with pytest.raises(StoreError, match="cannot be compared"):
        open_index(tmp_path / "index", other)
    build_index([docs], tmp_path / "index", SMALL, other, again=True)
    with open_index(tmp_path / "index", other) as index:
        assert index.vectors is not None
        assert index.vectors.shape == (len(index), 32)
    build_index([docs], tmp_path / "index", IndexSettings(30, 6), embedder, again=True)
    with open_index(tmp_path / "index", embedder) as index:
        check(index)


def test_again_uses_vectors_of_the_same_embedder_and_mends_lost_ones(
    tmp_path: Path, build: Build, embedder: Counting, opened: Open
) -> None:
    build()
    embedder.texts.clear()
    assert build(again=True).embedded == 0
    (vectors,) = (tmp_path / "index").glob("*.npy")
    vectors.write_bytes(vectors.read_bytes()[:100])
    with pytest.raises(StoreError, match="missing or damaged") as caught:
        opened()
    assert "--again" in caught.value.hint
    report = build(again=True)
    assert report.embedded == report.passages
    with opened() as index:
        check(index)


def test_an_empty_folder_is_an_index_that_finds_nothing(
    tmp_path: Path, build: Build, opened: Open
) -> None:
    (tmp_path / "empty").mkdir()
    report = build(tmp_path / "empty")
    assert (report.documents, report.passages) == (0, 0)
    with opened() as index:
        assert len(index) == 0
        assert index.search(["anything"], 3) == [[]]
    write(tmp_path / "empty", {"a.txt": "Not empty any more."})
    assert build(tmp_path / "empty").added == ["a.txt"]


def test_vectors_that_are_none_are_refused_and_nothing_is_changed(
    docs: Path, build: Build, embedder: Counting, opened: Open
) -> None:
    build()
    write(docs, {"new.txt": "A new document."})
    real = embedder.embed
    embedder.embed = lambda texts: real(texts) * np.float32(np.nan)  # type: ignore[method-assign]
    with pytest.raises(ModelError, match="length 1"):
        build()
    embedder.embed = real  # type: ignore[method-assign]
    with opened() as index:
        check(index)
        assert len(index.documents()) == 4


def test_progress_is_told_and_ends(build: Build) -> None:
    told: list[tuple[str, int, int]] = []
    report: BuildReport = build(progress=lambda *one: told.append(one))
    assert told[0] == ("reading", 0, 4)
    assert told[-1] == ("embedding", report.passages, report.passages)


def test_impossible_settings_are_messages(build: Build) -> None:
    with pytest.raises(UsageError, match="does not fit"):
        build(settings=IndexSettings(20, 15))
    with pytest.raises(UsageError, match="at least 16"):
        build(settings=IndexSettings(3, 0))
