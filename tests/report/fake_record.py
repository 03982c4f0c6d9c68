"""The record of a fake run: plausible numbers where the statistics would stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from accordeur.store import RunFolder

if TYPE_CHECKING:
    from .fake_run import FakeRun, Kind, Row


def render_prompt(fake: FakeRun, kind: Kind, row: Row) -> str:
    shots = 8 if "few-shot" in kind.name else 0
    turns = "".join(
        f"<|im_start|>user\nAn example message number {place}<|im_end|>\n"
        f"<|im_start|>assistant\nBank transfers<|im_end|>\n"
        for place in range(shots)
    )
    return (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging "
        f"Face<|im_end|>\n{turns}<|im_start|>user\nWhich team should handle this message?\n\n"
        f"{row['input']}<|im_end|>\n<|im_start|>assistant\n"
    )


def build_record(fake: FakeRun, run: RunFolder, entries: list[dict[str, Any]]) -> dict[str, Any]:
    scored = [entry for entry in entries if entry["est"] is not None]
    best = max((entry["est"] for entry in scored), default=0.0)
    for entry in scored:
        entry["shortfall"] = best - entry["est"]
        entry["close"] = entry["shortfall"] <= 0.01
    close = [entry for entry in scored if entry["close"]]
    pick = min(close, key=lambda entry: entry["cost"]["total"]) if close else None
    base = next((entry for entry in scored if entry["name"] == "as-is"), None)
    if pick:
        pick["needs"] = ""
    if base and base["test"]:
        _compare(fake, scored, base, pick)
    return {
        "format": 1,
        "run": run.name,
        "created": "2026-11-21T10:31:02+00:00",
        "accordeur": "0.1.0",
        "task": {
            "name": fake.task,
            "description": f"A task made for tests.{fake.plant}",
            "instruction": "Which team should handle this message?",
            "kind": fake.kind,
            "labels": [{"name": name, "text": name} for name in fake.labels],
            "metric": fake.metric,
            "metric_title": fake.metric,
            "digest": "d" * 64,
            "splits": "given",
            "counts": {"train": 200, "dev": fake.dev, "test": fake.test, "unlabelled": 0},
            "limits": {"queries": fake.queries, "tolerance": 0.01, "latency_p95": 2.0},
            "prices": {
                "hour": 0.1,
                "label": 0.0,
                "input_token": None,
                "output_token": None,
                "currency": "USD",
            },
        },
        "plan": {
            "hash": run.plan_hash,
            "seed": fake.seed,
            "effort": 8,
            "screening": True,
            "entries": [{"name": kind.name} for kind in fake.kinds],
            "note": fake.plant,
        },
        "model": {
            "name": "local/smollm2",
            "digest": "ab" * 32,
            "engine": "local torch 2.13.0",
            "dtype": "bfloat16",
            "threads": 2,
            "device": "cpu",
            "licence": "Apache-2.0",
            "dtype_trial": {"bfloat16": 2512.0, "float32": 801.0},
        },
        "preflight": _preflight(fake),
        "first_prompt": render_prompt(fake, fake.kinds[-1], {"input": "first"}),
        "entries": entries,
        "ledger": _ledger(fake, scored),
        "curve": _curve(fake) if fake.kind == "labels" and scored else [],
        "decision": _decision(fake, pick, scored),
        "held_out": _held_out(fake, pick, base),
        "forgetting": _forgetting(fake, scored),
        "pairs": _pairs(fake, scored),
        "break_even": _break_even(fake, scored),
        "verdict": _verdict(fake, pick),
        "label_next": dict(fake.label_next) if fake.label_next else None,
        "environment": {
            "python": "3.11.7",
            "platform": "Linux 6.1",
            "cpu": "A processor",
            "cores": 2,
            "memory": 8_000_000_000,
            "packages": {"numpy": "2.4.0", "torch": "2.13.0", "transformers": "5.23.0"},
        },
        "rows_shown": "test" if fake.test else "dev",
    }


def _compare(
    fake: FakeRun,
    scored: Sequence[dict[str, Any]],
    base: dict[str, Any],
    pick: dict[str, Any] | None,
) -> None:
    for entry in scored:
        if entry is base:
            continue
        difference = entry["test"]["score"] - base["test"]["score"]
        entry["against_as_is"] = {
            "split": "test",
            "difference": difference,
            "interval": _around(difference),
            "n": fake.test,
            "test": "exact McNemar",
            "p": 0.0004,
            "p_holm": None if entry is pick else 0.0021,
            "b": 90,
            "c": 20,
        }


def _preflight(fake: FakeRun) -> list[dict[str, Any]]:
    return [
        {"name": "counts", "level": "ok", "message": "200 train, 120 dev.", "ids": []},
        {
            "name": "near leakage",
            "level": "warn",
            "message": f"3 rows are nearly alike across splits.{fake.plant}",
            "ids": [f"row-{place}" for place in range(9)],
            "allow": "near",
        },
        {"name": "length", "level": "ok", "message": "Prompts take 92 tokens.", "ids": []},
    ]


def _ledger(fake: FakeRun, scored: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = {kind.name: kind for kind in fake.kinds}
    return [
        {
            "entry": entry["name"],
            "configuration": configuration,
            "configuration_id": f"{entry['name']}/{configuration}",
            "score": entry["dev"]["score"] - 0.01 * place,
            "n": fake.dev,
            "seconds": 3.25 + place,
            "tokens": 12_345,
            "competes": True,
            "k": None,
        }
        for entry in scored
        for place, configuration in enumerate(reversed(kinds[entry["name"]].configurations))
    ]


def _curve(fake: FakeRun) -> list[dict[str, Any]]:
    return [
        {"k": k, "score": score, "low": score - 0.085, "high": score + 0.08, "n": fake.dev}
        for k, score in ((0, 0.41), (1, 0.44), (2, 0.53), (4, 0.61), (8, 0.68), (16, 0.7))
    ]


def _decision(
    fake: FakeRun, pick: dict[str, Any] | None, scored: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    small = not fake.test
    tied = [one["name"] for one in scored if one["close"] and one is not pick]
    return {
        "hash": "c0ffee" * 10 + "abcd",
        "pick": pick["name"] if pick else None,
        "configuration": pick["configuration"] if pick else None,
        "configuration_id": pick["configuration_id"] if pick else None,
        "blocked": "" if pick else "no candidate is eligible",
        "sureness": 0.63 if pick else None,
        "word": "likely" if pick else None,
        "ranked_by": "total cost" if pick else None,
        "tolerance": 0.01,
        "tied_with": tied,
        "detectable_difference": 0.083 if pick else None,
        "rows_needed": 2310 if pick else None,
        "too_few": bool(pick) and small,
        "unconfirmed": small,
        "best_language_model": "few-shot+calibration" if pick and not small else None,
    }


def _held_out(fake: FakeRun, pick: dict[str, Any] | None, base: dict[str, Any] | None) -> Any:
    if not pick or not base or not pick["test"]:
        return None
    return {
        "n": fake.test,
        "openings": 3,
        "primary": {
            "candidate": pick["name"],
            "against": "as-is",
            "difference": pick["test"]["score"] - base["test"]["score"],
            "interval": _around(pick["test"]["score"] - base["test"]["score"]),
            "test": "exact McNemar",
            "p": 0.0000004,
            "outcome": "confirmed",
        },
        "shrinkage": {
            "dev": pick["dev"]["score"],
            "est": pick["est"],
            "test": pick["test"]["score"],
        },
    }


def _forgetting(fake: FakeRun, scored: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One entry measured, one skipped; nothing asked of runs without a held-out split."""
    names = [entry["name"] for entry in scored if entry["kind"] == "lever"] if fake.test else []
    nothing = dict.fromkeys(("general", "other", "off", "seed", "resamples"))
    found: list[dict[str, Any]] = [
        {"name": name, "status": "skipped", "reason": f"the time budget was spent{fake.plant}"}
        | {"seconds": None, **nothing}
        for name in names
    ]
    if found:
        found[0] |= {
            "status": "measured",
            "reason": "",
            "seconds": 9.1,
            "general": {
                "passages": 26,
                "tokens": 2517,
                "base": _perplexity(42.71, 7.1),
                "active": _perplexity(51.3, 8.2),
                "ratio": _perplexity(1.201, 0.06),
            },
            "other": None
            if fake.kind == "text"
            else {
                "name": f"finance{fake.plant}",
                "n": 40,
                "base": {"value": 0.225, "interval": _around(0.225)},
                "active": {"value": 0.15, "interval": _around(0.15)},
                "difference": {"value": -0.075, "interval": _around(-0.075)},
                "lost": 4,
                "gained": 1,
                "same_answer": {"value": 0.775, "interval": _around(0.775)},
                "most_frequent": 0.2,
            },
            "off": {"how": "base", "identical": True, "passages": 5, "greatest_difference": 0.0},
            "seed": 7,
            "resamples": 2000,
        }
    return {"scope": "full", "entries": found}


def _perplexity(value: float, spread: float) -> dict[str, Any]:
    bounds = {"low": value - spread, "high": value + spread, "level": 0.95}
    return {"value": value, "interval": {**bounds, "method": "bootstrap over passages"}}


def _pairs(fake: FakeRun, scored: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    split = "test" if fake.test else "dev"
    return [
        {
            "a": a["name"],
            "b": b["name"],
            "split": split,
            "difference": a[split]["score"] - b[split]["score"],
            "interval": _around(a[split]["score"] - b[split]["score"]),
        }
        for place, a in enumerate(scored)
        for b in scored[place + 1 :]
    ]


def _break_even(fake: FakeRun, scored: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    pairs = []
    for a in scored:
        for b in scored:
            gain = b["cost"]["use"] - a["cost"]["use"]
            spent = a["cost"]["make"] - b["cost"]["make"]
            queries: Any = "never"
            if gain > 0:
                queries = spent / gain if spent > 0 else "always"
            if a is not b:
                pairs.append({"a": a["name"], "b": b["name"], "queries": queries})
    return pairs


def _verdict(fake: FakeRun, pick: dict[str, Any] | None) -> dict[str, Any]:
    if pick is None:
        headline = "No recommendation: no candidate is eligible."
        sentences = [f"`{kind.name}`: {kind.reason}." for kind in fake.kinds]
        return {"headline": headline, "paragraph": headline, "sentences": sentences}
    headline = fake.headline or (
        f"Use `{pick['name']}` ({pick['configuration']}): likely (within tolerance in 63% of "
        "resamples)."
    )
    paragraph = (
        f"{headline} On {fake.dev} dev rows its {fake.metric} is "
        f"{100 * pick['dev']['score']:.1f}, {100 * pick['est']:.1f} once the luck of choosing "
        "is removed. The gain is confirmed: on held-out rows it scores 80.4 [75.4, 85.4] "
        "(n=240), +37.1 points against the prompt as given (95 % interval +29.6 points to "
        "+44.6 points), p < 0.001. It costs 0.00042 USD to make and 2.7e-07 USD a query, "
        f"0.0139 USD for {fake.queries:,} queries, the cheapest of 2 candidates within "
        f"tolerance; one query takes 9.7 ms.{fake.plant}"
    )
    sentences = [
        "A floor is recommended. The best candidate with a language model is "
        "`few-shot+calibration` (k=8 nearest, fitted): estimated 80.2, held-out 79.6 "
        "[74.5, 84.7] (n=240); it is close; to win it would have to cost less than 0.0139 USD "
        "in all instead of 0.2303 USD.",
        "Not above the best floor, `floor:embedding-logistic` (80.8): `as-is`, `calibration`, "
        "`few-shot`. They have shown nothing that this floor does not do without a "
        "language model.",
        f"`few-shot`: to be close it would need 7.2 points more.{fake.plant}",
        "Shrinkage of the pick: dev 82.5, estimated 81.3, held-out 80.4. Held-out rows have been "
        "opened 3 times over all runs.",
    ]
    return {"headline": headline, "paragraph": paragraph, "sentences": sentences}


def _around(value: float) -> dict[str, Any]:
    return {"low": value - 0.07, "high": value + 0.07, "level": 0.95, "method": "group bootstrap"}
