import re

from builders.compared_studies import predicted
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.panels import MOST_ROWS, condition_panels, number_panels


def texts_of(panel):
    return re.findall(r">([^<>]+)</text>", panel)


def test_every_headline_number_is_drawn(comparison):
    for compared in comparison.tasks:
        panels = number_panels(compared)
        drawn = [text for panel in panels for text in texts_of(panel)]
        labels = [text.split("  ")[0] for text in drawn]
        for name in ("All", "Small", "Medium", "Large", "Gap, large − small"):
            assert name in labels
        assert ("Threshold" in labels) == (compared.task == "object")
        assert ("Largest step of the ladder" in labels) == (compared.task == "scene")


def test_every_panel_names_its_task(comparison):
    names = {"object": "Window", "scene": "Whole picture"}
    for compared in comparison.tasks:
        for panel in (*number_panels(compared), *condition_panels(compared)):
            titles = re.findall(r"<title>([^<]+)</title>", panel)
            assert titles[0].startswith(f"{names[compared.task]}: ")


def test_of_many_conditions_reference_levels_are_drawn(other, sample):
    levels = tuple(f"downscale/scale={number}" for number in range(MOST_ROWS))
    found = other(sample, predicted(sample, conditions=(*levels, "occlusion/ratio=0.35")))
    side = found.sides[1]
    for compared in compare_studies(side, side).tasks:
        (panel,) = condition_panels(compared)
        assert "Occlusion" in texts_of(panel)
        assert [text for text in texts_of(panel) if text.startswith("Downscale")] == ["Downscale"]
