"""What stages that come later rely on; `tests/analysis/test_tables.py` reads every table back."""

import pandas as pd
import pytest

from builders.remedy_bench import Colours, bench_on, drawn
from smallsight.remedies.registry import REMEDIES
from smallsight.remedies.run import try_remedies
from smallsight.remedies.tables import (
    ESTIMATED_SIDES,
    MORE_EXAMPLES_PREDICTIONS,
    REMEDY_PREDICTIONS,
    REMEDY_TIMES,
)
from smallsight.runtime.files import write_table
from smallsight.runtime.tables import conform, read_table

PREDICTION = ["seed", "fold", "image_id", "ann_id", "category_name", "size_group", "predicted",
              "correct"]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "name", "columns"),
    [
        (REMEDY_PREDICTIONS, "remedies", ["remedy", "task", *PREDICTION, "confidence"]),
        (REMEDY_TIMES, "remedies_times", ["remedy", "task", "seconds", "ratio"]),
        (MORE_EXAMPLES_PREDICTIONS, "more_examples", ["task", "share", "n_train", *PREDICTION]),
        (ESTIMATED_SIDES, "estimated_sides", ["task", "seed", "image_id", "ann_id", "side"]),
    ],
    ids=["remedies", "times", "more examples", "sides"],
)
def test_columns_are_the_contracts(table, name, columns):
    assert table.name == name
    assert table.names == columns


def test_what_is_tried_comes_back_from_its_files(tmp_path):
    bench = bench_on(tmp_path / "bench", drawn(images=6), Colours())
    tried = try_remedies(bench, REMEDIES, {"flip": True, "window": True})
    write_table(tried.predictions, tmp_path / "remedies.parquet")
    write_table(tried.times, tmp_path / "remedies_times.csv")
    predictions = pd.read_parquet(tmp_path / "remedies.parquet")
    pd.testing.assert_frame_equal(predictions, tried.predictions)
    conform(predictions, REMEDY_PREDICTIONS)
    times = read_table(tmp_path / "remedies_times.csv", REMEDY_TIMES)
    assert len(times) == 5
    pd.testing.assert_frame_equal(times, tried.times)
