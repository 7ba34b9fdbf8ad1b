"""What objects are named: the shares and accuracies of the tables."""

import dataclasses
import re
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from builders.study_files import HOSTILE, with_tables
from readers.drawings import texts
from readers.parts import page_of
from readers.report_pages import rows_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sections import confusion
from smallsight.report.sections.confusion import PART
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, HEADLINE_TASK, SCENE


def of_window(study, name):
    table = study.tables[name]
    return table[table["task"] == HEADLINE_TASK]


def test_categories_stand_in_the_page(forms):
    categories = of_window(forms.study, "categories").set_index(["category_name", "size_group"])
    _, *body = rows_of(page_of(forms.study, PART), "accuracy by category and size")
    assert [cells[0].strip() for cells in body] == [HOSTILE, "bus"]
    for cells in body:
        for cell, group in zip(cells[1:], ALL_AND_GROUPS, strict=True):
            row = categories.loc[cells[0].strip(), group]
            assert f"{100 * row.acc:.1f}%" in cell
            assert f"({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f}) n = {row.n:.0f}" in cell


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_without_objects_has_empty_cells_and_no_matrix(forms, group):
    tables = {
        name: table.assign(n=table["n"].where(table["size_group"] != group, 0))
        for name in ("confusion", "categories")
        for table in [forms.study.tables[name]]
    }
    made = with_tables(forms.study, **tables)
    for row in confusion.rows(made):
        known = [one for one, cell in zip(ALL_AND_GROUPS, row.cells, strict=True) if cell]
        assert known == [one for one in ALL_AND_GROUPS if one != group]
    titles = [text for panel in confusion.panels(made) for text in texts(panel) if "obj" in text]
    assert titles == [f"Window, {one} objects" for one in GROUPS if one != group]


def test_a_matrix_per_size_group_has_the_windows_shares(forms):
    table = of_window(forms.study, "confusion")
    other = forms.study.tables["confusion"]
    changed = other.assign(share=other["share"].where(other["task"] != SCENE, 0.123))
    panels = confusion.panels(with_tables(forms.study, confusion=changed))
    for panel, group in zip(panels, GROUPS, strict=True):
        shares = table.loc[table["size_group"] == group, "share"]
        found = [text for text in texts(panel) if text.isdigit()]
        assert found == [f"{100 * share:.0f}" for share in shares if share > 0]


def test_cells_lead_to_the_objects_that_most_seeds_name_so(forms):
    votes = of_window(forms.study, "answers")
    votes = votes[votes["condition"] == UNTOUCHED]
    for panel, group in zip(confusion.panels(forms.study), GROUPS, strict=True):
        due = votes[votes["size_group"] == group].groupby(["category_name", "predicted"]).size()
        found = {}
        for part in ElementTree.fromstring(panel).iter():
            if "data-to" in part.attrib:
                anchor, _, query = part.get("data-to").partition("?")
                wanted = dict(parse_qsl(query))
                assert anchor == "galleries"
                assert (wanted["group"], wanted["condition"]) == (group, f"object/{UNTOUCHED}")
                count = re.search(r"; open (\d+) objects?$", part.get("data-tip"))[1]
                found[wanted["category"], wanted["named"]] = int(count)
        assert found == due.to_dict()


def test_without_a_gallery_no_cell_leads_anywhere(forms):
    made = dataclasses.replace(forms.study, maps=forms.study.maps[:0])
    assert not any("data-to" in panel for panel in confusion.panels(made))
