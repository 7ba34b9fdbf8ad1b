"""The order of the page, in one place; a section is found by lying in this folder."""

import importlib
import pkgutil

from smallsight.report import sections
from smallsight.report.section import Section

FINDINGS = (
    *("summary", "remedies", "scene", "protocol", "ladder", "accuracy", "effects", "dose_response"),
    *("thresholds", "stability", "confidence", "severity", "claims", "neighbours", "saliency"),
    *("galleries", "strips", "explorer", "failures"),
)
"""Modules whose sections say what was found, in order."""

APPENDIX = (*("classifier", "left_out", "method", "limits", "sample", "training", "provenance"),)
"""Modules whose sections say how; those of modules that are not named here come before them."""


def find_sections() -> tuple[Section, ...]:
    """Import the modules of this folder, and return their sections in the order of the page.

    Modules without a `SECTION` hold parts of others' sections.
    """
    names = [found.name for found in pkgutil.iter_modules(sections.__path__)]
    others = [name for name in names if name not in (*FINDINGS, *APPENDIX, "registry")]
    modules = [
        importlib.import_module(f"{sections.__name__}.{name}")
        for name in (*FINDINGS, *others, *APPENDIX)
    ]
    return tuple(module.SECTION for module in modules if hasattr(module, "SECTION"))


SECTIONS = find_sections()
"""All sections; a page has those that its form shows and its study has."""
