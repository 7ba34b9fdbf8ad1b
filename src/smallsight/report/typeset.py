"""Pages: templates rendered as HTML, and HTML printed as PDF."""

import base64
import contextlib
import hashlib
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from PIL import ImageFile

from smallsight.report import fonts, forest, letters, paging, text
from smallsight.report.paging import LaidOut
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
    "placed": forest.placed,
}
"""How templates write numbers, by the name of the filter."""

_FOLLOWING = "break-before: auto !important"
"""Style of a sheet that begins no page."""

_MARGIN = 17 * 96 / 25.4
"""Above and below the text of a page of paper, as paper.css has it; in pixels of 1/96 inch."""


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
    made.filters["source_hash"] = _source_hash
    made.globals["source"] = lambda name: Markup(made.get_template(name).render())
    return made


def _source_hash(program: str) -> Markup:
    """Name a program by its hash, as a content security policy does that lets no other run."""
    digest = hashlib.sha256(program.encode()).digest()
    return Markup("'sha256-{}'").format(base64.b64encode(digest).decode())


def write_pdf(html: str, path: Path, *, sheets: Sequence[str] = ()) -> int:
    """Print a page as A4 pages with bookmarks and tags, and return the number of pages.

    Parameters
    ----------
    html
        The page.
    path
        Where the PDF goes.
    sheets
        Ids of elements that begin a page each, by the page's own style; they follow on where a
        page would be left half empty.

    Raises
    ------
    SmallsightError
        Where the libraries that set type are not installed.
    """
    weasyprint, text = _weasyprint()
    html = letters.spelled(html)
    shown = fonts.characters(html)
    # Cut down already: WeasyPrint would do it by one library or another.
    options = {"pdf_variant": "pdf/ua-1", "full_fonts": True}
    # The page may refer to nothing outside itself; the stylesheet, to the fonts alone.
    sealed, fetcher = (
        weasyprint.urls.URLFetcher(allowed_protocols=allowed) for allowed in (["data"], ["file"])
    )
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        faces = fonts.write_faces(shown, folder) + letters.write_faces("".join(shown), folder)
        stack.enter_context(fonts.without_system_fonts())
        known = text.fonts.FontConfiguration()
        style = weasyprint.CSS(string=faces, font_config=known, url_fetcher=fetcher)
        source = weasyprint.HTML(string=html, url_fetcher=sealed)

        def lay_out(following: Iterable[str]) -> Any:
            joined = "".join(f"#{name} {{ {_FOLLOWING} }}\n" for name in sorted(following))
            return source.render(
                font_config=known, stylesheets=[style, weasyprint.CSS(string=joined)], **options
            )

        document = _filled(lay_out, sheets)
        document.write_pdf(path, **options)
    return len(document.pages)


def _filled(lay_out: Callable[[Iterable[str]], Any], sheets: Sequence[str]) -> Any:
    """Lay out until no further sheet has to follow on."""
    following: frozenset[str] = frozenset()
    while True:
        document = lay_out(following)
        pages = [_laid_out(page, sheets) for page in document.pages]
        wanted = following | paging.followers(sheets, pages, following)
        if wanted == following:
            return document
        following = wanted


def _laid_out(page: Any, sheets: Sequence[str]) -> LaidOut:
    """Say where the sheets' parts on a page end, in pixels of 1/96 inch."""
    bottoms = {name: page.anchors[name][3] for name in sheets if name in page.anchors}
    return LaidOut(top=_MARGIN, height=page.height - 2 * _MARGIN, bottoms=bottoms)


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


def _unbroken(text: str) -> str:
    r"""Keep intervals in brackets on one line.

    Examples
    --------
    >>> _unbroken("12.0 points (−3.9 to +20.2)")
    '12.0 points (−3.9\xa0to\xa0+20.2)'
    """
    interval = r"\([−+<>\d][−+<>\d. –]*(?:to [−+<>\d. ]+)?\)"
    return re.sub(interval, lambda found: found[0].replace(" ", "\u00a0"), text)


def _markdown(text: str) -> str:
    """Take away what Markdown would make of a text: it stays on one line, as it is."""
    return re.sub(r"([\\`*_\[\]|~#@<>&])", r"\\\1", " ".join(text.split()))
