"""The page for a browser as it is written: its bar of contents, and cells that lead to objects."""

import base64
import hashlib
import re
from collections import Counter

import pytest

from readers.report_pages import ON_SCREEN, headings, tooltips
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import GROUPS, HEADLINE_TASK

pytestmark = pytest.mark.page


def test_the_bar_of_contents_leads_to_the_first_section_of_each_chapter(forms):
    page = forms.screen
    assert headings(page) == ON_SCREEN
    nav = page[page.index("<nav") : page.index("</nav>")]
    linked = re.findall(r'href="#(.*?)"', nav)
    sections = re.findall(r'<section id="(.*?)" data-chapter="(.*?)"', page)
    assert list(dict.fromkeys(chapter for _, chapter in sections)) == linked
    first = {}
    for anchor, chapter in sections:
        first.setdefault(chapter, anchor)
    assert all(chapter == anchor for chapter, anchor in first.items())
    # The answer and the gallery do not fold.
    assert page.count('<details class="fold"') == len(sections) - 2


def test_the_policy_lets_the_pages_one_program_run_and_no_other(forms):
    (program,) = re.findall(r"<script>(.*?)</script>", forms.screen, re.DOTALL)
    assert re.findall(r"<script[ >]", forms.screen) == ["<script ", "<script>"]
    assert '<script type="application/json"' in forms.screen
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    (policy,) = re.findall(r'"Content-Security-Policy" content="(.*?)"', forms.screen)
    assert f"; script-src 'sha256-{digest}';" in policy


def due_cells(study):
    """Yield what the tables say of every cell of the confusion matrices."""
    table, votes = study.tables["confusion"], study.tables["answers"]
    votes = votes[(votes["task"] == HEADLINE_TASK) & (votes["condition"] == UNTOUCHED)]
    keys = ["size_group", "category_name", "predicted"]
    objects = votes.groupby(keys).size().to_dict()
    for row in table[(table["task"] == HEADLINE_TASK) & (table["share"] > 0)].to_dict("records"):
        if row["size_group"] in GROUPS:
            n = objects.get(tuple(row[key] for key in keys), 0)
            told = f"{row['category_name']}, named {row['predicted']}: {100 * row['share']:.0f}%"
            yield f"{told}, n = {row['n']}" + (f"; open {n} object{'s' * (n > 1)}" if n else "")


def test_every_cell_says_its_share_and_how_many_objects_it_opens(forms):
    due = Counter(due_cells(forms.study))
    assert due.total() > 5
    assert Counter(tip for tip in tooltips(forms.screen) if ", named " in tip) == due
