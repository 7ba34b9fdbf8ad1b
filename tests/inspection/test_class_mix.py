import numpy as np
import pandas as pd

from smallsight.inspection.class_mix import distance, find_mixes


def mixes(**names):
    rows = [(group, name) for group, each in names.items() for name in each]
    return find_mixes(pd.DataFrame(rows, columns=["size_group", "category_name"]), ("car", "bus"))


def test_shares_of_a_group_and_what_dominates_it():
    found = mixes(small=["car"] * 3 + ["bus"], medium=["car", "bus"])
    assert found["small"].shares == {"car": 0.75, "bus": 0.25}
    assert (found["small"].commonest, found["small"].is_dominated) == ("car", True)
    # A half is not above a half.
    assert not found["medium"].is_dominated
    assert (found["large"].n, found["large"].shares, found["large"].is_dominated) == (0, {}, False)


def test_the_distance_is_the_share_that_would_have_to_change():
    found = mixes(small=["car"] * 4, medium=["car"] * 3 + ["bus"], large=["bus"] * 2)
    assert distance(found["small"], found["large"]) == 1.0
    assert distance(found["small"], found["medium"]) == 0.25
    assert distance(found["small"], found["small"]) == 0.0
    assert np.isnan(distance(found["small"], mixes()["large"]))
