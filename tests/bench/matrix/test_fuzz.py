"""Whatever lies in the files of an evaluation, it ends in a summary or in a message."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accordeur.core.errors import AccordeurError

from .conftest import Evaluate

FUZZ = settings(
    max_examples=int(os.environ.get("ACCORDEUR_FUZZ", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
OURS = "prompts: ['{{ input }}']\nmodels: [echo]\ncheck: [{contains: a}]\ncases: "
THEIRS = "prompts: ['{{ input }}']\nproviders: [echo]\ntests: "

KEYS = [
    "input",
    "expected",
    "check",
    "id",
    "vars",
    "assert",
    "__expected",
    "__expected1",
    "__metric",
    "__threshold",
    "description",
    "messages",
    "__config:__expected1:threshold",
    "__metadata:a",
]
VALUES = [
    "contains:a",
    "regex:(",
    "is-json",
    "similar(0.8):x",
    "0.5",
    "file://../x.py",
    "=1+1",
    "1e999",
    "nan",
]
ODD = ("python: 1/0", "", "\n", '"', "{{ x", "{% raw %}", "\x00", "\ud800", "e" * 200)
words = st.sampled_from([*KEYS, *VALUES, *ODD])
value: st.SearchStrategy[Any] = st.recursive(
    words | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)
lines = st.lists(st.lists(words | st.text(max_size=5), max_size=4).map(",".join), max_size=5)


def ends(run: Evaluate, config: str) -> None:
    with suppress(AccordeurError):
        run(config)


@pytest.mark.parametrize("head", [OURS, THEIRS])
@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "yaml"])
@FUZZ
@given(
    data=st.binary(max_size=120) | lines.map(lambda one: "\n".join(one).encode(errors="replace"))
)
def test_cases_in_any_bytes(
    run: Evaluate, tmp_path: Path, head: str, ending: str, data: bytes
) -> None:
    (tmp_path / f"cases.{ending}").write_bytes(data)
    ends(run, f"{head}cases.{ending}\n")


@pytest.mark.parametrize("head", [OURS, THEIRS])
@pytest.mark.parametrize("ending", ["jsonl", "json", "yaml"])
@FUZZ
@given(rows=st.lists(st.dictionaries(words, value, max_size=4) | value, max_size=3))
def test_cases_of_any_shape(
    run: Evaluate, tmp_path: Path, head: str, ending: str, rows: list[Any]
) -> None:
    told = json.dumps(rows) if ending == "json" else "\n".join(json.dumps(one) for one in rows)
    if ending == "yaml":
        told = yaml.safe_dump(rows)
    (tmp_path / f"cases.{ending}").write_text(told, encoding="utf-8", errors="replace")
    ends(run, f"{head}cases.{ending}\n")


@FUZZ
@given(data=st.binary(max_size=200))
def test_a_config_of_any_bytes(run: Evaluate, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "inner.yaml").write_bytes(data)
    ends(run, "prompts: [file://inner.yaml]\nproviders: [echo]\ntests: file://inner.yaml\n")
    (tmp_path / "labels.csv").write_bytes(data)
    with suppress(AccordeurError):
        run(THEIRS + "[{vars: {input: a}}]", judge_labels=tmp_path / "labels.csv")


@FUZZ
@given(
    top=st.dictionaries(
        st.sampled_from(["prompts", "providers", "tests", "defaultTest", "evaluateOptions"]),
        value,
        max_size=4,
    )
)
def test_a_config_of_any_shape(run: Evaluate, top: dict[str, Any]) -> None:
    known = {"prompts": ["{{ input }}"], "providers": ["echo"], "tests": [{"vars": {"input": "a"}}]}
    ends(run, yaml.safe_dump({**known, **top}).encode(errors="replace").decode())
