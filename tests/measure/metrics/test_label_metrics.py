from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from accordeur.core.answer import Answer, Status
from accordeur.core.task import Example, Label, TaskBrief
from accordeur.measure.metric import SetStatistic
from accordeur.measure.metrics import load_metric

NAMES = ("a", "b", "c", "d")
TASK = TaskBrief("toy", "", "", "labels", tuple(Label(n, n) for n in NAMES), "macro-f1")


def rows(gold: Sequence[str]) -> list[Example]:
    return [Example(str(i), "?", (label,), str(i)) for i, label in enumerate(gold)]


def answers(chosen: Sequence[str | None]) -> list[Answer]:
    return [
        Answer(label or "", Status.OK if label else Status.PARSE_FAILURE, label) for label in chosen
    ]


def macro_f1(gold: Sequence[str], chosen: Sequence[str | None]) -> SetStatistic:
    statistic = load_metric("macro-f1").over(answers(chosen), rows(gold), TASK)
    assert statistic is not None
    return statistic


def test_accuracy_compares_names_not_display_texts() -> None:
    metric = load_metric("accuracy")
    assert metric.row(Answer("shown", label="a"), rows("a")[0], TASK) == 1.0
    assert metric.row(Answer("a", label="b"), rows("a")[0], TASK) == 0.0


def test_a_label_that_could_not_be_read_is_wrong() -> None:
    answer = Answer("a", Status.PARSE_FAILURE, None)
    for name in ("accuracy", "macro-f1"):
        assert load_metric(name).row(answer, rows("a")[0], TASK) == 0.0


def test_a_right_label_in_a_truncated_answer_is_wrong_row_by_row_and_over_the_set() -> None:
    answer, example = Answer("a", Status.TRUNCATED, "a"), rows("a")
    assert load_metric("accuracy").row(answer, example[0], TASK) == 0.0
    statistic = load_metric("macro-f1").over([answer], example, TASK)
    assert statistic is not None
    assert statistic(np.array([0])) == 0.0


def test_macro_f1_of_a_worked_case() -> None:
    # a: 1 hit, 2 gold, 1 chosen -> 2/3; b: 1 hit, 1 gold, 2 chosen -> 2/3; c: no hit -> 0
    assert macro_f1("aabc", ["a", "b", "b", None])(np.arange(4)) == pytest.approx(4 / 9)


def test_a_label_that_is_only_chosen_is_not_averaged_over() -> None:
    assert macro_f1("aa", "ad")(np.arange(2)) == pytest.approx(2 / 3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from([*NAMES, None])), min_size=1, max_size=25
    ),
    st.integers(0, 2**32 - 1),
)
def test_macro_f1_equals_scikit_learn_on_any_resample(
    pairs: list[tuple[str, str | None]], seed: int
) -> None:
    gold, chosen = [p[0] for p in pairs], [p[1] for p in pairs]
    statistic = macro_f1(gold, chosen)
    drawn = np.random.default_rng(seed).integers(0, len(pairs), len(pairs))
    for index in (np.arange(len(pairs)), drawn):
        wanted = [gold[i] for i in index]
        said = [chosen[i] or "none" for i in index]
        oracle = f1_score(
            wanted, said, labels=sorted(set(wanted)), average="macro", zero_division=0
        )
        assert statistic(index) == pytest.approx(oracle)


def test_zero_rows_give_no_number() -> None:
    with pytest.raises(ValueError, match="zero rows"):
        macro_f1("ab", "ab")(np.array([], dtype=np.intp))


def test_answers_and_rows_must_pair_up() -> None:
    with pytest.raises(ValueError, match="1 answers for 2"):
        load_metric("macro-f1").over(answers("a"), rows("ab"), TASK)


def test_accuracy_is_the_mean_of_rows() -> None:
    assert load_metric("accuracy").over(answers("a"), rows("a"), TASK) is None
