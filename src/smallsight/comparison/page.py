"""The page of a comparison: tables, figures and pictures put into one template."""

from smallsight.comparison import cards, layout, sentences
from smallsight.comparison.comparison import Comparison, Difference
from smallsight.comparison.flips import WAYS
from smallsight.report import provenance, text, typeset
from smallsight.vocabulary import POWER, REGIMES

MOST_ON_SCREEN, MOST_ON_PAPER = 48, 24
"""Objects shown of those that were fixed, and as many of those that were newly broken."""


_MOST_PARAMETERS = 8
"""Parameters that the first page has room for."""


def build(found: Comparison, *, most: int) -> str:
    """Draw a comparison as one self-contained HTML page.

    Figures and tables have the same numbers whatever is shown.

    Parameters
    ----------
    most
        How many objects that turned each way are shown, at the most.

    Raises
    ------
    SmallsightError
        Where a picture or the table of boxes is missing or malformed.
    """
    a, b = found.sides
    return (
        typeset.environment()
        .get_template("compare.html")
        .render(
            found=found,
            settings=found.pair.a.settings,
            words=sentences,
            notes=sentences,
            parts=layout,
            text=text,
            regimes=REGIMES,
            power=POWER,
            galleries=[cards.gallery(found, way, most=most) for way in WAYS],
            seeds=[tables.predictions["seed"].nunique() for tables in found.pair.tables],
            most_parameters=_MOST_PARAMETERS,
            fingerprints=[
                Difference(path, digits, b.fingerprints[path])
                for path, digits in a.fingerprints.items()
            ],
            versions=provenance.versions(),
        )
    )
