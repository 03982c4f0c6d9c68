"""Both config formats: what is read, and what is refused by name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accordeur.bench.matrix.config import read_matrix
from accordeur.bench.matrix.matrix import Case, Matrix, columns
from accordeur.bench.matrix.plan import make_plan
from accordeur.core.errors import AccordeurError, CodeNotAllowed, TaskError


def read(tmp_path: Path, text: str, **options: Any) -> Matrix:
    config = tmp_path / "config.yaml"
    config.write_text(text, encoding="utf-8")
    return read_matrix(config, **options)


def cases(matrix: Matrix) -> list[Case]:
    return list(matrix.cases)


def test_five_lines_are_enough(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("input,expected\nI lost it,card\nHello,other\n")
    matrix = read(
        tmp_path,
        'prompts: ["Which team? {{ input }}"]\nmodels: [local/smollm2]\ncases: cases.csv\n'
        'check: [{icontains: "{{ expected }}"}]\nthreshold: 0.9\n',
    )
    assert [one.fields["expected"] for one in matrix.cases] == ["card", "other"]
    assert matrix.threshold == 0.9
    assert matrix.name == "config"


def test_names_of_models_in_both_spellings(tmp_path: Path) -> None:
    names = ["openai:chat:gpt-x", "openai:gpt-x", "openai/gpt-x", "ollama:chat:llama3.2:1b"]
    names += ["google:gemini-x", "anthropic:messages:claude-x", "echo", "local:smollm2"]
    matrix = read(tmp_path, yaml.safe_dump({"prompts": ["hi"], "providers": names, "tests": []}))
    assert [one.model for one in matrix.providers] == [
        *["openai/gpt-x"] * 3,
        "ollama/llama3.2:1b",
        "gemini/gemini-x",
        "anthropic/claude-x",
        "echo",
        "local/smollm2",
    ]
    assert len({one.label for one in matrix.providers}) == len(names)


def test_settings_of_a_model(tmp_path: Path) -> None:
    matrix = read(
        tmp_path,
        """
        prompts: [{label: a, raw: "{{q}}"}, {label: b, raw: "{{q}}!"}]
        providers:
          - {id: "openai:chat:x", label: X, prompts: [b], config: {temperature: 0.5, max_tokens: 9}}
          - openai:y: {config: {apiBaseUrl: "http://127.0.0.1:1/v1", seed: 3}}
        tests: [{vars: {q: hi}}]
        """,
    )
    first, second = matrix.providers
    assert (first.sampling.temperature, first.sampling.max_tokens) == (0.5, 9)
    assert (second.base_url, second.sampling.seed) == ("http://127.0.0.1:1/v1", 3)
    assert [one.label for one in columns(matrix)] == ["b | X", "a | openai:y", "b | openai:y"]


def test_defaults_lists_of_values_and_options(tmp_path: Path) -> None:
    matrix = read(
        tmp_path,
        """
        prompts: ["{{city}} {{tone}}"]
        providers: [echo]
        defaultTest:
          vars: {tone: kind}
          assert: [{type: contains, value: "{{tone}}"}]
          threshold: 0.5
          options: {prefix: "In ", suffix: "."}
        tests:
          - vars: {city: [Bern, Oslo], tone: [kind, gruff]}
            assert: [{type: icontains, value: "{{city}}", weight: 2, metric: city}]
          - vars: {city: [Rome]}
            options: {disableVarExpansion: true, prefix: "At "}
        """,
    )
    found = cases(matrix)
    pairs = [(one.fields["city"], one.fields["tone"]) for one in found]
    assert set(pairs[:4]) == {(c, t) for c in ("Bern", "Oslo") for t in ("kind", "gruff")}
    assert pairs[4] == (["Rome"], "kind")
    assert [len(one.checks) for one in found] == [2, 2, 2, 2, 1]
    assert {one.threshold for one in found} == {0.5}
    assert [one.before for one in found] == ["In "] * 4 + ["At "]
    assert len({one.id for one in found}) == 5


def test_columns_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text(
        "q,__expected1,__expected2,__expected3,__metric,__threshold,__description,__metadata:tags[],"
        "__config:__expected2:threshold,__prefix\n"
        'one,Paris,"similar(0.6): big city","contains-any: a,""b, c""",m,0.7,first,'
        '"x,y\\,z",0.4,Now\n'
        "two,not-icontains: no,,,,,,,0.1,\n"
        "three,http://x.org,llm-rubric: is kind,grade: is short,,,,,0.1,\n"
    )
    matrix = read(
        tmp_path,
        "prompts: ['{{q}}']\nproviders: [echo]\ntests: file://cases.csv\n"
        "defaultTest: {options: {provider: 'openai:judge'}}\n",
    )
    one, two, three = cases(matrix)
    assert [(c.name, c.value, c.threshold) for c in one.checks] == [
        ("equals", "Paris", None),
        ("similar", "big city", 0.4),
        ("contains-any", 'a,"b, c"', None),
    ]
    assert {c.metric for c in one.checks} == {"m"}
    assert (one.threshold, one.description, one.before) == (0.7, "first", "Now")
    assert one.metadata == {"tags": ["x", "y,z"]}
    assert one.fields == {"q": "one"}
    assert [c.name for c in two.checks] == ["not-icontains"]
    assert [(c.name, c.judge) for c in three.checks] == [
        ("equals", ""),
        ("llm-rubric", "openai/judge"),
        ("llm-rubric", "openai/judge"),
    ]


def test_json_lines_hold_fields_or_tests(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text(
        '{"q": "a", "check": [{"contains": "x"}], "id": "first"}\n'
        '{"vars": {"q": "b"}, "assert": [{"type": "is-json"}]}\n'
    )
    matrix = read(tmp_path, "models: [echo]\nprompts: ['{{q}}']\ncases: cases.jsonl\n")
    one, two = cases(matrix)
    assert (one.id, one.checks[0].name, one.fields["q"]) == ("first", "contains", "a")
    assert (two.checks[0].name, two.fields) == ("is-json", {"q": "b"})


def test_prompts_from_files(tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("One {{q}}\n---\nTwo {{q}}\n")
    (tmp_path / "chat.json").write_text('[{"role": "user", "content": "{{q}}"}]')
    (tmp_path / "chat.yaml").write_text(
        "- role: developer\n  content: Be kind.\n- {role: user, content: '{{q}}'}\n"
    )
    matrix = read(
        tmp_path,
        "prompts: [file://two.txt, chat.json, chat.yaml, 'in line']\n"
        "models: [echo]\ncases: [{q: 1}]\n",
    )
    assert [one.turns[0] for one in matrix.prompts] == [
        ("user", "One {{q}}"),
        ("user", "Two {{q}}"),
        ("user", "{{q}}"),
        ("system", "Be kind."),
        ("user", "in line"),
    ]
    assert [one.chat for one in matrix.prompts] == [False, False, True, True, False]


HEAD = "prompts: ['{{q}}']\nproviders: [echo]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "mapping"),
        ("a: [", "not YAML"),
        ("prompts: [x]", "neither models nor cases"),
        ("models: [echo]\ntests: []", "mixes two formats"),
        (HEAD + "tests: [{vars: {q: 1}, asserts: []}]", "no key `asserts`"),
        (HEAD + "scenarios: []", "`scenarios`"),
        (HEAD + "tests: [{vars: {q: 1}, assert: [{type: javascript, value: x}]}]", "`javascript`"),
        (HEAD + "tests: [{vars: {q: 1}, assert: [{type: equal, value: x}]}]", "`equal`"),
        (HEAD + "tests: [{vars: {q: 1}, assert: [{type: contains}]}]", "needs a value"),
        (HEAD + "tests: [{vars: {q: 1}, assert: [{type: latency}]}]", "needs a threshold"),
        (HEAD + "tests: [{vars: {q: 1}, assert: [{type: llm-rubric, value: x}]}]", "judges"),
        (HEAD + "tests: [{vars: {q: 1}, assert: [{type: regex, value: '('}]}]", "regular"),
        (HEAD + "tests: [{vars: {q: 1}, options: {transform: x}}]", "`transform`"),
        (HEAD + "tests: [{vars: {p: 1}}]", "'q' is undefined"),
        (HEAD + "tests: https://example.org/cases.csv", "not on this machine"),
        (HEAD + "tests: missing.csv", "no file"),
        ("prompts: [p.py]\nmodels: [echo]\ncases: [{q: 1}]", "is a program"),
        ("prompts: ['{% if %}']\nmodels: [echo]\ncases: [{q: 1}]", "cannot be read"),
        ("prompts: [x]\nproviders: ['file://p.py']\ntests: []", "is a program"),
        ("prompts: [x]\nproviders: ['openai:embedding:x']\ntests: []", "chat completions"),
        ("prompts: [x]\nproviders: [{id: 'openai:x', config: {apiKey: s}}]\ntests: []", "`apiKey`"),
        ("prompts: [x]\nproviders: [nobody]\ntests: []", "no model named"),
        ('prompts: [\'[{"role": "user"\']\nmodels: [echo]\ncases: [{q: 1}]', "not JSON"),
        ("prompts: [[{role: tool, content: x}]]\nmodels: [echo]\ncases: [{q: 1}]", "messages"),
        ("models: [echo]\ncases: [{q: .nan}]", "no number"),
        ("models: [echo]\ncases: [{input: x}]\nthreshold: 90", "threshold"),
        ("models: [{model: echo, temperature: 9}]\ncases: [{input: x}]", "temperature"),
        ("models: [echo]\ncases: [{input: x}]\ncheck: [{contains: 2026-01-01}]", "date"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AccordeurError) as caught:
        make_plan(read(tmp_path, text))
    assert said in caught.value.message + caught.value.hint


def test_code_needs_leave_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("q,__expected\n1,python: len(output) > 1\n")
    for text in (
        HEAD + "tests: cases.csv",
        HEAD + "tests: [{vars: {q: 1}, assert: [{type: python, value: 'True'}]}]",
    ):
        with pytest.raises(CodeNotAllowed):
            make_plan(read(tmp_path, text))
        make_plan(read(tmp_path, text, allow_code=True))
    text = HEAD + "tests: [{vars: {q: 1}, assert: [{type: python, value: 'file://../x.py'}]}]"
    with pytest.raises(TaskError, match="no Python file in the config's folder"):
        make_plan(read(tmp_path, text, allow_code=True))


def test_values_of_rows_are_no_templates_and_name_no_files(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hidden")
    (tmp_path / "cases.csv").write_text("q\n{{ 7 * 6 }}\nfile://secret.txt\n")
    matrix = read(tmp_path, HEAD + "tests: cases.csv")
    assert [one.fields["q"] for one in matrix.cases] == ["{{ 7 * 6 }}", "file://secret.txt"]
    inline = read(tmp_path, HEAD + "tests: [{vars: {q: 'file://secret.txt'}}]")
    assert cases(inline)[0].fields["q"] == "hidden"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["vars", "assert", "type", "value", "id", "config", "raw", "label", "role"]
            )
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)
top = st.sampled_from(
    [
        "prompts",
        "providers",
        "tests",
        "defaultTest",
        "description",
        "evaluateOptions",
        "models",
        "cases",
        "check",
        "threshold",
        "repeat",
        "judge",
        "prefer",
        "name",
    ]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(top, anything, max_size=5))
def test_any_config_is_read_or_refused_with_a_message(tmp_path: Path, data: Any) -> None:
    text = yaml.safe_dump({"providers": ["echo"], "prompts": ["x"], **data}, allow_unicode=True)
    with suppress(AccordeurError):
        make_plan(read(tmp_path, text))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_message(tmp_path: Path, text: str) -> None:
    (tmp_path / "cases.csv").write_text(f"q,__expected\n{text}", encoding="utf-8", newline="")
    with suppress(AccordeurError):
        make_plan(read(tmp_path, HEAD + "tests: cases.csv", allow_code=False))
