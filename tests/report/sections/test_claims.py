"""Claims: every one with its verdict and numbers."""

import pandas as pd

from builders.study_files import INPUTS
from readers.report_pages import rows_of, text_of
from smallsight.report.text import p_value, signed


def test_every_claim_stands_with_its_verdict_and_numbers(report_page):
    made = report_page()
    claims = pd.read_csv(INPUTS.table("claims"), keep_default_na=False)
    rows = rows_of(made, "✓ supported")
    found = [row for row in rows[1:] if len(row) > 1]
    assert len(found) == len(claims)
    for cells, row in zip(found, claims.itertuples(), strict=True):
        text = " ".join(cells)
        sign = {"supported": "✓", "contradicted": "✗", "inconclusive": "○"}[row.verdict]
        assert f"{sign} {row.verdict}" in text
        assert (row.contrary in text) == (row.verdict == "contradicted")
        assert signed(row.effect) in text
        for p in (row.p_value, row.p_holm):
            assert p_value(p) in text
        for name in filter(None, row.vacuous_conditions.split(", ")):
            assert {"downscale": "Downscale ∅", "bg_blur": "Background blur ⊙"}[name] in text
    for sentence in claims["sentence"]:
        assert sentence in text_of(made)


def test_a_contradicted_claim_gives_the_contrary(report_page):
    made = report_page(accuracy={"small": 0.8, "medium": 0.5, "large": 0.3})
    assert "Small objects are recognised more often than large ones, untouched." in text_of(made)
