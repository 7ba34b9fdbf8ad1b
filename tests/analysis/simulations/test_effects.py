"""Effects, accuracies and claims in simulated studies: intervals cover, noise finds little."""

import numpy as np
import pytest

from builders.predictions import NOTHING_UNCHANGED, facts_of
from builders.simulated_studies import (
    MORE,
    NOISE,
    SEEDS,
    N,
    noisy,
    ranks,
    study,
    three_groups,
    tolerated,
)
from smallsight.analysis.accuracy import compute_accuracy
from smallsight.analysis.claims.table import compute_claims
from smallsight.analysis.effects import compare, compute_effects
from smallsight.analysis.statistics import tests
from smallsight.conditions.rendered.names import ORIGINAL, UNTOUCHED
from smallsight.vocabulary import DIFFERENCE, REGIMES, TASKS

pytestmark = pytest.mark.simulation


def effects_of(outcomes):
    """Take all conditions for corruptions that are visible."""
    names = outcomes.conditions["condition"].unique()
    return compute_effects(outcomes, NOTHING_UNCHANGED, facts_of(names))


def claims_of(*outcomes):
    severities = dict.fromkeys(TASKS, NOTHING_UNCHANGED)
    table = compute_claims({one.task: one for one in outcomes}, severities, {})
    return table[table["part"] == ""]


def undecided_beyond(table, *, effect):
    """Count the effects that are greater than what is detectable, and not decided."""
    judged = table[table["direction"].notna()]
    return ((judged[effect].abs() > judged["mde"]) & (judged["direction"] == 0)).sum()


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
    [((1, 2, 3, 4, 5), 0.6), ((1,), 0.0)],
    ids=["one to five that share their fate", "one instance per image"],
)
def test_intervals_cover_the_truth(sizes, rho):
    """Each in 93 to 97 of 100 studies, but for the simulation's own error."""
    rng = np.random.default_rng(12)
    accuracies, deltas = truths()
    repetitions, hits = 250 * MORE, {"accuracy": 0.0, "delta": 0.0}
    for _ in range(repetitions):
        image, group = three_groups(rng, sizes)
        found = study(image, group, paired(rng, image, group, rho=rho), rng=rng, draws=600)
        tables = {"accuracy": compute_accuracy(found), "delta": effects_of(found)}
        names = {}
        for name, truth in (("accuracy", accuracies), ("delta", deltas)):
            inside, names[name] = covered(tables[name], truth)
            hits[name] = hits[name] + inside
    error = 2 * np.sqrt(0.05 * 0.95 / repetitions)
    for name, truth in (("accuracy", accuracies), ("delta", deltas)):
        shares = hits[name] / repetitions
        for key, share in zip(names[name], shares, strict=True):
            print(f"{name:8} {key[0]:9} {key[1]:11} truth {truth[key]:+.2f}: covered {share:.3f}")
        print(f"{name}: {shares.mean():.3f} on average, {shares.min():.3f} to {shares.max():.3f}")
        assert len(shares) == len(truth)
        assert 0.93 <= shares.mean() <= 0.97
        assert ((shares >= 0.93 - error) & (shares <= 0.97 + error)).all()


# Noise.

CONDITIONS = [*ORIGINAL, *(f"more {number}" for number in range(4))]
SCENE = [(regime, name) for regime in REGIMES for name in ORIGINAL]
WINDOW = [("fixed", name) for name in CONDITIONS if name != "orig_crop"]
WINDOW += [("retrained", name) for name in ORIGINAL if name != "orig_crop"]


@pytest.mark.parametrize("parts", NOISE.values(), ids=NOISE)
def test_noise_rarely_gives_a_verdict(parts):
    """In at most 5 of 100 studies is there any effect, and in as many any sentence."""
    rng = np.random.default_rng(5)
    repetitions, found, claimed = 100 * MORE, 0, 0
    for _ in range(repetitions):
        image, group = three_groups(rng, (1, 2, 3, 4, 5))
        scene, window = (
            study(
                image,
                group,
                noisy(rng, image, hard=0.0, parts=parts, names=names),
                rng=rng,
                draws=300,
                seeds=SEEDS,
                task=task,
            )
            for task, names in (("scene", SCENE), ("object", WINDOW))
        )
        table = effects_of(window)
        assert table["primary"].sum() == 8
        found += table["direction"].isin([1, -1]).any()
        claims = claims_of(scene, window)
        assert len(claims) == 14
        claimed += claims["direction"].isin([1, -1]).any()
        assert not undecided_beyond(table, effect="delta")
        assert not undecided_beyond(claims, effect="effect")
    print(f"any effect in {found / repetitions:.3f}, any claim in {claimed / repetitions:.3f}")
    assert found / repetitions <= tolerated(0.05, repetitions)
    assert claimed / repetitions <= tolerated(0.05, repetitions)


def test_the_same_condition_twice_gives_no_verdict():
    """Under any number of names, and with answers that share their scene."""
    rng = np.random.default_rng(8)
    image, group = three_groups(rng, (1, 2, 3, 4, 5))
    hard = np.vectorize({"small": 0.5, "medium": 0.0, "large": -0.8}.get)(group)
    parts = NOISE["mostly the scene's"]
    (once,) = noisy(rng, image, hard=hard, parts=parts, names=["once"]).values()
    settings = {"rng": rng, "draws": 400, "seeds": SEEDS, "side": np.exp(3 - hard)}
    scene, window = (
        study(image, group, dict.fromkeys(names, once), task=task, **settings)
        for task, names in (("scene", SCENE), ("object", WINDOW))
    )
    table = effects_of(window)
    assert (table.loc[table["primary"], "verdict"] == "not decided").all()
    assert (table["p_value"].dropna() == 1).all()
    assert (table[["delta", "ci_low", "ci_high"]].abs() < 1e-12).to_numpy().all()
    found = claims_of(scene, window).set_index("claim")
    about_untouched = ["rises_with_size", "small_worse_untouched"]
    assert (found.loc[about_untouched, "verdict"] == "supported").all()
    rest = found.drop(index=about_untouched)
    assert len(rest) == 2 + 2 * 2 * 2
    assert (rest["verdict"] == "not decided").all()


# Power.


def turned(rng, *, lose, gain=0.06):
    """Make a study in which small objects are lost more often than others."""
    image, group = three_groups(rng, (1, 2, 3))
    before = ranks(rng, image, rho=0.3) < 0.6
    rank = ranks(rng, image, rho=0.3)
    lost = np.where(group == "small", lose, gain) / 0.6
    after = np.where(before, rank >= lost, rank < gain / 0.4)
    return study(image, group, {("fixed", UNTOUCHED): before, ("fixed", "x"): after}, rng=rng,
                 draws=300)  # fmt: skip


@pytest.mark.parametrize("level", [0.05, 0.05 / 6], ids=["alone", "one of six"])
def test_an_effect_of_the_detectable_size_is_found_four_times_in_five(level):
    rng = np.random.default_rng(2)

    def one(lose):
        return compare(turned(rng, lose=lose), "fixed", "x", "small", level=level)

    lose = 0.15
    for _ in range(4):
        lose = 0.06 + np.mean([one(lose)["mde"] for _ in range(40)])
    repetitions = 400 * MORE
    share = np.mean([one(lose)["p_value"] <= level for _ in range(repetitions)])
    print(f"an effect of {lose - 0.06:.3f} is found at {level:.3f} in {share:.3f}")
    assert 0.7 <= share <= 0.9


def test_a_difference_of_the_detectable_size_is_beyond_its_interval_four_times_in_five():
    rng = np.random.default_rng(2)

    def one(lose):
        return effects_of(turned(rng, lose=lose)).set_index("size_group").loc[DIFFERENCE]

    lose = 0.15
    for _ in range(4):
        lose = 0.06 + np.mean([one(lose)["mde"] for _ in range(40)])
    repetitions = 200 * MORE
    share = np.mean([one(lose)["ci_high"] < 0 for _ in range(repetitions)])
    print(f"a difference of {lose - 0.06:.3f} is beyond its interval in {share:.3f}")
    assert 0.7 <= share <= 0.9


def test_an_effect_too_small_for_the_bootstrap_is_found_as_often_as_the_table_says():
    """Where next to nothing turns, the number of images that a test needs sets the limit."""
    rng = np.random.default_rng(3)
    image = np.arange(N)
    mde = tests.detectable_change(np.zeros(N, int), level=0.05, whole=1) / N
    found = []
    for _ in range(400 * MORE):
        before = rng.random(N) < 0.6
        after = before & (rng.random(N) >= mde / 0.6)
        shares = {("fixed", UNTOUCHED): before, ("fixed", "x"): after}
        one = study(image, "small", shares, rng=rng, draws=100)
        found.append(compare(one, "fixed", "x", "small", level=0.05)["p_value"] <= 0.05)
    print(f"an effect of {mde:.3f}, all one way, is found in {np.mean(found):.3f}")
    assert 0.7 <= np.mean(found) <= 0.9
