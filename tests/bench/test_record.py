"""`record.json` has every field that docs/run-record.md names, and the verdict says its numbers."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.finished import Run
from accordeur.store.run_folder import RunFolder
from accordeur.testing.puzzle import puzzle_labels

Go = Callable[..., Run]

DOC = Path(__file__).parents[2] / "docs" / "run-record.md"
NUMBER = (int, float)
MAYBE = (int, float, type(None))
TEXT = (str,)
MAYBE_TEXT = (str, type(None))
INTERVAL = {"low": NUMBER, "high": NUMBER, "level": NUMBER, "method": TEXT}
WITH_INTERVAL = {"value": NUMBER, "interval": INTERVAL}
MEASURED = {
    "score": MAYBE,
    "n": NUMBER,
    "interval": INTERVAL,
    "statuses": dict,
    "missing": NUMBER,
    "extra": dict,
}
SCHEMA: dict[str, Any] = {
    "format": NUMBER,
    "run": TEXT,
    "created": TEXT,
    "accordeur": TEXT,
    "task": {
        **dict.fromkeys(("name", "description", "instruction", "kind", "metric"), TEXT),
        **dict.fromkeys(("metric_title", "digest", "splits"), TEXT),
        "labels": [{"name": TEXT, "text": TEXT}],
        "counts": dict.fromkeys(("train", "dev", "test", "unlabelled"), NUMBER),
        "limits": dict,
        "prices": dict,
    },
    "plan": {"hash": TEXT, "seed": NUMBER, "screening": (bool,), "effort": NUMBER},
    "model": {
        **dict.fromkeys(("name", "digest", "engine", "dtype", "device", "licence"), TEXT),
        "threads": NUMBER,
        "deterministic": (bool,),
    },
    "preflight": [{"name": TEXT, "level": TEXT, "message": TEXT, "ids": list, "allow": MAYBE_TEXT}],
    "first_prompt": TEXT,
    "entries": [
        {
            **dict.fromkeys(("name", "title", "kind", "describe", "status", "reason"), TEXT),
            **dict.fromkeys(("configuration", "configuration_id"), MAYBE_TEXT),
            "configurations": NUMBER,
            "withholding": (dict, type(None)),
            "dev": MEASURED,
            "test": MEASURED,
            **dict.fromkeys(("est", "optimism", "shortfall"), MAYBE),
            "close": (bool,),
            "eligible": (bool,),
            "ineligible_because": TEXT,
            "against_as_is": {
                "split": TEXT,
                "difference": NUMBER,
                "interval": INTERVAL,
                "test": TEXT,
                **dict.fromkeys(("p", "p_holm", "b", "c"), MAYBE),
            },
            "cost": {
                **dict.fromkeys(("fit_seconds", "queries", "trained_parameters"), NUMBER),
                **dict.fromkeys(("make", "use", "cold_seconds", "latency_p95"), MAYBE),
                "latency_queries": NUMBER,
                **dict.fromkeys(("total", "bytes", "peak_memory"), MAYBE),
                "currency": TEXT,
            },
            "tokens": {"logical": NUMBER, "computed": NUMBER},
            "needs": TEXT,
            "prompt": TEXT,
            "confusion": {"split": TEXT, "labels": list, "matrix": list, "other": list},
        }
    ],
    "ledger": [
        {
            **dict.fromkeys(("entry", "configuration", "configuration_id"), TEXT),
            **dict.fromkeys(("score", "k"), MAYBE),
            **dict.fromkeys(("n", "seconds", "tokens"), NUMBER),
            "competes": (bool,),
            "interval": INTERVAL,
        }
    ],
    "curve": [dict.fromkeys(("k", "score", "low", "high", "n"), NUMBER)],
    "decision": {
        "hash": TEXT,
        **dict.fromkeys(("pick", "configuration", "word", "ranked_by"), MAYBE_TEXT),
        **dict.fromkeys(("sureness", "detectable_difference", "rows_needed"), MAYBE),
        "tolerance": NUMBER,
        "tied_with": list,
        "too_few": (bool,),
        "unconfirmed": (bool,),
        "best_language_model": MAYBE_TEXT,
    },
    "lost": (dict, type(None)),
    "held_out": {
        "n": NUMBER,
        "openings": NUMBER,
        "primary": {
            **dict.fromkeys(("candidate", "against", "test", "outcome"), TEXT),
            "difference": NUMBER,
            "interval": INTERVAL,
            "p": MAYBE,
        },
        "shrinkage": dict.fromkeys(("dev", "est", "test"), NUMBER),
    },
    "ladder": (dict, type(None)),  # tests/bench/ladder looks into it
    "forgetting": {
        "scope": TEXT,
        "entries": [
            {
                **dict.fromkeys(("name", "status", "reason"), TEXT),
                "seconds": MAYBE,
                "general": {
                    **dict.fromkeys(("passages", "tokens"), NUMBER),
                    **dict.fromkeys(("base", "active", "ratio"), WITH_INTERVAL),
                },
                "other": {
                    "name": TEXT,
                    **dict.fromkeys(("n", "lost", "gained", "most_frequent"), NUMBER),
                    **dict.fromkeys(("base", "active", "difference", "same_answer"), WITH_INTERVAL),
                },
                "off": {
                    "how": TEXT,
                    "identical": (bool, type(None)),
                    "passages": NUMBER,
                    "greatest_difference": MAYBE,
                },
                **dict.fromkeys(("seed", "resamples"), MAYBE),
            }
        ],
    },
    "pairs": [{"a": TEXT, "b": TEXT, "split": TEXT, "difference": NUMBER, "interval": INTERVAL}],
    "break_even": [{"a": TEXT, "b": TEXT, "queries": (int, float, str, type(None))}],
    "verdict": {"headline": TEXT, "paragraph": TEXT, "sentences": list},
    "label_next": {"n_more": NUMBER, "ids": list},
    "environment": {"python": TEXT, "platform": TEXT, "cpu": TEXT, "packages": dict},
    "rows_shown": TEXT,
}
"""docs/run-record.md as types; objects that may be null are given where they are there."""

NULLABLE = {
    *("model", "dev", "test", "against_as_is", "confusion", "decision", "held_out", "primary"),
    *("label_next", "interval", "cost", "general", "other", "off"),
}


def problems(value: Any, schema: Any, place: str = "record") -> Iterator[str]:
    """What is missing or of another type."""
    name = place.rpartition(".")[2]
    if value is None and name in NULLABLE:
        return
    if isinstance(schema, dict):
        if not isinstance(value, Mapping):
            yield f"{place} is no object"
            return
        for key, inner in schema.items():
            if key not in value:
                yield f"{place}.{key} is missing"
            else:
                yield from problems(value[key], inner, f"{place}.{key}")
    elif isinstance(schema, list):
        if not isinstance(value, list):
            yield f"{place} is no list"
            return
        for item in value:
            yield from problems(item, schema[0], place)
    elif not isinstance(value, schema):
        yield f"{place} is a {type(value).__name__}"


def fields_of(schema: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths to every field."""
    if isinstance(schema, list):
        schema = schema[0]
    if isinstance(schema, dict):
        for key, inner in schema.items():
            yield (*place, key)
            yield from fields_of(inner, (*place, key))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    from accordeur.bench.run import run
    from accordeur.testing.puzzle import KnowingModel
    from accordeur.testing.scripted import ScriptedSource

    place = tmp_path_factory.mktemp("record")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACCORDEUR_CACHE", str(place / "cache"))
        return run(
            puzzle_labels(place / "task"),
            model="scripted",
            source=ScriptedSource(KnowingModel()),
            levers="few-shot,few-shot+calibration",
            settings={"calibration": {"methods": ("content-free",)}},
            effort=3,
            forgetting="full",
            runs=place / "runs",
        )


def test_the_record_has_every_documented_field(finished: Run) -> None:
    assert list(problems(finished.record, SCHEMA)) == []


def test_records_of_other_kinds_of_runs_have_them_too(tmp_path: Path, go: Go) -> None:
    small = puzzle_labels(tmp_path / "small", {"file": 30, "unlabelled": 5})
    assert list(problems(go(small).record, SCHEMA)) == []
    floors = go(puzzle_labels(tmp_path / "floors"), model="none", levers="all", settings=None)
    assert list(problems(floors.record, SCHEMA)) == []


def test_a_missing_field_is_noticed(finished: Run) -> None:
    for path in fields_of(SCHEMA):
        if "label_next" in path[:1] and len(path) > 1:
            continue  # null in this record
        if "difference" in path[:-1] and "forgetting" in path:
            continue  # its interval is null too: no row changed sides
        record = copy.deepcopy(dict(finished.record))
        parents: list[Any] = [record]
        for key in path[:-1]:
            parents = [
                inner
                for parent in parents
                for inner in (parent[key] if isinstance(parent[key], list) else [parent[key]])
                if inner is not None
            ]
        assert parents, path
        del parents[-1][path[-1]]
        assert any(path[-1] in one for one in problems(record, SCHEMA)), path


def test_the_schema_and_the_document_name_the_same_fields() -> None:
    block = DOC.read_text(encoding="utf-8").split("```")[1]
    words = set(re.findall(r"[a-z_0-9]+", block))
    missing = {path[-1] for path in fields_of(SCHEMA)} - words
    assert missing == set(), "fields that docs/run-record.md does not name"
    tops = set(re.findall(r"^([a-z_]+) ", block, flags=re.MULTILINE))
    assert tops == set(SCHEMA)


def test_nothing_in_the_record_is_nan_or_beyond_json(finished: Run) -> None:
    data = json.dumps(finished.record, allow_nan=False)
    assert json.loads(data) == finished.record
    on_disk = json.loads((finished.folder / "record.json").read_text(encoding="utf-8"))
    assert on_disk == finished.record


def test_the_verdict_says_the_numbers_of_the_record(finished: Run) -> None:
    record = finished.record
    entry = next(one for one in record["entries"] if one["name"] == record["decision"]["pick"])
    said = finished.verdict.paragraph + " " + " ".join(finished.verdict.sentences)

    def shown(value: float) -> str:
        return f"{100 * value:.1f}"

    assert finished.verdict.pick == "few-shot"
    assert finished.verdict.headline.startswith(f"Use `few-shot` ({entry['configuration']})")
    assert record["decision"]["word"] in finished.verdict.headline
    assert f"{record['decision']['sureness']:.0%} of resamples" in finished.verdict.headline
    for value in (entry["dev"]["score"], entry["est"], entry["test"]["score"]):
        assert shown(value) in said
    assert f"On {entry['dev']['n']} dev rows" in said
    assert f"n={entry['test']['n']}" in said
    primary = record["held_out"]["primary"]
    assert shown(abs(primary["difference"])) in said
    for bound in ("low", "high"):
        assert shown(abs(primary["interval"][bound])) in said
        assert shown(entry["test"]["interval"][bound]) in said
    assert "The gain is confirmed" in said
    assert entry["cost"]["currency"] in said
    assert f"{entry['cost']['queries']:,} queries" in said
    assert "Held-out rows were opened once." in said
    assert str(finished.verdict) == finished.verdict.paragraph
    for other in record["entries"]:
        if other["kind"] == "lever" and other["name"] != "few-shot":
            needed = shown(other["shortfall"] - record["decision"]["tolerance"])
            assert f"`{other['name']}`: to be close it would need {needed} points more." in said
            assert f"{needed} points more" in other["needs"]


def test_numbers_of_the_record_agree_with_the_rows_on_disk(finished: Run) -> None:
    folder = RunFolder.open(finished.folder)
    for entry in finished.record["entries"]:
        for split in ("dev", "test"):
            rows = folder.read_answers(split, entry["configuration_id"])
            scores = [row.score or 0.0 for row in rows.values()]
            assert entry[split]["score"] == pytest.approx(sum(scores) / len(scores))
            assert entry[split]["n"] == len(scores) == 60
        matrix = entry["confusion"]["matrix"]
        assert sum(map(sum, matrix)) + sum(entry["confusion"]["other"]) == 60
        hits = sum(matrix[place][place] for place in range(len(matrix)))
        assert hits / 60 == pytest.approx(entry["test"]["score"])
        cost = entry["cost"]
        assert cost["total"] == pytest.approx(cost["make"] + cost["queries"] * cost["use"])
    assert finished.record["decision"]["hash"] == folder.sha256("decision.json")
