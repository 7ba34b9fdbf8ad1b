import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata, spearmanr

from builders import map_measures
from builders.predictions import outcomes_of, predicted
from smallsight.analysis.deletion import DELETION, compute_deletion
from smallsight.analysis.saliency import arrange_measures
from smallsight.analysis.statistics import bootstrap, tests
from smallsight.saliency import removal
from smallsight.saliency.tables import REMOVALS

pytestmark = pytest.mark.simulation

GROUPS = ("all", "small", "medium", "large")
RANK = ["rank", "rank_low", "rank_high"]
KEYS = ["change", "area", "size_group"]


def evaluated(sample):
    """Arrange answers to whole pictures."""
    answers = predicted(sample, conditions={"orig_full": 0.7}, regimes=("fixed",), task="scene")
    return outcomes_of(answers)


@pytest.fixture(scope="module")
def found(population):
    sample = population(images=60)
    return evaluated(sample)


@pytest.fixture(scope="module")
def looking(found):
    return arrange_measures(found, *map_measures.tables(found.instances, conditions=["orig_full"]))


@pytest.fixture(scope="module")
def removals(found):
    return changed(found.instances)


@pytest.fixture(scope="module")
def table(removals, looking):
    return compute_deletion(removals, looking)


def changed(sample, *, by=lambda change, region, area: 0.0, noise=0.1, seed=0):
    """Measure what regions do: what is planted for them, and noise."""
    rng = np.random.default_rng(seed)
    n = len(sample)
    parts = []
    before = {name: rng.uniform(0.3, 0.6, n) for name in ("removed", "restored")}
    for change, region, area in removal.EDITS:
        after = before[change] + by(change, region, area) + rng.normal(0, noise, n)
        parts.append(
            sample.assign(change=change, region=region, area=area, p_before=before[change],
                          p_after=after, area_share=rng.uniform(0, 0.1, n),
                          overlap=rng.uniform(0, 0.2, n))
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)[REMOVALS.names]


def rows_of(table):
    """Every row with its keys."""
    return table.set_index(KEYS).iterrows()


def part_of(removals, key, region):
    """What a region did to a group's objects, in the order of the instances."""
    change, area, group = key
    part = removals[(removals["change"] == change) & (removals["area"] == area)]
    part = part[(part["region"] == region) & ((part["size_group"] == group) | (group == "all"))]
    part = part.sort_values(["image_id", "ann_id"])
    return part.assign(by=part["p_after"] - part["p_before"])


def test_one_row_per_change_area_and_group(table):
    assert list(table.columns) == DELETION.names
    due = itertools.product(("removed", "restored"), removal.AREAS, GROUPS)
    assert list(table[KEYS].itertuples(index=False, name=None)) == list(due)


def test_estimates_are_means_of_what_the_regions_did(table, removals):
    for key, row in rows_of(table):
        own, other = (part_of(removals, key, region) for region in ("object", "random"))
        assert (row["n"], row["images"]) == (len(own), own["image_id"].nunique())
        due = {"object": own["by"].mean(), "random": other["by"].mean()}
        due["difference"] = due["object"] - due["random"]
        due |= {name: own[name].mean() for name in ("area_share", "p_before")}
        due["overlap"] = other["overlap"].mean()
        assert row[list(due)].to_dict() == pytest.approx(due)


def test_intervals_are_those_of_the_draws_and_the_difference_is_paired(table, removals, found):
    for key, row in rows_of(table):
        weights = found.weights[:, found.members[key[2]]].astype(float)
        by = {name: part_of(removals, key, name)["by"].to_numpy() for name in ("object", "random")}
        draws = {name: weights @ one / weights.sum(axis=1) for name, one in by.items()}
        paired = draws["object"] - draws["random"]
        due = bootstrap.estimate(paired, confidence=0.95, images=row["images"])
        alone = due.pop("mde")
        assert alone < row["mde"] < 2 * alone
        for name, one in draws.items():
            ends = bootstrap.percentile_interval(one[1:], 0.95, images=row["images"])
            due |= dict(zip((f"{name}_low", f"{name}_high"), ends, strict=True))
        assert row[list(due)].to_dict() == pytest.approx(due)


def test_all_rows_are_one_family_and_verdicts_need_interval_and_test(removals, looking):
    """Also where something is found."""
    moved = removals.assign(p_after=removals["p_after"] - 0.04 * (removals["region"] == "object"))
    table = compute_deletion(moved, looking)
    assert table["p_holm"].to_numpy() == pytest.approx(tests.holm(table["p_value"]))
    # What is detectable would be found whatever the other tests of the family say.
    size = table["difference"].abs()
    assert (table.loc[size >= table["mde"], "verdict"] == "lower").all()
    lower = (table["p_holm"] <= 0.05) & (table["ci_high"] < 0)
    assert 0 < lower.sum() < len(table)
    assert ((table["verdict"] == "lower") == lower).all()
    assert set(table["verdict"]) == {"lower", "not decided"}


# What is planted.


def test_removing_the_object_lowers_and_restoring_it_raises(found, looking):
    due = {"removed": -0.2, "restored": 0.2}
    planted = changed(
        found.instances, by=lambda change, region, area: due[change] * (region == "object")
    )
    table = compute_deletion(planted, looking)
    verdicts = table.groupby("change")["verdict"].agg(set).to_dict()
    assert verdicts == {"removed": {"lower"}, "restored": {"higher"}}
    amount = table["change"].map(due)
    for name in ("object", "difference"):
        np.testing.assert_allclose(table[name], amount, atol=0.06)
    assert ((table["random_low"] < 0) & (table["random_high"] > 0)).mean() > 0.8


def test_what_any_region_does_is_no_finding(found, looking):
    planted = changed(found.instances, by=lambda change, region, area: -0.2)
    table = compute_deletion(planted, looking)
    assert set(table["verdict"]) == {"not decided"}
    assert (table["object_high"] < 0).all()


def test_only_the_area_that_matters_matters(found, looking):
    planted = changed(
        found.instances,
        by=lambda change, region, area: -0.3 * (area == 4) * (region == "object"),
    )
    table = compute_deletion(planted, looking)
    assert ((table["verdict"] == "lower") == (table["area"] == 4)).all()


# Whether maps tell what matters.


def told(looking, group):
    """The share of the true class's map in the box, and whether it is known."""
    table = looking.tables["true_class", "orig_full"]
    chosen = looking.outcomes.members[group]
    energy = table["energy_in_box"].to_numpy()[chosen]
    return energy, ~np.isnan(energy)


def partial(one, other, held):
    """Correlate what a line in the ranks of `held` leaves of both ranks."""
    one, other, held = (rankdata(values) for values in (one, other, held))
    left = [values - np.polyval(np.polyfit(held, values, 1), held) for values in (one, other)]
    return np.corrcoef(*left)[0, 1]


def test_rank_is_spearmans_within_a_size_group_the_area_held_fixed(table, removals, looking):
    for key, row in rows_of(table):
        if key[2] == "all":
            assert row[RANK].isna().all()
            continue
        energy, known = told(looking, key[2])
        assert 0 < known.sum() < len(known)
        part = part_of(removals, key, "object")
        by, area = part["by"].to_numpy(), part["area_share"].to_numpy()
        matters = by if key[0] == "restored" else -by
        due = partial(energy[known], matters[known], area[known])
        assert row["rank"] == pytest.approx(due)
        assert row["rank_low"] < row["rank"] < row["rank_high"]


@pytest.mark.parametrize("sign", [1, -1])
def test_rank_is_positive_where_maps_tell_what_matters(found, looking, sign):
    energy = looking.tables["true_class", "orig_full"]["energy_in_box"].fillna(0).to_numpy()
    due = {"removed": -1, "restored": 1}
    planted = changed(
        found.instances,
        by=lambda change, region, area: (
            sign * due[change] * (region == "object") * np.argsort(np.argsort(energy)) / 99
        ),
        noise=0.01,
    )
    table = compute_deletion(planted, looking).query("size_group != 'all'")
    assert (sign * table["rank"] > 0.9).all()
    assert (sign * table[["rank_low", "rank_high"]] > 0).all(axis=None)


def test_what_grows_with_the_area_alone_is_no_rank(found, looking):
    energy = looking.tables["true_class", "orig_full"]["energy_in_box"].fillna(0).to_numpy()
    area = energy + np.random.default_rng(5).uniform(0, 0.3 * energy.std(), len(energy))
    planted = changed(found.instances, noise=0.0)
    own = planted["region"] == "object"
    noise = np.random.default_rng(6).normal(0, 0.2 * area.std(), own.sum())
    by = np.tile(area, own.sum() // len(area)) + noise
    planted.loc[own, "area_share"] = np.tile(area, own.sum() // len(area))
    way = planted.loc[own, "change"].map({"removed": -1, "restored": 1})
    planted.loc[own, "p_after"] = planted.loc[own, "p_before"] + way * by
    table = compute_deletion(planted, looking).query("size_group != 'all'")
    assert ((table["rank_low"] < 0) & (table["rank_high"] > 0)).mean() > 0.7
    assert table["rank"].abs().mean() < 0.25


def test_rank_takes_heed_of_ties(found, looking):
    """Most changes are equal to others; all areas are."""
    coarse = changed(found.instances).assign(area_share=0.1)
    by = ((coarse["p_after"] - coarse["p_before"]) * 8).round() / 8  # exact in binary
    coarse = coarse.assign(p_before=0.5, p_after=0.5 + by)
    table = compute_deletion(coarse, looking).set_index(KEYS)
    key = ("restored", 1.0, "small")
    energy, known = told(looking, "small")
    by = part_of(coarse, key, "object")["by"].to_numpy()
    assert len(set(by)) < 8
    due = spearmanr(energy[known], by[known]).statistic
    assert table.loc[key, "rank"] == pytest.approx(due)


def test_rank_is_empty_where_there_is_nothing_to_rank(found, removals):
    attention, maps = map_measures.tables(found.instances, conditions=["orig_full"])
    flat = removals.assign(p_before=0.25, p_after=0.5)
    table = compute_deletion(flat, arrange_measures(found, attention, maps))
    assert table[RANK].isna().all(axis=None)
    mute = maps.assign(energy_in_box=np.nan, no_evidence=True)
    table = compute_deletion(removals, arrange_measures(found, attention, mute))
    assert table[RANK].isna().all(axis=None)
    assert table["object"].notna().all()


# Little to go on.


def test_an_empty_size_group_has_no_row(removals, population, table):
    sample = population(images=60)
    sample = sample[sample["size_group"] != "medium"]
    found = evaluated(sample)
    looking = arrange_measures(
        found, *map_measures.tables(found.instances, conditions=["orig_full"])
    )
    fewer = compute_deletion(removals[removals["size_group"] != "medium"], looking)
    due = itertools.product(("removed", "restored"), removal.AREAS, ("all", "small", "large"))
    assert list(fewer[KEYS].itertuples(index=False, name=None)) == list(due)
    same = table[table["size_group"] == "small"]["difference"].to_numpy()
    np.testing.assert_allclose(fewer[fewer["size_group"] == "small"]["difference"], same)


def test_order_of_the_rows_does_not_matter(table, removals, looking):
    shuffled = compute_deletion(removals.sample(frac=1, random_state=0), looking)
    other = shuffled.set_index(KEYS).loc[pd.MultiIndex.from_frame(table[KEYS])].reset_index()
    pd.testing.assert_frame_equal(other[list(table.columns)], table)
