from __future__ import annotations

import subprocess
import sys

import pytest

from accordeur.core.errors import PlanError
from accordeur.measure.metric import Metric
from accordeur.measure.metrics import METRICS, check_fits, kinds_of, load_metric


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_keeps_the_protocol_and_its_own_name(name: str) -> None:
    metric = load_metric(name)
    assert isinstance(metric, Metric)
    assert metric.name == name
    assert metric.title
    assert metric.unit_interval
    assert kinds_of(metric)


def test_an_unknown_name_offers_the_nearest_ones() -> None:
    with pytest.raises(PlanError, match="acuracy") as caught:
        load_metric("acuracy")
    assert "`accuracy`" in caught.value.hint


def test_a_label_metric_refuses_free_text_and_names_those_that_fit() -> None:
    with pytest.raises(PlanError, match="macro-f1") as caught:
        check_fits(load_metric("macro-f1"), "text")
    assert "rouge-l" in caught.value.hint
    assert "accuracy" not in caught.value.hint


def test_a_text_metric_refuses_labels() -> None:
    with pytest.raises(PlanError) as caught:
        check_fits(load_metric("rouge-l"), "labels")
    assert caught.value.hint.endswith("accuracy, macro-f1")


@pytest.mark.parametrize(("name", "kind"), [("accuracy", "labels"), ("numeric", "text")])
def test_a_metric_that_fits_passes(name: str, kind: str) -> None:
    check_fits(load_metric(name), "labels" if kind == "labels" else "text")


def test_a_metric_that_does_not_say_its_kinds_fits_both() -> None:
    class Outside:
        name = "outside"
        title = "outside"
        unit_interval = True
        rate = False
        row = over = load_metric("length").row

    assert kinds_of(Outside()) == {"labels", "text"}  # type: ignore[arg-type]


def test_the_stemmer_is_not_imported_before_a_rouge_score_is_asked_for() -> None:
    code = (
        "import sys; from accordeur.measure.metrics import *; load_metric('rouge-l');"
        "sys.exit(any(name in sys.modules for name in ('nltk', 'rouge_score', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
