"""The verdict's sentences, branch by branch: what is said must be so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from accordeur.bench.confirmation import confirm
from accordeur.bench.decision import decide
from accordeur.bench.entries import Outcome
from accordeur.bench.wording import Wording, write_verdict
from accordeur.core.measurement import Measurement
from accordeur.core.task import Limits
from accordeur.measure.metrics import load_metric

Make = Callable[..., Outcome]


def right(count: int, n: int = 200) -> list[float | None]:
    return [*[1.0] * count, *[0.0] * (n - count)]


@pytest.fixture
def said(
    dev_rows: Callable[[int], Any], brief: Any, measured: Callable[..., Measurement]
) -> Callable[..., Wording]:
    """Decide among outcomes; `held_out` gives their held-out scores by name."""

    def make(
        *outcomes: Outcome,
        limits: Limits | None = None,
        held_out: dict[str, Sequence[float | None]] | None = None,
        refused: Sequence[tuple[str, str]] = (),
    ) -> Wording:
        rows, metric = dev_rows(200), load_metric("accuracy")
        decision = decide(outcomes, rows, metric, brief, limits or Limits(), seed=3)
        confirmation = None
        if held_out is not None:
            assert decision.selection is not None
            estimates = decision.selection.entries
            confirmation = confirm(
                decision.pick,
                max(estimates, key=lambda name: estimates[name].dev),
                {name: measured(scores, split="test") for name, scores in held_out.items()},
                rows,
                metric,
                brief,
                seed=3,
            )
        return write_verdict(
            decision,
            {one.stack.name: one for one in outcomes},
            confirmation,
            metric="accuracy",
            queries=10_000,
            dev_rows=200,
            refused=refused,
            label_more=None if confirmation else 20,
            splits_given=False,
            openings=1 if confirmation else None,
        )

    return make


def test_as_is_that_led_on_dev_is_not_said_to_be_absent(
    said: Callable[..., Wording], entry: Make
) -> None:
    words = said(
        entry("as-is", right(180)),
        entry("few-shot", right(100)),
        held_out={"as-is": right(170), "few-shot": right(100)},
    )
    assert "it is the prompt as given, and nothing led it on dev" in words.paragraph
    assert "there is no prompt as given" not in words.paragraph


def test_as_is_that_is_merely_cheapest_shows_its_own_score_and_the_distance(
    said: Callable[..., Wording], entry: Make
) -> None:
    words = said(
        entry("as-is", right(180), use=1e-9),
        entry("few-shot", right(181), use=1e-3),
        held_out={"as-is": right(170), "few-shot": right(172)},
    )
    assert "on held-out rows it scores 85.0" in words.paragraph
    assert "\u22121.0 points against `few-shot`, the best on dev" in words.paragraph


def test_missing_held_out_rows_are_the_reason_given_when_they_are_the_reason(
    said: Callable[..., Wording], entry: Make
) -> None:
    lossy: list[float | None] = [*[None] * 10, *right(170)[10:]]
    words = said(
        entry("as-is", right(100)),
        entry("few-shot", right(180)),
        held_out={"as-is": right(100), "few-shot": lossy},
    )
    assert "10 held-out rows were lost to errors" in words.paragraph
    words = said(
        entry("few-shot", right(180)),
        entry("calibration", right(100)),
        held_out={"few-shot": right(170), "calibration": right(100)},
    )
    assert "there is no prompt as given to compare" in words.paragraph


def test_a_pick_cheaper_only_up_to_some_volume_is_not_cheaper_at_none(
    said: Callable[..., Wording], entry: Make
) -> None:
    bare = entry("bare", right(180), make=0.0, use=2e-4)
    made = entry("made", right(181), make=5.0, use=1e-4)
    words = said(bare, made)
    assert words.headline.startswith("Use `bare`")
    assert "Against `made` (only), the highest estimate, it is cheaper up to 50,000 queries." in (
        words.sentences
    )


def test_floors_kept_out_by_a_limit_are_still_the_bar(
    said: Callable[..., Wording], entry: Make
) -> None:
    words = said(
        entry("floor:majority", right(150), floor=True),
        entry("as-is", right(120)),
        entry("few-shot", right(180)),
        limits=Limits(language_model=True),
    )
    assert words.headline.startswith("Use `few-shot`")
    (bar,) = [one for one in words.sentences if one.startswith("Not above the best floor")]
    assert "`floor:majority` (75.0): `as-is`." in bar


def test_reasons_end_with_one_full_stop_and_refusals_are_told_without_a_pick_too(
    said: Callable[..., Wording], entry: Make
) -> None:
    failed = entry("few-shot", right(100), status="failed", reason="No train row is labelled.")
    words = said(failed, refused=[("lora", "`lora` needs weights that can be trained")])
    assert words.headline == "No recommendation: no candidate is eligible."
    assert words.sentences == (
        "`few-shot`: No train row is labelled.",
        "`lora` was not possible: `lora` needs weights that can be trained.",
    )
    words = said(failed, entry("as-is", right(100)))
    assert "`few-shot`: No train row is labelled." in words.sentences


def test_what_money_did_not_rank_is_not_called_the_cheapest(
    said: Callable[..., Wording], entry: Make
) -> None:
    words = said(entry("a", right(150), use=1e-9), entry("b", right(150), use=None))
    assert "the cheapest of" not in words.paragraph
    assert "money did not rank them" in words.paragraph


def test_the_only_eligible_candidate_is_not_called_a_clear_choice(
    said: Callable[..., Wording], entry: Make
) -> None:
    words = said(
        entry("as-is", right(100)),
        entry("few-shot", right(180), status="cut", reason="the time budget ended"),
        held_out={"as-is": right(90)},
    )
    assert words.headline.startswith("Use `as-is` (only): the only candidate that may be rec")
    assert "clear" not in words.headline


def test_a_lever_that_harms_is_said_to_harm(said: Callable[..., Wording], entry: Make) -> None:
    words = said(
        entry("as-is", right(150)),
        entry("reason", right(90)),
        entry("few-shot", right(149)),
        held_out={"as-is": right(150), "reason": right(90), "few-shot": right(149)},
    )
    (worse,) = [one for one in words.sentences if one.startswith("Worse than the prompt as given")]
    assert "`reason` by 30.0 points (" in worse
    assert "few-shot" not in worse
