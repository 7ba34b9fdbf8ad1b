"""The report in brief, for a pull request's comment."""

from dataclasses import dataclass

from smallsight.report import provenance
from smallsight.report.sections import accuracy, claims, sample, summary
from smallsight.report.sections.accuracy import AccuracyRow
from smallsight.report.sections.claims import Claim
from smallsight.report.sections.provenance import Entry, rows
from smallsight.report.study import Study


@dataclass(frozen=True)
class Brief:
    """What the report in brief shows.

    Attributes
    ----------
    verdict, sentences
        As on page one.
    metrics
        Numbers compared between experiments.
    claims
        The claims and their tests.
    accuracies
        The headline regime's accuracies at reference levels.
    sample, setup, warning
        As on page one.
    revision
        Names of the DVC experiment and of the commit it started from, as far as there are any.
    """

    verdict: str
    sentences: list[str]
    metrics: list[Entry]
    claims: list[Claim]
    accuracies: list[AccuracyRow]
    sample: str
    setup: str
    warning: str
    revision: list[str]


def build(study: Study) -> Brief:
    """Return what the report in brief shows of a study."""
    rows_of_headline = accuracy.rows(study, study.headline_regime) if study.regimes else []
    return Brief(
        verdict=summary.verdict_sentence(study),
        sentences=summary.sentences(study),
        metrics=rows(study.metrics),
        claims=claims.rows(study),
        accuracies=[row for row in rows_of_headline if row.is_reference],
        sample=sample.sample_sentence(study),
        setup=summary.setup_sentence(study),
        warning=summary.warning(study),
        revision=list(provenance.revision().values()),
    )
