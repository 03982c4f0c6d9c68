"""What the rule of P7 costs, against the two rules people use instead (DESIGN section 5).

A world: six entries with 1, 1, 2, 4, 4 and 8 configurations. An entry's true accuracy is normal
around 0.78 with standard deviation 0.04, each configuration a little below (half-normal, 1.5
points), and costs are in random order. Rows are right or wrong by a Gaussian copula: 60 % of the
latent variance is the row's own difficulty, 20 % the entry's, 20 % the configuration's, so that
paired scores agree as they do in practice.

Regret of a pick = true accuracy of the best configuration there is less that of the picked one, in
points. Up to one point of it is not a loss but the tolerance the user allowed for a cheaper entry;
*beyond tolerance* counts the rest, max(0, regret - 1).

Rerun: pytest -s tests/measure/statistics/test_selection_regret.py
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from accordeur.measure.statistics import mcnemar, select

Scores = dict[str, dict[str, NDArray[np.float64]]]
CONFIGURATIONS = (1, 1, 2, 4, 4, 8)
WORLDS = 300
RESAMPLES = 500
"""A quarter of the protocol's, for speed; the figures of both are given below."""


class World(NamedTuple):
    scores: Scores
    truth: dict[str, dict[str, float]]
    cost: dict[str, float]


def draw_world(rng: np.random.Generator, rows: int) -> World:
    scores: Scores = {}
    truth: dict[str, dict[str, float]] = {}
    difficulty = rng.standard_normal(rows)
    for e, number in enumerate(CONFIGURATIONS):
        level = 0.78 + 0.04 * rng.standard_normal()
        shared = np.sqrt(0.6) * difficulty + np.sqrt(0.2) * rng.standard_normal(rows)
        scores[str(e)], truth[str(e)] = {}, {}
        for c in range(number):
            below = abs(0.015 * rng.standard_normal()) if number > 1 else 0.0
            accuracy = float(np.clip(level - below, 0.05, 0.99))
            latent = shared + np.sqrt(0.2) * rng.standard_normal(rows)
            scores[str(e)][str(c)] = (latent < NormalDist().inv_cdf(accuracy)).astype(float)
            truth[str(e)][str(c)] = accuracy
    ranks = rng.permutation(len(CONFIGURATIONS))
    return World(scores, truth, {str(e): float(rank) for e, rank in enumerate(ranks)})


def best_configurations(scores: Scores) -> dict[str, str]:
    return {e: max(c, key=lambda name: c[name].sum()) for e, c in scores.items()}


def dev_best(world: World) -> tuple[str, str]:
    """The highest dev score, cost ignored."""
    best = best_configurations(world.scores)
    entry = max(best, key=lambda e: world.scores[e][best[e]].sum())
    return entry, best[entry]


def cheapest_not_significantly_worse(world: World) -> tuple[str, str]:
    """The naive rule: the burden of proof lies on the dearer entry."""
    best = best_configurations(world.scores)
    leader = world.scores[dev_best(world)[0]][dev_best(world)[1]]
    standing = []
    for entry, configuration in best.items():
        other = world.scores[entry][configuration]
        if mcnemar(int((leader > other).sum()), int((leader < other).sum())) > 0.05:
            standing.append(entry)
    pick = min(standing, key=lambda e: world.cost[e])
    return pick, best[pick]


def this_rule(world: World, seed: int) -> tuple[str, str]:
    rows = len(next(iter(world.scores["0"].values())))
    result = select(
        world.scores,
        np.arange(rows),
        totals=world.cost,
        parameters=dict.fromkeys(world.scores, 0),
        seed=seed,
        resamples=RESAMPLES,
    )
    return result.pick, result.entries[result.pick].configuration


@pytest.mark.parametrize("rows", [120, 200])
def test_regret_is_far_below_that_of_the_cheapest_not_significantly_worse(rows: int) -> None:
    """Mean over 300 worlds, in points; standard errors 0.16 to 0.19 naive, 0.07 to 0.10 the others.

    Measured, regret (beyond tolerance), and the mean cost rank of the pick (0 cheapest, 5 dearest):

    ====================  =================  =================  ==========
    rule                  120 dev rows       200 dev rows       cost rank
    ====================  =================  =================  ==========
    naive                 3.65 (2.89)        2.67 (1.98)        0.4, 0.7
    this rule             1.07 (0.63)        0.87 (0.44)        2.1, 2.2
    this rule, R = 2,000  1.12 (0.68)        0.88 (0.45)        2.1, 2.2
    best on dev           1.05 (0.60)        0.90 (0.44)        2.4, 2.7
    ====================  =================  =================  ==========

    So the rule loses no more than ignoring cost does, and is cheaper. Section 5's "2 to 3 points
    against 0.5 to 0.8" is met by the figures beyond tolerance; plain regret is higher for both.
    """
    rng = np.random.default_rng(rows)
    names = ("naive", "rule", "dev best")
    regret: dict[str, list[float]] = {name: [] for name in names}
    cost: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(WORLDS):
        world = draw_world(rng, rows)
        top = max(max(configurations.values()) for configurations in world.truth.values())
        picks = (cheapest_not_significantly_worse(world), this_rule(world, seed), dev_best(world))
        for name, (entry, configuration) in zip(names, picks, strict=True):
            regret[name].append(100 * (top - world.truth[entry][configuration]))
            cost[name].append(world.cost[entry])
    means = {name: float(np.mean(values)) for name, values in regret.items()}
    beyond = {name: float(np.maximum(np.array(v) - 1, 0).mean()) for name, v in regret.items()}
    error = {name: float(np.std(v) / np.sqrt(WORLDS)) for name, v in regret.items()}
    for name in names:
        print(
            f"{rows} rows, {name}: regret {means[name]:.2f} (se {error[name]:.2f}), "
            f"beyond tolerance {beyond[name]:.2f}, cost rank {np.mean(cost[name]):.2f}"
        )
    paired = np.array(regret["naive"]) - np.array(regret["rule"])
    assert paired.mean() - 1.96 * paired.std() / np.sqrt(WORLDS) > 1.0  # a point, beyond chance
    assert beyond["rule"] < 0.9
    assert beyond["naive"] > 2 * beyond["rule"]
    # It is not bought by ignoring cost.
    assert np.mean(cost["rule"]) < np.mean(cost["dev best"])
