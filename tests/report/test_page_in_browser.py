"""The page in a real browser: what figures, tables and objects do, by pointer and by keys alone."""

import base64
import dataclasses
import functools
import io
import itertools
import re
import time

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from builders import browser_study, study_files
from builders.browser_study import ALPHA, SIZE, SPREADSHEET, colour
from builders.study_files import HOSTILE
from readers.report_pages import forms_of
from smallsight.analysis.terms import describe_part
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import RUNGS
from smallsight.saliency.measures import enlarge
from smallsight.vocabulary import GROUPS

pytestmark = pytest.mark.browser

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

WINDOWS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
WIDE, HIGH = 256, 192
"""Width and height of a canvas."""
ACCURACY = '[aria-label="Accuracy, window, fixed head"] table'
FAILED = '[aria-label="Failures by cause"] table'


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return browser_study.write_page(tmp_path_factory.mktemp("browsed"))


@pytest.fixture(scope="module")
def window(browser):
    """One page for all tests, which is far quicker than one for each."""
    page = browser.new_page()
    page.complaints, page.asked = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.complaints.append("dialog"), dialog.dismiss()))
    page.on("request", lambda asked: page.asked.append(asked.url.partition("#")[0]))
    return page


@pytest.fixture
def opened(window, made):
    """Open the page; afterwards, it must have complained of nothing and asked for nothing else."""
    addresses = []

    def opened(*, width=1280, scheme="light", at="", address=made.address):
        window.goto("about:blank")
        window.complaints.clear()
        window.asked.clear()
        window.set_viewport_size({"width": width, "height": 844})
        window.emulate_media(media="screen", color_scheme=scheme)
        window.mouse.move(0, 0)
        window.goto(address + at)
        addresses.append(address)
        return window

    yield opened
    assert window.complaints == []
    assert [url for url in window.asked if not url.startswith("data:")] == addresses


def wait_until(page, script):
    page.wait_for_function(script, timeout=20_000)


def focused(page, selector):
    return page.evaluate("selector => document.activeElement.matches(selector)", selector)


def tab_to(page, selector):
    """Press Tab until an element has focus; each one on the way must show it, and be in view."""
    for _ in range(300):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => { const element = document.activeElement;
                const { top, bottom } = element.getBoundingClientRect();
                const bar = element.closest('nav, dialog') ? 0
                    : document.querySelector('nav').getBoundingClientRect().bottom;
                return { told: element.outerHTML.slice(0, 200),
                    outlined: getComputedStyle(element).outlineStyle !== 'none',
                    seen: bottom > bar && top < innerHeight }; }"""
        )
        assert place["outlined"] and place["seen"], place["told"]
        if focused(page, selector):
            return
    pytest.fail(f"no way to {selector}")


# The page as a whole


@pytest.fixture(scope="module")
def own_address(tmp_path_factory):
    """Write the page of a user's classifier, and return its address."""

    @functools.cache
    def own_address(kind):
        folder = study_files.write_study(tmp_path_factory.mktemp("own"), own=OWN_STUDIES[kind])
        page = forms_of(folder).screen
        (folder / "report.html").write_text(page, encoding="utf-8")
        return (folder / "report.html").as_uri()

    return own_address


OWN_STUDIES = {
    "with a gallery": dataclasses.replace(study_files.GRADIENT, input="scene"),
    "without one": study_files.TABLE,
}


@pytest.mark.parametrize("kind", OWN_STUDIES)
@pytest.mark.parametrize(("width", "scheme"), WINDOWS[::3])
def test_a_classifiers_page_is_whole_with_a_gallery_and_without(
    opened, own_address, kind, width, scheme
):
    page = opened(width=width, scheme=scheme, address=own_address(kind))
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    assert page.locator("#explorer").count() == (kind == "with a gallery")
    heading = page.locator("table.sortable th button").first
    heading.click()
    assert page.locator("th[aria-sort]").count() == 1
    page.add_style_tag(content="tbody tr:nth-child(n+4) { display: none; }")
    assert violations(page) == []


def test_an_object_of_a_classifier_is_shown_without_seeds_and_rungs(opened, own_address):
    page = opened(address=own_address("with a gallery"))
    page.locator(".filters select[name=outcome]").select_option("1")
    open_tile(page, 0)
    facts, views = instance(page)
    assert len(views) > 3
    assert not any("seeds" in part for view in views for part in view)
    assert {"Object", "Its whole picture is right under"} <= set(facts)
    assert not {"Right given", "Its window is right under", "Suggested cause"} & set(facts)


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_nothing_scrolls_sideways_and_nothing_moves_while_it_loads(opened, width, scheme):
    page = opened(width=width, scheme=scheme)
    drawn(page)
    moved = page.evaluate(
        """new Promise(resolve => {
            new PerformanceObserver(list => resolve(
                list.getEntries().reduce((sum, entry) => sum + entry.value, 0)
            )).observe({ type: 'layout-shift', buffered: true });
            setTimeout(resolve, 300, 0); })"""
    )
    assert moved < 0.01
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    # What is wider than the page scrolls inside a container of its own.
    sticking_out = """root => [...document.querySelectorAll(`${root} *`)].filter(element =>
        element.getBoundingClientRect().right > innerWidth + 1
        && !element.closest('.scroll, svg')).map(element => element.outerHTML.slice(0, 99))"""
    assert page.evaluate(sticking_out, "main") == []
    open_tile(page, 0)
    assert page.evaluate(sticking_out, "dialog") == []
    wider = page.locator("#instance").evaluate("one => one.scrollWidth - one.clientWidth")
    assert wider == 0


@pytest.mark.parametrize(("width", "scheme"), WINDOWS)
def test_axe_finds_nothing_serious(opened, width, scheme):
    page = opened(width=width, scheme=scheme)
    if (width, scheme) in WINDOWS[::3]:
        # The other two show all rows of the tables in the same colours.
        page.add_style_tag(content="tbody tr:nth-child(n+4) { display: none; }")
    assert violations(page) == []
    open_tile(page, 0)
    drawn(page, "#views canvas")
    assert violations(page, "#instance") == []


def violations(page, context=None):
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    found = axe.Axe().run(page, context=context, options=options).response["violations"]
    return [
        (rule["id"], node["html"][:200])
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def test_axe_would_find_what_is_amiss(opened):
    page = opened()
    page.evaluate(
        """document.querySelector('main').insertAdjacentHTML('afterbegin',
            '<div id="amiss"><svg role="img"></svg><p style="color: #aaa">faint</p></div>')"""
    )
    assert {rule for rule, _ in violations(page, "#amiss")} == {"svg-img-alt", "color-contrast"}


def test_without_scripts_all_but_the_gallery_is_there(browser, made):
    page = browser.new_page(java_script_enabled=False)
    page.goto(made.address)
    assert page.locator("noscript p").is_visible()
    for selector in ("#explorer", "#instance"):
        assert not page.locator(selector).is_visible()
    assert page.locator("th button").count() == 0
    rows = page.locator(f"{FAILED} tbody tr")
    assert rows.count() == len(made.failures)
    assert rows.last.is_visible()
    assert page.locator("#accuracy svg").first.is_visible()
    page.close()


def test_on_paper_nothing_is_cut_off_and_no_control_is_left(opened):
    # As wide as a sheet of A4 without its margins, at 96 pixels to the inch.
    page = opened(width=658)
    drawn(page)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == 658
    cut, controls = page.evaluate(
        """() => { const seen = [...document.querySelectorAll('main *')].filter(element =>
                element.checkVisibility() && !element.closest('svg'));
            const told = elements => elements.map(element => element.outerHTML.slice(0, 99));
            return [
                told(seen.filter(one => one.getBoundingClientRect().right > innerWidth + 1)),
                told(seen.filter(one => one.matches('select, input, dialog')
                    || one.matches('button') && !one.closest('th'))),
            ]; }"""
    )
    assert (cut, controls) == ([], [])
    assert page.locator("#found").is_visible()
    assert page.locator(".tile canvas").first.is_visible()
    assert page.locator(f"{FAILED} tbody tr").last.is_visible()


def test_hostile_names_are_text_wherever_they_stand(opened):
    page = opened()
    options = page.locator("[name=category] option").all_inner_texts()
    for name, other in ((HOSTILE, SPREADSHEET), (SPREADSHEET, HOSTILE)):
        page.select_option("[name=category]", label=name)
        said = page.locator(".tile .what").all_inner_texts()
        assert said and all(text.startswith(f"{name}, ") for text in said)
        named = set(page.locator(".tile b").all_inner_texts())
        assert named == {f"✓ {name}", f"✗ {other}"}
        open_tile(page, 0)
        assert page.locator("#instance-title").inner_text().startswith(f"{name}, ")
        page.keyboard.press("Escape")
        in_table = page.locator(f"{FAILED} td").get_by_text(name, exact=True)
        assert in_table.count() > 10
    assert options.count(HOSTILE) == options.count(SPREADSHEET) == 1
    assert page.locator("img").count() == 0


def test_the_bar_of_contents_leads_to_sections_and_marks_the_one_that_is_read(opened):
    page = opened(width=390)
    for name in ("Failures", "Accuracy", "Objects"):
        link = page.locator("nav").get_by_role("link", name=name, exact=True)
        link.press("Enter")
        wait_until(page, f"document.querySelector('nav [aria-current]')?.textContent === '{name}'")
        assert page.locator("nav [aria-current]").count() == 1
        box = link.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        title = page.locator(f"{link.get_attribute('href')} h2").bounding_box()
        assert 40 < title["y"] < 200


# Tables


def column(page, table, number):
    """Texts of a table's column, in the order in which they stand."""
    return page.locator(f"{table} tbody tr > :nth-child({number + 1})").all_text_contents()


def rows(page, table):
    """Texts of a table's rows, part by part."""
    return page.locator(f"{table} tbody").evaluate_all(
        "parts => parts.map(part => [...part.rows].map(row => row.textContent))"
    )


def sort_by(page, table, number):
    """Click on a heading; give the order that it announces."""
    heading = page.locator(f"{table} thead th").nth(number)
    heading.get_by_role("button").click()
    announced = page.locator(f"{table} thead th[aria-sort]")
    assert announced.count() == (heading.get_attribute("aria-sort") is not None)
    return heading.get_attribute("aria-sort")


def first_number(text):
    return float(re.search(r"−?\d+(\.\d+)?", text)[0].replace("−", "-"))


@pytest.mark.parametrize(("table", "number"), [(ACCURACY, 2), (FAILED, 3)])
def test_numbers_sort_by_value_and_a_third_click_restores_the_order(opened, table, number):
    page = opened()
    before = rows(page, table)
    places = [heading.bounding_box() for heading in page.locator(f"{table} th[scope=col]").all()]
    for order, sign in (("ascending", 1), ("descending", -1)):
        assert sort_by(page, table, number) == order
        texts = column(page, table, number)
        found = [sign * first_number(text) for text in texts]
        assert found == sorted(found) and len(set(found)) > 2
        # As text they would stand otherwise.
        assert texts not in (sorted(texts), sorted(texts, reverse=True))
    now = [heading.bounding_box() for heading in page.locator(f"{table} th[scope=col]").all()]
    assert [(box["x"], box["width"]) for box in now] == [(box["x"], box["width"]) for box in places]
    assert sort_by(page, table, number) is None
    assert rows(page, table) == before


def test_what_is_missing_comes_last_either_way(opened):
    page = opened()
    for order in ("ascending", "descending"):
        assert sort_by(page, FAILED, 6) == order
        texts = column(page, FAILED, 6)
        missing = texts.count("–")
        assert 0 < missing < len(texts)
        assert set(texts[-missing:]) == {"–"}


def test_text_sorts_by_letters_sizes_by_size_and_labels_too(opened):
    page = opened()
    for number, key in ((5, str), (2, lambda text: list(GROUPS).index(text.lower()))):
        sort_by(page, FAILED, number)
        texts = column(page, FAILED, number)
        assert texts == sorted(texts, key=key) and len(set(texts)) > 1
    sort_by(page, FAILED, 0)
    ids = [tuple(map(int, text.split("/"))) for text in column(page, FAILED, 0)]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    sort_by(page, ACCURACY, 0)
    labels = column(page, ACCURACY, 0)
    assert labels == sorted(labels)


def test_parts_of_a_table_are_sorted_as_one_and_come_apart_again(opened, made):
    page = opened()
    before = rows(page, FAILED)
    assert len(before) == made.failures["cause"].nunique() > 1
    sort_by(page, FAILED, 3)
    causes = column(page, FAILED, 1)
    assert len(causes) == len(made.failures)
    assert len(list(itertools.groupby(causes))) > len(before)
    sort_by(page, FAILED, 3)
    sort_by(page, FAILED, 3)
    assert rows(page, FAILED) == before


# Figures


def tip(page):
    return page.locator("#tip").inner_text()


def test_a_figure_tells_its_values_under_the_pointer(opened, made):
    page = opened()
    marks = page.locator("#accuracy svg").first.locator("[data-tip]")
    row = made.study.estimate("object", "fixed", UNTOUCHED, "small")
    told = f"{100 * row.acc:.1f}% ({100 * row.low:.1f}–{100 * row.high:.1f}), n = {row.n}"
    marks.first.scroll_into_view_if_needed()
    box = marks.first.bounding_box()
    # Beside the mark, not on it: a mark is smaller than a fingertip.
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] - 5)
    assert tip(page) == f"{made.study.label(UNTOUCHED)}, small: {told}"
    here = page.locator("#tip").bounding_box()
    assert here["y"] + here["height"] <= box["y"]
    page.mouse.move(here["x"] + 20, here["y"] + here["height"] / 2)
    assert tip(page)
    page.keyboard.press("Escape")
    assert tip(page) == ""
    for mark in marks.all():
        mark.hover(force=True)
        assert tip(page) == mark.get_attribute("data-tip")
        assert re.search(r"% \(.+–.+\), n = \d+$", tip(page))
    page.mouse.move(5, 5)
    assert tip(page) == ""


def test_every_figure_tells_its_values_by_the_arrow_keys_inside_the_window(opened):
    page = opened(width=390)
    figures = [
        figure for figure in page.locator("svg").all() if figure.locator("[data-tip]").count()
    ]
    assert len(figures) > 8
    for figure in figures:
        marks = [mark.get_attribute("data-tip") for mark in figure.locator("[data-tip]").all()]
        assert all(re.search(r"\(.+ ?(–|to) ?.+\), n = \d+$", told) for told in marks)
        figure.focus()
        assert tip(page) == ""
        for key, place in (("ArrowLeft", -1), ("ArrowRight", 0), ("ArrowDown", 1), ("ArrowUp", 0)):
            page.keyboard.press(key)
            assert tip(page) == marks[place % len(marks)]
            box = page.locator("#tip").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390
            assert box["y"] >= 0 and box["y"] + box["height"] <= 844
        page.keyboard.press("Escape")
        assert tip(page) == ""
    assert page.locator("#tip").get_attribute("role") == "status"


# The gallery


def choose(page, **wanted):
    for name, value in wanted.items():
        page.select_option(f".filters [name={name}]", str(value))


def set_all(page, **wanted):
    """Choose at once, which is quicker than by hand."""
    page.evaluate(
        """wanted => {
            const form = document.querySelector('.filters');
            for (const name in wanted) form.elements[name].value = wanted[name];
            form.dispatchEvent(new Event('change')); }""",
        wanted,
    )


def tiles(page):
    """Ids of the objects that are shown, in order."""
    return page.locator(".tile").evaluate_all("all => all.map(one => one.hash.slice(8))")


def all_tiles(page):
    page.evaluate(
        "() => { const more = document.querySelector('#more'); while (!more.hidden) more.click(); }"
    )
    return tiles(page)


def offers(page, name):
    """What a filter offers, by the value that is sent."""
    options = page.locator(f".filters [name={name}] option")
    return {one.get_attribute("value"): one.inner_text() for one in options.all()}


def causes_of(made):
    """The causes that some failure has, in the order of the ladder."""
    known = set(made.failures["cause"])
    steps = dict.fromkeys(made.study.tables["failure_causes"]["cause"])
    return [cause for cause in steps if cause in known]


@pytest.fixture
def wanted(made):
    """Say by which words of `Browsed.fitting` the filters' values go."""
    categories = list(dict.fromkeys([*made.study.params.data.categories, HOSTILE, SPREADSHEET]))
    known = sorted({*categories} - {*made.study.params.data.categories})
    names = [*made.study.params.data.categories, *known]
    return {
        "condition": {number: number for number in range(len(made.shown))},
        "group": dict.fromkeys(["", *GROUPS]) | {group: group for group in ["", *GROUPS]},
        "category": {"": ""} | dict(enumerate(names)),
        "outcome": {"": "", 0: "recognised", 1: "failed"},
        "cause": {"": ""} | {cause: cause for cause in causes_of(made)},
    }


def assert_shown(page, made, wanted, **chosen):
    due = made.fitting(**{name: wanted[name][value] for name, value in chosen.items()})
    n = len(due)
    assert page.locator("#found").inner_text() == f"{n} of 120 objects; {min(n, 48)} shown."
    assert sorted(all_tiles(page)) == sorted(due["id"])
    return n


def test_each_filter_alone_shows_exactly_the_objects_that_the_tables_say(opened, made, wanted):
    page = opened()
    assert page.locator("#found").get_attribute("role") == "status"
    for name in ("group", "category", "outcome", "cause"):
        values = [value for value in wanted[name] if str(value) in offers(page, name)]
        assert len(values) == len(offers(page, name)) > 2
        for value in values:
            set_all(page, **{name: value})
            assert_shown(page, made, wanted, **{name: value})
        set_all(page, **{name: ""})
    labels = [describe_part(cause).label for cause in causes_of(made)]
    assert list(offers(page, "cause").values()) == ["Any", *labels]


def test_filters_combined_show_what_the_tables_say_and_reset_undoes_them(opened, made, wanted):
    page = opened()
    before = tiles(page)
    rng = np.random.default_rng(0)
    offered = {name: offers(page, name) for name in wanted}
    found = []
    for _ in range(24):
        chosen = {}
        for name, values in wanted.items():
            known = [value for value in values if str(value) in offered[name]]
            chosen[name] = known[rng.integers(len(known))] if rng.random() < 0.6 else known[0]
        set_all(page, **chosen)
        found.append(assert_shown(page, made, wanted, **chosen))
    assert sum(n > 0 for n in found) > 5
    page.get_by_role("button", name="Reset").click()
    wait_until(page, "document.querySelector('#found').textContent.startsWith('120 of')")
    assert tiles(page) == before


def test_showing_more_moves_on_to_the_first_new_object(opened):
    page = opened()
    shown = tiles(page)
    assert len(shown) == len(set(shown)) == 48
    for count, said in ((48, "Show 48 more"), (96, "Show 24 more")):
        assert page.locator("#more").inner_text() == said
        page.locator("#more").click()
        assert page.evaluate("document.activeElement.hash.slice(8)") == tiles(page)[count]
        assert tiles(page)[:48] == shown
    assert page.locator("#found").inner_text() == "120 of 120 objects; 120 shown."
    assert not page.locator("#more").is_visible()


def test_orders(opened, made):
    page = opened()
    assert [groups_of(made, page)[i : i + 3] for i in range(0, 48, 3)] == 16 * [list(GROUPS)]
    condition = made.shown.index(("object", "object_alone"))
    choose(page, condition=condition)
    table = made.fitting(condition=condition).set_index("id")
    for order, key, sign in (
        ("smallest", "side", 1), ("largest", "side", -1),
        ("sure", "confidence", -1), ("lift", "lift", -1),
    ):  # fmt: skip
        choose(page, order=order)
        found = table.loc[all_tiles(page), key].to_numpy()
        assert len(found) == 120
        known = np.round(sign * found[~np.isnan(found)], 1 if key == "side" else 2)
        assert (np.diff(known) >= 0).all()
        # What has no number comes last.
        assert np.isnan(found[len(known) :]).all()
    assert len(known) < 120


def groups_of(made, page):
    group = made.fitting().set_index("id")["size_group"]
    return [group[shown] for shown in tiles(page)]


def test_a_condition_changes_outcomes_and_pictures(opened, made):
    page = opened()
    for shown in (("scene", UNTOUCHED), ("object", UNTOUCHED), ("object", "bg_swap")):
        number = made.shown.index(shown)
        choose(page, condition=number)
        due = made.fitting(condition=number).set_index("id").loc[tiles(page)]
        texts = page.locator(".tile").all_inner_texts()
        for text, row in zip(texts, due.itertuples(), strict=True):
            side = f"{row.side:.1f}" if row.side < 9.95 else f"{row.side:.0f}"
            said = [f"{'✗' if row.failed else '✓'} {row.predicted}"]
            said += [f"{row.category_name}, {row.size_group}, {side}\u00a0px"]
            assert [line for line in text.split("\n") if line] == said
        classes = page.locator(".tile b").evaluate_all("all => all.map(one => one.className)")
        assert classes == ["wrong" if failed else "right" for failed in due["failed"]]
        canvas = drawn(page).nth(1)
        row = due.iloc[1]
        apart = ~marked(row)
        np.testing.assert_allclose(pixels(canvas)[apart][:, :3] - colour(number), 0, atol=1)


# What is on a canvas


def drawn(page, selector="#objects canvas"):
    """Canvases, once pictures are on them; in the middle of each there is one."""
    wait_until(
        page,
        f"""() => {{ const all = [...document.querySelectorAll('{selector}')];
            return all.length && all.every(canvas => {{
                const copy = new OffscreenCanvas(1, 1).getContext('2d');
                copy.drawImage(canvas, -128, -96);
                return copy.getImageData(0, 0, 1, 1).data[3]; }}); }}""",
    )
    return page.locator(selector)


def pixels(canvas):
    """(height, width, 4)."""
    address = canvas.evaluate("canvas => canvas.toDataURL()")
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGBA")).astype(int)


def fitted(row):
    """Where a picture lies on its canvas: left, top, width, height."""
    ratio = row.view_w / row.view_h
    width = min(WIDE, HIGH * ratio)
    return (WIDE - width) / 2, (HIGH - width / ratio) / 2, width, width / ratio


def box_of(row):
    """Where the object's box lies on the canvas: left, top, width, height."""
    left, top, width, height = fitted(row)
    across, down = width / SIZE, height / SIZE
    return left + row.box_x * across, top + row.box_y * down, row.box_w * across, row.box_h * down


def marked(row, *, margin=4):
    """Which pixels of a canvas may belong to the outline, its strokes, or no picture at all."""
    y, x = np.mgrid[:HIGH, :WIDE] + 0.5
    left, top, width, height = fitted(row)
    outside = (x < left + 1) | (x > left + width - 1) | (y < top + 1) | (y > top + height - 1)
    left, top, width, height = box_of(row)
    near = np.maximum(
        np.abs(x - left - width / 2) - width / 2, np.abs(y - top - height / 2) - height / 2
    )
    cross = (np.abs(x - left - width / 2) < margin) | (np.abs(y - top - height / 2) < margin)
    return outside | (np.abs(near) < margin + 2) | (cross & (near > 0) & (near < 35))


def test_the_object_is_boxed_where_it_is_and_pointed_at_where_it_is_small(opened, made):
    page = opened()
    canvases = drawn(page)
    due = made.fitting().set_index("id").loc[tiles(page)[:24]]
    sizes = []
    for number, row in enumerate(due.itertuples()):
        picture = pixels(canvases.nth(number))
        is_white = (picture[..., :3] > 215).all(axis=2) & (picture[..., 3] > 250)
        left, top, width, height = box_of(row)
        right, bottom = left + width, top + height
        middle, centre = round(left + width / 2), round(top + height / 2)
        # The outline's middle is 2 pixels outside the box, on all four sides.
        for y, x in (
            (centre, round(left - 2.5)), (centre, round(right + 1.5)),
            (round(top - 2.5), middle), (round(bottom + 1.5), middle),
        ):  # fmt: skip
            if 2 < y < HIGH - 3 and 2 < x < WIDE - 3:
                assert is_white[y - 1 : y + 2, x - 1 : x + 2].any()
        inside = is_white[round(top) + 1 : round(bottom) - 1, round(left) + 1 : round(right) - 1]
        assert not inside.any()
        small = min(width, height) < 23
        sizes.append(small)
        away = is_white.copy()
        away[
            max(round(top - 5), 0) : round(bottom + 5), max(round(left - 5), 0) : round(right + 5)
        ] = 0
        assert away.any() == small
    assert set(sizes) == {True, False}


def blended(row, number, *, top):
    """A square picture under its map as the analysis colours it."""
    left, _, width, height = (round(value) for value in fitted(row))
    assert width == height == HIGH
    heat = mpl.colormaps["magma"](enlarge(row.cam[None] / top, HIGH)[0])[..., :3] * 255
    expected = np.zeros((HIGH, WIDE, 3))
    expected[:, left : left + width] = (1 - ALPHA) * colour(number) + ALPHA * heat
    return expected


def assert_blended(canvas, row, number, *, top):
    apart = ~marked(row)
    difference = (pixels(canvas)[..., :3] - blended(row, number, top=top))[apart]
    assert np.abs(difference).max() <= 8
    assert np.abs(difference).mean() < 1.5
    # Between values of the map that differ this would not hold.
    assert np.ptp(blended(row, number, top=top)[apart], axis=0).max() > 40


def test_maps_have_the_analysis_own_colours(opened, made):
    page = opened()
    page.get_by_role("checkbox", name="Maps").check()
    number = made.shown.index(("object", "crop_low"))
    choose(page, condition=number)
    canvases = drawn(page)
    table = made.fitting(condition=number).set_index("id")
    shown = [(i, table.loc[key]) for i, key in enumerate(tiles(page))]
    square = [(i, row) for i, row in shown if row.view_w == row.view_h]
    assert len(square) > 8
    for i, row in square[:4]:
        assert_blended(canvases.nth(i), row, number, top=row.cam.max())
    # Side by side, all conditions share the scale of the greatest value.
    key = square[0][1].name
    open_tile(page, square[0][0])
    views = made.views_of(key)
    top = max(cam.max() for cam in views["cam"])
    assert page.locator("#instance .ends span").last.inner_text() == f"{top:.2g}"
    canvases = drawn(page, "#views canvas")
    labels = list(offers(page, "condition").values())
    told = [f"{label}: {what}" for label in labels for what in ("the object, boxed", "its map")]
    assert canvases.evaluate_all("all => all.map(one => one.ariaLabel)") == told
    for number, row in enumerate(views.itertuples()):
        np.testing.assert_allclose(
            pixels(canvases.nth(2 * number))[~marked(row)][:, :3] - colour(number), 0, atol=1
        )
        assert_blended(canvases.nth(2 * number + 1), row, number, top=top)


# One object


def open_tile(page, place):
    page.locator(".tile").nth(place).click()
    page.locator("#instance").wait_for()


def instance(page):
    """What the dialog says: of the object, and of each condition."""
    facts = page.locator("#instance-facts div").evaluate_all(
        "all => all.map(one => [...one.children].map(part => part.textContent))"
    )
    views = page.locator("#views li").evaluate_all(
        """all => all.map(one => [one.querySelector('h4'), ...one.querySelectorAll('p')]
            .map(part => part.textContent))"""
    )
    return dict(facts), views


def test_an_object_is_shown_under_all_conditions_as_the_tables_have_it(opened, made):
    page = opened()
    labels = list(offers(page, "condition").values())
    assert labels[:2] == ["Whole picture, untouched", "Window, untouched"]
    for label, (_, name) in zip(labels[2:], made.shown[2:], strict=True):
        assert label.startswith(made.study.label(name))
    seeds, seen = made.study.n_seeds, set()
    for place in range(15):
        key = tiles(page)[place]
        open_tile(page, place)
        assert page.evaluate("location.hash") == f"#object-{key}"
        facts, views = instance(page)
        rows = made.views_of(key)
        for said, label, row in zip(views, labels, rows.itertuples(), strict=True):
            sign = "✗" if row.failed else "✓"
            lift = "–" if np.isnan(row.lift) else f"{row.lift:.2f}"
            assert said == [
                label,
                f"{sign} {row.predicted} {round(seeds * row.right)} of {seeds} seeds right",
                f"map for {row.predicted_first} ({100 * row.confidence:.0f}%), lift {lift}",
            ]
        row = rows.iloc[0]
        file = f"picture_{row.image_id}.jpg"
        assert facts["Object"] == f"image {row.image_id}, object {row.ann_id}, {file}"
        if not row.failed:
            assert facts["Suggested cause"] == "none: it is recognised in the whole picture"
            assert len(facts) == 2
            seen.add("recognised")
        else:
            assert facts["Suggested cause"] == describe_part(row.cause).label
            rescues = [made.study.label(name) for name in row.rescued_by.split("; ") if name]
            given = [one.label.lower() for one in RUNGS if one.name in row.rungs.split("; ")]
            for fact, names in (("Its window is right under", rescues), ("Right given", given)):
                assert facts[fact] == ("; ".join(names) or "nothing that was tried")
            neighbour = (
                f"{row.neighbour}, object {row.neighbour_ann_id}, side {row.neighbour_side:.1f} px"
            )
            has_one = row.neighbour_side == row.neighbour_side
            assert facts.get("Neighbour so named") == (neighbour if has_one else None)
            seen |= {row.cause, f"neighbour {has_one}", f"rescued {bool(rescues)}"}
        page.keyboard.press("Escape")
    assert {"recognised", "neighbour True", "neighbour False"} < seen
    assert {"rescued True", "rescued False"} < seen


def test_pictures_that_were_not_kept_are_owned_up_to(opened, made):
    key = made.fitting()["id"].iloc[-1]
    page = opened(at=f"#object-{key}")
    assert drawn(page, "#views canvas").count() == 2
    assert page.locator("#views .unkept").count() == len(made.shown) - 1
    page.keyboard.press("Escape")
    choose(page, condition=1, order="largest")
    place = tiles(page).index(key)
    assert page.locator(".tile").nth(place).inner_text().startswith("picture not kept")


def test_previous_and_next_follow_the_gallery_by_buttons_and_arrow_keys(opened):
    page = opened()
    choose(page, group="small", outcome=1, order="smallest")
    order = all_tiles(page)
    open_tile(page, 0)
    back, onward = (page.get_by_role("button", name=name) for name in ("Previous", "Next"))
    assert back.is_disabled()
    for place in range(1, len(order)):
        if place % 2:
            onward.click()
        else:
            page.keyboard.press("ArrowRight")
        assert page.evaluate("location.hash.slice(8)") == order[place]
        assert page.locator("#instance-place").inner_text() == f"{place + 1} of {len(order)}"
    assert onward.is_disabled()
    # Keys still work though the button that had focus takes none any more.
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("location.hash.slice(8)") == order[-2]
    back.click()
    assert page.evaluate("location.hash.slice(8)") == order[-3]
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.hash.slice(8)") == order[-3]


@pytest.mark.parametrize("way", ["Escape", "button", "beside"])
def test_closing_leads_back_to_the_object_in_the_gallery(opened, way):
    page = opened()
    open_tile(page, 5)
    assert focused(page, "#instance-title")
    if way == "Escape":
        page.keyboard.press("Escape")
    elif way == "button":
        page.get_by_role("button", name="Close").click()
    else:
        # Its own margin does not close it.
        box = page.locator("#instance").bounding_box()
        page.mouse.click(box["x"] + 5, box["y"] + box["height"] / 2)
        assert page.locator("#instance").is_visible()
        page.mouse.click(5, 400)
    assert not page.locator("#instance").is_visible()
    assert page.evaluate("document.activeElement.hash.slice(8)") == tiles(page)[5]
    assert page.evaluate("location.hash") == "#galleries"


def test_the_browsers_back_button_closes(opened):
    page = opened(at="#failures")
    open_tile(page, 5)
    assert page.locator("#instance").is_visible()
    page.evaluate("history.back()")
    wait_until(page, "!document.querySelector('#instance').open")
    assert page.evaluate("location.hash") == "#failures"


def test_an_address_opens_an_object_also_one_that_the_filters_leave_out(opened, made):
    key = made.fitting(outcome="failed")["id"].iloc[7]
    page = opened(at=f"#object-{key}")
    assert page.locator("#instance").is_visible()
    assert instance(page)[0]["Object"].startswith("image {}, object {},".format(*key.split("-")))
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.hash.slice(8)") == key
    choose(page, outcome=0)
    page.evaluate("key => { location.hash = `#object-${key}` }", key)
    page.locator("#instance").wait_for()
    assert page.locator("#instance-place").inner_text().endswith(" of 120")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash.slice(8)") != key
    assert page.locator("#instance-place").inner_text().endswith(" of 120")


def test_the_table_of_failures_leads_to_each_object_and_back(opened, made):
    page = opened()
    links = page.locator(f"{FAILED} a")
    keys = links.evaluate_all("all => all.map(one => one.hash.slice(8))")
    assert sorted(keys) == sorted(made.fitting(outcome="failed")["id"])
    links.nth(30).click()
    page.locator("#instance").wait_for()
    assert instance(page)[0]["Object"].startswith(
        "image {}, object {},".format(*keys[30].split("-"))
    )
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.hash.slice(8)") == keys[30]
    assert page.evaluate("document.activeElement.closest('table') !== null")
    assert page.evaluate("location.hash") == "#failures"


def test_by_keys_alone(opened, made):
    page = opened()
    tab_to(page, "nav a[href='#galleries']")
    page.keyboard.press("Enter")
    wait_until(page, "document.querySelector('nav [aria-current]')?.hash === '#galleries'")
    tab_to(page, "[name=outcome]")
    page.keyboard.press("f")
    assert page.locator("#found").inner_text().startswith(f"{len(made.failures)} of 120 objects")
    tab_to(page, "[name=maps]")
    page.keyboard.press("Space")
    assert page.get_by_role("checkbox", name="Maps").is_checked()
    tab_to(page, ".tile")
    order = tiles(page)
    page.keyboard.press("Enter")
    page.locator("#instance").wait_for()
    page.keyboard.press("ArrowRight")
    tab_to(page, "[data-step='1']")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash.slice(8)") == order[2]
    assert focused(page, "[data-step='1']")
    # Nothing of the page behind it can be reached meanwhile.
    for _ in range(6):
        page.keyboard.press("Tab")
        assert focused(page, "body, #instance, #instance *")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.hash.slice(8)") == order[2]
    tab_to(page, f"{FAILED} th:nth-child(4) button")
    page.keyboard.press("Enter")
    assert page.locator(f"{FAILED} th:nth-child(4)").get_attribute("aria-sort") == "ascending"
    tab_to(page, f"{FAILED} a")
    page.keyboard.press("Enter")
    page.locator("#instance").wait_for()
    tab_to(page, "[data-close]")
    page.keyboard.press("Enter")
    assert focused(page, f"{FAILED} a")


# A large study


def test_a_page_of_thousands_of_objects_opens_and_answers_at_once(opened, made):
    address = browser_study.write_many(made)
    start = time.perf_counter()
    page = opened(address=address)
    assert page.locator("#found").inner_text() == "6000 of 6000 objects; 48 shown."
    assert time.perf_counter() - start < 10
    for name, value in (("outcome", 1), ("condition", 2), ("order", "lift"), ("group", "small")):
        taken = page.evaluate(
            """async ([name, value]) => {
                const field = document.querySelector(`.filters [name=${name}]`);
                const start = performance.now();
                field.value = value;
                field.dispatchEvent(new Event('change', { bubbles: true }));
                await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
                return performance.now() - start; }""",
            [name, str(value)],
        )
        assert taken < 1500
    due = 50 * len(made.fitting(condition=2, outcome="failed", group="small"))
    assert page.locator("#found").inner_text() == f"{due} of 6000 objects; 48 shown."
