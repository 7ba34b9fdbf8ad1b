"""The order of the page for a browser; a section is found by lying in this folder."""

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass

from smallsight.report import sections
from smallsight.report.section import PlacedSection, Section


@dataclass(frozen=True)
class Chapter:
    """Sections that the bar of contents has one name for.

    Attributes
    ----------
    name
        What the bar calls them.
    modules
        Names of the modules of its sections, in order.
    """

    name: str
    modules: tuple[str, ...]


BEFORE = (
    Chapter("Answer", ("summary",)),
    Chapter("Objects", ("explorer",)),
    Chapter("What to do", ("remedies",)),
    Chapter("Why", ("ladder", "scene", "protocol", "failures", "label_errors", "neighbours")),
    Chapter(
        "Accuracy",
        (
            *("accuracy", "effects", "dose_response", "thresholds"),
            *("severity", "stability", "confidence"),
        ),
    ),
    Chapter("Claims", ("claims",)),
    Chapter("Attention", ("saliency",)),
)
"""What was found; the first two are what a reader sees without scrolling far."""

OTHERS = "More"
"""Chapter of the modules that no other names."""

AFTER = (
    Chapter(
        "Method",
        (*("classifier", "left_out", "method"), *("limits", "sample", "training", "provenance")),
    ),
)
"""How it was made."""

UNFOLDED = ("summary", "explorer")
"""Modules of sections that do not fold."""

OPEN = ("remedies", "ladder", "accuracy")
"""Modules of sections whose fold is open at first; of all others there is a heading to open."""


@dataclass(frozen=True)
class ShownSection:
    """A section of one study's page.

    Attributes
    ----------
    placed
        What its templates read.
    folds, is_open
        Whether it folds, and whether it is open at first.
    """

    placed: PlacedSection
    folds: bool
    is_open: bool


@dataclass(frozen=True)
class ShownChapter:
    """A chapter of one study's page; the bar of contents leads to the first of its sections."""

    name: str
    sections: list[ShownSection]


def find_chapters() -> dict[str, tuple[Section, ...]]:
    """Import the modules of this folder, and return their sections by chapter, in order.

    Modules without a `SECTION` hold parts of others' sections.
    """
    known = {name for chapter in (*BEFORE, *AFTER) for name in chapter.modules}
    found = [one.name for one in pkgutil.iter_modules(sections.__path__)]
    others = tuple(name for name in found if name not in {*known, "registry"})
    return {
        chapter.name: tuple(_sections(chapter.modules))
        for chapter in (*BEFORE, Chapter(OTHERS, others), *AFTER)
    }


def _sections(names: Iterable[str]) -> Iterable[Section]:
    for name in names:
        module = importlib.import_module(f"{sections.__name__}.{name}")
        if hasattr(module, "SECTION"):
            yield module.SECTION


CHAPTERS = find_chapters()
"""All sections by chapter; a page has those that its study has."""

SECTIONS = tuple(section for chapter in CHAPTERS.values() for section in chapter)
"""All sections in the order of the page."""


def in_chapters(placed: Iterable[PlacedSection]) -> list[ShownChapter]:
    """Put one study's sections into their chapters; a chapter without any is left out."""
    by_anchor = {one.anchor: one for one in placed}
    found = [
        ShownChapter(
            name,
            [
                ShownSection(
                    by_anchor[one.anchor],
                    folds=one.name not in UNFOLDED,
                    is_open=one.name in (*UNFOLDED, *OPEN),
                )
                for one in declared
                if one.anchor in by_anchor
            ],
        )
        for name, declared in CHAPTERS.items()
    ]
    return [chapter for chapter in found if chapter.sections]
