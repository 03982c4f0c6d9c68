"""The statistics of the ruler: intervals, paired tests, power, and the choice of an entry.

Pure functions on numpy arrays. They know rows, groups and scores; they know no task, no model, no
candidate and no file. The rules they carry out are sections P6 and P7 of the protocol.

Letters used for shapes: ``n`` rows, ``G`` groups, ``R`` resamples, ``C`` configurations, ``K``
labels. Scores are shares (one point is 0.01) and higher is better. Every random draw comes from
the ``seed`` that is passed in; the same arguments give the same numbers.
"""

from accordeur.measure.statistics.bootstrap import (
    group_bootstrap,
    paired_difference_interval,
    paired_difference_standard_error,
)
from accordeur.measure.statistics.calibration_error import (
    brier_score,
    brier_scores,
    calibration_gap,
    expected_calibration_error,
    top_label,
)
from accordeur.measure.statistics.holm import holm
from accordeur.measure.statistics.interval import Interval
from accordeur.measure.statistics.mcnemar import mcnemar
from accordeur.measure.statistics.permutation import PermutationTest, paired_permutation
from accordeur.measure.statistics.power import (
    detectable_rate_difference,
    detectable_score_difference,
    discordance,
    mcnemar_power,
    rows_to_detect_rate_difference,
    rows_to_detect_score_difference,
)
from accordeur.measure.statistics.selection import EntryEstimate, Selection, select
from accordeur.measure.statistics.statistic import Statistic, mean
from accordeur.measure.statistics.wilson import wilson

__all__ = [
    "EntryEstimate",
    "Interval",
    "PermutationTest",
    "Selection",
    "Statistic",
    "brier_score",
    "brier_scores",
    "calibration_gap",
    "detectable_rate_difference",
    "detectable_score_difference",
    "discordance",
    "expected_calibration_error",
    "group_bootstrap",
    "holm",
    "mcnemar",
    "mcnemar_power",
    "mean",
    "paired_difference_interval",
    "paired_difference_standard_error",
    "paired_permutation",
    "rows_to_detect_rate_difference",
    "rows_to_detect_score_difference",
    "select",
    "top_label",
    "wilson",
]
