"""Remedies, more examples and calibration in simulated studies: noise finds little."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from builders.remedies import (
    SHARES,
    at_once,
    by_share,
    confident,
    facts_of,
    sides_of,
    with_remedies,
)
from builders.simulated_studies import (
    MORE,
    NOISE,
    SEEDS,
    N,
    clusters,
    noisy,
    ranks,
    study,
    tolerated,
)
from smallsight.analysis.calibration import compute_calibration
from smallsight.analysis.more_examples import compute_more_examples
from smallsight.analysis.remedies import compute_remedies
from smallsight.analysis.thresholds import THRESHOLDS
from smallsight.remedies.facts import UNTREATED
from smallsight.vocabulary import SCENE, TASKS

pytestmark = pytest.mark.simulation

NO_THRESHOLD = pd.DataFrame(columns=THRESHOLDS.names)


def drawn(rng, image, *, task=SCENE, draws=300, category="a"):
    """Draw the images of a study of small objects; answers to untouched pictures do not count."""
    shares = {("fixed", "orig_full"): np.zeros(len(image))}
    return study(image, "small", shares, rng=rng, draws=draws, task=task, category=category)


def remedies_of(outcomes, answers, names, rng):
    needs = {name: dict(zip(TASKS, ("nothing", "box"), strict=True)) for name in names}
    return compute_remedies(
        pd.concat(answers, ignore_index=True),
        outcomes,
        facts_of(needs),
        thresholds=NO_THRESHOLD,
        native_side=np.full(N, 20.0),
        rng=rng,
    )


@pytest.mark.parametrize("parts", NOISE.values(), ids=NOISE)
def test_noise_rarely_looks_like_a_remedy(parts):
    """Among 12 remedies in two tasks, none has a verdict in at least 95 of 100 studies."""
    rng = np.random.default_rng(21)
    names = [f"r{number}" for number in range(12)]
    repetitions, found, luck = 40 * MORE, 0, []
    for _ in range(repetitions):
        image = clusters(rng, N, (1, 2, 3, 4, 5))
        outcomes = {task: drawn(rng, image, task=task) for task in TASKS}
        answers = []
        for task, one in outcomes.items():
            shares = noisy(rng, image, hard=0.2, parts=parts, names=[UNTREATED, *names])
            right = {name: at_once(share, SEEDS) for name, share in shares.items()}
            answers.append(with_remedies(one.instances, right, task=task))
        small = remedies_of(outcomes, answers, names, rng).query("primary")
        assert len(small) == 2 * len(names)
        found += small["direction"].isin([1, -1]).any()
        luck.append(small.groupby("task")["delta"].max().mean())
    print(f"any verdict in {found / repetitions:.3f}; the best looks like {np.mean(luck):+.3f}")
    assert found / repetitions <= tolerated(0.05, repetitions)


TURNED = {"none": (0.1, 0.1), "slight": (0.14, 0.06), "strong": (0.4, 0.04), "harm": (0.05, 0.2)}
"""Shares of the objects that turn right and that turn wrong with each remedy."""


def test_intervals_of_what_remedies_change_cover_the_truth():
    rng = np.random.default_rng(22)
    accuracy, repetitions = 0.45, 50 * MORE
    inside = np.zeros(2 * len(TURNED))
    for _ in range(repetitions):
        image = clusters(rng, N, (1, 2, 3, 4, 5))
        outcomes = {task: drawn(rng, image, task=task, draws=400) for task in TASKS}
        answers = []
        for task, one in outcomes.items():
            before = ranks(rng, image, rho=0.6) < accuracy
            right = {UNTREATED: before}
            for name, (gain, lose) in TURNED.items():
                rank = ranks(rng, image, rho=0.6)
                stays = rank >= lose / accuracy
                right[name] = np.where(before, stays, rank < gain / (1 - accuracy))
            answers.append(with_remedies(one.instances, right, task=task))
        small = remedies_of(outcomes, answers, TURNED, rng).query("primary")
        due = small["remedy"].map({name: gain - lose for name, (gain, lose) in TURNED.items()})
        inside += (small["ci_low"] <= due) & (due <= small["ci_high"])
    covered(inside / repetitions, repetitions)


def covered(shares, repetitions, *, least=0.93):
    """Check how often intervals hold the truth: on average, and each but for luck."""
    print(f"covered {np.mean(shares):.3f}, {np.min(shares):.3f} to {np.max(shares):.3f}")
    error = 2 * np.sqrt(0.05 * 0.95 / repetitions)
    assert np.mean(shares) >= least - error / 2
    assert np.min(shares) >= least - error


# More examples.


@pytest.mark.parametrize("slope", [0.0, 0.06], ids=["level", "rising"])
def test_the_gain_of_twice_as_many_is_covered(slope):
    """Accuracy rises by as much with every doubling."""
    rng = np.random.default_rng(23)
    accuracies = dict(zip(SHARES, 0.5 + slope * np.log2(SHARES), strict=True))
    repetitions, inside, found = 150 * MORE, 0, 0
    for _ in range(repetitions):
        image = clusters(rng, N, (1, 2, 3, 4, 5))
        outcomes = {SCENE: drawn(rng, image)}
        # Heads agree on most objects: those that learned from fewer are right on other ones.
        shared = rng.standard_normal(image.max() + 1)[image]
        hard = np.sqrt(0.4) * shared + np.sqrt(0.4) * rng.standard_normal(N)
        right = {
            share: ndtr(hard + np.sqrt(0.2) * rng.standard_normal((SEEDS, N))) < accuracy
            for share, accuracy in accuracies.items()
        }
        predictions = by_share(outcomes[SCENE].instances, right, task=SCENE)
        made = compute_more_examples(predictions, outcomes)
        gain = made["more_examples_gain"].iloc[0]
        inside += gain["ci_low"] <= slope <= gain["ci_high"]
        found += gain["direction"] != 0
    print(f"a gain of {slope:.2f} per doubling is found in {found / repetitions:.3f}")
    covered(inside / repetitions, repetitions)
    assert slope or found / repetitions <= tolerated(0.05, repetitions)


# Calibration.

CATEGORIES = ["a", "b", "c"]
FOLDS = 5


def sure(rng, image, *, blur):
    """Draw logits and categories of objects, as true as the logits' probabilities, and sides."""
    shared = rng.standard_normal((image.max() + 1, 3))[image]
    logits = 1.6 * (np.sqrt(0.3) * shared + np.sqrt(0.7) * rng.standard_normal((len(image), 3)))
    category = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    side = np.exp(rng.normal(3, 0.6, len(image)))
    # A smaller object is the surer.
    return logits, np.array(CATEGORIES)[category], side, np.exp(blur * (3.5 - np.log(side)))


def calibrated(rng, image, *, blur, draws):
    logits, category, side, sharpness = sure(rng, image, blur=blur)
    outcomes = drawn(rng, image, draws=draws, category=category)
    seeds = logits + 0.2 * rng.standard_normal((3, *logits.shape))
    about = {"task": SCENE, "folds": image % FOLDS}
    predictions = confident(outcomes.instances, seeds, sharpness=sharpness, **about)
    sides = sides_of(
        outcomes.instances, side, task=SCENE, seeds=3, noise=0.2, seed=rng.integers(2**31)
    )
    table = compute_calibration(predictions, sides, outcomes, CATEGORIES)["calibration"]
    return table.query("size_group == 'small'").set_index("scaling")


@pytest.mark.parametrize("blur", [0.0, 0.6, 1.2], ids=["calibrated", "surer", "much surer"])
def test_calibration_errors_and_their_changes_are_covered(blur):
    """The truth is what a study of very many objects finds."""
    rng = np.random.default_rng(24)
    truth = calibrated(rng, clusters(rng, 20000, (1, 2, 3, 4, 5)), blur=blur, draws=100)
    repetitions, inside, values = 25 * MORE, {}, []
    for _ in range(repetitions):
        found = calibrated(rng, clusters(rng, N, (1, 2, 3, 4, 5)), blur=blur, draws=200)
        values.append((found["ece"]["none"], found["ece"]["temperature"]))
        for scaling, name, low, high in (
            ("none", "ece", "ece_low", "ece_high"),
            ("temperature", "ece", "ece_low", "ece_high"),
            ("temperature", "change", "change_low", "change_high"),
            ("none", "accuracy_at_coverage", "coverage_low", "coverage_high"),
        ):
            due, row = truth.loc[scaling, name], found.loc[scaling]
            key = scaling, name
            # In a well calibrated study the truth is the least that an error can be.
            is_inside = row[low] <= due + 5e-3 and due - 5e-3 <= row[high]
            inside[key] = inside.get(key, 0) + is_inside
    means = np.mean(values, axis=0)
    print(f"ece {truth['ece'].round(3).to_dict()}, found on average {means.round(3)}")
    for key, count in inside.items():
        print(f"{key}: covered {count / repetitions:.3f}")
    covered([count / repetitions for count in inside.values()], repetitions, least=0.88)
