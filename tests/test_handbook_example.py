"""The example `handbook`: its documents are what the readers give, and its rows stand in them."""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from accordeur.documents.readers import reader_for
from accordeur.measure.metrics.squad import normalise
from accordeur.tasks import load_task

HANDBOOK = Path(__file__).parents[1] / "examples" / "handbook"
DOCUMENTS = HANDBOOK / "documents"
SPLITS = ("train", "dev", "test")
NAMES = sorted(
    path.relative_to(DOCUMENTS).as_posix() for path in DOCUMENTS.rglob("*.*") if path.is_file()
)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"handbook_{name}", HANDBOOK / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def text_of(document: str, folder: Path = DOCUMENTS) -> str:
    if document.endswith(".pdf"):
        pytest.importorskip("pypdfium2")
    found = reader_for(document).read((folder / document).read_bytes(), document)
    return found.text[found.body :]


def rows() -> list[tuple[str, dict[str, Any]]]:
    return [
        (split, json.loads(line))
        for split in SPLITS
        for line in (HANDBOOK / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def test_it_is_a_handbook_of_sixty_pages_in_three_formats() -> None:
    kinds = Counter(name.rsplit(".", maxsplit=1)[1] for name in NAMES)
    assert kinds["md"] >= 15
    assert kinds["html"] >= 5
    assert kinds["pdf"] >= 4
    assert 18_000 <= sum(len(text_of(name).split()) for name in NAMES) <= 24_000


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".pdf")])
def test_a_pdf_has_pages_and_says_who_wrote_it(name: str) -> None:
    pytest.importorskip("pypdfium2")
    document = reader_for(name).read((DOCUMENTS / name).read_bytes(), name)
    assert len(document.pages) >= 3
    assert document.page(len(document.text) - 1) == len(document.pages)
    assert document.metadata["title"]
    assert document.metadata["author"]


def test_documents_hold_no_paragraph_twice() -> None:
    seen: Counter[str] = Counter()
    for name in NAMES:
        blocks = re.split(r"\n\s*\n", text_of(name))
        seen.update({" ".join(block.split()) for block in blocks if len(block) > 80})
    assert [block for block, times in seen.items() if times > 1] == []


def test_a_third_of_the_rows_is_in_each_file_and_a_quarter_of_each_has_no_answer() -> None:
    counts = Counter(split for split, _ in rows())
    without = Counter(split for split, row in rows() if row["expected"] == [])
    assert counts == {"train": 40, "dev": 40, "test": 40}
    assert without == {"train": 10, "dev": 10, "test": 10}


def test_rows_have_ids_and_questions_of_their_own_and_a_group_stays_in_one_file() -> None:
    assert len({row["id"] for _, row in rows()}) == 120
    assert len({normalise(row["input"]) for _, row in rows()}) == 120
    homes: dict[str, set[str]] = {}
    for split, row in rows():
        homes.setdefault(row["group"], set()).add(split)
    assert {group for group, files in homes.items() if len(files) > 1} == set()


def test_no_two_files_ask_about_the_same_place() -> None:
    places = {
        (span["document"], position, split)
        for split, row in rows()
        for span in row["spans"]
        for position in range(span["start"], span["end"])
    }
    assert len(places) == len({(document, position) for document, position, _ in places})


def test_about_a_quarter_of_the_questions_are_on_html_and_a_quarter_on_pdf() -> None:
    kinds = Counter(
        row["spans"][0]["document"].rsplit(".", maxsplit=1)[1] for _, row in rows() if row["spans"]
    )
    assert sum(kinds.values()) == 90
    assert 18 <= kinds["html"] <= 27
    assert 18 <= kinds["pdf"] <= 27
    assert sum(len(row["spans"]) > 1 for _, row in rows()) >= 8


def test_every_quote_stands_at_its_place_in_the_text_of_the_reader() -> None:
    pytest.importorskip("pypdfium2")
    spans = script("spans")
    for _, row in rows():
        assert spans.placed(row) == row, row["id"]
        for span in row["spans"]:
            text = spans.text_of(span["document"])
            assert text[span["start"] : span["end"]] == span["quote"], row["id"]


def test_a_quote_that_stands_nowhere_or_twice_is_an_error() -> None:
    spans = script("spans")
    with pytest.raises(ValueError, match="0 places"):
        spans.place("company/glossary.md", "The strawberries are counted.")
    with pytest.raises(ValueError, match="places for `the`"):
        spans.place("company/glossary.md", "the")


def test_a_quote_is_found_whatever_white_space_and_bars_stand_between() -> None:
    spans = script("spans")
    start, end = spans.place("people/conduct.md", "written   warning\nsite manager 12 months")
    assert (
        spans.text_of("people/conduct.md")[start:end]
        == "written warning | site manager | 12 months"
    )


def test_answers_are_short_and_stand_in_their_quotes_but_for_yes_and_no() -> None:
    for _, row in rows():
        assert all(1 <= len(answer.split()) <= 8 for answer in row["expected"]), row["id"]
        if not row["expected"]:
            continue
        quoted = set(normalise(" ".join(span["quote"] for span in row["spans"])).split())
        inside = [set(normalise(answer).split()) <= quoted for answer in row["expected"]]
        assert any(inside) or "no" in row["expected"], row["id"]


def test_rows_without_an_answer_name_no_place_and_their_section_exists() -> None:
    def slug(title: str) -> str:
        return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")

    titles = set()
    for name in NAMES:
        source = DOCUMENTS / name
        if name.endswith(".pdf"):
            source = (HANDBOOK / "pdf_sources" / name).with_suffix(".md")
        text = source.read_text(encoding="utf-8")
        found = re.findall(r"^## (.+)$|<h2>(.+)</h2>", text, flags=re.MULTILINE)
        titles |= {f"{Path(name).stem}/{slug(one or other)}" for one, other in found}
    for _, row in rows():
        if not row["expected"]:
            assert row["spans"] == [], row["id"]
            assert row["group"] in titles, row["id"]


def test_questions_do_not_give_their_answer_away() -> None:
    for _, row in rows():
        asked = f" {normalise(row['input'])} "
        assert not any(f" {normalise(answer)} " in asked for answer in row["expected"]), row["id"]


def test_the_task_loads_with_its_rows_without_an_answer() -> None:
    task = load_task(HANDBOOK)
    assert (len(task.train), len(task.dev)) == (40, 40)
    assert sum(row.expected == () for row in (*task.train, *task.dev)) == 20
    assert task.metric == "token-f1"


def test_the_pdf_documents_are_made_anew_with_the_same_text(tmp_path: Path) -> None:
    pytest.importorskip("reportlab")
    script("make_pdf").main(tmp_path)
    made = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pdf"))
    assert made == [name for name in NAMES if name.endswith(".pdf")]
    for name in made:
        assert text_of(name, tmp_path) == text_of(name), name
