"""Pages: templates rendered as HTML, and HTML printed as PDF."""

import re
import warnings
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
from markupsafe import Markup, escape
from PIL import ImageFile

from smallsight.report import text
from smallsight.runtime.errors import SmallsightError

FILTERS = {
    "percent": text.percent,
    "percent_span": text.percent_span,
    "signed": text.signed,
    "size": text.size,
    "part": text.part,
    "span": text.span,
    "points_span": text.points_span,
    "interval": text.interval,
    "p_value": text.p_value,
    "native_pixels": text.native_pixels,
    "factor": text.factor,
    "decimal": text.decimal,
    "pixels": text.pixels,
    "passes": text.passes,
    "times": text.times,
    "thousands": text.thousands,
    "counted": text.counted,
    "begun": text.begun,
}
"""How templates write numbers, by the name of the filter."""


def environment(*packages: str) -> jinja2.Environment:
    """Return what renders templates: text is escaped, and a name that is missing is an error.

    Parameters
    ----------
    packages
        Further packages whose folders of templates are searched, besides the report's.
    """
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package) for package in ("smallsight.report", *packages)]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.filters["unbroken"] = _unbroken
    made.filters["markdown"] = _markdown
    made.globals["source"] = lambda name: Markup(made.get_template(name).render())
    return made


def write_pdf(html: str, path: Path) -> int:
    """Print a page as A4 pages with bookmarks and tags, and return the number of pages.

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
            lenient = ImageFile.LOAD_TRUNCATED_IMAGES
            import weasyprint
            import weasyprint.text.fonts
            import weasyprint.urls

            # Its import makes Pillow open half a picture without an error, in the whole process.
            ImageFile.LOAD_TRUNCATED_IMAGES = lenient
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


def _unbroken(text: str) -> Markup:
    """Keep intervals in brackets on one line."""
    parts = re.split(r"(\([−<>\d][−<>\d. –]*(?:to [−<>\d. ]+)?\))", text)
    kept = Markup('<span class="unbroken">{}</span>')
    return Markup("").join(
        kept.format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _markdown(text: str) -> str:
    """Take away what Markdown would make of a text: it stays on one line, as it is."""
    return re.sub(r"([\\`*_\[\]|~#@<>&])", r"\\\1", " ".join(text.split()))
