"""The report: tables and pictures put into one template, for a screen, for paper, and in brief."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from smallsight.analysis import terms
from smallsight.params import Params
from smallsight.report import marks, provenance, text, typeset
from smallsight.report.figures import style
from smallsight.report.inputs import Inputs, read_study
from smallsight.report.sections import (
    attention,
    attention_words,
    cause_words,
    causes,
    evidence,
    explorer,
    failures,
    galleries,
    parts,
    sample,
    words,
)
from smallsight.report.study import Study
from smallsight.vocabulary import DIFFERENCE, GROUPS, NO_VISIBLE_CHANGE, POWER, REGIMES


@dataclass(frozen=True)
class Report:
    """One report, to be had in three forms.

    Numbers of figures and tables are the same on screen and on paper.

    Attributes
    ----------
    told
        What the templates speak of, by name.
    """

    told: Mapping[str, Any]

    def screen(self) -> str:
        """Give the page to explore, HTML that needs nothing beside itself."""
        return self._render("report.html", is_print=False)

    def printed(self) -> str:
        """Give the page to print, HTML for `typeset.write_pdf`."""
        return self._render("report.html", is_print=True)

    def summary(self) -> str:
        """Give what a pull request's comment has room for, in Markdown."""
        return self._render("summary.md")

    def _render(self, name: str, **more: bool) -> str:
        return typeset.environment().get_template(name).render(self.told, **more)


def build(inputs: Inputs, params: Params) -> Report:
    """Read a study and draw what all forms of the report share.

    Raises
    ------
    SmallsightError
        Where an input is missing, malformed, or at odds with another.
    """
    return draw(read_study(inputs, params), fingerprints=provenance.fingerprints(inputs.paths()))


def draw(study: Study, *, fingerprints: Mapping[str, str]) -> Report:
    """Draw what all forms of a study's report share.

    Parameters
    ----------
    fingerprints
        By file that the study was read from: its hash.
    """
    return Report(
        {
            "study": study,
            "params": study.params,
            "words": words,
            "sampled": sample,
            "marks": marks,
            "text": text,
            "evidence": evidence,
            "causes": causes,
            "cause_words": cause_words,
            "attention": attention,
            "attention_words": attention_words,
            "explorer": explorer,
            "failures": failures,
            "terms": terms,
            "groups": GROUPS,
            "regimes": REGIMES,
            "difference": DIFFERENCE,
            "power": POWER,
            "vacuous": NO_VISIBLE_CHANGE,
            "families": parts.families(study),
            "levels": parts.levels(study),
            "panels": _panels(study),
            "headline_names": parts.drawn(study),
            "tables": {regime: parts.rows(study, regime) for regime in study.regimes},
            "counts": {regime: parts.counts(study, regime) for regime in study.regimes},
            "strips": galleries.strips(study),
            "galleries": galleries.galleries(study),
            "stops": style.gradient(str(study.about["colormap"])),
            "drawn": pd.crosstab(study.sample["category_name"], study.sample["size_group"]),
            "categories": parts.categories(study),
            "parameters": list(provenance.flattened(study.params.model_dump())),
            "fingerprints": fingerprints,
            "versions": provenance.versions(),
            "revision": provenance.revision(),
        }
    )


def _panels(study: Study) -> dict[str, Any]:
    """Draw all figures but those that are pictures, once for all forms."""
    return {
        "ledger": causes.waterfalls(study),
        "headline": evidence.headline(study),
        "accuracy": parts.panels(study),
        "ladders": evidence.dose_response(study),
        "thresholds": evidence.threshold_panels(study),
        "severity": evidence.severity_panels(study),
        "confusion": causes.confusions(study),
        "lift": attention.lifts(study),
        "superiority": attention.superiorities(study),
        "regions": attention.regions(study),
        "training": parts.curves(study),
    }
