"""The report's own typefaces: DejaVu, which matplotlib brings along, cut down to what a page needs.

A system's fonts and settings have no say, and neither has its library for cutting fonts: WeasyPrint
takes another one where HarfBuzz's is not installed, and bytes would differ.
"""

import functools
import html
import io
import os
import tempfile
import unicodedata
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from fontTools import subset

_FACES = (
    ("DejaVu Sans", "DejaVuSans", "normal", "normal"),
    ("DejaVu Sans", "DejaVuSans-Bold", "bold", "normal"),
    ("DejaVu Sans", "DejaVuSans-Oblique", "normal", "italic"),
    ("DejaVu Sans Mono", "DejaVuSansMono", "normal", "normal"),
)
"""Family, file, weight and style of each face."""

_ALWAYS = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("\xa0\xad‐‘’“”…•◦▪")
"""What a stylesheet or a line break may add to a page: numbers, hyphens, quotes, bullets."""

_FEATURES = ["ccmp", "kern", "locl", "mark", "mkmk"]
"""Without ligatures: text copied from the PDF has the letters that were written."""

_JOINING = ["init", "medi", "fina", "isol", "rlig"]
"""Forms of letters that join, as those of Arabic do."""


def characters(page: str) -> frozenset[str]:
    """Return every character that a page in HTML may show."""
    return _ALWAYS.union(html.unescape(page))


def lacking(shown: Set[str]) -> set[str]:
    """Return the characters among these that no face has; what has no shape is not among them."""
    shapeless = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {
        one
        for one in shown
        if unicodedata.category(one) not in shapeless and ord(one) not in _repertoire()
    }


def write_faces(shown: Set[str], folder: Path) -> str:
    """Write the faces, each with the characters that are shown and no others; declare them in CSS.

    Equal characters give equal bytes, with one release of fontTools and of matplotlib.
    """
    declared = []
    for family, file, weight, style in _FACES:
        path = folder / f"{file}.ttf"
        path.write_bytes(_cut(file, shown))
        declared.append(
            f"@font-face {{ font-family: '{family}'; font-weight: {weight}; font-style: {style}; "
            f"src: url('{path.as_uri()}') }}\n"
        )
    return "".join(declared)


@contextmanager
def without_system_fonts() -> Iterator[None]:
    """Show whoever reads fontconfig's settings a system that has neither fonts nor rules."""
    name = "FONTCONFIG_FILE"
    before = os.environ.get(name)
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "fonts.conf")
        settings.write_text("<fontconfig></fontconfig>\n", encoding="utf-8")
        os.environ[name] = str(settings)
        try:
            yield
        finally:
            if before is None:
                del os.environ[name]
            else:
                os.environ[name] = before


def _path(file: str) -> str:
    return str(Path(mpl.get_data_path(), "fonts", "ttf", f"{file}.ttf"))


@functools.cache
def _repertoire() -> frozenset[int]:
    """Code points that the first face has; the others have no more."""
    with subset.load_font(_path(_FACES[0][1]), subset.Options(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def _joined_forms(shown: Set[str]) -> frozenset[str]:
    """Return the forms of letters that join, by which a PDF knows them; none of other letters."""
    if not any(unicodedata.bidirectional(one) == "AL" for one in shown):
        return frozenset()
    forms = map(chr, (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFF00)))
    return frozenset(one for one in forms if set(unicodedata.normalize("NFKC", one)) <= shown)


def _cut(file: str, shown: Set[str]) -> bytes:
    """Cut a face down to some characters."""
    forms = _joined_forms(shown)
    features = [*_FEATURES, *_JOINING] if forms else _FEATURES
    options = subset.Options(layout_features=features, hinting=False, notdef_outline=True)
    options.drop_tables += ["FFTM"]  # when FontForge wrote it
    font = subset.load_font(_path(file), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=map(ord, shown | forms))
    cutter.subset(font)
    made = io.BytesIO()
    subset.save_font(font, made, options)
    return made.getvalue()
