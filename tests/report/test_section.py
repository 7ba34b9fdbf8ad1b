"""Sections: placed with their own part first, and left out where a study has none."""

from smallsight.report.section import Part, PlacedPart, Section, place


def declare(build, *, parts=()):
    return Section(name="own", build=build, anchor="here", title="Title", parts=parts)


def test_a_sections_own_part_comes_first_and_a_missing_part_is_left_out():
    parts = (Part("one", lambda study: None), Part("two", lambda study: study + " two"))
    placed = place(declare(lambda study: study + " own", parts=parts), "study")
    assert placed.parts == (
        PlacedPart("own.html", "study own"),
        PlacedPart("two.html", "study two"),
    )
    assert (placed.anchor, placed.title) == ("here", "Title")


def test_a_section_that_a_study_lacks_is_not_placed():
    assert place(declare(lambda study: None), "study") is None
