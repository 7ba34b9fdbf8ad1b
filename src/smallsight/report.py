"""The report: tables and pictures put into one template."""

import pandas as pd

from smallsight import (
    figures,
    provenance,
    report_attention,
    report_attention_words,
    report_cause_words,
    report_causes,
    report_gallery,
    report_marks,
    report_sample,
    report_text,
    report_words,
    terms,
    typeset,
)
from smallsight import report_evidence as evidence
from smallsight import report_parts as parts
from smallsight.params import Params
from smallsight.report_inputs import Inputs, read
from smallsight.report_study import GROUPS
from smallsight.vocabulary import DIFFERENCE, POWER, REGIMES, VACUOUS


def build(inputs: Inputs, params: Params) -> str:
    """Draw the report as one self-contained HTML page.

    Raises
    ------
    SmallsightError
        Where an input is missing, malformed, or at odds with another.
    """
    study = read(inputs, params)
    template = typeset.environment().get_template("report.html")
    return template.render(
        study=study,
        params=params,
        words=report_words,
        sampled=report_sample,
        marks=report_marks,
        text=report_text,
        evidence=evidence,
        causes=report_causes,
        cause_words=report_cause_words,
        attention=report_attention,
        attention_words=report_attention_words,
        terms=terms,
        groups=GROUPS,
        regimes=REGIMES,
        difference=DIFFERENCE,
        power=POWER,
        vacuous=VACUOUS,
        families=parts.families(study),
        levels=parts.levels(study),
        panels=parts.panels(study),
        headline_names=parts.drawn(study),
        tables={regime: parts.rows(study, regime) for regime in study.regimes},
        counts={regime: parts.counts(study, regime) for regime in study.regimes},
        curves=parts.curves(study),
        strips=report_gallery.strips(study),
        galleries=report_gallery.galleries(study),
        stops=figures.gradient(str(study.about["colormap"])),
        drawn=pd.crosstab(study.sample["category_name"], study.sample["size_group"]),
        categories=parts.categories(study),
        parameters=list(provenance.flattened(params.model_dump())),
        fingerprints=provenance.fingerprints(inputs.paths()),
        versions=provenance.versions(),
    )
