"""Letters that the report's own typefaces lack: taken from this machine's fonts, or spelled.

Nothing here is asked of a page that DejaVu can write: its bytes are the same on every machine. Of
another, they depend on the fonts that are installed.
"""

import base64
import functools
import io
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from fontTools.varLib import instancer
from matplotlib import font_manager

from smallsight.report import fonts

_COLOURED = {"CBDT", "COLR", "SVG ", "sbix"}
"""Tables of fonts whose letters are pictures: a figure cannot draw these."""

_OUTLINES = {"glyf", "CFF "}

_SPACES = " \xa0"
"""What a line of text has in the font of the letter before it."""

_PACKAGES = {
    "fonts-noto-cjk": r"CJK|HIRAGANA|KATAKANA|HANGUL|BOPOMOFO|IDEOGRAPHIC|FULLWIDTH|YI ",
    "fonts-symbola": r"EMOJI",
    "fonts-noto-core": "",
}
"""Debian's packages of fonts, with what the names of their letters begin with; the last has all."""

_MOST_NAMED = 12
"""Letters that a line names."""


@dataclass(frozen=True)
class Face:
    """A font of this machine, cut down to the letters that are wanted of it.

    Attributes
    ----------
    family
        A name of its own, which depends on its content alone.
    letters
        What it has of the letters that were asked for.
    content
        The font: TrueType, or PostScript outlines in OpenType.
    """

    family: str
    letters: frozenset[str]
    content: bytes


def faces_for(text: str) -> tuple[Face, ...]:
    """Return fonts with the letters of a text that DejaVu lacks, as far as any has them."""
    return _find(frozenset(fonts.lacking(set(text))))


def unknown_in(text: str) -> frozenset[str]:
    """Return the letters of a text that no font of this machine has."""
    lacks = frozenset(fonts.lacking(set(text)))
    return lacks.difference(*(face.letters for face in _find(lacks)))


def spelled(text: str) -> str:
    """Write the numbers of letters in their place that no font of this machine has."""
    unknown = unknown_in(text)
    if not unknown:
        return text
    runs = f"[{re.escape(''.join(sorted(unknown)))}]+"
    return re.sub(runs, lambda run: f"[{numbers(run[0])}]", text)


def numbers(letters: str) -> str:
    """Write letters as Unicode numbers them.

    Examples
    --------
    >>> numbers("翻头")
    'U+7FFB U+5934'
    """
    return " ".join(f"U+{ord(one):04X}" for one in letters)


def embedded(page: str) -> str:
    """Return a page in HTML that brings along what DejaVu lacks; another one as it is."""
    page = spelled(page)
    faces = faces_for(page)
    if not faces:
        return page
    declared = "".join(
        f"@font-face {{ font-family: '{face.family}'; src: url('data:font/ttf;base64,"
        f"{base64.b64encode(face.content).decode()}') }}\n"
        for face in faces
    )
    families = ", ".join(f"'{face.family}'" for face in faces)
    # The families of report.css, then those.
    used = (
        'body { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", '
        f"sans-serif, {families} }}\n"
        'code { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace, '
        f"{families} }}\n"
    )
    return page.replace("</head>", f"<style>\n{declared}{used}</style>\n</head>", 1)


def write_faces(text: str, folder: Path) -> str:
    """Write fonts with what DejaVu lacks of a text into a folder; declare them in CSS."""
    declared = []
    for number, face in enumerate(faces_for(text)):
        path = folder / f"other-{number}.ttf"
        path.write_bytes(face.content)
        declared.append(
            f"@font-face {{ font-family: '{face.family}'; src: url('{path.as_uri()}') }}\n"
        )
    return "".join(declared)


def note(text: str) -> str:
    """Say in one line which letters of a text no font has, and what to install; else nothing."""
    unknown = sorted(unknown_in(text))
    if not unknown:
        return ""
    named = ", ".join(f"{one} (U+{ord(one):04X})" for one in unknown[:_MOST_NAMED])
    more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
    packages = " ".join(sorted({_package(one) for one in unknown}))
    return (
        f"no font of this machine has {named}{more}: the pages write numbers in their place; "
        f"on Debian or Ubuntu, `apt install {packages}` brings fonts"
    )


def _package(letter: str) -> str:
    name = unicodedata.name(letter, "")
    if unicodedata.category(letter) in ("So", "Sk"):
        name = "EMOJI"
    return next(package for package, rule in _PACKAGES.items() if re.match(rule, name))


_IN_FIGURES: ContextVar[tuple[str, ...]] = ContextVar("_IN_FIGURES", default=())


@contextmanager
def in_figures(text: str) -> Iterator[None]:
    """Draw figures with what DejaVu lacks of a text."""
    faces = faces_for(text)
    for face in faces:
        _register(face)
    before = _IN_FIGURES.set(tuple(face.family for face in faces))
    try:
        yield
    finally:
        _IN_FIGURES.reset(before)


def families_in_figures() -> tuple[str, ...]:
    """Return the families that figures have besides DejaVu."""
    return _IN_FIGURES.get()


@functools.cache
def _register(face: Face) -> None:
    """Make a font known to matplotlib, which measures with it."""
    path = Path(_folder().name, f"{sha256(face.content).hexdigest()}.ttf")
    path.write_bytes(face.content)
    font_manager.fontManager.addfont(path)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that is there as long as this process is."""
    return tempfile.TemporaryDirectory()


@dataclass(frozen=True)
class _Candidate:
    """A font that has some of the letters that are wanted."""

    path: str
    number: int
    letters: frozenset[str]
    rank: tuple[Any, ...]


@functools.cache
def _find(letters: frozenset[str]) -> tuple[Face, ...]:
    """Find fonts for letters: the one with most of them, then one for what is left, and so on.

    Of fonts with as many, an upright one of regular weight comes first, then the first by name.
    """
    candidates = list(_candidates(letters)) if letters else []
    left = letters
    faces: list[Face] = []
    while True:
        best = min(
            (one for one in candidates if one.letters & left),
            key=lambda one: (-len(one.letters & left), *one.rank),
            default=None,
        )
        if best is None:
            return tuple(faces)
        faces.append(_cut(best, best.letters & left))
        left -= best.letters


def _candidates(letters: frozenset[str]) -> Iterator[_Candidate]:
    for path in sorted(font_manager.findSystemFonts()):
        try:
            with _opened(path) as fonts_of_file:
                for number, font in enumerate(fonts_of_file):
                    known, tables = font.getBestCmap() or {}, set(font.keys())
                    found = frozenset(one for one in letters if ord(one) in known)
                    is_drawn = _OUTLINES & tables and not _COLOURED & tables
                    if found and is_drawn and ord(_SPACES[0]) in known:
                        yield _Candidate(path, number, found, _rank(font, path))
        except (TTLibError, OSError, LookupError, ValueError, AssertionError):
            continue  # a damaged font is none


@contextmanager
def _opened(path: str) -> Iterator[list[TTFont]]:
    """Open the fonts of a file; a collection has several."""
    if Path(path).suffix.lower() == ".ttc":
        with TTCollection(path, lazy=True) as collection:
            yield collection.fonts
    else:
        with TTFont(path, lazy=True) as font:
            yield [font]


def _rank(font: TTFont, path: str) -> tuple[Any, ...]:
    names = font["name"]
    weight = font["OS/2"].usWeightClass if "OS/2" in font else 400
    is_italic = bool(font["head"].macStyle & 2)
    name = names.getDebugName(4) or names.getDebugName(1) or ""
    return (is_italic, abs(weight - 400), name, Path(path).name, path)


def _cut(chosen: _Candidate, letters: frozenset[str]) -> Face:
    """Cut a font down to some letters; equal fonts give equal bytes."""
    options = subset.Options(hinting=False, notdef_outline=True, font_number=chosen.number)
    options.drop_tables += ["FFTM", "DSIG", "STAT", "vhea", "vmtx", "VORG"]
    with subset.load_font(chosen.path, options) as font:
        if "fvar" in font:
            middle = {axis.axisTag: axis.defaultValue for axis in font["fvar"].axes}
            instancer.instantiateVariableFont(font, middle, inplace=True)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=map(ord, letters.union(_SPACES)))
        cutter.subset(font)
        font["name"].names = []
        family = f"Other letters {sha256(_bytes(font, options)).hexdigest()[:6]}"
        given = {1: family, 2: "Regular", 4: family, 6: family.replace(" ", "-")}
        for number, name in given.items():
            font["name"].setName(name, number, 3, 1, 0x409)
        return Face(family, letters, _bytes(font, options))


def _bytes(font: TTFont, options: subset.Options) -> bytes:
    made = io.BytesIO()
    subset.save_font(font, made, options)
    return made.getvalue()
