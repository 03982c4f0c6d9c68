import numpy as np
import pytest

from accordeur.measure.statistics.resampling import Grouping


def test_sums_and_sizes_follow_the_groups_whatever_the_row_order() -> None:
    grouping = Grouping.of(["b", "a", "b", "c", "a"], 5)
    assert grouping.sizes.tolist() == [2, 2, 1]
    assert grouping.sums(np.array([1.0, 2.0, 4.0, 8.0, 16.0])).tolist() == [18, 5, 8]


def test_rows_of_a_resample_come_as_often_as_their_group() -> None:
    grouping = Grouping.of([7, 3, 7, 5], 4)  # groups 3, 5, 7
    assert grouping.rows(np.array([0, 1, 2])).tolist() == [0, 0, 2, 2, 3]


@pytest.mark.parametrize("groups", [3, 40, 5000])  # 5,000 need several blocks
@pytest.mark.parametrize("leave_some_out", [False, True])
def test_draws_the_asked_number_of_resamples_of_g_groups(groups: int, leave_some_out: bool) -> None:
    blocks = list(
        Grouping.of(np.arange(groups), groups).resamples(900, 1, leave_some_out=leave_some_out)
    )
    assert sum(len(block) for block in blocks) == 900
    assert all((block.sum(axis=1) == groups).all() for block in blocks)
    if leave_some_out:
        assert all((block == 0).any(axis=1).all() for block in blocks)


def test_every_group_is_drawn_once_on_average() -> None:
    (block,) = Grouping.of(np.arange(10), 10).resamples(4000, 3)
    # Binomial(10, 1/10): mean 1, variance 0.9; four standard errors of 4,000 draws.
    assert np.abs(block.mean(axis=0) - 1).max() < 4 * np.sqrt(0.9 / 4000)
    assert block.var(axis=0) == pytest.approx(np.full(10, 0.9), rel=0.15)


@pytest.mark.parametrize("groups", [[], [1, 2], [[1], [2], [3]]])
def test_refuses_groups_that_do_not_match_the_rows(groups: list[object]) -> None:
    with pytest.raises(ValueError, match="groups"):
        Grouping.of(groups, 3)  # type: ignore[arg-type]


def test_refuses_to_leave_one_group_out_of_one() -> None:
    with pytest.raises(ValueError, match="left out"):
        next(Grouping.of([1, 1], 2).resamples(10, 0, leave_some_out=True))


def test_refuses_no_resamples() -> None:
    with pytest.raises(ValueError, match="resamples"):
        next(Grouping.of([1, 2], 2).resamples(0, 0))
