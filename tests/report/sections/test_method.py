"""How the study was made, in words that hold for its parameters."""

import dataclasses

import pytest

from builders.study_files import DETECTOR
from readers.report_pages import text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sections import method
from smallsight.saliency.measures import CENTRE_SPREAD


def test_the_map_of_the_middle_is_as_wide_as_the_text_says(report_page):
    assert CENTRE_SPREAD == 1 / 4
    text = text_of(report_page(only=(UNTOUCHED,)))
    assert "a standard deviation of a quarter of the picture’s width" in text


@pytest.mark.parametrize("size", [64, 96])
def test_network_and_size_of_the_input_are_those_of_its_facts(reported_study, size):
    study = reported_study(only=(UNTOUCHED,))
    facts = dataclasses.replace(DETECTOR, input_size=size)
    made = method.build(dataclasses.replace(study, backbone=facts))
    assert made.input_size == size
    assert made.backbone == facts.describe()


FEATURES = {
    "scene": "A feature is the mean of the last layer’s maps over the picture.",
    "box": "A feature is the mean of the last layer’s maps over the object’s box, by RoIAlign.",
    "pyramid": "A feature joins the means of the layers of strides 8, 16 and 32 over the object’s",
    "fpn": "A feature is the mean of the detector’s feature pyramid over the object’s box, pooled",
}


@pytest.mark.parametrize("readout", FEATURES)
def test_features_and_parts_of_a_logit_are_those_of_the_readout(report_page, readout):
    network = {"network": DETECTOR} if readout == "fpn" else {}
    text = text_of(report_page(only=(UNTOUCHED,), readout=readout, **network))
    assert FEATURES[readout] in text
    # Only where heads read nothing but the last layer do its cells sum to the logit.
    assert ("with the bias these sum to the logit" in text) == (readout in ("scene", "box"))
    assert "Grad-CAM map of the last layer. Maps keep their scale" in text
