"""The page of one section or part alone."""

from smallsight.report import common, typeset
from smallsight.report.section import Section, place
from smallsight.report.sections.registry import ShownChapter, ShownSection


def page_of(study, part):
    """Print one section or part of a study's report, without those that belong to it."""
    alone = Section(name=part.name, build=part.build, anchor=part.name, title=part.name)
    placed = place(alone, study)
    shown = [] if placed is None else [ShownSection(placed, folds=False, is_open=True)]
    template = typeset.environment().get_template("report.html")
    return template.render(
        title="A section",
        common=common.describe(study),
        chapters=[ShownChapter("Alone", shown)] if shown else [],
        stand_ins=[],
        n_conditions=0,
    )
