"""The ladder and the parts of the gap."""

import itertools

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from builders.simulated_studies import (
    MORE,
    NOISE,
    clusters,
    noisy,
    ranks,
    small_and_large,
    study,
    three_groups,
    tolerated,
)
from smallsight.analysis.ladder import (
    NOT_IDENTIFIED,
    Rungs,
    compute_gap_parts,
    compute_ladder,
)
from smallsight.evaluation.rungs import RUNGS, STEPS
from smallsight.vocabulary import SIZE_GROUPS

pytestmark = pytest.mark.simulation

NAMES = [rung.name for rung in RUNGS]
MIXES = {"small": (0.7, 0.3), "medium": (0.5, 0.5), "large": (0.35, 0.65)}
"""Shares of the two categories."""
RIGHT = {
    "largest_object": {"small": (0.25, 0.3), "medium": (0.3, 0.45), "large": (0.9, 0.95)},
    "scene": {"small": (0.3, 0.5), "medium": (0.5, 0.6), "large": (0.65, 0.85)},
    "box": {"small": (0.4, 0.55), "medium": (0.55, 0.65), "large": (0.7, 0.8)},
    "pyramid": {"small": (0.45, 0.65), "medium": (0.6, 0.75), "large": (0.8, 0.9)},
    "window_few_pixels": {"small": (0.5, 0.75), "medium": (0.7, 0.8), "large": (0.8, 0.9)},
    "window": {"small": (0.7, 0.8), "medium": (0.75, 0.85), "large": (0.85, 0.9)},
    "object_alone": {"small": (0.75, 0.85), "medium": (0.8, 0.9), "large": (0.85, 0.95)},
}
"""Accuracy on each category."""


def truth():
    """Say what every part of the gap is, from the mixes and accuracies themselves."""
    both = np.add(MIXES["small"], MIXES["large"]) / 2
    left = [both @ np.subtract(RIGHT[name]["large"], RIGHT[name]["small"]) for name in NAMES]
    large, small = (np.dot(MIXES[key], RIGHT["scene"][key]) for key in ("large", "small"))
    steps = zip(STEPS.values(), -np.diff(left), strict=True)
    due = {"gap": large - small, "class_mix": large - small - left[0]}
    return due | {step.name: value for step, value in steps} | {"not_explained": left[-1]}


def changes():
    """Say how the accuracy changes from rung to rung, by rung and size group."""
    plain = {
        (rung, group): np.dot(MIXES[group], cells)
        for rung, by_group in RIGHT.items()
        for group, cells in by_group.items()
    }
    plain |= {(rung, "all"): np.mean([plain[rung, g] for g in SIZE_GROUPS]) for rung in RIGHT}
    rungs = list(RIGHT)
    return {
        (rung, group): plain[rung, group] - plain[before, group]
        for before, rung in itertools.pairwise(rungs)
        for group in ("all", *SIZE_GROUPS)
    }


def planted(rng, draws):
    """Answer from every rung; images share their fate, and rungs what is hard."""
    image, group = three_groups(rng, (1, 2, 3, 4, 5))
    second = rng.random(len(group)) < np.array([MIXES[key][1] for key in group])
    shared = norm.ppf(ranks(rng, image, rho=0.5))
    hits = {}
    for name, cells in RIGHT.items():
        accuracy = np.array([cells[key] for key in group])[np.arange(len(group)), 1 * second]
        own = norm.ppf(ranks(rng, image, rho=0.5))
        hits[name] = 1.0 * (ndtr((shared + own) / np.sqrt(2)) < accuracy)
    category = np.where(second, "b", "a")
    scene = {("fixed", "orig_full"): hits["scene"]}
    return Rungs(hits), study(image, group, scene, rng=rng, draws=draws, category=category)


def covers(table, due, ends):
    low, high = (table[end] for end in ends)
    return ((low <= due) & (due <= high)).to_numpy()


def test_intervals_of_the_parts_and_of_the_changes_cover_what_was_planted():
    rng = np.random.default_rng(12)
    parts, deltas = truth(), changes()
    assert sum(list(parts.values())[1:]) == pytest.approx(parts["gap"])
    assert min(map(abs, parts.values())) > 0.01
    repetitions, of_parts, of_deltas = 600 * MORE, 0.0, 0.0
    for _ in range(repetitions):
        rungs, outcomes = planted(rng, 500)
        table = compute_gap_parts(rungs, outcomes)
        assert list(table["part"]) == list(parts)
        of_parts = of_parts + covers(table, list(parts.values()), ("ci_low", "ci_high"))
        table = compute_ladder(rungs, outcomes).dropna(subset="delta")
        assert list(zip(table["rung"], table["size_group"], strict=True)) == list(deltas)
        ends = ("delta_low", "delta_high")
        of_deltas = of_deltas + covers(table, list(deltas.values()), ends)
    for due, hits in ((parts, of_parts), (deltas, of_deltas)):
        shares = hits / repetitions
        for key, share in zip(due, shares, strict=True):
            print(f"{key!s:32} truth {due[key]:+.3f}: covered {share:.3f}")
        print(f"{shares.mean():.3f} on average")
        assert 0.94 <= shares.mean() <= 0.96
        assert (1 - shares <= tolerated(0.07, repetitions)).all()
        assert (shares <= tolerated(0.97, repetitions)).all()


@pytest.mark.parametrize("parts", NOISE)
@pytest.mark.parametrize("apart", [0.0, 0.8], ids=["no gap", "a gap that nothing closes"])
def test_noise_rarely_gives_a_part_of_the_gap(apart, parts):
    """Rungs of equal accuracy: nothing but the gap, and what is not explained, may be shown."""
    rng = np.random.default_rng(13)
    repetitions, found = 150 * MORE, 0
    due = {"gap", "not_explained"} if apart else set()
    for _ in range(repetitions):
        image, group = small_and_large(rng)
        hard = np.where(group == "small", apart, 0.0)
        hits = noisy(rng, image, hard=hard, parts=NOISE[parts], names=NAMES)
        category = rng.choice(["a", "b", "c"], len(group), p=[0.6, 0.3, 0.1])
        scene = {("fixed", "orig_full"): hits["scene"]}
        outcomes = study(image, group, scene, rng=rng, draws=400, category=category)
        table = compute_gap_parts(Rungs(hits), outcomes)
        shown = set(table.loc[table["verdict"].str.startswith("favours"), "part"])
        found += not shown <= due
    print(f"a part in {found / repetitions:.3f}")
    assert found / repetitions <= tolerated(0.05, repetitions)


def test_guesses_on_every_rung_identify_nothing():
    """The floor opens and closes gaps by itself: no step from there is shown."""
    rng = np.random.default_rng(14)
    repetitions, found = 40 * MORE, 0
    for _ in range(repetitions):
        image = clusters(rng, 600, (1, 2, 3))
        group = np.repeat(list(SIZE_GROUPS), 200)
        chance = {name: np.full(600, 1 / 6) for name in NAMES}
        chance["window"][group == "large"] = chance["object_alone"][group == "large"] = 0.9
        hits = {name: 1.0 * (rng.random(600) < odds) for name, odds in chance.items()}
        scene = {("fixed", "orig_full"): hits["scene"]}
        category = rng.choice(list("abcdef"), 600)
        outcomes = study(image, group, scene, rng=rng, draws=300, category=category)
        table = compute_gap_parts(Rungs(hits), outcomes).set_index("part")
        steps = table.loc[[step.name for step in STEPS.values()]]
        # Some intervals miss chance by luck.
        found += (steps["verdict"] != NOT_IDENTIFIED).sum()
        assert (steps["direction"].isin([0, 1]) | (steps["verdict"] != NOT_IDENTIFIED)).all()
    print(f"identified: {found / repetitions / len(steps):.3f} of the steps")
    assert found / repetitions / len(steps) <= 0.1
