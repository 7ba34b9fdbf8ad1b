"""How the study was made, in words that hold for its parameters."""

import dataclasses

import pytest

from builders.study_files import DETECTOR, with_tables
from readers.parts import page_of
from readers.report_pages import text_of
from smallsight.report.sections import method
from smallsight.report.sections.method import SECTION
from smallsight.saliency.measures import CENTRE_SPREAD


def with_params(study, section, **changes):
    """Give a study other values of a section's parameters."""
    tree = getattr(study.params, section).model_copy(update=changes)
    return dataclasses.replace(study, params=study.params.model_copy(update={section: tree}))


def test_the_map_of_the_middle_is_as_wide_as_the_text_says(forms):
    assert CENTRE_SPREAD == 1 / 4
    text = text_of(page_of(forms.study, SECTION))
    assert "a standard deviation of a quarter of its width" in text


@pytest.mark.parametrize("size", [64, 96])
def test_network_and_size_of_the_input_are_those_of_its_facts(forms, size):
    facts = dataclasses.replace(DETECTOR, input_size=size)
    made = method.build(dataclasses.replace(forms.study, backbone=facts))
    assert made.input_size == size
    assert made.backbone == facts.describe()


def test_the_window_is_that_of_the_parameters(forms):
    text = text_of(page_of(with_params(forms.study, "tasks", window_margin=0.4), SECTION))
    assert "grown on each side by 0.4 times its width and height" in text


def test_the_families_of_tests_are_counted(forms):
    claims, effects = forms.study.tables["claims"], forms.study.tables["effects"]
    made = method.build(forms.study)
    assert made.n_claims == (claims["part"] == "").sum()
    assert made.n_effects == effects["primary"].sum() > 0
    assert "the 2 primary comparisons as one family" in text_of(page_of(forms.study, SECTION))


def test_what_was_not_done_is_not_described(forms):
    tables = {name: forms.study.tables[name][:0] for name in ("pixels", "stability")}
    made = with_tables(forms.study, **tables)
    for word in ("Pixels. ", "Shifts. "):
        assert word in text_of(page_of(forms.study, SECTION))
        assert word not in text_of(page_of(made, SECTION))


FEATURES = {
    "scene": "A feature is the mean of the last layer’s maps over the picture.",
    "box": "A feature is the mean of the last layer’s maps over the object’s box, by RoIAlign.",
    "pyramid": "A feature joins the means of the layers of strides 8, 16 and 32 over the object’s",
    "fpn": "A feature is the mean of the detector’s feature pyramid over the object’s box, pooled",
}


@pytest.mark.parametrize("readout", FEATURES)
def test_features_and_parts_of_a_logit_are_those_of_the_readout(forms, readout):
    text = text_of(page_of(with_params(forms.study, "heads", readout=readout), SECTION))
    assert FEATURES[readout] in text
    # Only where heads read nothing but the last layer do its cells sum to the logit.
    assert ("with the bias these sum to the logit" in text) == (readout in ("scene", "box"))
    assert "Grad-CAM map of the last layer. Maps keep their scale" in text
