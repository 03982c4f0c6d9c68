"""The verdict in words: a headline, a paragraph a manager reads, sentences an engineer reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.bench.confirmation import Confirmation
from accordeur.bench.decision import Decision
from accordeur.bench.entries import Outcome
from accordeur.core.measurement import Measurement
from accordeur.measure.cost import break_even
from accordeur.report import numbers

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Wording:
    """The verdict as text."""

    headline: str
    paragraph: str
    sentences: tuple[str, ...]


def score(measured: Measurement) -> str:
    """A score with its interval and n."""
    if measured.score is None:
        return "no score"
    interval = measured.interval
    spread = f" {numbers.interval(interval.to_json())}" if interval else ""
    return f"{numbers.points(measured.score)}{spread} (n={measured.n})"


def name_of(outcome: Outcome) -> str:
    """The entry with its configuration, as the verdict names it."""
    best = outcome.best
    if best is None or best.name in ("as given", "", outcome.stack.name):
        return f"`{outcome.stack.name}`"
    return f"`{outcome.stack.name}` ({best.name})"


def write_verdict(
    decision: Decision,
    outcomes: Mapping[str, Outcome],
    confirmation: Confirmation | None,
    *,
    metric: str,
    queries: int,
    dev_rows: int,
    refused: Sequence[tuple[str, str]],
    label_more: int | None,
    splits_given: bool,
    openings: int | None,
) -> Wording:
    """Put a decision into words.

    Args:
        metric: its title, such as "accuracy".
        queries: volume the totals are reckoned for.
        refused: (name, reason).
        label_more: labelled rows that are missing for a held-out split, when there is none.
        splits_given: the user gave the splits, so it is for them to give a held-out one.
        openings: how often this held-out split was opened, over all runs.
    """
    if decision.pick is None or decision.selection is None:
        headline = f"No recommendation: {decision.blocked}."
        reasons = [f"`{name}`: {_clause(why)}." for name, why in decision.ineligible.items()]
        if decision.lost:
            reasons.insert(0, "Run the same command again: only the lost rows are asked.")
        return Wording(headline, headline, (*reasons, *_refused(refused)))
    pick = outcomes[decision.pick]
    word = _sure_word(decision, label_more, splits_given)
    headline = f"Use {name_of(pick)}: {word}."
    parts = [
        headline,
        _on_dev(decision, pick, dev_rows, metric),
    ]
    parts += _gain(decision, confirmation)
    parts += _price(decision, outcomes, queries)
    parts += _ties(decision, outcomes)
    parts += _small(decision, label_more, splits_given)
    cut = [f"`{name}`" for name, one in outcomes.items() if one.status == "cut"]
    if cut:
        parts.append(f"Cut by the clock and not recommended: {', '.join(cut)}.")
    sentences = [
        *_break_even(decision, outcomes),
        *_language_model(decision, outcomes, confirmation),
        *_floors(decision, outcomes),
        *_worse(confirmation),
        *_needs(decision, outcomes),
        *_shrinkage(decision, confirmation, openings),
        *_refused(refused),
    ]
    return Wording(headline, " ".join(parts), tuple(sentences))


def _clause(reason: str) -> str:
    """A reason without its full stop, to stand inside a sentence."""
    return reason.rstrip(".")


def _refused(refused: Sequence[tuple[str, str]]) -> list[str]:
    return [f"`{name}` was not possible: {_clause(why)}." for name, why in refused]


def _on_dev(decision: Decision, pick: Outcome, dev_rows: int, metric: str) -> str:
    """The pick's dev score with its interval, and what is left of it without the luck."""
    assert decision.pick is not None
    assert decision.selection is not None
    estimate = decision.selection.entries[decision.pick]
    interval = pick.best.measurement.interval if pick.best else None
    spread = f" {numbers.interval(interval.to_json())}" if interval else ""
    said = f"On {dev_rows} dev rows its {metric} is {numbers.points(estimate.dev)}{spread}"
    if not decision.selection.resampled:
        return f"{said}; the rows are too few to remove the luck of choosing."
    return f"{said}, {numbers.points(estimate.estimate)} once the luck of choosing is removed."


def _sure_word(decision: Decision, label_more: int | None, splits_given: bool) -> str:
    assert decision.selection is not None
    word = decision.selection.word
    sure = decision.selection.sureness
    share = f" (within tolerance in {sure:.0%} of resamples)" if sure is not None else ""
    if label_more is not None:
        why = "no held-out split is given" if splits_given else "too few rows for a held-out split"
        return f"unconfirmed, {why}{share}"
    if len(decision.selection.entries) == 1:
        return "the only candidate that may be recommended, so there was nothing to choose between"
    if decision.too_few:
        return f"too few examples to be sure, the pick is provisional{share}"
    if word == "tie":
        tied = ", ".join(f"`{name}`" for name in decision.rivals)
        return f"tie between `{decision.pick}` and {tied}{share}"
    return f"{word}{share}"


def _gain(decision: Decision, confirmation: Confirmation | None) -> list[str]:
    if confirmation is None:
        return []
    if confirmation.primary is None:
        measured = confirmation.measurements.get(decision.pick or "")
        if measured is None:
            return ["It was not measured on held-out rows."]
        if decision.pick == "as-is":
            why = "it is the prompt as given, and nothing led it on dev"
        elif "as-is" in confirmation.measurements:
            why = (
                f"the gain was not tested, because {confirmation.lost} held-out rows were lost to "
                "errors for some candidate; the same command asks them again"
            )
        else:
            why = "there is no prompt as given to compare"
        return [f"On held-out rows it scores {score(measured)}; {why}."]
    candidate, against, pair = confirmation.primary
    spread = (
        f", 95 % interval {numbers.interval(pair.interval.to_json(), sign=True)}"
        if pair.interval
        else ""
    )
    measured = confirmation.measurements[candidate]
    if candidate == "as-is":
        return [
            f"The prompt as given is the pick; on held-out rows it scores {score(measured)}, "
            f"{numbers.signed(pair.difference)} points against `{against}`, the best on dev"
            f"{spread}."
        ]
    p = "" if pair.p is None else f", {numbers.p_value(pair.p)}"
    told = {
        "confirmed": "The gain is confirmed",
        "gain not shown": "A gain over the prompt as given is not shown",
        "contradicted": "The held-out rows contradict it",
    }[confirmation.outcome]
    return [
        f"{told}: on held-out rows it scores {score(measured)}, "
        f"{numbers.signed(pair.difference)} points against the prompt as given{spread}{p}."
    ]


def _price(decision: Decision, outcomes: Mapping[str, Outcome], queries: int) -> list[str]:
    assert decision.pick is not None
    assert decision.selection is not None
    cost = outcomes[decision.pick].cost
    if cost is None:
        return []
    by_money = decision.selection.ranked_by == "cost"
    if cost.total is None:
        return ["Its price is unknown, so candidates were not ranked by money."]
    said = (
        f"It costs {numbers.money(cost.make, cost.currency)} to make and "
        f"{numbers.money(cost.use, cost.currency)} a query, "
        f"{numbers.money(cost.total, cost.currency)} for {queries:,} queries"
    )
    close = [
        name
        for name, one in decision.selection.entries.items()
        if one.close and name != decision.pick
    ]
    if close and by_money:
        said += f", the cheapest of {len(close) + 1} candidates within tolerance"
    latency = (
        f"; one query takes {numbers.seconds(cost.cold_seconds)}."
        if cost.cold_seconds is not None
        else "."
    )
    if by_money:
        return [said + latency]
    return [said + latency, "The price of another is unknown, so money did not rank them."]


def _break_even(decision: Decision, outcomes: Mapping[str, Outcome]) -> list[str]:
    """From which volume the pick is cheaper than the best estimate, when these are two."""
    assert decision.selection is not None
    assert decision.pick is not None
    entries = decision.selection.entries
    top = max(entries, key=lambda name: entries[name].estimate)
    mine, other = outcomes[decision.pick].cost, outcomes[top].cost
    if top == decision.pick or mine is None or other is None:
        return []
    if mine.make is None or mine.use is None or other.make is None or other.use is None:
        return []
    queries = break_even(mine.make, mine.use, other.make, other.use)
    until = break_even(other.make, other.use, mine.make, mine.use)
    if not isinstance(queries, str):
        when = f"from {numbers.count(queries)} queries on"
    elif not isinstance(until, str):
        when = f"up to {numbers.count(until)} queries"
    else:
        when = "at every volume" if queries == "always" else "at no volume"
    return [f"Against {name_of(outcomes[top])}, the highest estimate, it is cheaper {when}."]


def _ties(decision: Decision, outcomes: Mapping[str, Outcome]) -> list[str]:
    assert decision.selection is not None
    if decision.selection.word != "tie" or not decision.rivals:
        return []
    names = ", ".join(name_of(outcomes[name]) for name in decision.rivals)
    return [f"These rows cannot tell it from {names}."]


def _small(decision: Decision, label_more: int | None, splits_given: bool) -> list[str]:
    said = []
    if label_more is not None and splits_given:
        said.append("Unconfirmed: name held-out rows as `data.test` in task.yaml and run again.")
    elif label_more is not None:
        said.append(
            f"Unconfirmed: there is no held-out split. Label {label_more} more rows and run again."
        )
    if decision.too_few:
        seen = (
            f"The smallest difference these rows can see is {100 * decision.detectable:.1f} points"
            if decision.detectable is not None
            else "These rows cannot see any difference of the size two such candidates can have"
        )
        needed = (
            f"; about {decision.rows_needed:,} dev rows would settle this gap of "
            f"{100 * (decision.gap or 0):.1f}."
            if decision.rows_needed
            else "."
        )
        said.append(seen + needed)
    return said


def _language_model(
    decision: Decision, outcomes: Mapping[str, Outcome], confirmation: Confirmation | None
) -> list[str]:
    name = decision.best_language_model
    if name is None or decision.selection is None or decision.pick is None:
        return []
    entry = decision.selection.entries[name]
    said = (
        f"A floor is recommended. The best candidate with a language model is "
        f"{name_of(outcomes[name])}: estimated {100 * entry.estimate:.1f}"
    )
    if confirmation is not None and name in confirmation.measurements:
        said += f", held-out {score(confirmation.measurements[name])}"
    return [f"{said}; {_need(decision, outcomes, name)}."]


def _floors(decision: Decision, outcomes: Mapping[str, Outcome]) -> list[str]:
    """Which levers did not pass the best floor: they have shown nothing (rule 5).

    Floors that may not be recommended are still the bar; they then stand with their dev score.
    """
    assert decision.selection is not None
    entries = decision.selection.entries
    bars: dict[str, float] = {}
    for name, one in outcomes.items():
        dev = one.best.measurement.score if one.finished and one.best else None
        if one.stack.floor and dev is not None:
            bars[name] = entries[name].estimate if name in entries else dev
    top = max(bars, key=lambda name: bars[name], default=None)
    if top is None:
        return []
    below = [
        name
        for name in entries
        if not outcomes[name].stack.floor and entries[name].estimate <= bars[top]
    ]
    if not below:
        return []
    listed = ", ".join(f"`{name}`" for name in below)
    return [
        f"Not above the best floor, `{top}` ({100 * bars[top]:.1f}): {listed}. "
        "They have shown nothing that this floor does not do without a language model."
    ]


def _worse(confirmation: Confirmation | None) -> list[str]:
    """Levers that harm: their held-out interval against the prompt as given lies below 0."""
    if confirmation is None:
        return []
    told = [
        f"`{name}` by {100 * -pair.difference:.1f} points "
        f"({numbers.interval(pair.interval.to_json(), sign=True)})"
        for name, pair in confirmation.against.items()
        if not name.startswith("floor:")
        and pair.interval is not None
        and pair.interval.high < 0
        and (confirmation.adjusted.get(name, pair.p) or 0.0) < SIGNIFICANT
    ]
    return [f"Worse than the prompt as given on held-out rows: {', '.join(told)}."] if told else []


def _need(decision: Decision, outcomes: Mapping[str, Outcome], name: str) -> str:
    """What an entry would need to win, without its name."""
    if name in decision.ineligible:
        return _clause(decision.ineligible[name])
    assert decision.selection is not None
    assert decision.pick is not None
    entry = decision.selection.entries[name]
    if not entry.close:
        more = entry.shortfall - decision.tolerance
        return f"to be close it would need {100 * more:.1f} points more"
    mine, best = outcomes[name].cost, outcomes[decision.pick].cost
    if mine is None or best is None or mine.total is None or best.total is None:
        return "it is close"
    return (
        f"it is close; to win it would have to cost less than "
        f"{numbers.money(best.total, best.currency)} in all instead of "
        f"{numbers.money(mine.total, mine.currency)}"
    )


def need_sentence(decision: Decision, outcomes: Mapping[str, Outcome], name: str) -> str:
    """What an entry would need to win, as a sentence; empty for the pick."""
    if name == decision.pick or decision.selection is None:
        return ""
    text = _need(decision, outcomes, name)
    return text[:1].upper() + text[1:] + "."


def _needs(decision: Decision, outcomes: Mapping[str, Outcome]) -> list[str]:
    assert decision.selection is not None
    told = []
    for name in outcomes:
        skipped = name in (decision.pick, decision.best_language_model)
        if not skipped and not outcomes[name].stack.floor:
            told.append(f"`{name}`: {_need(decision, outcomes, name)}.")
    return told


def _shrinkage(
    decision: Decision, confirmation: Confirmation | None, openings: int | None
) -> list[str]:
    assert decision.selection is not None
    assert decision.pick is not None
    if confirmation is None or decision.pick not in confirmation.measurements:
        return []
    entry = decision.selection.entries[decision.pick]
    test = confirmation.measurements[decision.pick].score
    if test is None:
        return []
    times = {None: "", 1: " Held-out rows were opened once."}.get(
        openings, f" Held-out rows have been opened {openings} times over all runs."
    )
    return [
        f"Shrinkage of the pick: dev {100 * entry.dev:.1f}, estimated "
        f"{100 * entry.estimate:.1f}, held-out {100 * test:.1f}.{times}"
    ]


def shrinkage_json(decision: Decision, confirmation: Confirmation | None) -> dict[str, Any] | None:
    """Dev, estimate and held-out score of the pick."""
    if decision.selection is None or decision.pick is None:
        return None
    entry = decision.selection.entries[decision.pick]
    measured = confirmation.measurements.get(decision.pick) if confirmation else None
    return {
        "dev": entry.dev,
        "est": entry.estimate,
        "test": measured.score if measured else None,
    }
