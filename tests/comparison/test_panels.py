import re

import pytest

from builders.compared_studies import predicted
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.panels import MOST_ROWS, condition_panels, number_panels

pytestmark = pytest.mark.usefixtures("frozen")


def texts_of(panel):
    return re.findall(r">([^<>]+)</text>", panel)


def test_every_headline_number_is_drawn(comparison):
    drawn = [text for panel in number_panels(comparison) for text in texts_of(panel)]
    labels = [text.split("  ")[0] for text in drawn]
    for name in ("All", "Small", "Medium", "Large", "Threshold", "Gap, large − small"):
        assert name in labels


def test_of_many_conditions_reference_levels_are_drawn(other, sample):
    levels = tuple(f"downscale/scale={number}" for number in range(MOST_ROWS))
    found = other(sample, predicted(sample, conditions=(*levels, "occlusion/ratio=0.35")))
    side = found.sides[1]
    (panel,) = condition_panels(compare_studies(side, side))
    assert "Occlusion" in texts_of(panel)
    assert [text for text in texts_of(panel) if text.startswith("Downscale")] == ["Downscale"]
