"""`accordeur index ...`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.models.source import Models
from accordeur.testing import ScriptedEmbedder

Say = Callable[..., Any]


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `local/minilm` means here: loading the real one takes seconds."""
    monkeypatch.setattr(Models, "embedder", lambda _, name, dtype: ScriptedEmbedder(name=name))


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "boats").mkdir(parents=True)
    (folder / "leave.md").write_text(
        "---\ntags: [hr]\n---\n# Leave\n\n## Carrying over\n\nFive days of holiday may be kept.\n"
    )
    (folder / "boats/oars.txt").write_text(
        "Oars are made of spruce \x1b[31m and oiled once a year."
    )
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


@pytest.fixture
def built(docs: Path, say: Say) -> Path:
    assert say("index", "build", "handbook", docs).code == 0
    return docs


def test_build_says_what_was_read_and_what_was_not(docs: Path, say: Say, tmp_path: Path) -> None:
    said = say("index", "build", "handbook", docs)
    assert said.code == 0, said.err
    assert "2 documents, 2 passages" in said.out
    assert "2 added" in said.out
    assert "skipped: picture.png: `.png` files are not read" in said.out
    assert "next: accordeur index search handbook" in said.err
    assert (tmp_path / ".accordeur/indexes/handbook/index.sqlite").is_file()
    assert say("index", "build", "handbook", docs, "--json").out.startswith("{")


def test_search_shows_where_and_cannot_steer_the_terminal(built: Path, say: Say) -> None:
    said = say("index", "search", "handbook", "carry", "holidays", "-k", "1")
    assert said.code == 0
    assert "1. leave.md › Leave › Carrying over" in said.out
    assert "Five days of holiday" in said.out
    said = say("index", "search", "handbook", "spruce", "-k", "1", "--mode", "lexical")
    assert "\\x1b[31m" in said.out
    assert "\x1b" not in said.out


def test_search_filters_and_gives_json(built: Path, say: Say) -> None:
    rows = json.loads(say("index", "search", "handbook", "days year", "--json").out)
    assert {row["document"] for row in rows} == {"leave.md", "boats/oars.txt"}
    assert {"start", "end", "page", "headings", "score", "lexical", "dense", "text"} <= set(rows[0])
    for options, names in (
        (["--path", "boats/*"], ["boats/oars.txt"]),
        (["--where", "tag=HR"], ["leave.md"]),
        (["--where", "tag=x", "--where", "tag=hr"], ["leave.md"]),
    ):
        found = json.loads(say("index", "search", "handbook", "days year", "--json", *options).out)
        assert [row["document"] for row in found] == names


@pytest.mark.parametrize("mode", ["lexical", "dense", "fusion", "rrf"])
def test_every_mode_finds(built: Path, say: Say, mode: str) -> None:
    rows = json.loads(
        say("index", "search", "handbook", "spruce oars", "--mode", mode, "--json").out
    )
    assert rows[0]["document"] == "boats/oars.txt"


def test_nothing_found_is_told_and_an_exit_code(built: Path, say: Say) -> None:
    said = say("index", "search", "handbook", "zeppelin", "--mode", "lexical")
    assert (said.code, said.out) == (1, "Nothing was found.\n")
    assert say("index", "search", "handbook", "oar", "--path", "nowhere/*").code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "handbook", " "], "Say what to look for"),
        (["search", "handbook", "x", "-k", "0"], "shows nothing"),
        (["search", "handbook", "x", "--mode", "magic"], "no ranking `magic`"),
        (["search", "handbook", "x", "--where", "tag"], "names no value"),
        (["inspect", "handbook", "nothing.md"], "no document `nothing.md`"),
        (["inspect", "handbook", "--passage", "99"], "no passage 99"),
        (["rm", "handbook"], "needs a yes"),
        (["build", "other", "nowhere"], "no file or folder"),
        (["build", "other", "docs", "--chunk-tokens", "40", "--overlap", "30"], "does not fit"),
    ],
)
def test_wrong_use_is_a_message(built: Path, say: Say, arguments: list[str], words: str) -> None:
    said = say("index", *arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


def test_an_unknown_index_is_a_message_with_the_nearest_name(built: Path, say: Say) -> None:
    for command in (["search", "handbok", "x"], ["status", "handbok"], ["update", "handbok"]):
        said = say("index", *command)
        assert said.code == 1
        assert "did you mean `handbook`?" in said.err


def test_update_and_status(built: Path, say: Say) -> None:
    said = say("index", "status", "handbook")
    assert said.code == 0
    assert "clean: it is as its documents are" in said.out
    (built / "new.txt").write_text("A new document about tides.")
    (built / "leave.md").unlink()
    said = say("index", "status", "handbook")
    assert said.code == 1
    assert "new: new.txt\ngone: leave.md" in said.out
    said = say("index", "update", "handbook")
    assert "1 added, 1 gone, 1 as before" in said.out
    assert json.loads(say("index", "status", "handbook", "--json").out)["clean"]


def test_inspect_shows_documents_passages_and_one_whole(built: Path, say: Say) -> None:
    assert "boats/oars.txt" in say("index", "inspect", "handbook").out
    said = say("index", "inspect", "handbook", "leave.md")
    assert "Five days" in said.out
    (row,) = json.loads(say("index", "inspect", "handbook", "leave.md", "--json").out)
    text = (built / "leave.md").read_text()
    assert row["text"] == text[row["start"] : row["end"]]
    said = say("index", "inspect", "handbook", "--passage", str(row["passage"]))
    assert "tags: hr" in said.out
    assert "Five days" in said.out


def test_a_folder_of_ones_own_and_words_alone(docs: Path, say: Say, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere" / "idx"
    assert (
        say("index", "build", place, docs / "boats", docs / "leave.md", "--no-embeddings").code == 0
    )
    assert "words alone" in say("index", "status", place).out
    assert "boats/oars.txt" in say("index", "search", place, "spruce").out
    said = say("index", "search", place, "spruce", "--mode", "dense")
    assert said.code == 2
    assert "have no vectors" in said.err


def test_other_chunks_need_again(built: Path, say: Say) -> None:
    said = say("index", "build", "handbook", built, "--chunk-tokens", "50")
    assert said.code == 1
    assert "--again" in said.err
    assert say("index", "build", "handbook", built, "--chunk-tokens", "50", "--again").code == 0
    assert "up to 50 tokens" in say("index", "status", "handbook").out


def test_rm(built: Path, say: Say, tmp_path: Path) -> None:
    assert say("index", "rm", "-y", "handbook").code == 0
    assert list((tmp_path / ".accordeur/indexes").iterdir()) == []
    assert built.is_dir()
    assert say("index", "rm", "-y", "handbook").code == 1
