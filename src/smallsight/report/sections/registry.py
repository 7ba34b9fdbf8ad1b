"""The order of the page: every section, in one place."""

from smallsight.report.section import Section
from smallsight.report.sections import (
    accuracy,
    claims,
    dose_response,
    effects,
    explorer,
    failures,
    galleries,
    gap,
    limits,
    method,
    neighbours,
    protocol,
    provenance,
    saliency,
    sample,
    severity,
    strips,
    summary,
    thresholds,
    training,
)

SECTIONS: tuple[Section, ...] = (
    summary.SECTION,
    protocol.SECTION,
    accuracy.SECTION,
    effects.SECTION,
    dose_response.SECTION,
    thresholds.SECTION,
    severity.SECTION,
    claims.SECTION,
    gap.SECTION,
    neighbours.SECTION,
    saliency.SECTION,
    galleries.SECTION,
    strips.SECTION,
    explorer.SECTION,
    failures.SECTION,
    method.SECTION,
    limits.SECTION,
    sample.SECTION,
    training.SECTION,
    provenance.SECTION,
)
"""All sections; a page has those that its form shows and its study has."""
