"""The order of the page: every section once, each at one address in a form."""

import textwrap
from pathlib import Path

import pytest

from smallsight.report import sections
from smallsight.report.sections.registry import (
    APPENDIX,
    FINDINGS,
    SECTIONS,
    find_sections,
)


def test_every_module_of_a_section_is_on_the_page():
    folder = Path(sections.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry"}
    names = [part.name for section in SECTIONS for part in (section, *section.parts)]
    assert set(names) == modules
    # These have two places, of which a study has one.
    assert {name for name in names if names.count(name) > 1} == {"background", "deletion"}


@pytest.mark.parametrize("form", ["screen", "paper"])
def test_an_address_leads_to_one_section_of_a_form(form):
    shown = [section for section in SECTIONS if form in section.forms]
    for values in ([one.anchor for one in shown], [one.title for one in shown]):
        assert len(values) == len(set(values))
    listed = [section.contents for section in shown if section.contents]
    assert len(listed) == len(set(listed))


def test_both_forms_list_the_same_contents():
    screen, paper = (
        [one.contents for one in SECTIONS if one.contents and form in one.forms]
        for form in ("screen", "paper")
    )
    assert screen == paper


def test_a_section_that_is_new_in_the_folder_follows_the_findings(tmp_path, monkeypatch):
    module = """
        from smallsight.report.section import Section

        SECTION = Section("novelty", lambda study: None, anchor="novelty", title="Novelty")
    """
    (tmp_path / "novelty.py").write_text(textwrap.dedent(module))
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    names = [section.name for section in find_sections()]
    assert names == [*FINDINGS, "novelty", *APPENDIX]
