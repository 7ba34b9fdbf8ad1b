"""How the study was made, in words that hold for its parameters."""

import dataclasses

import pytest

from readers.report_pages import text_of
from smallsight.backbones.registry import find_backbone
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sections import method
from smallsight.saliency.measures import CENTRE_SPREAD


def test_the_map_of_the_middle_is_as_wide_as_the_text_says(report_page):
    assert CENTRE_SPREAD == 1 / 4
    text = text_of(report_page(only=(UNTOUCHED,)))
    assert "a standard deviation of a quarter of the picture’s width" in text


def test_the_network_is_called_what_its_record_says(reported_study):
    study = reported_study(only=(UNTOUCHED,))
    assert method.build(study).backbone == find_backbone("resnet18").label


@pytest.mark.parametrize("size", [64, 96])
def test_the_size_of_the_input_is_the_one_that_maps_were_made_at(reported_study, size):
    study = reported_study(only=(UNTOUCHED,))
    made = dataclasses.replace(study, about={**study.about, "input_size": size})
    assert method.build(made).input_size == size
