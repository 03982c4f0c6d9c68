"""Assertions by name: `load_kind("contains")`.

Names and meanings are those of promptfoo (docs/eval.md says where ours differ); any of them may be
turned round with `not-`. An assertion kind is one file here and one line in the table below;
outside packages join through the entry point group `accordeur.assertions` (a `Kind`).

This module imports no kind before it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from accordeur.core.errors import PlanError
from accordeur.core.registry import Registry, unknown_name
from accordeur.measure.assertions.assertion import Kind

_HERE = "accordeur.measure.assertions"

ASSERTIONS = Registry(
    "accordeur.assertions",
    "assertion",
    {
        "equals": f"{_HERE}.equals:EQUALS",
        "contains": f"{_HERE}.contains:CONTAINS",
        "icontains": f"{_HERE}.contains:ICONTAINS",
        "contains-any": f"{_HERE}.contains:CONTAINS_ANY",
        "icontains-any": f"{_HERE}.contains:ICONTAINS_ANY",
        "contains-all": f"{_HERE}.contains:CONTAINS_ALL",
        "icontains-all": f"{_HERE}.contains:ICONTAINS_ALL",
        "starts-with": f"{_HERE}.starts_with:STARTS_WITH",
        "regex": f"{_HERE}.regex:REGEX",
        "is-json": f"{_HERE}.json_shape:IS_JSON",
        "contains-json": f"{_HERE}.json_shape:CONTAINS_JSON",
        "levenshtein": f"{_HERE}.levenshtein:LEVENSHTEIN",
        "rouge-n": f"{_HERE}.rouge_n:ROUGE_N",
        "similar": f"{_HERE}.similar:SIMILAR",
        "latency": f"{_HERE}.latency:LATENCY",
        "cost": f"{_HERE}.cost:COST",
        "perplexity": f"{_HERE}.perplexity:PERPLEXITY",
        "perplexity-score": f"{_HERE}.perplexity:PERPLEXITY_SCORE",
        "python": f"{_HERE}.python:PYTHON",
        "llm-rubric": f"{_HERE}.llm_rubric:LLM_RUBRIC",
    },
)

_RUBRIC = "`llm-rubric` with the question written out"
_PYTHON = "`python` with --allow-code"

INSTEAD: Mapping[str, str] = {
    "javascript": _PYTHON,
    "ruby": _PYTHON,
    "webhook": _PYTHON,
    "word-count": _PYTHON,
    "is-sql": _PYTHON,
    "contains-sql": _PYTHON,
    "is-xml": _PYTHON,
    "contains-xml": _PYTHON,
    "is-html": _PYTHON,
    "contains-html": _PYTHON,
    "bleu": "`rouge-n`",
    "gleu": "`rouge-n`",
    "meteor": "`rouge-n`",
    "classifier": _RUBRIC,
    "moderation": _RUBRIC,
    "factuality": _RUBRIC,
    "model-graded-factuality": _RUBRIC,
    "model-graded-closedqa": _RUBRIC,
    "answer-relevance": _RUBRIC,
    "context-faithfulness": _RUBRIC,
    "context-recall": _RUBRIC,
    "context-relevance": _RUBRIC,
    "conversation-relevance": _RUBRIC,
    "g-eval": _RUBRIC,
    "agent-rubric": _RUBRIC,
    "search-rubric": _RUBRIC,
    "pi": _RUBRIC,
    "is-refusal": "`icontains-any` with the words of a refusal, or `llm-rubric`",
    "guardrails": _RUBRIC,
    "similar:cosine": "`similar`, which is the cosine",
    "similar:dot": "`similar`: our vectors have length 1, so the cosine is the same",
    "similar:euclidean": "`similar`",
    "select-best": "`prefer` in the config and --compare A B, which asks in both orders",
    "max-score": "--compare A B",
    "assert-set": "its assertions one by one; `threshold` of the test adds their scores up",
    "finish-reason": "the count of truncated answers in the summary",
}
"""What other tools know and we refuse -> the nearest thing that we have."""


@cache
def load_kind(name: str) -> Kind:
    """The kind of this name, without `not-`.

    Raises:
        PlanError: there is none; the message names the nearest thing there is.
    """
    if name not in ASSERTIONS.table:
        if name in INSTEAD:
            raise PlanError(
                f"The assertion `{name}` is not read here.", hint=f"use {INSTEAD[name]}"
            )
        raise unknown_name("assertion", name, ASSERTIONS.names())
    kind: Kind = ASSERTIONS.load(name)
    return kind


def split_kind(name: str) -> tuple[str, bool]:
    """A name as written -> the kind's name, and whether it is turned round by `not-`."""
    return (name[4:], True) if name.startswith("not-") else (name, False)
