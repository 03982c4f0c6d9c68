"""What the page holds, whatever the run came to."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from accordeur.core.errors import StoreError
from accordeur.report import write_report
from accordeur.report.data import read_report
from accordeur.report.sections import examples
from accordeur.report.sections.examples import browser_data

from .conftest import RUNS, Reports
from .fake_run import FakeRun


class Outline(HTMLParser):
    """Tags, ids and texts of a page; fails on a tag that is closed without being open."""

    void = frozenset({"meta", "link", "br", "hr", "input", "wbr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_gives_a_well_formed_page_with_unique_ids(
    name: str, reports: Reports
) -> None:
    outline = Outline(reports.page(name).read_text())
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    links = {value for tag, key, value in outline.attributes if tag == "a" and key == "href"}
    assert {link[1:] for link in links if link and link.startswith("#")} <= set(outline.ids)


@pytest.mark.parametrize("name", RUNS)
def test_the_page_loads_nothing_from_anywhere(name: str, reports: Reports) -> None:
    for tag, key, value in Outline(reports.page(name).read_text()).attributes:
        assert not key.startswith("on"), f"{tag} {key}"
        assert key not in ("src", "srcset", "style", "action"), f"{tag} {key}"
        if key == "href":
            assert value
            assert value.startswith(("#", "data:application/json"))


def test_the_policy_allows_our_style_and_script_by_hash_and_nothing_else(reports: Reports) -> None:
    html = reports.page("labels").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    allowed = policy[1].replace("&#x27;", "'")
    assert allowed.startswith("default-src 'none'")
    assert "unsafe" not in allowed
    for element in ("style", "script"):
        inline = re.findall(rf"<{element}>(.*?)</{element}>", html, re.S)
        assert len(inline) == 1
        digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in allowed


@pytest.mark.parametrize(
    "anchor",
    [
        "verdict",
        "comparison",
        "forgetting",
        "intervals",
        "cost",
        "break-even",
        "curve",
        "confusion",
        "examples",
        "prompts",
        "checks",
        "protocol",
        "ledger",
        "assumptions",
        "environment",
        "plan",
    ],
)
def test_a_finished_label_run_has_every_section(anchor: str, reports: Reports) -> None:
    assert f'id="{anchor}"' in reports.page("labels").read_text()


def test_the_page_says_how_often_the_held_out_split_was_opened(reports: Reports) -> None:
    assert "Held-out opened 3 times across all runs" in reports.page("labels").read_text()


def test_the_page_says_what_was_forgotten_with_n_and_intervals(reports: Reports) -> None:
    html = reports.page("labels").read_text()
    section = re.search(r'<section id="forgetting".*?</section>', html, re.S)
    assert section
    text = re.sub(r"<[^>]+>", "|", section[0])
    for said in (
        "42.7 → 51.3",
        "[35.6, 49.8] → [43.1, 59.5]",
        "×1.20",
        "[1.14, 1.26]",
        "n 26",
        "22.5 → 15.0",
        "−7.5",
        "n 40",
        "The base model again, to the last bit (5 passages asked again).",
        "Not measured: the time budget was spent.",
        "not clearly above the 20.0 of the most frequent label",
    ):
        assert said in text, said
    assert 'id="forgetting"' not in reports.page("unconfirmed").read_text()
    assert "no task differs enough" in reports.page("text").read_text()


def test_an_unconfirmed_run_lists_the_rows_to_label_next(reports: Reports) -> None:
    html = reports.page("unconfirmed").read_text()
    assert "Label 20 more rows" in html
    assert "support-0561" in html
    assert "unconfirmed" in html
    assert ">Held-out ↕<" not in html


def test_a_failed_run_says_why_for_every_entry(reports: Reports) -> None:
    html = reports.page("failed").read_text()
    assert "stopped after 13.5 s" in html
    for word in ("failed", "cut", "stopped"):
        assert f"</code> {word}</dt>" in html
    assert "its file is damaged" in html
    assert 'id="intervals"' not in html


def test_a_refused_lever_of_the_plan_is_listed_even_when_the_record_is_silent(
    tmp_path: Path,
) -> None:
    fake = FakeRun(dev=5, test=0)
    run = fake.write(tmp_path)
    fake.record["plan"]["refused"] = [{"name": "lora", "reason": "`lora` needs weights"}]
    with run.lock():
        run.write_json("record.json", fake.record)
    html = write_report(run.folder, tmp_path / "report.html").read_text()
    assert "<code>lora</code> refused" in html


def test_answers_of_the_shown_split_are_joined_to_their_rows_by_id(reports: Reports) -> None:
    html = reports.page("labels").read_text()
    block = re.search(r'id="examples-data">(.*?)</script>', html, re.S)
    assert block
    data = json.loads(block[1])
    assert len(data["rows"]) == 240
    assert len(data["entries"]) == 9
    for row in data["rows"]:
        for answer in row["answers"]:
            text, status, score, top = answer
            assert status == "ok"
            assert (text in row["expected"]) == (score == 1.0)
            assert data["labels"][top[0][0]] == text
            shown = [data["labels"][place] for place, _ in top]
            assert row["expected"][0] in shown


def test_numbers_stand_in_the_order_of_the_estimate(reports: Reports) -> None:
    reports.page("labels")
    folder = next((reports.folder / "runs" / "labels").glob("support-*"))
    entries = read_report(folder).entries
    estimates = [entry.number_of("est") or 0.0 for entry in entries]
    assert estimates == sorted(estimates, reverse=True)
    assert [entry.number for entry in entries] == list(range(1, 10))


def test_a_run_without_a_record_is_a_message_with_a_hint(tmp_path: Path) -> None:
    run = FakeRun(dev=5, test=0).write(tmp_path)
    (run.folder / "record.json").unlink()
    with pytest.raises(StoreError, match="no result yet") as caught:
        write_report(run.folder, tmp_path / "report.html")
    assert caught.value.hint
    assert not (tmp_path / "report.html").exists()


def test_a_record_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    fake = FakeRun(dev=5, test=0)
    run = fake.write(tmp_path)
    with run.lock():
        run.write_json("record.json", {**fake.record, "format": 99})
    with pytest.raises(StoreError, match="newer"):
        write_report(run.folder, tmp_path / "report.html")


def test_damaged_rows_are_told_and_the_others_shown(tmp_path: Path) -> None:
    run = FakeRun(dev=5, test=0).write(tmp_path)
    path = run.folder / "rows-dev.jsonl"
    path.write_text("{not json\n" + path.read_text())
    html = write_report(run.folder, tmp_path / "report.html").read_text()
    assert "rows-dev.jsonl:1" in html
    assert 'id="examples-data"' in html


def test_a_missing_folder_of_the_output_is_made(tmp_path: Path) -> None:
    run = FakeRun(dev=5, test=0).write(tmp_path)
    out = tmp_path / "new" / "folder" / "report.html"
    assert write_report(run.folder, out) == out
    assert out.read_text().startswith("<!doctype html>")


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    run = FakeRun(dev=5, test=5).write(tmp_path)
    first = write_report(run.folder, tmp_path / "a.html").read_bytes()
    assert write_report(run.folder, tmp_path / "b.html").read_bytes() == first


def test_metrics_beside_the_deciding_one_are_shown_where_there_are_any(reports: Reports) -> None:
    assert "calibration error (ECE), held-out" in reports.page("labels").read_text()
    assert "Further metrics" not in reports.page("text").read_text()


def test_texts_on_the_way_share_what_room_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = read_report(RUNS["text"]().write(tmp_path).folder)

    def lengths() -> list[int]:
        found = browser_data(report)
        return [
            len(text)
            for row in found["rows"]
            for answer in row["answers"]
            if answer and len(answer) > 5
            for _, text in answer[5]
        ]

    whole = lengths()
    monkeypatch.setattr(examples, "_ALL", 40 * len(whole))
    assert max(whole) > 42
    assert max(lengths()) == 42, "forty characters and a sign that there is more"
