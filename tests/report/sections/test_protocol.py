"""The original study's protocol: only where it was followed, with the objects that it tests."""

import pytest

from readers.parts import page_of
from readers.report_pages import body_of, text_of
from smallsight.report.sections import protocol
from smallsight.report.sections.protocol import SECTION
from smallsight.vocabulary import GROUPS


def test_a_cross_validated_study_has_no_such_section(forms):
    assert protocol.build(forms.study) is None


def test_tested_and_sampled_objects_stand_with_the_width_they_allow(reported_study):
    made = reported_study(protocol="original")
    page = page_of(made, SECTION)
    for cells, group in zip(body_of(page, "Objects tested"), GROUPS, strict=True):
        assert cells[0] == group.capitalize()
        for n, width in zip(cells[1::2], cells[2::2], strict=True):
            assert float(width.strip("± ")) == pytest.approx(98 / int(n) ** 0.5, abs=0.06)
        assert [int(cells[1]), int(cells[3])] == [40, 200]
    assert "7 of the 24 test objects lie in images that also hold training objects" in text_of(page)
