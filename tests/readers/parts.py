"""The page of one section or part alone."""

from smallsight.report import common, typeset
from smallsight.report.section import Section, place


def page_of(study, part):
    """Print one section or part of a study's report, without those that belong to it."""
    alone = Section(name=part.name, build=part.build, anchor=part.name, title=part.name)
    placed = place(alone, study)
    template = typeset.environment().get_template("report.html")
    return template.render(
        title="A section",
        common=common.describe(study),
        sections=[] if placed is None else [placed],
        n_conditions=0,
        is_print=True,
        form="paper",
    )
