"""Bringing an index up to date."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.documents.index.conftest import SMALL, TEXTS, Build, Counting, check, same, write

from accordeur.core.errors import StoreError
from accordeur.documents.index import (
    BuildReport,
    Index,
    build_index,
    index_status,
    open_index,
    remove_index,
    update_index,
)
from accordeur.testing import ScriptedEmbedder

Open = Callable[[], Index]
Update = Callable[[], BuildReport]


def settle(folder: Path) -> None:
    """Make files look as if nobody had touched them for a while."""
    for path in folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)


def test_nothing_changed_is_nothing_done(
    tmp_path: Path, build: Build, update: Update, embedder: Counting
) -> None:
    build()
    before = {path.name for path in (tmp_path / "index").glob("vectors*")}
    embedder.texts.clear()
    report = update()
    assert (report.unchanged, report.added, report.changed, report.embedded) == (4, [], [], 0)
    assert embedder.texts == []
    assert {path.name for path in (tmp_path / "index").glob("vectors*")} == before


def test_changed_added_moved_and_deleted_files(
    docs: Path, build: Build, update: Update, opened: Open, embedder: Counting
) -> None:
    build()
    embedder.texts.clear()
    write(
        docs, {"boats/oars.txt": TEXTS["boats/oars.txt"] + " Its blade is copper.", "a.txt": "New."}
    )
    (docs / "boats/hulls.txt").rename(docs / "hulls.txt")
    (docs / "money.csv").unlink()
    report = update()
    assert report.changed == ["boats/oars.txt"]
    assert report.added == ["a.txt"]
    assert report.moved == [("boats/hulls.txt", "hulls.txt")]
    assert report.deleted == ["money.csv"]
    assert report.unchanged == 1
    assert "New." in embedder.texts
    assert not any("oak" in text for text in embedder.texts), "a moved file is not embedded again"
    with opened() as index:
        check(index)
        (found,) = index.search(["copper blade"], 1)
        assert found[0].passage.span.document == "boats/oars.txt"
        (found,) = index.search(["winter berth"], 10)
        assert not any(one.passage.span.document == "money.csv" for one in found)


def test_unchanged_passages_of_a_changed_file_are_not_embedded_again(
    docs: Path, build: Build, update: Update, embedder: Counting
) -> None:
    lines = [
        f"Paragraph {n} tells at some length of things that nobody else told before it did.\n\n"
        for n in range(20)
    ]
    write(docs, {"long.md": "".join(lines)})
    report = build()
    embedder.texts.clear()
    lines[10] = "Here is a wholly different paragraph about the heron of the upper lake.\n\n"
    write(docs, {"long.md": "".join(lines)})
    assert update().embedded == len(embedder.texts) <= 3 < report.passages


def test_a_file_that_becomes_unreadable_leaves_the_index_and_comes_back(
    docs: Path, build: Build, update: Update, opened: Open
) -> None:
    build()
    (docs / "leave.md").write_bytes(b"\0")
    report = update()
    assert report.deleted == ["leave.md"]
    assert list(report.skipped) == ["leave.md"]
    write(docs, {"leave.md": TEXTS["leave.md"]})
    assert update().added == ["leave.md"]
    with opened() as index:
        check(index)


def test_a_file_touched_but_not_changed_is_as_before(
    docs: Path, build: Build, update: Update, embedder: Counting
) -> None:
    settle(docs)
    build()
    settle(docs)
    embedder.texts.clear()
    assert (update().unchanged, embedder.texts) == (4, [])


def test_a_change_within_the_same_moment_and_size_is_seen(
    docs: Path, build: Build, update: Update
) -> None:
    build()
    status = (docs / "boats/oars.txt").stat()
    write(docs, {"boats/oars.txt": TEXTS["boats/oars.txt"].replace("spruce", "willow")})
    os.utime(docs / "boats/oars.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert update().changed == ["boats/oars.txt"]


def test_whoever_searches_keeps_what_was_opened(
    docs: Path, build: Build, update: Update, opened: Open
) -> None:
    build()
    with opened() as before:
        found = before.search(["oar", "holiday", "mooring"], 3)
        numbers = [before.passage(at) for at in range(len(before))]
        write(docs, {"0.txt": "Stands before all others.", "leave.md": "Gone."})
        update()
        update()
        assert before.search(["oar", "holiday", "mooring"], 3) == found
        assert [before.passage(at) for at in range(len(before))] == numbers
        check(before)
        with opened() as after:
            assert after.fingerprint != before.fingerprint
            check(after)


def test_status_tells_what_an_update_would_do(
    tmp_path: Path, docs: Path, build: Build, update: Update
) -> None:
    build()
    assert index_status(tmp_path / "index").clean
    write(docs, {"new.txt": "New.", "leave.md": "Other."})
    (docs / "money.csv").unlink()
    status = index_status(tmp_path / "index")
    assert (status.added, status.changed, status.deleted) == (
        ("new.txt",),
        ("leave.md",),
        ("money.csv",),
    )
    assert not status.clean
    update()
    status = index_status(tmp_path / "index")
    assert status.clean
    assert status.passages > 0
    docs.rename(tmp_path / "elsewhere")
    assert index_status(tmp_path / "index").lost == (str(docs),)


def test_a_lost_source_deletes_nothing(
    tmp_path: Path, docs: Path, build: Build, update: Update
) -> None:
    build()
    docs.rename(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="no file or folder"):
        update()
    assert index_status(tmp_path / "index").documents == 4


def test_there_is_no_index_to_update(tmp_path: Path) -> None:
    for call in (update_index, open_index, index_status, remove_index):
        with pytest.raises(StoreError, match="no index"):
            call(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_an_index_is_removed_whole_and_nothing_else(
    tmp_path: Path, build: Build, opened: Open
) -> None:
    build()
    (tmp_path / "index" / "mine.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"mine\.txt"):
        remove_index(tmp_path / "index")
    (tmp_path / "index" / "mine.txt").unlink()
    with opened() as index:
        remove_index(tmp_path / "index")
        assert index.search(["oar"], 1)[0], "who has it open can go on"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs"]


NAMES = ["a.txt", "b.md", "c/d.txt", "c/e.md", "f.txt"]
WORDS = ["oak and spruce are woods.", "# Title\n\nmooring costs", "holiday " * 40, "zinc", ""]
STEP = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(WORDS)),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("update"), st.just(""), st.just("")),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=1, max_size=12))
def test_an_index_that_grew_by_updates_is_the_one_that_is_built_at_once(
    steps: list[tuple[str, str, str]],
) -> None:
    embedder = ScriptedEmbedder()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        docs = write(folder / "docs", {"first.txt": "The first words of all."})
        build_index([docs], folder / "grown", SMALL, embedder)
        for kind, name, other in [*steps, ("update", "", "")]:
            path = docs / name
            if kind == "write":
                write(docs, {name: other})
            elif kind == "delete":
                path.unlink(missing_ok=True)
            elif kind == "move" and path.exists() and name != other:
                (docs / other).parent.mkdir(exist_ok=True)
                path.replace(docs / other)
            elif kind == "update":
                update_index(folder / "grown", embedder)
        build_index([docs], folder / "fresh", SMALL, embedder)
        with (
            open_index(folder / "grown", embedder) as grown,
            open_index(folder / "fresh", embedder) as fresh,
        ):
            assert same(grown, fresh)
            check(grown)
            assert index_status(folder / "grown").clean
