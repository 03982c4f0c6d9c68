from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accordeur.core.errors import TaskError
from accordeur.core.task import Label, Limits, Prices
from accordeur.tasks.config import TaskConfig, read_config

Read = Callable[..., TaskConfig]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def make(text: str, data: str = "data: rows.csv\n") -> TaskConfig:
        path = tmp_path / "task.yaml"
        path.write_text(data + text, encoding="utf-8")
        return read_config(path)

    return make


def test_the_example_of_the_design_is_read(read: Read) -> None:
    config = read(
        "name: support\n"
        "instruction: Which team should handle this customer message?\n"
        "data: {train: train.jsonl, dev: dev.jsonl, test: test.jsonl}\n"
        'labels: {billing: Billing, card_lost: "Lost or stolen card"}\n'
        "metric: accuracy\n"
        "limits: {queries: 50000, latency_p95: 2.0}\n",
        data="",
    )
    assert config.labels == (
        Label("billing", "Billing"),
        Label("card_lost", "Lost or stolen card"),
    )
    assert config.core_limits() == Limits(queries=50_000, latency_p95=2.0)
    assert config.core_prices() == Prices()
    assert config.data.dev == "dev.jsonl"


def test_one_file_and_proportions(read: Read) -> None:
    config = read("", "data: {file: all.csv, proportions: {train: .6, dev: .2, test: .2}}\n")
    assert config.data.file == "all.csv"
    assert config.data.proportions is not None
    assert config.data.proportions.model_dump() == {"train": 0.6, "dev": 0.2, "test": 0.2}


def test_every_limit_and_price_of_the_core_can_be_set(read: Read) -> None:
    config = read(
        "limits: {queries: 5, tolerance: 0.02, cost_per_query: 0.1, latency_p95: 1, fit_seconds: 9,"
        " training: false, offline: true, language_model: true}\n"
        "prices: {hour: 1, label: 0.5, input_token: 1e-6, output_token: 2e-6, currency: EUR}\n"
    )
    assert config.core_limits() == Limits(5, 0.02, 0.1, 1.0, 9.0, False, True, True)
    assert config.core_prices() == Prices(1.0, 0.5, 1e-6, 2e-6, "EUR")


def test_numbers_as_labels_become_texts(read: Read) -> None:
    assert read("labels: [1, 2]\n").labels == (Label("1", "1"), Label("2", "2"))


def test_a_label_without_display_text_shows_its_name(read: Read) -> None:
    assert read("labels: {a: , b: Bee}\n").labels == (Label("a", "a"), Label("b", "Bee"))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("metrik: accuracy", "there is no key `metrik`", "did you mean `metric`"),
        ("limits: {querys: 3}", "no key `querys` in `limits`", "did you mean `queries`"),
        ("fields: {inputs: a}", "no key `inputs` in `fields`", "did you mean `input`"),
        ("limits: {queries: -5}", "`limits.queries`: must be greater than 0, not `-5`", ""),
        ("limits: {queries: many}", "`limits.queries`: must be a valid integer", ""),
        ("limits: {latency_p95: -1}", "`limits.latency_p95`: must be greater than 0", ""),
        ("limits: {cost_per_query: -1}", "must be greater than or equal to 0", ""),
        ("limits: {tolerance: 3}", "`limits.tolerance`: must be less than or equal to 1", ""),
        ("limits: {fit_seconds: .inf}", "`limits.fit_seconds`: must be a finite number", ""),
        ("limits: {queries: true}", "must be a number, not true", ""),
        ("limits: fast", "`limits`: must hold `key: value` lines", ""),
        ("prices: {hour: -1}", "`prices.hour`: must be greater than or equal to 0", ""),
        ("allow_leakage: [exakt]", "must be 'exact' or 'near', not `exakt`", ""),
        ("labels: [yes, no]", "put it in quotes", ""),
        ("labels: [a]", "at least two labels, there is 1", ""),
        ("labels: []", "at least two labels, there is none", ""),
        ("labels: [a, a]", "`a` stands twice", ""),
        ("labels: {a: Same, b: same}", "`a` and `b` are shown by the same text", ""),
        ("labels: a, b", "must be a list of names", ""),
        ("labels: [{a: b}, c]", "each label is a short text", ""),
        ("name: ../up", "is used in file names", ""),
        ("fields: {input: []}", "must be a column, a list of columns", ""),
        ("instruction: [a]", "`instruction`: must be a valid string", ""),
        ("limits: {a: 1, b: 2}", "(1 more such in this file)", ""),
        ("1: 2", "the key `1` is not a text", ""),
    ],
)
def test_a_bad_key_is_named_with_its_file(read: Read, text: str, message: str, hint: str) -> None:
    with pytest.raises(TaskError) as caught:
        read(text + "\n")
    assert "task.yaml`" in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "the key `data` is missing"),
        ("data: {dev: d.csv}", "names neither `train` nor `file`"),
        ("data: {file: a.csv, test: t.csv}", "names both `file` and `test`"),
        ("data: {train: a.csv, proportions: {}}", "`proportions` goes with `file`"),
        ("data: {file: a.csv, proportions: {train: .5}, dev: 3}", "must be a valid string"),
        ("data: {file: a, proportions: {train: .9, dev: .3, test: .1}}", "add up to 1, not 1.3"),
        ("data: {file: a, proportions: {train: 0, dev: .5, test: .5}}", "must each be above 0"),
        ("data: [a.csv]", "`data`: must hold `key: value` lines"),
        ("data: {tain: a.csv}", "there is no key `tain` in `data`"),
    ],
)
def test_a_bad_data_section_is_named(read: Read, data: str, message: str) -> None:
    with pytest.raises(TaskError) as caught:
        read("name: x\n", data + "\n")
    assert message in caught.value.message


def test_yaml_that_is_a_list_is_refused(read: Read) -> None:
    with pytest.raises(TaskError, match=r"is a list; a task is written as `key: value` lines"):
        read("- name: x\n", "")


def test_yaml_of_comments_alone_is_refused(read: Read) -> None:
    with pytest.raises(TaskError, match="is empty"):
        read("# nothing\n", "")


def test_broken_yaml_names_the_line(read: Read) -> None:
    with pytest.raises(TaskError, match=r"task\.yaml:2` is not valid YAML"):
        read("instruction: Answer: yes\n")


def test_yaml_cannot_make_objects(read: Read) -> None:
    with pytest.raises(TaskError, match="is not valid YAML"):
        read("name: !!python/object/apply:os.getcwd []\n")


def test_a_missing_task_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="There is no file") as caught:
        read_config(tmp_path / "task.yaml")
    assert "accordeur init" in caught.value.hint


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "task.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\r\ndata: rows.csv\r\n")
    assert read_config(path).name == "x"
