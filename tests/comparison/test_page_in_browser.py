"""The page of a comparison in a real browser: nothing fails to load, nothing scrolls sideways."""

import pytest

from builders.compared_studies import predicted, sampled, side_of, write_study
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.page import build

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"
LONG = "averylongname" * 9


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browsed")
    sample = sampled(each=40, categories=(HOSTILE, LONG))
    better = predicted(sample, odds={"small": 0.6, "medium": 0.6, "large": 0.8}, seed=1)
    write_study(folder / "a", sample, predicted(sample))
    write_study(folder / "b", sample, better, shade=3, changes={f"data.{LONG}": LONG})
    sides = (
        side_of(folder / "a", name=LONG, commit="abc1234"),
        side_of(folder / "b", name=HOSTILE, commit="def5678", experiment=LONG),
    )
    page = build(compare_studies(*sides), most=9)
    (folder / "compare.html").write_text(page, encoding="utf-8")
    return (folder / "compare.html").as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_the_page_is_whole_and_as_wide_as_the_screen(browser, address, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [address]
    sizes = page.evaluate("[...document.images].map(image => image.alt && image.naturalWidth)")
    assert sizes and all(sizes)
    # What is wider than the page scrolls inside a container of its own.
    inner, sticking_out = page.evaluate(
        """[document.documentElement.scrollWidth,
            [...document.querySelectorAll('header *, main *')].filter(element =>
            element.getBoundingClientRect().right > innerWidth + 1
            && !element.closest(".scroll, .shot")).map(one => one.outerHTML.slice(0, 80))]"""
    )
    assert inner <= width
    assert sticking_out == []
    page.close()
