"""What the forgetting check says, in the words that page and terminal share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accordeur.report.numbers import count, interval, points, share, signed, significant

Found = Mapping[str, Any]


def perplexities(found: Found) -> tuple[str, str]:
    """Base and active perplexity, and their ratio: `42.7 → 43.6`, `×1.02 [1.01, 1.03]`."""
    general = found["general"]
    values = (significant(general[name]["value"]) for name in ("base", "active"))
    ratio = general["ratio"]
    return " → ".join(values), f"×{_ratio(ratio['value'])}{_bounds(ratio['interval'])}"


def accuracies(found: Found) -> tuple[str, str]:
    """Base and active accuracy on the other task, and the paired difference; dashes without one."""
    other = found["other"]
    if other is None:
        return "–", "no task differs enough"
    values = " → ".join(points(other[name]["value"]) for name in ("base", "active"))
    if not (other["lost"] or other["gained"]):
        return values, f"no row of {count(other['n'])} changed"
    difference = other["difference"]
    return values, f"{signed(difference['value'])} {interval(difference['interval'], sign=True)}"


def same_answers(found: Found) -> tuple[str, str]:
    """Share of rows answered as the base does, and its interval."""
    other = found["other"]
    if other is None:
        return "–", ""
    same = other["same_answer"]
    return share(same["value"]), interval(same["interval"])


def switched_off(found: Found) -> str:
    """What is left when the adaptation is switched off, in one sentence without its stop."""
    off = found["off"]
    if off["how"] == "none":
        return "Cannot be switched off: its weights are a model of their own"
    if off["how"] == "prompt":
        return "The base model: leave its prompt out"
    asked = f"{off['passages']} passages asked again"
    if off["identical"]:
        return f"The base model again, to the last bit ({asked})"
    gap = significant(off["greatest_difference"])
    return f"The base model, though asked again it differs by up to {gap} nats ({asked})"


def switched_off_briefly(found: Found) -> str:
    """The same in a few words."""
    off = found["off"]
    if off["how"] != "base":
        return "not possible" if off["how"] == "none" else "without prompt"
    gap = "" if off["identical"] else f", {significant(off['greatest_difference'])} nats off"
    return f"base again{gap}"


def scale(entries: list[Found]) -> str:
    """What was asked: `26 passages of general text (2,517 tokens), 40 rows of finance`."""
    measured = next((one for one in entries if one["status"] == "measured"), None)
    if measured is None:
        return ""
    general, other = measured["general"], measured["other"]
    said = f"{general['passages']} passages of general text ({count(general['tokens'])} tokens)"
    if other is not None:
        said += f" and {other['n']} rows of the example task `{other['name']}`"
    return said


def not_measured(entries: list[Found]) -> list[str]:
    """One sentence per reason, with the entries it holds for."""
    names: dict[str, list[str]] = {}
    for one in entries:
        if one["status"] != "measured":
            names.setdefault(str(one["reason"]), []).append(f"`{one['name']}`")
    return [f"Not measured: {', '.join(who)}: {why}." for why, who in names.items()]


def blind(entries: list[Found]) -> str:
    """A warning where the base model is not clearly above the most frequent label; else empty."""
    for one in entries:
        other = one["other"] if one["status"] == "measured" else None
        if other is not None and other["base"]["interval"]["low"] <= other["most_frequent"]:
            return (
                f"On `{other['name']}` the base model scores {points(other['base']['value'])} "
                f"{interval(other['base']['interval'])} (n={other['n']}), not clearly above the "
                f"{points(other['most_frequent'])} of the most frequent label. It has little "
                "accuracy to lose there; how many answers stayed the same says more."
            )
    return ""


def _ratio(value: float) -> str:
    return significant(value) if value >= 100 else f"{value:.2f}"


def _bounds(found: Mapping[str, Any] | None) -> str:
    return f" [{_ratio(found['low'])}, {_ratio(found['high'])}]" if found else ""
