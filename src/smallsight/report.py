"""The report: tables and pictures put into one template, as HTML and, printed, as PDF."""

import re
import warnings
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
import pandas as pd
from markupsafe import Markup, escape

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
)
from smallsight import report_evidence as evidence
from smallsight import report_parts as parts
from smallsight.errors import SmallsightError
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
    template = _environment().get_template("report.html")
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


def write_pdf(html: str, path: Path) -> int:
    """Print a report as A4 pages with bookmarks and tags, and give the number of pages.

    Raises
    ------
    SmallsightError
        Where the libraries that set type are not installed.
    """
    weasyprint, text = _weasyprint()
    fonts = text.fonts.FontConfiguration()
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=("data", "file"))
    style = weasyprint.CSS(string=_font_faces(), font_config=fonts, url_fetcher=fetcher)
    # The page may refer to nothing outside itself; the stylesheet just read, to the fonts alone.
    sealed = weasyprint.urls.URLFetcher(allowed_protocols=("data",))
    document = weasyprint.HTML(string=html, url_fetcher=sealed).render(
        font_config=fonts, stylesheets=[style], pdf_variant="pdf/ua-1"
    )
    document.write_pdf(path, pdf_variant="pdf/ua-1")
    return len(document.pages)


def _weasyprint() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            # A machine without fonts is no trouble: the report brings its own.
            warnings.filterwarnings("ignore", "No fonts configured|FontConfig cannot load")
            import weasyprint
            import weasyprint.text.fonts
            import weasyprint.urls
    except OSError as error:
        library = str(error).partition("'")[2].partition("'")[0] or str(error).partition("\n")[0]
        raise SmallsightError(
            "WeasyPrint, which sets the PDF",
            f"cannot load {library}",
            "Pango: on Debian or Ubuntu `apt install libpango-1.0-0 libpangoft2-1.0-0 "
            "libharfbuzz-subset0`, on Fedora `dnf install pango`, on macOS `brew install pango`",
        ) from None
    return weasyprint, weasyprint.text


def _font_faces() -> str:
    """Declare the typefaces that matplotlib brings along: a machine may have none."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    faces = (
        ("DejaVu Sans", "DejaVuSans", "normal", "normal"),
        ("DejaVu Sans", "DejaVuSans-Bold", "bold", "normal"),
        ("DejaVu Sans", "DejaVuSans-Oblique", "normal", "italic"),
        ("DejaVu Sans Mono", "DejaVuSansMono", "normal", "normal"),
    )
    return "".join(
        f"@font-face {{ font-family: '{family}'; font-weight: {weight}; font-style: {style}; "
        f"src: url('{(folder / name).with_suffix('.ttf').as_uri()}') }}\n"
        for family, name, weight, style in faces
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("smallsight"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = report_text.percent
    environment.filters["unbroken"] = _unbroken
    environment.globals["source"] = lambda name: Markup(environment.get_template(name).render())
    return environment


def _unbroken(text: str) -> Markup:
    """Keep intervals in brackets on one line."""
    return Markup(
        re.sub(
            r"\([−<>\d][−<>\d. –]*(to [−<>\d. ]+)?\)",
            r'<span class="unbroken">\g<0></span>',
            str(escape(text)),
        )
    )
