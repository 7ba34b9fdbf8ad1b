"""The page in a real browser: nothing fails to load, nothing scrolls sideways."""

import contextlib
from pathlib import Path

import pytest

from reported import HOSTILE, INPUTS, write_study
from smallsight import params, report

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("browsed"), category=HOSTILE)
    with contextlib.chdir(folder):
        page = report.build(INPUTS, params.load()).screen()
    (folder / "report.html").write_text(page, encoding="utf-8")
    return (folder / "report.html").as_uri()


@pytest.fixture(params=[(390, "light"), (390, "dark"), (1280, "light")], ids=str)
def page(request, browser, address):
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.complaints = []
    page.asked = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.complaints.append("dialog"), dialog.dismiss()))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(address)
    yield page
    page.close()


def test_the_page_is_whole(page):
    assert page.complaints == []
    assert all(url.startswith(("data:", "file:")) for url in page.asked)
    assert sum(url.startswith("file:") for url in page.asked) == 1
    sizes = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert sizes and min(sizes) > 0
    assert page.evaluate("[...document.images].every(image => image.alt)")


def test_nothing_scrolls_sideways(page):
    inner, outer = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert inner <= outer
    # What is wider than the page scrolls inside a container of its own.
    sticking_out = page.evaluate(
        """[...document.querySelectorAll('main *')].filter(element =>
            element.getBoundingClientRect().right > innerWidth + 1
            && !element.closest('.scroll, .shot')).map(element => element.outerHTML.slice(0, 99))"""
    )
    assert sticking_out == []


def test_the_object_is_boxed_where_it_is(page):
    # Of 64 pixels: x 3 to 9, y 20 to 25.
    picture, box = page.evaluate(
        """[...document.querySelectorAll('.card .shot')].slice(0, 1).flatMap(shot =>
            [shot.querySelector('img'), shot.querySelector('rect')].map(element => {
                const {x, y, width, height} = element.getBoundingClientRect();
                return [x, y, width, height]; }))"""
    )
    assert picture[2] / picture[3] == pytest.approx(640 / 480, rel=0.02)
    middle = [(box[i] + box[i + 2] / 2 - picture[i]) / picture[i + 2] for i in (0, 1)]
    assert middle == pytest.approx([6 / 64, 22.5 / 64], abs=0.01)
    assert box[2] > picture[2] * 6 / 64
