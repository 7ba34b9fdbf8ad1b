"""Limits: what zooming cannot give is counted."""

import numpy as np

from smallsight.report.sections import limits


def test_native_detail_that_zooming_cannot_add_is_counted(reported_study):
    made = reported_study()
    small = made.sample[made.sample["size_group"] == "small"]
    due = made.similarity("zoom_matched", "large")["side_untouched"]
    lacking = (np.sqrt(small["bbox_area"]) < due).sum()
    assert 0 < lacking < len(small)
    said = limits.native_detail_sentence(made)
    assert f"{lacking} of {len(small)} small objects" in said
