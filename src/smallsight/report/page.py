"""The report: sections put into one template, for a screen, for paper, and in brief."""

from dataclasses import dataclass

from smallsight.params import Params
from smallsight.report import brief, common, section, typeset
from smallsight.report.brief import Brief
from smallsight.report.common import Common
from smallsight.report.inputs import Inputs, read_study
from smallsight.report.section import PlacedSection
from smallsight.report.sections.registry import SECTIONS
from smallsight.report.study import Study

TITLE = "Why does an image classifier fail on small objects?"
"""Stands above the report of a study."""


@dataclass(frozen=True)
class Report:
    """One report, to be had in three forms.

    Figures and tables have the same numbers on screen and on paper.

    Attributes
    ----------
    title
        Stands above it.
    common
        What the templates of all sections may show.
    sections
        The sections, in order.
    brief
        What the form in brief shows.
    n_conditions
        How many conditions were evaluated.
    """

    title: str
    common: Common
    sections: list[PlacedSection]
    brief: Brief
    n_conditions: int

    def screen(self) -> str:
        """Return the page to explore, HTML that needs nothing beside itself."""
        return self._page(is_print=False)

    def printed(self) -> str:
        """Return the page to print, HTML for `typeset.write_pdf`."""
        return self._page(is_print=True)

    def summary(self) -> str:
        """Return what a pull request's comment has room for, in Markdown."""
        template = typeset.environment().get_template("summary.md")
        return template.render(common=self.common, section=self.brief)

    def _page(self, *, is_print: bool) -> str:
        return (
            typeset.environment()
            .get_template("report.html")
            .render(
                title=self.title,
                common=self.common,
                sections=self.sections,
                n_conditions=self.n_conditions,
                is_print=is_print,
                form="paper" if is_print else "screen",
            )
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
    placed = (section.place(one, study) for one in SECTIONS)
    return Report(
        title=title,
        common=common.describe(study),
        sections=[one for one in placed if one is not None],
        brief=brief.build(study),
        n_conditions=len({one.name for task in study.tasks for one in study.conditions(task)}),
    )
