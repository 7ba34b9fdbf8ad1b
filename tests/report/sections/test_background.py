"""The background gap: the numbers of its table."""

import pandas as pd

from builders.study_files import INPUTS
from readers.report_pages import rows_of, text_of
from smallsight.report import text
from smallsight.vocabulary import GROUPS

ARROWS = {1: "▲ ", -1: "▼ ", 0: ""}


def test_the_background_gap_stands_in_the_page(report_page):
    made = report_page(changes={("fixed", "bg_swap/donor=other"): {"small": -0.3}})
    background = pd.read_csv(INPUTS.table("background")).set_index(["regime", "size_group"])
    assert background.loc[("fixed", "small"), "direction"] == 1
    _, *body = rows_of(made, "the background gap in points")
    for cells, group in zip(body, ("all", *GROUPS), strict=True):
        for number, regime in enumerate(("fixed", "retrained")):
            row = background.loc[regime, group]
            gap, context = cells[1 + 2 * number : 3 + 2 * number]
            assert ARROWS[row.direction] + text.signed(row.gap) in gap
            assert f"({text.span(row)})" in gap
            assert f"{100 * row.acc_same:.1f}% same, {100 * row.acc_other:.1f}% other" in gap
            assert f"{100 * row.acc_context:.1f}%" in context
            assert f"({100 * row.context_low:.1f}–{100 * row.context_high:.1f})" in context
            assert f"commonest {100 * row.commonest:.1f}%" in context
    assert "Background gap, fixed head, in points: shown for small" in text_of(made)
    assert "7.3 points for a ResNet-50" in text_of(made)
