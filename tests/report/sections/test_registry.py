"""The order of the page: every section once, each at one address in a form."""

from pathlib import Path

import pytest

from smallsight.report import sections
from smallsight.report.sections.registry import SECTIONS


def test_every_module_of_a_section_is_on_the_page_once():
    folder = Path(sections.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry"}
    names = [part.name for section in SECTIONS for part in (section, *section.parts)]
    assert sorted(names) == sorted(modules)


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
