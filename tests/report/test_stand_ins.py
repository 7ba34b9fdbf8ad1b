"""Reports of studies whose categories have names that not every machine can write."""

import html
import re

import pytest
from matplotlib import font_manager

from builders.fonts import write_font
from builders.study_files import INPUTS, built, write_study
from smallsight import params
from smallsight.report import fonts, letters, page
from smallsight.report.stand_ins import find_stand_ins

NAME = "翻头剪"
NUMBERS = "[U+7FFB U+5934 U+526A]"


@pytest.fixture
def install(monkeypatch):
    def install(*paths):
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(map(str, paths)))
        letters._find.cache_clear()

    yield install
    letters._find.cache_clear()


def test_names_that_can_be_written_stand_for_themselves(install, tmp_path):
    install(write_font(tmp_path / "a.ttf", NAME))
    assert find_stand_ins(["bus", "Zürich", "قطة", "0", "nan", NAME]) == []


def test_the_number_of_a_category_stands_for_its_name(install):
    install()
    names = ["bus", NAME, "big 剪 bus", "category 2", "人"]
    assert find_stand_ins(names) == [
        ("category 2*", NUMBERS, NAME),
        ("big bus (category 3)", "big [U+526A] bus", "big 剪 bus"),
        ("category 5", "[U+4EBA]", "人"),
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"), category=NAME)


@pytest.fixture
def draw(folder, install, monkeypatch):
    """Draw the report of a study whose first category has that name, with some fonts installed."""

    def draw(*paths):
        install(*paths)
        monkeypatch.chdir(folder)
        return page.build(INPUTS, params.load())

    return draw


@pytest.mark.page
def test_without_a_font_no_page_has_the_letters_and_all_name_the_category(draw, recwarn):
    made = draw()
    screen, printed = made.screen(), made.printed()
    for text in (screen, printed):
        assert fonts.lacking(fonts.characters(text)) == set()
        assert f"category 1 is {NUMBERS}" in text
        assert "Categories are numbered as in data.categories of params.yaml" in text
    # In figures, in the gallery's data and in tables.
    assert re.search(r"<text[^>]*>category 1 \(\d+\)</text>", screen)
    assert '"categories":["category 1",' in screen
    assert ">category 1</" in screen
    assert made.note().startswith(
        "no font of this machine has 剪 (U+526A), 头 (U+5934), 翻 (U+7FFB)"
    )
    assert not [one for one in recwarn if "Glyph" in str(one.message)]
    # What is read elsewhere has the name.
    assert "category 1" not in made.summary()


@pytest.mark.page
def test_with_a_font_pages_have_the_name_and_the_font(draw, tmp_path, recwarn):
    made = draw(write_font(tmp_path / "a.ttf", NAME))
    (face,) = letters.faces_for(NAME)
    screen, printed = made.screen(), made.printed()
    for text in (screen, printed):
        assert NAME in text
        assert "category 1" not in text
        assert f"'DejaVu Sans', '{face.family}'" in html.unescape(text)  # in figures
    assert screen.count("@font-face") == 1
    assert made.note() == ""
    assert not [one for one in recwarn if "Glyph" in str(one.message)]


@pytest.mark.page
def test_names_of_dejavus_letters_change_nothing_else(install, tmp_path, monkeypatch):
    """A font that is installed has no say in a page that needs none."""
    made = []
    for place, fonts_there in (("a", []), ("b", [write_font(tmp_path / "a.ttf", "abcdr翻")])):
        install(*fonts_there)
        made.append(built(tmp_path / place, category="قطة"))
    assert made[0] == made[1]
    assert "قطة" in made[0]
