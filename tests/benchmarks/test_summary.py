import pytest
from summary import MEASURES, summarise

from builders.bench_rounds import bench_round

ROUNDS = [
    bench_round(),
    bench_round(plain=600.0, table=50.0),
    bench_round(plain=330.0, table=60.0, features=25.0),
]


@pytest.fixture(scope="module")
def found():
    return summarise(ROUNDS)


def test_ratios_are_medians_of_rounds_with_their_spread(found):
    ratio = found["measures"]["ratio_table"]
    assert (ratio["least"], ratio["median"], ratio["largest"]) == (5.5, 6, 12)
    assert found["ratio_table"] == 6


def test_a_head_costs_its_share_of_all_evidence():
    measure = MEASURES["ratio_per_head"]
    assert measure.of(ROUNDS[0]) == pytest.approx((360 / 6) / (80 / 176))


def test_features_are_held_against_the_fastest_engine(found):
    share = found["measures"]["share_of_limit"]
    assert share["median"] == pytest.approx(3000 / 30 / 120, abs=1e-4)
    assert share["largest"] == 1


def test_targets_are_met_or_not(found):
    met = {name: one["met"] for name, one in found["measures"].items() if "met" in one}
    assert met == {
        "ratio_table": True, "ratio_per_head": False, "share_of_limit": False,
        "default_seconds": True, "unchanged_seconds": False, "changed_share": True,
        "starts_share": True,
    }  # fmt: skip


def test_every_measure_is_there_and_steps_add_up(found):
    assert set(found["measures"]) == set(MEASURES)
    assert sum(found["steps"]["plain"].values()) == pytest.approx(360)
    assert found["engines"] == {"torch": 90, "onnxruntime": 120}
