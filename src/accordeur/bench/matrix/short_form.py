"""Our own short form:

    prompts: ["Is this spam? Answer yes or no. {{ input }}"]
    models: [local/smollm2, openai/gpt-4o-mini]
    cases: cases.csv
    check: [{icontains: "{{ expected }}"}]
    threshold: 0.9

The fields of a case are its columns. `check` holds what is asked of every answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.bench.matrix.cases import Cases, Defaults, sources_of
from accordeur.bench.matrix.checks import read_check
from accordeur.bench.matrix.keys import as_list, check_keys, number, text, whole
from accordeur.bench.matrix.matrix import Matrix, Reading
from accordeur.bench.matrix.prompts import read_prompts
from accordeur.bench.matrix.providers import read_judge, read_providers
from accordeur.core.errors import TaskError

KEYS = (
    "name",
    "prompts",
    "prompt",
    "models",
    "model",
    "cases",
    "check",
    "threshold",
    "repeat",
    "judge",
    "prefer",
)
"""Keys that are read."""

PROMPT = "{{ input }}"
"""Where a config names none, as for bundles, which have one of their own."""


def read_short_form(
    data: Mapping[str, Any], name: str, reading: Reading, *, base_url: str | None
) -> Matrix:
    """A config in our own short form. Arguments and errors as `read_promptfoo`."""
    check_keys(data, "the config", KEYS)
    if "cases" not in data:
        raise TaskError("The config names no cases.", hint="cases: cases.csv")
    if data.get("judge"):
        reading.judge = read_judge(data["judge"], reading)
    checks = tuple(read_check(one, reading, "check") for one in as_list(data.get("check")))
    return Matrix(
        name=text(data.get("name") or name, "name"),
        prompts=read_prompts(data.get("prompts", data.get("prompt", PROMPT)), reading),
        providers=read_providers(data.get("models", data.get("model")), reading, base_url=base_url),
        cases=Cases(
            sources_of(data["cases"], reading), Defaults(checks=checks), reading, expand=False
        ),
        repeat=whole(data.get("repeat", 1), "repeat"),
        threshold=number(data.get("threshold", 1), "threshold", least=0, most=1),
        judge=reading.judge,
        prefer=text(data.get("prefer") or "", "prefer"),
    )
