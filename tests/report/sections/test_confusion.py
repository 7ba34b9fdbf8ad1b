"""What objects are named: the shares and accuracies of the tables."""

import pandas as pd

from builders.study_files import INPUTS
from readers.report_pages import rows_of
from smallsight.report.sections import confusion
from smallsight.vocabulary import GROUPS


def test_categories_stand_in_the_page_and_empty_cells_stay_empty(report_page):
    made = report_page(counts={"medium": 0})
    categories = pd.read_csv(INPUTS.table("categories")).set_index(["category_name", "size_group"])
    _, *body = rows_of(made, "Accuracy by category and size")
    assert [cells[0].strip() for cells in body] == ["car", "bus"]
    for cells in body:
        for cell, group in zip(cells[1:], ("all", *GROUPS), strict=True):
            row = categories.loc[cells[0].strip(), group]
            if group == "medium":
                assert cell == ""
            else:
                assert f"{100 * row.acc:.1f}%" in cell
                assert f"({100 * row.ci_low:.1f}–{100 * row.ci_high:.1f}) n = {row.n:.0f}" in cell
    assert "Medium objects" not in made


def test_a_matrix_per_size_group_has_the_tables_shares(reported_study):
    made = reported_study()
    table = made.tables["confusion"]
    panels = confusion.panels(made)
    assert len(panels) == len(GROUPS)
    for panel, group in zip(panels, GROUPS, strict=True):
        shares = table.loc[table["size_group"] == group, "share"]
        assert f"{group.capitalize()} objects" in panel
        for share in shares[shares > 0]:
            assert f">{100 * share:.0f}<" in panel
