"""Builds the page of a comparison: everything that its template reads, and the page itself."""

from dataclasses import dataclass

from markupsafe import Markup

from smallsight.comparison import cards, flip_tables, layout, panels, sentences
from smallsight.comparison.cards import FlipGallery
from smallsight.comparison.comparison import ComparedTask, Comparison, Difference
from smallsight.comparison.flip_tables import CountRow, FlippedObjects
from smallsight.comparison.flips import FLIPS
from smallsight.comparison.inputs import Files
from smallsight.comparison.layout import ConditionTable, NumberRow
from smallsight.comparison.numbers import FACTOR, LARGEST_STEP
from smallsight.comparison.revisions import Revision
from smallsight.report import provenance, typeset
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import POWER, REGIMES, TASKS

MOST_ON_SCREEN, MOST_ON_PAPER = 48, 24
"""Number of positive flips that are shown, and of negative flips, on the page and in the PDF."""

_MOST_PARAMETERS = 8
"""Number of parameters that the first page has room for."""


@dataclass(frozen=True)
class TaskPart:
    """What the template reads of one task.

    Attributes
    ----------
    name, meaning
        What the page calls the task, and what is shown.
    has_threshold, has_ladder
        Whether the threshold, and the ladder's largest step, are among its numbers.
    number_panels, numbers
        Figures and table of the headline numbers.
    condition_panels, condition_tables, n_condition_tests
        Figures and tables of the conditions, and how many tests Holm's method adjusts there.
    counts, flipped
        Flips by size group, and the names of all.
    """

    name: str
    meaning: str
    has_threshold: bool
    has_ladder: bool
    number_panels: list[Markup]
    numbers: list[NumberRow]
    condition_panels: list[Markup]
    condition_tables: list[ConditionTable]
    n_condition_tests: int
    counts: list[CountRow]
    flipped: list[FlippedObjects]


@dataclass(frozen=True)
class Page:
    """What the template reads.

    Attributes
    ----------
    a, b
        The two revisions.
    files
        Paths of the files that were compared.
    interval, confidence, draws, power
        What intervals are called, their confidence, the number of bootstrap draws, and the power
        behind a detectable difference: "95% interval", "95%", "2,000", "80%".
    has_heads
        Whether either study trained heads.
    regime, regime_meaning, is_headline_regime
        What the first common regime is called, what it means, and whether it is the headline
        regime of a study.
    n_regimes
        Number of common regimes.
    has_same_input
        Whether both networks see pictures of one size.
    verdict, points, shared
        The answer, further sentences, and which objects are compared.
    first_parameters, parameters, sources
        The parameters that differ and that the first page has room for; all of them; the code and
        data that differ.
    tasks
        What is shown of each task, the headline's first.
    galleries
        Cards of some of the flips in the headline's task.
    fingerprints, digits
        Digests of the compared files, and how many of their digits are shown.
    versions
        Packages with their versions.
    """

    a: Revision
    b: Revision
    files: Files
    interval: str
    confidence: str
    draws: str
    power: str
    has_heads: bool
    regime: str
    regime_meaning: str
    is_headline_regime: bool
    n_regimes: int
    has_same_input: bool
    verdict: str
    points: list[str]
    shared: str
    first_parameters: list[Difference]
    parameters: list[Difference]
    sources: list[Difference]
    tasks: list[TaskPart]
    galleries: list[FlipGallery]
    fingerprints: list[Difference]
    digits: int
    versions: str


def build(comparison: Comparison, *, most: int) -> str:
    """Build one self-contained HTML page.

    Its figures and tables have the same numbers whatever `most` is.

    Parameters
    ----------
    most
        The largest number of positive flips that are shown, and of negative flips.

    Raises
    ------
    SmallsightError
        If a picture or the table of boxes is missing or malformed.
    """
    template = typeset.environment("smallsight.comparison").get_template("compare.html")
    return template.render(page=_page(comparison, most=most))


def _page(comparison: Comparison, *, most: int) -> Page:
    a, b = comparison.sides
    settings = comparison.pair.a.settings
    confidence = f"{100 * settings.confidence:g}%"
    return Page(
        a=a.revision,
        b=b.revision,
        files=b.files,
        interval=f"{confidence} interval",
        confidence=confidence,
        draws=f"{settings.bootstrap_draws:,}",
        power=f"{100 * POWER:g}%",
        has_heads=not all(side.is_own for side in comparison.sides),
        regime=comparison.words.caption,
        regime_meaning=comparison.words.meaning,
        is_headline_regime=comparison.regime == next(iter(REGIMES)),
        n_regimes=len(comparison.pair.regimes),
        has_same_input=comparison.has_same_input,
        verdict=sentences.verdict(comparison, comparison.headline),
        points=sentences.points(comparison) + sentences.notes(comparison),
        shared=sentences.shared(comparison),
        first_parameters=comparison.parameters[:_MOST_PARAMETERS],
        parameters=comparison.parameters,
        sources=comparison.sources,
        tasks=[_part(one) for one in comparison.tasks],
        galleries=[cards.make_gallery(comparison, flip, most=most) for flip in FLIPS],
        fingerprints=[
            Difference(path, digits, b.fingerprints[path])
            for path, digits in a.fingerprints.items()
        ],
        digits=provenance.DIGITS,
        versions=", ".join(f"{name} {version}" for name, version in provenance.versions().items()),
    )


def _part(compared: ComparedTask) -> TaskPart:
    return TaskPart(
        name=TASK_NAMES[compared.task],
        meaning=TASKS[compared.task],
        has_threshold=FACTOR in compared.number,
        has_ladder=LARGEST_STEP in compared.number,
        number_panels=panels.number_panels(compared),
        numbers=layout.number_rows(compared),
        condition_panels=panels.condition_panels(compared),
        condition_tables=layout.condition_tables(compared),
        n_condition_tests=len(compared.conditions),
        counts=flip_tables.count_rows(compared),
        flipped=[row for flip in FLIPS for row in flip_tables.flipped_objects(compared, flip)],
    )
