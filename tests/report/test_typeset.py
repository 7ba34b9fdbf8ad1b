"""Templates, their filters, and printing."""

import builtins
import html
import re
from pathlib import Path

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup
from PIL import ImageFile

from builders.study_files import HOSTILE
from smallsight.report import typeset
from smallsight.runtime.errors import SmallsightError

markdown_it = pytest.importorskip("markdown_it", reason="DVC's rich brings it along")
PARSER = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = [
    HOSTILE, "a|b", "a\\|b", "\\", "**b**", "__b__", "`code`", "[x](http://example.org)", "![x](y)",
    "~~gone~~", "# title", "@someone", "#12", "&amp; &lt;", "<!-- x -->", "</script>", "one\ntwo",
    "- item\n- item", "1. one", "| a | b |\n| --- | --- |", "> said", "a\\", "***", "==",
]  # fmt: skip
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn"))) | st.text(
    "\\`*_[]()|~#@<>&!-+.:=\"' ab1\n"
)


def fill(template, **context):
    return typeset.environment().from_string(template).render(**context)


def plain(rendered):
    """Give the text of rendered HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).strip()


def check_markdown(text):
    """Check that a text is shown as it is, in a sentence and in a cell, and is nothing else."""
    made = fill("{% autoescape false %}{{ text | markdown }}{% endautoescape %}", text=text)
    due = " ".join(text.split())
    assert "\n" not in made
    sentence = PARSER.render(f"Said: {made}")
    assert re.findall(r"<(\w+)", sentence) == ["p"]
    assert plain(sentence) == f"Said: {due}".strip()
    table = PARSER.render(f"| a | b | c |\n| --- | --- | --- |\n| 1 | {made} | 3 |\n")
    cells = re.findall(r"<td>(.*?)</td>", table, re.DOTALL)
    assert [plain(cell) for cell in cells] == ["1", due, "3"]
    assert set(re.findall(r"<(\w+)", table)) == {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("text", NASTY)
def test_markdown_makes_nothing_of_a_name(text):
    check_markdown(text)


@given(text=WORDS)
@settings(deadline=None, max_examples=200)
def test_markdown_makes_nothing_of_any_text(text):
    check_markdown(text)


@pytest.mark.parametrize(
    "text", ["30.0% of 40", "a gap of 50.0 points (30.5 to 70.2)", "−1.5 “Crop” ∅"]
)
def test_what_needs_no_escape_has_none(text):
    assert fill("{{ text | markdown }}", text=text) == text


def test_names_are_escaped_in_html():
    assert fill("{{ text }}", text=HOSTILE) == html.escape(HOSTILE)
    made = fill("{{ text | unbroken }}", text=HOSTILE)
    assert plain(made) == HOSTILE
    assert re.findall(r"<(\w+)", made) == []


@pytest.mark.parametrize(
    "span",
    [
        "(16.6–48.1)",
        "(−1.0 to 2.5)",
        "(−3.9 to +20.2)",
        "(3)",
        "(> 177 to > 177)",
    ],
)
def test_intervals_in_brackets_stay_on_one_line(span):
    text = f"A & B: 30.0% {span}, then (not this)."
    made = fill("{{ text | unbroken }}", text=text)
    assert plain(made).replace("\xa0", " ") == text
    assert html.escape(span.replace(" ", "\xa0")) in made
    assert made.count("\xa0") == span.count(" ")


def test_on_a_page_without_a_program_none_runs_and_nothing_is_asked_of_the_network():
    head = fill("{% from 'macros.html' import page_head with context %}{{ page_head('', '', []) }}")
    (policy,) = re.findall(r'"Content-Security-Policy" content="(.*?)"', head)
    assert dict(rule.split(maxsplit=1) for rule in html.unescape(policy).split("; ")) == {
        "default-src": "'none'",
        "script-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "font-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_a_missing_name_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="absent"):
        fill("{{ study.absent }}", study=object())


@pytest.mark.parametrize(
    "name", ["report.css", "screen.css", "gallery.css", "js/tables.js", "js/gallery.js"]
)
def test_a_source_stands_in_the_page_as_it_is(name):
    # Braces and percent signs mean something to templates too.
    path = Path(typeset.__file__).parent / "templates" / name
    found = typeset.environment().globals["source"](name)
    assert isinstance(found, Markup)
    assert found.strip() == path.read_text(encoding="utf-8").strip()


def test_without_pango_the_error_names_the_packages(monkeypatch, tmp_path):
    usual = builtins.__import__

    def without_pango(name, *others):
        if name.startswith("weasyprint"):
            raise OSError("cannot load library 'libpango-1.0-0': not found\nmore\nlines")
        return usual(name, *others)

    monkeypatch.setattr(builtins, "__import__", without_pango)
    with pytest.raises(SmallsightError) as caught:
        typeset.write_pdf("<p>", tmp_path / "x.pdf")
    line = str(caught.value)
    assert "\n" not in line
    for name in ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "dnf", "brew"):
        assert name in line


def test_setting_a_page_leaves_pillow_as_strict_as_it_was(tmp_path):
    typeset.write_pdf("<html><title>x</title><p>x</p></html>", tmp_path / "page.pdf")
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
