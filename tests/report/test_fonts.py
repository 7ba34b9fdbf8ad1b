"""The report's own typefaces: equal bytes whatever fonts, settings and libraries a system has."""

import io
import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pypdf
import pytest
from fontTools.ttLib import TTFont

from smallsight.report import fonts, typeset

TTF = Path(mpl.get_data_path(), "fonts", "ttf")
PAGE = """<html lang="en"><title>Page</title>
<style>
  body { font: 12px system-ui, "DejaVu Sans", sans-serif }
  code { font-family: Menlo, "DejaVu Sans Mono", monospace }
  @page { @bottom-right { content: counter(page) " / " counter(pages); font: 7pt "DejaVu Sans" } }
</style>
<h1>Five office affixes</h1>
<p>−3.1 points (−4.9 to +11.1) → <b>bold</b> <i>italic <b>both</b></i> <code>code <b>bold</b></code>
AV &amp; &#945; &nbsp; pub&shy;lic</p>
<ul><li>one<ul><li>two</ul></ul><p><q>quoted</q></p>
<svg width="90" height="20"><text x="5" y="15" style="font: 9px 'DejaVu Sans', Arial">drawn β</text>
</svg></html>"""
SCRIPT = """
import sys
from pathlib import Path
import cffi

known = cffi.FFI.dlopen

def without_subsetter(self, name, *flags):
    if "harfbuzz-subset" in str(name):
        raise OSError("not installed")
    return known(self, name, *flags)

if sys.argv[1] == "without":
    cffi.FFI.dlopen = without_subsetter
from smallsight.report import typeset
typeset.write_pdf(Path(sys.argv[2]).read_text(encoding="utf-8"), Path(sys.argv[3]))
"""


def print_elsewhere(folder, name, *, subsetter="with", **environment):
    """Print the page in a process of its own, on a system of other fonts; give the bytes."""
    page, path = folder / "page.html", folder / f"{name}.pdf"
    page.write_text(PAGE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, subsetter, page, path],
        env=os.environ | {"PYTHONPATH": str(Path(fonts.__file__).parents[2])} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "NOT subset" not in done.stderr
    return path.read_bytes()


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    typeset.write_pdf(PAGE, folder / "page.pdf")
    return (folder / "page.pdf").read_bytes()


def impostors(folder):
    """Install fonts that look otherwise under the names that the page asks for."""
    folder.mkdir()
    for family in ("DejaVu Sans", "DejaVu Sans Mono", "Menlo", "system-ui"):
        font = TTFont(TTF / "DejaVuSerif-BoldItalic.ttf")
        for record in font["name"].names:
            if record.nameID in (1, 4, 6, 16):
                record.string = family.replace(" ", "" if record.nameID == 6 else " ")
        font.save(folder / f"{family}.ttf")


def test_other_fonts_and_settings_of_the_system_change_no_byte(here, tmp_path):
    impostors(tmp_path / "fonts")
    settings = tmp_path / "fonts.conf"
    settings.write_text(
        f"<fontconfig><dir>{tmp_path / 'fonts'}</dir><cachedir>{tmp_path / 'cache'}</cachedir>"
        '<match target="font"><edit name="hintstyle" mode="assign"><const>hintfull</const></edit>'
        "</match></fontconfig>"
    )
    made = print_elsewhere(tmp_path, "other", FONTCONFIG_FILE=str(settings), LANG="ja_JP.UTF-8")
    assert made == here


def test_a_system_without_fonts_and_without_a_subsetter_changes_no_byte(here, tmp_path):
    settings = tmp_path / "fonts.conf"
    settings.write_text("<fontconfig></fontconfig>")
    made = print_elsewhere(tmp_path, "bare", subsetter="without", FONTCONFIG_FILE=str(settings))
    assert made == here


def embedded(pdf):
    """Give the name of every font of a PDF, and whether it lies inside."""
    found = {}
    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():
            (inner,) = font.get_object()["/DescendantFonts"]
            described = inner.get_object()["/FontDescriptor"].get_object()
            found[font.get_object()["/BaseFont"]] = "/FontFile2" in described
    return found


def test_all_fonts_are_the_own_ones_and_lie_inside(here):
    found = embedded(here)
    assert len(found) == 4
    assert all("DejaVu-Sans" in name and inside for name, inside in found.items())


def test_text_is_read_as_it_was_written(here):
    said = pypdf.PdfReader(io.BytesIO(here)).pages[0].extract_text()
    for word in ("Five office affixes", "−3.1 points (−4.9 to +11.1) → bold", "“quoted”", "drawn β",
                 "1 / 1", "AV & α"):  # fmt: skip
        assert word in said, said


def test_fonts_hold_what_is_shown_and_hardly_more(tmp_path):
    shown = fonts.characters("<p>caf&eacute; −</p>")
    declared = fonts.write_faces(shown, tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == declared.count("@font-face") == 4
    for file in files:
        assert f"url('{file.as_uri()}')" in declared
        assert file.stat().st_size < 40_000
        cmap = TTFont(file).getBestCmap()
        assert {ord(one) for one in "caf&é−0Z"} <= set(cmap) <= set(map(ord, shown))


def test_faces_are_equal_bytes_whenever_they_are_cut(monkeypatch, tmp_path):
    made = []
    for date in ("0", "86400"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
        fonts.write_faces(fonts.characters("x"), tmp_path)
        made.append([file.read_bytes() for file in sorted(tmp_path.iterdir())])
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("text", "lacks"),
    [("Zürich, Кошка, α → ∅ “−”", ""), ("a\n\tb\u200b\xad\ufeff", ""), ("人 bus 犬", "人犬")],
)
def test_what_dejavu_lacks_is_known(text, lacks):
    assert fonts.lacking(fonts.characters(text)) == set(lacks)


@pytest.mark.parametrize("before", [None, "/etc/fonts/fonts.conf"])
def test_settings_of_fonts_are_left_as_they_were(before, monkeypatch):
    monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    if before:
        monkeypatch.setenv("FONTCONFIG_FILE", before)
    with pytest.raises(ZeroDivisionError), fonts.without_system_fonts():
        inside = os.environ["FONTCONFIG_FILE"]
        assert Path(inside).is_file()
        raise ZeroDivisionError
    assert os.environ.get("FONTCONFIG_FILE") == before
    assert not Path(inside).exists()
