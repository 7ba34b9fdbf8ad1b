"""Simulated studies whose truth is known; `pytest -s` prints how often the analysis finds it.

`SIMULATIONS=5 pytest -s tests/test_simulations.py` makes five times as many of them.
"""

import os

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, ndtr
from scipy.stats import norm

from smallsight import params
from smallsight.analysis.accuracy import compute_accuracy
from smallsight.analysis.claims.table import compute_claims
from smallsight.analysis.effects import compute_effects
from smallsight.analysis.gap import decompose_gap
from smallsight.analysis.outcomes import Outcomes
from smallsight.analysis.saliency import MapMeasures
from smallsight.analysis.saliency_tables import compare_outcomes, compare_with_controls
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.analysis.terms import CONTROLS, PARTS, PATHS
from smallsight.analysis.thresholds import VERDICTS, compute_thresholds
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED
from smallsight.vocabulary import DIFFERENCE, REGIMES, SIZE_GROUPS

MORE = int(os.environ.get("SIMULATIONS", "1"))
N = 200
"""Instances per size group."""
ONLY_IF_MORE = pytest.mark.skipif(MORE == 1, reason="takes a minute: set SIMULATIONS")
NOTHING_UNCHANGED = pd.DataFrame(columns=["condition", "size_group"])

pytestmark = [pytest.mark.simulation, pytest.mark.usefixtures("frozen")]


def clusters(rng, n, sizes):
    """Give n instances to images of 1 to 5, or other sizes; their numbers count from 0."""
    counts = rng.choice(sizes, n)
    image = np.repeat(np.arange(n), counts)
    return image[:n]


def ranks(rng, image, *, rho):
    """Draw uniform numbers that instances of an image share to a degree of `rho`."""
    shared = rng.standard_normal(image.max() + 1)[image]
    alone = rng.standard_normal(len(image))
    return ndtr(np.sqrt(rho) * shared + np.sqrt(1 - rho) * alone)


def study(image, group, shares, *, rng, draws, side=None, category="a"):
    """Arrange shares (by regime and condition) of right answers, as `outcomes` would."""
    n = len(image)
    instances = pd.DataFrame(
        {
            "image_id": image,
            "ann_id": np.arange(n),
            "category_name": category,
            "size_group": group,
        }
    )
    names = [
        {"regime": regime, "condition": name, "family": name, "level": "default"}
        for regime, name in shares
    ]
    weights = bootstrap.image_weights(image, draws=draws, rng=rng)
    return Outcomes(
        instances=instances,
        conditions=pd.DataFrame(names),
        hit_rates=np.stack(list(shares.values())).astype(float),
        side=np.full(n, 20.0) if side is None else side,
        weights=np.concatenate([np.ones((1, n), np.float32), weights]),
        chance=1 / 6,
        settings=params.Analysis(confidence=0.95, bootstrap_draws=draws),
    )


def three_groups(rng, sizes):
    """Make `N` instances of each size group; images hold instances of all three."""
    image = np.concatenate([clusters(rng, N, sizes) for _ in SIZE_GROUPS])
    return image, np.repeat(list(SIZE_GROUPS), N)


# Coverage.

BEFORE = {"small": 0.45, "medium": 0.6, "large": 0.8}
"""Accuracy untouched."""
TURNED = {
    "slight": {"small": (0.08, 0.12), "medium": (0.1, 0.1), "large": (0.06, 0.08)},
    "severe": {"small": (0.05, 0.3), "medium": (0.04, 0.4), "large": (0.06, 0.16)},
}
"""Shares of all instances that turn right and that turn wrong under each condition."""


def paired(rng, image, group, *, rho):
    """Draw right answers under every condition of `TURNED`, of known expectation."""
    accuracy = np.array([BEFORE[key] for key in group])
    before = ranks(rng, image, rho=rho) < accuracy
    shares = {("fixed", UNTOUCHED): before}
    for name, cells in TURNED.items():
        gain, lose = np.array([cells[key] for key in group]).T / (1 - accuracy, accuracy)
        rank = ranks(rng, image, rho=rho)
        shares["fixed", name] = np.where(before, rank >= lose, rank < gain)
    return shares


def truths():
    """Accuracies and deltas of `TURNED`."""
    deltas = {
        (name, key): gain - lose
        for name, cells in TURNED.items()
        for key, (gain, lose) in cells.items()
    }
    accuracies = {(name, key): BEFORE[key] + delta for (name, key), delta in deltas.items()}
    accuracies |= {(UNTOUCHED, key): value for key, value in BEFORE.items()}
    for name in TURNED:
        deltas[name, DIFFERENCE] = deltas[name, "small"] - deltas[name, "large"]
    return accuracies, deltas


def covered(table, truth):
    table = table[
        [key in truth for key in zip(table["condition"], table["size_group"], strict=True)]
    ]
    due = [truth[key] for key in zip(table["condition"], table["size_group"], strict=True)]
    inside = (table["ci_low"] - 1e-9 <= due) & (due <= table["ci_high"] + 1e-9)
    return inside.to_numpy(float), list(zip(table["condition"], table["size_group"], strict=True))


@pytest.mark.parametrize(
    ("sizes", "rho"),
    [((1, 2, 3, 4, 5), 0.6), pytest.param((1,), 0.0, marks=ONLY_IF_MORE)],
    ids=["one to five that share their fate", "one instance per image"],
)
def test_intervals_cover_the_truth(sizes, rho):
    rng = np.random.default_rng(11)
    accuracies, deltas = truths()
    repetitions, hits = 1000 * MORE, {"accuracy": 0.0, "delta": 0.0}
    for _ in range(repetitions):
        image, group = three_groups(rng, sizes)
        found = study(image, group, paired(rng, image, group, rho=rho), rng=rng, draws=1000)
        tables = {"accuracy": compute_accuracy(found), "delta": compute_effects(found)}
        names = {}
        for name, truth in (("accuracy", accuracies), ("delta", deltas)):
            inside, names[name] = covered(tables[name], truth)
            hits[name] = hits[name] + inside
    for name, truth in (("accuracy", accuracies), ("delta", deltas)):
        shares = hits[name] / repetitions
        for key, share in zip(names[name], shares, strict=True):
            print(f"{name:8} {key[0]:9} {key[1]:11} truth {truth[key]:+.2f}: covered {share:.3f}")
        print(f"{name}: {shares.mean():.3f} on average, {shares.min():.3f} to {shares.max():.3f}")
        assert len(shares) == len(truth)
        assert ((shares >= 0.93) & (shares <= 0.97)).all()


# Noise.

NOISE = {"mostly the scene's": (0.15, 0.65, 0.1, 0.1), "mostly the head's": (0.35, 0.1, 0.35, 0.2)}
"""Shares of the variance: the image, how it takes a condition, the instance's, and the seed's."""
CONDITIONS = [*ORIGINAL, *(f"more {number}" for number in range(11))]


def noisy(rng, image, *, hard, parts, conditions=CONDITIONS):
    """Draw answers that no condition changes, of five heads each in both regimes."""
    scene, scene_by_condition, instance, seed = np.sqrt(parts)
    base = scene * rng.standard_normal(image.max() + 1)
    shares = {}
    for regime in REGIMES:
        for name in conditions:
            latent = base + scene_by_condition * rng.standard_normal(len(base))
            latent = latent[image] + instance * rng.standard_normal(len(image))
            heads = latent + seed * rng.standard_normal((5, len(image)))
            shares[regime, name] = (heads > hard).mean(axis=0)
    return shares


@pytest.mark.parametrize(
    "parts",
    [NOISE["mostly the scene's"], pytest.param(NOISE["mostly the head's"], marks=ONLY_IF_MORE)],
    ids=NOISE,
)
def test_noise_rarely_gives_a_verdict(parts):
    """In at most 5 of 100 studies is there any effect, and about as often any claim.

    So few claims use up all that Holm's method allows them; hence the simulation's own error.
    """
    rng = np.random.default_rng(5)
    repetitions, found, claimed = 300 * MORE, 0, 0
    for _ in range(repetitions):
        image, group = three_groups(rng, (1, 2, 3, 4, 5))
        shares = noisy(rng, image, hard=0.0, parts=parts)
        outcomes = study(image, group, shares, rng=rng, draws=400)
        table = compute_effects(outcomes)
        assert len(table) == 16 * 4 * 2
        found += (table["verdict"] != "inconclusive").any()
        verdicts = compute_claims(outcomes, NOTHING_UNCHANGED)["verdict"]
        claimed += (verdicts != "inconclusive").any()
    print(f"any effect in {found / repetitions:.3f}, any claim in {claimed / repetitions:.3f}")
    assert found / repetitions <= 0.05
    assert claimed / repetitions <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / repetitions)


@pytest.mark.parametrize(
    "parts",
    [NOISE["mostly the scene's"], pytest.param(NOISE["mostly the head's"], marks=ONLY_IF_MORE)],
    ids=NOISE,
)
def test_noise_rarely_gives_a_cost(parts):
    """Accuracy rises with the side, and no condition changes that."""
    rng = np.random.default_rng(10)
    repetitions, found = 60 * MORE, 0
    for _ in range(repetitions):
        image, group = three_groups(rng, (1, 2, 3, 4, 5))
        middle = np.vectorize({"small": 2.2, "medium": 3.1, "large": 4.0}.get)(group)
        log_side = middle + rng.uniform(-0.45, 0.45, len(group))
        shares = noisy(rng, image, hard=0.9 * (3 - log_side), parts=parts)
        outcomes = study(image, group, shares, rng=rng, draws=500, side=np.exp(log_side))
        verdicts = compute_thresholds(outcomes)["verdict"]
        assert verdicts.isin(list(VERDICTS.values())).all()
        found += verdicts.isin(["larger", "smaller"]).any()
    print(f"any cost in {found / repetitions:.3f}")
    assert found / repetitions <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / repetitions)


def test_the_same_condition_twice_gives_no_verdict():
    """Under any number of names, and with answers that share their scene."""
    rng = np.random.default_rng(8)
    image, group = three_groups(rng, (1, 2, 3, 4, 5))
    hard = np.vectorize({"small": 0.5, "medium": 0.0, "large": -0.8}.get)(group)
    first = noisy(rng, image, hard=hard, parts=NOISE["mostly the scene's"])
    shares = {(regime, name): first[regime, UNTOUCHED] for regime, name in first}
    outcomes = study(image, group, shares, rng=rng, draws=400, side=np.exp(3 - hard))
    table = compute_effects(outcomes)
    assert (table["verdict"] == "inconclusive").all()
    assert (table["p_value"] == 1).all()
    assert (table[["delta", "ci_low", "ci_high"]].abs() < 1e-12).to_numpy().all()
    found = compute_claims(outcomes, NOTHING_UNCHANGED).set_index("claim")
    about_untouched = ["rises_with_size", "small_worse_untouched"]
    assert (found.loc[about_untouched, "verdict"] == "supported").all()
    rest = found.drop(index=about_untouched)
    assert len(rest) == 2 * 3
    assert (rest["verdict"] == "inconclusive").all()
    costs = compute_thresholds(outcomes).dropna(subset="cost")
    assert len(costs) == 2 * 16
    assert (costs["cost"] == 1).all()
    assert (costs["p_value"] == 1).all()
    assert (costs["verdict"] == "inconclusive").all()


# The ledger.

MIXES = {"small": (0.7, 0.3), "large": (0.35, 0.65)}
"""Shares of the two categories."""
RIGHT = {
    "orig_full": {"small": (0.3, 0.5), "large": (0.65, 0.85)},
    "zoom_matched": {"small": (0.5, 0.6), "large": (0.65, 0.85)},
    "object_only": {"small": (0.35, 0.6), "large": (0.6, 0.75)},
    "zoom_object": {"small": (0.5, 0.7), "large": (0.6, 0.8)},
}
"""Accuracy on each category under the conditions that the ledger compares."""


def parts_of(mixes, right):
    """Say what the gap and its parts are, from the mixes and accuracies themselves."""
    both = (np.array(mixes["small"]) + mixes["large"]) / 2
    full, zoomed, alone, both_gone = (
        both @ np.subtract(right[name]["large"], right[name]["small"])
        for name in ("orig_full", "zoom_matched", "object_only", "zoom_object")
    )
    large, small = (np.dot(mixes[key], right["orig_full"][key]) for key in ("large", "small"))
    return {
        "gap": large - small,
        "class_mix": large - small - full,
        "resolution": (full - zoomed + alone - both_gone) / 2,
        "context": (full - alone + zoomed - both_gone) / 2,
        "residual": both_gone,
    }


def small_and_large(rng, n=N):
    """Make n small and n large instances; images hold instances of both."""
    image = np.concatenate([clusters(rng, n, (1, 2, 3, 4, 5)) for _ in MIXES])
    return image, np.repeat(list(MIXES), n)


def test_intervals_of_the_ledger_cover_what_was_planted():
    """Images share their fate, and conditions what is hard."""
    rng = np.random.default_rng(12)
    truth = parts_of(MIXES, RIGHT)
    assert sum(truth[name] for name in list(truth)[1:]) == pytest.approx(truth["gap"])
    assert min(truth.values()) > 0.02
    repetitions, hits = 800 * MORE, 0.0
    for _ in range(repetitions):
        image, group = small_and_large(rng)
        second = rng.random(len(group)) < np.array([MIXES[key][1] for key in group])
        before = norm.ppf(ranks(rng, image, rho=0.5))
        shares = {}
        for name, cells in RIGHT.items():
            accuracy = np.array([cells[key] for key in group])[np.arange(len(group)), 1 * second]
            now = norm.ppf(ranks(rng, image, rho=0.5))
            shares["fixed", name] = ndtr((before + now) / np.sqrt(2)) < accuracy
        category = np.where(second, "b", "a")
        found = study(image, group, shares, rng=rng, draws=600, category=category)
        rows = decompose_gap(found).set_index("part").loc[list(truth)]
        due = list(truth.values())
        hits = hits + ((rows["ci_low"] <= due) & (due <= rows["ci_high"]))
    for name, share in (hits / repetitions).items():
        print(f"{name:10} truth {truth[name]:+.3f}: covered {share:.3f}")
    assert (hits / repetitions).between(0.92, 0.98).all()


@pytest.mark.parametrize(
    ("apart", "absent"),
    [(0.0, ["gap", *PARTS, *PATHS]), (0.8, ["class_mix", "resolution", "context", *PATHS])],
    ids=["no gap", "a gap that nothing closes"],
)
def test_noise_rarely_gives_a_part_of_the_gap(apart, absent):
    rng = np.random.default_rng(13)
    repetitions, found = 200 * MORE, 0
    for _ in range(repetitions):
        image, group = small_and_large(rng)
        hard = np.where(group == "small", apart, 0.0)
        shares = noisy(rng, image, hard=hard, parts=NOISE["mostly the scene's"], conditions=RIGHT)
        category = rng.choice(["a", "b", "c"], len(group), p=[0.6, 0.3, 0.1])
        outcomes = study(image, group, shares, rng=rng, draws=400, category=category)
        rows = decompose_gap(outcomes)
        assert len(rows) == 7 * 2
        found += (rows.loc[rows["part"].isin(absent), "verdict"] != "inconclusive").any()
    print(f"a part in {found / repetitions:.3f}")
    assert found / repetitions <= 0.06


# Power.


@pytest.mark.parametrize("row", ["small", DIFFERENCE])
def test_an_effect_of_the_detectable_size_is_found_four_times_in_five(row):
    rng = np.random.default_rng(2)

    def one(lose, gain=0.06, draws=300):
        image, group = three_groups(rng, (1, 2, 3))
        before = ranks(rng, image, rho=0.3) < 0.6
        rank = ranks(rng, image, rho=0.3)
        lost = np.where(group == "small", lose, gain) / 0.6
        after = np.where(before, rank >= lost, rank < gain / 0.4)
        shares = {("fixed", UNTOUCHED): before, ("fixed", "x"): after}
        table = compute_effects(study(image, group, shares, rng=rng, draws=draws))
        return table.set_index("size_group").loc[row]

    lose = 0.15
    for _ in range(4):
        lose = 0.06 + np.mean([one(lose)["mde"] for _ in range(40)])
    repetitions = 400 * MORE
    share = np.mean([one(lose)["p_value"] <= 0.05 for _ in range(repetitions)])
    print(f"{row}: an effect of {lose - 0.06:.3f} is found in {share:.3f}")
    assert 0.7 <= share <= 0.9


def test_an_effect_too_small_for_the_bootstrap_is_found_as_often_as_the_table_says():
    """Where next to nothing turns, the number of pairs that a test needs sets the limit."""
    rng = np.random.default_rng(3)
    image = np.arange(N)
    group = np.repeat("small", N)
    mde = tests.fewest_discordant(0.95) / N
    found = []
    for _ in range(400 * MORE):
        before = rng.random(N) < 0.6
        after = before & (rng.random(N) >= mde / 0.6)
        shares = {("fixed", UNTOUCHED): before, ("fixed", "x"): after}
        table = compute_effects(study(image, group, shares, rng=rng, draws=100))
        found.append(table["p_value"][0] <= 0.05)
    print(f"an effect of {mde:.3f}, all one way, is found in {np.mean(found):.3f}")
    assert 0.7 <= np.mean(found) <= 0.9


# Thresholds.


def test_thresholds_and_costs_that_were_planted_are_recovered():
    rng = np.random.default_rng(6)
    planted, cost, floor = np.log(14.0), 1.6, 1 / 6
    repetitions = 120 * MORE
    hits, values = [], []
    for _ in range(repetitions):
        image = clusters(rng, 600, (1, 2, 3))
        side = np.exp(rng.uniform(np.log(3), np.log(100), 600))
        shares = {}
        rank = ranks(rng, image, rho=0.2)
        for name, shift in ((UNTOUCHED, 0.0), ("x", np.log(cost))):
            chance = floor + (0.9 - floor) * expit((np.log(side) - planted - shift) / 0.45)
            # Hard instances stay hard: half of the luck is the same under both.
            luck = np.where(rng.random(600) < 0.5, rank, ranks(rng, image, rho=0.2))
            shares["fixed", name] = luck < chance
        group = np.repeat("small", 600)
        outcomes = study(image, group, shares, rng=rng, draws=300, side=side)
        untouched, changed = compute_thresholds(outcomes).to_dict("records")
        hits.append(
            [
                untouched["ci_low"] <= np.exp(planted) <= untouched["ci_high"],
                changed["ci_low"] <= np.exp(planted) * cost <= changed["ci_high"],
                changed["cost_low"] <= cost <= changed["cost_high"],
            ]
        )
        values.append([untouched["threshold"], changed["threshold"], changed["cost"]])
    shares = np.mean(hits, axis=0)
    medians = np.median(values, axis=0)
    print(f"threshold 14: {medians[0]:.1f}, covered {shares[0]:.3f}")
    print(f"threshold 22.4: {medians[1]:.1f}, covered {shares[1]:.3f}")
    print(f"cost 1.6: {medians[2]:.2f}, covered {shares[2]:.3f}")
    assert ((shares >= 0.92) & (shares <= 0.98)).all()
    assert medians == pytest.approx([14, 14 * cost, cost], rel=0.06)


# Maps of evidence.

LIFTS = {"small": 2.0, "medium": 1.0, "large": 0.0}
"""Logarithm of the middle lift, which has to do with the size alone."""
RARE = {"small": 0.9, "medium": 0.95, "large": 0.98}
"""Accuracies that leave few failures: four of the large objects."""


def looking(rng, accuracy, *, apart=0.0):
    """Draw lifts of both kinds of map under two conditions, and who is named rightly.

    Images share their lifts and their fate, to the same degree. Lifts have nothing to do with being
    right, but for `apart`, by which their logarithms are greater there.
    """
    image, group = three_groups(rng, (1, 2, 3, 4, 5))
    chance, middle = (np.array([cells[key] for key in group]) for cells in (accuracy, LIFTS))
    tables = {}
    for condition in (UNTOUCHED, "x"):
        correct = ranks(rng, image, rho=0.6) < chance
        for name in ("predicted", "true_class"):
            lift = np.exp(middle + apart * correct + norm.ppf(ranks(rng, image, rho=0.6)))
            tables[name, condition] = pd.DataFrame({"lift": lift, "correct": correct})
    return MapMeasures(
        study(image, group, {("fixed", UNTOUCHED): correct}, rng=rng, draws=400), tables
    )


@pytest.mark.parametrize(
    ("accuracy", "apart"),
    [(BEFORE, 0.0), (RARE, 0.0), pytest.param(BEFORE, 1.0, marks=ONLY_IF_MORE)],
    ids=["many failures", "few failures", "many failures that look away"],
)
def test_lifts_of_right_and_failed_are_told_apart_where_they_are_apart(accuracy, apart):
    """Intervals cover the truth, and where that is one half, few families of tests find anything.

    Within a size group; size itself, which has to do with both, tells nothing.
    """
    rng = np.random.default_rng(20)
    truth = ndtr(apart / np.sqrt(2))
    repetitions, tables = 130 * MORE, []
    for number in range(repetitions):
        table = compare_outcomes(looking(rng, accuracy, apart=apart))
        tables.append(table.assign(study=number))
    whole = pd.concat(tables)
    inside = (whole["ci_low"] <= truth) & (truth <= whole["ci_high"])
    shares = inside.groupby(whole["size_group"]).mean()
    families = whole.groupby(["study", "map"])["verdict"].agg(set)
    found = families.map(lambda verdicts: verdicts != {"inconclusive"}).mean()
    print(f"superiority {truth:.2f}: covered {shares.round(3).to_dict()}; a verdict in {found:.3f}")
    assert shares.between(0.92, 0.995).all()
    if not apart:
        assert found <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / (2 * repetitions))


def test_intervals_cover_what_a_map_has_more_than_its_controls():
    """Maps and controls share what is the object's and what is the image's own."""
    rng = np.random.default_rng(21)
    truth = {"small": 0.02, "medium": 0.0, "large": -0.05}
    truth["all"] = np.mean(list(truth.values()))
    repetitions, hits = 230 * MORE, []
    for _ in range(repetitions):
        image, group = three_groups(rng, (1, 2, 3, 4, 5))
        excess = np.array([truth[key] for key in group])
        own = ranks(rng, image, rho=0.5)
        tables = {}
        for name, shift in {"predicted": excess, **dict.fromkeys(CONTROLS, 0.0)}.items():
            energy = 0.1 + 0.3 * (own + ranks(rng, image, rho=0.5)) / 2 + shift
            energy[rng.random(len(energy)) < 0.1] = np.nan
            tables[name, UNTOUCHED] = pd.DataFrame({"energy_in_box": energy})
        right = {("fixed", UNTOUCHED): own < 0.5}
        found = study(image, group, right, rng=rng, draws=400)
        table = compare_with_controls(MapMeasures(found, tables))
        due = table["size_group"].map(truth)
        inside = (table["ci_low"] <= due) & (due <= table["ci_high"])
        hits.append(inside.groupby(table["size_group"]).mean())
    shares = pd.concat(hits, axis=1).mean(axis=1)
    print(f"excess {truth}: covered {shares.round(3).to_dict()}")
    assert shares.between(0.92, 0.98).all()
