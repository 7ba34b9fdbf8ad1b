"""The report in brief, for a pull request's comment."""

from dataclasses import dataclass

from smallsight.report import provenance
from smallsight.report.sections import accuracy, claims, ladder, left_out, remedies, sample, summary
from smallsight.report.sections.accuracy import AccuracyRow
from smallsight.report.sections.claims import Claim
from smallsight.report.sections.ladder import RungRow
from smallsight.report.sections.provenance import Entry, rows
from smallsight.report.study import Study


@dataclass(frozen=True)
class Brief:
    """What the report in brief shows.

    Attributes
    ----------
    verdict, sentences
        As on page one.
    remedies
        What to do, as on page two.
    metrics
        Numbers compared between experiments.
    rungs
        Accuracy of rules that see no pixel, then from rung to rung, by size group.
    claims
        The claims and their tests.
    task, accuracies
        The headline task, and the headline regime's accuracies in it at reference levels.
    sample, setup, drawn, warning
        As on page one.
    left_out
        What was left out, in a sentence; may be empty.
    revision
        Names of the DVC experiment and of the commit it started from, as far as there are any.
    """

    verdict: str
    sentences: list[str]
    remedies: list[str]
    metrics: list[Entry]
    rungs: list[RungRow]
    claims: list[Claim]
    task: str
    accuracies: list[AccuracyRow]
    sample: str
    setup: str
    drawn: str
    warning: str
    left_out: str
    revision: list[str]


def build(study: Study) -> Brief:
    """Return what the report in brief shows of a study."""
    regime = study.headline_regime
    task = study.headline_task
    found = accuracy.rows(study, task, regime) if study.regimes else []
    return Brief(
        verdict=summary.verdict_sentence(study),
        sentences=summary.sentences(study),
        remedies=remedies.sentences(study),
        metrics=rows(study.metrics),
        rungs=[*ladder.rules(study), *ladder.rungs(study), *ladder.apart(study)],
        claims=claims.rows(study),
        task=task,
        accuracies=[row for row in found if row.is_reference],
        sample=sample.sample_sentence(study),
        setup=summary.setup_sentence(study),
        drawn=sample.drawn_sentence(study),
        warning=summary.warning(study),
        left_out=left_out.sentence(study),
        revision=list(provenance.revision().values()),
    )
