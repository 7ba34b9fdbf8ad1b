"""The report: sections put into one template, for a screen, for paper, and in brief."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from smallsight.params import Params
from smallsight.report import brief, common, letters, section, stand_ins, typeset
from smallsight.report.brief import Brief
from smallsight.report.common import Common
from smallsight.report.inputs import Inputs, read_study
from smallsight.report.section import PlacedSection, Section
from smallsight.report.sections.registry import SECTIONS, in_chapters
from smallsight.report.sheets.registry import SHEETS
from smallsight.report.stand_ins import Named
from smallsight.report.study import Study

TITLE = "Why does an image classifier fail on small objects?"
"""Stands above the report of a study."""


@dataclass(frozen=True)
class Report:
    """One report, to be had in three forms.

    The page for a browser holds everything; paper holds what a reader takes in at once, and names
    the files of the rest.

    Attributes
    ----------
    title
        Stands above it.
    common
        What the templates of all sections may show.
    sections, sheets
        What the page for a browser shows, and what paper does, in order.
    brief
        What the form in brief shows.
    stand_ins
        What stands on pages for names that no font of this machine can write.
    n_conditions
        How many conditions were evaluated.
    """

    title: str
    common: Common
    sections: list[PlacedSection]
    sheets: list[PlacedSection]
    brief: Brief
    stand_ins: list[Named]
    n_conditions: int

    def screen(self) -> str:
        """Return the page to explore, HTML that needs nothing beside itself."""
        return letters.embedded(self._screen)

    def printed(self) -> str:
        """Return the pages to print, HTML for `typeset.write_pdf`."""
        return self._render("paper.html", sheets=self.sheets, stand_ins=self.stand_ins)

    @property
    def anchors(self) -> list[str]:
        """Ids of the sheets, for `typeset.write_pdf`."""
        return [one.anchor for one in self.sheets]

    def summary(self) -> str:
        """Return what a pull request's comment has room for, in Markdown."""
        return self._render("summary.md", section=self.brief)

    def note(self) -> str:
        """Say in one line which letters no font of this machine has; empty where that is none."""
        return letters.note("".join([*(one.name for one in self.stand_ins), self._screen]))

    @cached_property
    def _screen(self) -> str:
        chapters = in_chapters(self.sections)
        return self._render("report.html", chapters=chapters, stand_ins=self.stand_ins)

    def _render(self, template: str, **shown: Any) -> str:
        return (
            typeset.environment()
            .get_template(template)
            .render(title=self.title, common=self.common, n_conditions=self.n_conditions, **shown)
        )


def build(inputs: Inputs, params: Params) -> Report:
    """Read a study and draw what all forms of the report share.

    Raises
    ------
    SmallsightError
        Where an input is missing, malformed, or at odds with another.
    """
    return draw(read_study(inputs, params))


def draw(study: Study, *, title: str = TITLE) -> Report:
    """Draw what all forms of a study's report share, under a title."""
    names = stand_ins.names_of(study)
    found = stand_ins.find_stand_ins(names)
    shown = stand_ins.with_stand_ins(study, found)
    with letters.in_figures("".join(names)):
        return Report(
            title=title,
            common=common.describe(shown),
            sections=_place(SECTIONS, shown),
            sheets=_place(SHEETS, shown),
            brief=brief.build(study),
            stand_ins=found,
            n_conditions=len({one.name for task in study.tasks for one in study.conditions(task)}),
        )


def _place(declared: Iterable[Section], study: Study) -> list[PlacedSection]:
    placed = (section.place(one, study) for one in declared)
    return [one for one in placed if one is not None]
