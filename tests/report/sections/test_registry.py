"""The order of the page: every section once, in a chapter that the bar of contents leads to."""

import textwrap
from pathlib import Path

from smallsight.report import sections
from smallsight.report.section import PlacedSection
from smallsight.report.sections.registry import (
    AFTER,
    BEFORE,
    CHAPTERS,
    OPEN,
    OTHERS,
    SECTIONS,
    UNFOLDED,
    find_chapters,
    in_chapters,
)

NAMED = [name for chapter in (*BEFORE, *AFTER) for name in chapter.modules]


def test_every_module_of_a_section_is_on_the_page():
    folder = Path(sections.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry"}
    names = [part.name for section in SECTIONS for part in (section, *section.parts)]
    assert set(names) == modules
    # These have two places, of which a study has one.
    assert {name for name in names if names.count(name) > 1} == {"background", "deletion"}


def test_an_address_leads_to_one_section():
    for values in ([one.anchor for one in SECTIONS], [one.title for one in SECTIONS]):
        assert len(values) == len(set(values))


def test_the_answer_and_the_objects_come_first_and_are_never_folded():
    assert [section.name for section in SECTIONS[:3]] == ["summary", "explorer", "remedies"]
    assert SECTIONS[-1].name == "provenance"
    assert set(UNFOLDED) | set(OPEN) <= {section.name for section in SECTIONS}
    assert len(NAMED) == len(set(NAMED))


def test_the_bar_has_few_names():
    names = [name for name, declared in CHAPTERS.items() if declared]
    assert 5 < len(names) < 11
    assert all(len(name) <= 10 for name in names)


def place(*names):
    return [
        PlacedSection(one.anchor, one.title, one.contents, ())
        for one in SECTIONS
        if one.name in names
    ]


def test_a_study_has_the_chapters_of_its_sections():
    chapters = in_chapters(place("summary", "claims", "ladder", "method", "limits"))
    assert [chapter.name for chapter in chapters] == ["Answer", "Why", "Claims", "Method"]
    shown = [one for chapter in chapters for one in chapter.sections]
    state = {one.placed.anchor: (one.folds, one.is_open) for one in shown}
    assert state == {
        "summary": (False, True),
        "ladder": (True, True),
        "claims": (True, False),
        "method": (True, False),
        "limits": (True, False),
    }


def test_a_section_that_is_new_in_the_folder_follows_the_findings(tmp_path, monkeypatch):
    module = """
        from smallsight.report.section import Section

        SECTION = Section("novelty", lambda study: None, anchor="novelty", title="Novelty")
    """
    (tmp_path / "novelty.py").write_text(textwrap.dedent(module))
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    found = find_chapters()
    assert [section.name for section in found[OTHERS]] == ["novelty"]
    names = [section.name for chapter in found.values() for section in chapter]
    assert names == [
        *(name for chapter in BEFORE for name in chapter.modules),
        "novelty",
        *(name for chapter in AFTER for name in chapter.modules),
    ]
