import numpy as np
import pandas as pd
import pytest

from smallsight.analysis.severity import SEVERITY, find_unchanged, summarise_severity
from smallsight.vocabulary import NO_VISIBLE_CHANGE


@pytest.fixture(scope="module")
def views():
    rng = np.random.default_rng(0)
    rows = []
    for condition, level in (("weak", 0.985), ("strong", 0.5)):
        for group in ("small", "large"):
            for similarity in level + rng.normal(0, 0.005, 31):
                rows.append(
                    {"task": "object", "condition": condition, "size_group": group,
                     "ssim_box": similarity, "ssim_picture": rng.random(),
                     "box_w": rng.uniform(2, 30), "box_h": rng.uniform(2, 30),
                     "side_untouched": rng.uniform(2, 30)}
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_summary_has_a_row_for_each_condition_and_group_with_medians(views):
    table = summarise_severity(views)
    assert list(table.columns) == SEVERITY.names
    assert (table["task"] == "object").all()
    assert list(zip(table["condition"], table["size_group"], strict=True)) == [
        (name, group) for name in ("weak", "strong") for group in ("small", "medium", "large")
    ]
    for row in table[table["n"] > 0].itertuples():
        part = views[
            (views["condition"] == row.condition) & (views["size_group"] == row.size_group)
        ]
        assert row.n == 31
        values = np.sort(part["ssim_box"])
        assert row.ssim_box == values[15]
        assert (values <= row.ssim_box_q1).sum() == (values >= row.ssim_box_q3).sum() == 8
        assert row.ssim_picture == np.sort(part["ssim_picture"])[15]
        assert row.side == pytest.approx(np.sort(np.sqrt(part["box_w"] * part["box_h"]))[15])
        assert row.side_untouched == np.sort(part["side_untouched"])[15]


def test_a_condition_is_vacuous_for_a_group_above_the_limit_and_only_then(views):
    marked = summarise_severity(views).set_index(["condition", "size_group"])["vacuous"]
    assert dict(marked) == {
        ("weak", "small"): True, ("weak", "medium"): False, ("weak", "large"): True,
        ("strong", "small"): False, ("strong", "medium"): False, ("strong", "large"): False,
    }  # fmt: skip
    limit = views.assign(ssim_box=NO_VISIBLE_CHANGE)
    assert not summarise_severity(limit)["vacuous"].any()
    above = summarise_severity(views.assign(ssim_box=NO_VISIBLE_CHANGE + 1e-9))
    assert (above["vacuous"] == (above["n"] > 0)).all()


def test_what_is_unchanged_is_what_is_vacuous(views):
    severities = summarise_severity(views)
    assert find_unchanged(severities) == {("weak", "small"), ("weak", "large")}
    assert find_unchanged(severities.iloc[:0]) == set()
