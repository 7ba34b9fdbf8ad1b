"""Limits: only those of what was done."""

import dataclasses

import pytest

from builders.study_files import UNTRAINED, with_tables
from readers.parts import page_of
from readers.report_pages import text_of
from smallsight.report.sections.limits import SECTION


def limits(study):
    return text_of(page_of(study, SECTION))


def test_generated_pictures_and_random_weights_are_called_so(forms):
    photographs = forms.study.params.data.model_copy(update={"source": "coco"})
    params = forms.study.params.model_copy(update={"data": photographs})
    assert "The pictures are drawn scenes." in limits(forms.study)
    assert "drawn scenes" not in limits(dataclasses.replace(forms.study, params=params))
    assert "untrained" not in limits(forms.study)
    assert "untrained" in limits(dataclasses.replace(forms.study, backbone=UNTRAINED))


@pytest.mark.parametrize(
    ("name", "words"), [("pixels", "The curve over pixels"), ("stability", "A shift may move")]
)
def test_what_was_not_done_has_no_limits(forms, name, words):
    made = with_tables(forms.study, **{name: forms.study.tables[name][:0]})
    assert words in limits(forms.study)
    assert words not in limits(made)
