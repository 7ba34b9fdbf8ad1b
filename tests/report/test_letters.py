"""Letters that DejaVu lacks: which font is chosen, what is cut of it, and what spells the rest."""

import base64
import io
import re
import unicodedata
import warnings

import pypdf
import pytest
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables.DefaultTable import DefaultTable
from matplotlib import font_manager

from builders.fonts import write_font
from smallsight.report import fonts, letters, typeset
from smallsight.report.figures.style import panel, style, svg

PAGE = """<!DOCTYPE html><html lang="en"><head><title>Letters</title></head>
<p>bus 翻头剪 <b>bold 翻</b> <code>剪</code>, Zürich, قطة</p></html>"""


@pytest.fixture
def install(monkeypatch):
    """Make a machine that has some fonts and no others; give how often it was asked for them."""

    def install(*paths):
        asked = []
        listed = [str(path) for path in paths]
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: asked.append(1) or listed)
        letters._find.cache_clear()
        return asked

    yield install
    letters._find.cache_clear()


def opened(face):
    return TTFont(io.BytesIO(face.content))


def test_a_text_that_dejavu_can_write_asks_for_no_font(install):
    asked = install()
    for text in ("Zürich, Кошка, قطة, ∅ “−”", ""):
        assert letters.faces_for(text) == ()
        assert letters.spelled(text) == text
        assert letters.note(text) == ""
        page = f"<head></head>{text}"
        assert letters.embedded(page) == page
    assert not asked


@pytest.mark.parametrize("is_cff", [False, True])
def test_a_font_is_cut_down_to_what_is_wanted(is_cff, install, tmp_path):
    install(write_font(tmp_path / "a.otf", "翻头剪犬人", is_cff=is_cff))
    (face,) = letters.faces_for("翻 bus 剪")
    assert face.letters == set("翻剪")
    cut = opened(face)
    assert set(cut.getBestCmap()) == set(map(ord, "翻剪 "))
    assert ("CFF " in cut) == is_cff
    assert cut["name"].getDebugName(1) == face.family
    assert re.fullmatch(r"Other letters [0-9a-f]{6}", face.family)


def test_equal_fonts_give_equal_bytes_wherever_they_lie(install, monkeypatch, tmp_path):
    made = []
    for place in ("b", "a/long"):
        folder = tmp_path / place
        first = write_font(folder / "one.ttf", "翻头", family="One")
        second = write_font(folder / "two.ttf", "头翻", family="Two")
        install(*([first, second] if place == "b" else [second, first]))
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(len(place)))
        made.append(letters.faces_for("翻头"))
    assert made[0] == made[1]


def test_the_font_with_most_letters_is_chosen_and_then_one_for_the_rest(install, tmp_path):
    few = write_font(tmp_path / "a.ttf", "翻头", family="A")
    most = write_font(tmp_path / "b.ttf", "翻头剪", family="B")
    rest = write_font(tmp_path / "c.ttf", "犬剪", family="C")
    install(few, most, rest)
    found = letters.faces_for("翻头剪犬人")
    assert [face.letters for face in found] == [set("翻头剪"), set("犬")]
    assert letters.unknown_in("翻头剪犬人x") == set("人")


CHOICES = {
    "regular before bold": ({"weight": 700}, {}),
    "regular before thin": ({"weight": 100}, {}),
    "by name": ({"family": "Zz"}, {"family": "Bb"}),
}


@pytest.mark.parametrize(("other", "due"), CHOICES.values(), ids=CHOICES)
def test_of_fonts_with_as_many_letters_one_is_chosen_by_rule(other, due, install, tmp_path):
    # The chosen one has a third letter, by which it is known.
    paths = [
        write_font(tmp_path / "a.ttf", "翻", **{"family": "Test"} | other),
        write_font(tmp_path / "b.ttf", "翻犬", **{"family": "Test"} | due),
    ]
    chosen = []
    for order in (paths, paths[::-1]):
        install(*order)
        candidates = letters._candidates(frozenset("翻"))
        chosen.append(min(candidates, key=lambda one: one.rank).path)
    assert chosen == [str(paths[1])] * 2


def test_a_collection_is_a_font_by_its_number(install, tmp_path):
    collection = TTCollection()
    for name, text in (("a", "犬"), ("b", "翻头")):
        collection.fonts.append(TTFont(write_font(tmp_path / f"{name}.ttf", text, family=name)))
    collection.save(tmp_path / "both.ttc")
    install(tmp_path / "both.ttc")
    (face,) = letters.faces_for("翻头")
    assert set(opened(face).getBestCmap()) == set(map(ord, "翻头 "))


def test_what_cannot_be_drawn_is_no_font(install, tmp_path):
    (tmp_path / "damaged.ttf").write_bytes(b"\x00\x01\x00\x00 and no more")
    coloured = TTFont(write_font(tmp_path / "plain.ttf", "🦖"))
    coloured["CBDT"] = DefaultTable("CBDT")
    coloured["CBDT"].data = b"\0" * 8
    coloured.save(tmp_path / "coloured.ttf")
    install(tmp_path / "damaged.ttf", tmp_path / "coloured.ttf", tmp_path / "gone.ttf")
    assert letters.unknown_in("🦖") == {"🦖"}
    install(tmp_path / "damaged.ttf", tmp_path / "plain.ttf")
    assert letters.unknown_in("🦖") == set()


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("翻头剪.jpg", "[U+7FFB U+5934 U+526A].jpg"),
        ("a 🦖 b翻", "a [U+1F996] b[U+7FFB]"),
        ("\ue000", "[U+E000]"),
    ],
)
def test_what_no_font_has_is_spelled(text, due, install):
    install()
    assert letters.spelled(text) == due


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ("翻한か", "fonts-noto-cjk"),
        ("🦖", "fonts-symbola"),
        ("ᨀ翻", "fonts-noto-cjk fonts-noto-core"),
    ],
)
def test_one_line_names_the_letters_and_what_brings_them(text, packages, install):
    install()
    line = letters.note(text)
    assert "\n" not in line
    for one in text:
        assert f"{one} (U+{ord(one):04X})" in line
    assert f"`apt install {packages}`" in line


def test_the_line_stays_short(install):
    install()
    line = letters.note("".join(map(chr, range(0x4E00, 0x4E00 + 500))))
    assert "and 488 more" in line
    assert len(line) < 500


def printed(path):
    typeset.write_pdf(PAGE, path)
    (page,) = pypdf.PdfReader(path).pages
    names = [str(font.get_object()["/BaseFont"]) for font in page["/Resources"]["/Font"].values()]
    # pypdf takes some letters of small fonts for two, and their spaces for none.
    return re.sub("[\x00- ]", "", page.extract_text()), names


def test_a_pdf_has_the_letters_of_a_font_that_is_there(install, tmp_path):
    install(write_font(tmp_path / "a.ttf", "翻头剪"))
    said, names = printed(tmp_path / "page.pdf")
    assert "bus翻头剪bold翻剪,Zürich" in said
    assert sum("Other-letters" in name for name in names) == 1
    assert all("DejaVu-Sans" in name for name in names if "Other" not in name)
    printed(tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == (tmp_path / "page.pdf").read_bytes()


def test_a_pdf_spells_them_where_none_is(install, tmp_path):
    install()
    said, names = printed(tmp_path / "page.pdf")
    assert "bus[U+7FFBU+5934U+526A]bold[U+7FFB][U+526A],Zürich" in said
    assert all("DejaVu-Sans" in name for name in names)


def test_a_page_for_a_browser_brings_them_along(install, tmp_path):
    install(write_font(tmp_path / "a.ttf", "翻头"))
    page = letters.embedded(PAGE)
    assert "bus 翻头[U+526A] <b>" in page
    (family,) = re.findall(r"@font-face { font-family: '([^']+)'", page)
    assert len(re.findall(rf"(?:sans-serif|monospace), '{family}'", page)) == 2
    (data,) = re.findall(r"data:font/ttf;base64,([A-Za-z0-9+/=]+)", page)
    assert set(TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()) == set(map(ord, "翻头 "))


def drawn(text):
    with warnings.catch_warnings(action="error"), style("named"):
        figure, axes = panel("title", size=(2, 2), place=(0.3, 0.3, 0.6, 0.6))
        axes.set_xticks([0], [text])
        return svg(figure, name="named", title="title")


def test_figures_are_drawn_with_them(install, tmp_path):
    install(write_font(tmp_path / "a.ttf", "翻头"))
    plain = drawn("bus")
    with letters.in_figures("翻"):
        (face,) = letters.faces_for("翻")
        found = drawn("翻")
        assert f"'{face.family}'" in found
        assert drawn("bus") != plain
    assert drawn("bus") == plain


def test_letters_of_arabic_are_joined():
    for text, joined in (("قطة", True), ("cat, Кошка", False)):
        cut = TTFont(io.BytesIO(fonts._cut("DejaVuSans", fonts.characters(text))))
        found = {record.FeatureTag for record in cut["GSUB"].table.FeatureList.FeatureRecord}
        assert ({"init", "medi", "fina"} <= found) == joined


def test_joined_letters_are_read_as_letters(tmp_path):
    typeset.write_pdf('<html lang="en"><title>x</title><p>قطة</p></html>', tmp_path / "page.pdf")
    (page,) = pypdf.PdfReader(tmp_path / "page.pdf").pages
    said = unicodedata.normalize("NFKC", page.extract_text()).strip()
    assert said in ("قطة", "قطة"[::-1])  # in the order of reading, or of drawing
