"""Small objects on paper: in pairs and both tasks, at their own proportions."""

import base64
import dataclasses
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from builders.study_files import APART, HOSTILE, INPUTS, built, with_tables
from readers.report_pages import text_of
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.sheets import objects
from smallsight.runtime.errors import PictureError

FEW = (UNTOUCHED, "downscale")


@pytest.fixture
def shown(reported_study):
    """Make a study with pictures of a few conditions, and stand where its pictures are."""
    return lambda **properties: reported_study(only=FEW, **properties)


@pytest.mark.parametrize(("correct", "failed"), [(2, 2), (3, 1), (1, 3), (2, 0), (0, 2)])
def test_recognised_objects_stand_beside_failed_ones_of_their_size(shown, correct, failed):
    study = shown(correct=correct, failed=failed)
    found = objects.gallery(study)
    assert found.group == "small"
    rows = study.gallery[study.gallery["size_group"] == "small"]
    whole = rows[rows["task"] == "scene"]
    left = [pair.correct for pair in found.pairs]
    right = [pair.failed for pair in found.pairs]
    numbers = (found.n_correct, found.n_failed)
    for column, outcome, number in zip((left, right), ("correct", "failed"), numbers, strict=True):
        due = list(whole.loc[whole["outcome"] == outcome, "picture"])
        missing = [None] * (max(correct, failed) - len(due))
        assert [one and one.whole.row["picture"] for one in column] == due + missing
        assert all(one.whole.is_correct == (outcome == "correct") for one in column if one)
        assert number == len(due)
    both = [card.row["picture"] for one in found.objects for card in (one.whole, one.window)]
    assert both == list(rows["picture"])


def test_what_is_drawn_by_the_whole_picture_is_counted_in_the_window_too(shown):
    """One more is recognised in its window than in the whole picture."""

    def edit():
        table = pd.read_csv(INPUTS.gallery)
        here = (table["task"] == "object") & (table["outcome"] == "failed")
        table.loc[table[here].groupby("size_group").head(1).index, "outcome"] = "correct"
        table.to_csv(INPUTS.gallery, index=False)

    found = objects.gallery(shown(correct=2, failed=2, edit=edit))
    assert (found.n_correct, found.n_failed, found.n_window) == (2, 2, 3)
    assert [pair.failed.window.is_correct for pair in found.pairs] == [True, False]


def test_no_object_makes_no_gallery(shown):
    assert objects.gallery(shown(correct=0, failed=0)) is None


@pytest.mark.parametrize(
    ("missing", "due"), [([], "small"), (["small"], "medium"), (["small", "medium"], "large")]
)
def test_the_smallest_objects_that_there_are_make_the_gallery(shown, missing, due):
    study = shown()
    left = study.gallery[~study.gallery["size_group"].isin(missing)]
    assert objects.gallery(dataclasses.replace(study, gallery=left)).group == due


@pytest.mark.parametrize("cell", [32.0, 16.0, 64.0, 64 / 14])
def test_the_mesh_has_an_edge_on_both_sides_of_every_cell(shown, cell):
    def edit():
        about = json.loads(INPUTS.about.read_text(encoding="utf-8"))
        INPUTS.about.write_text(json.dumps(about | {"cell": cell}), encoding="utf-8")

    mesh = objects.gallery(shown(edit=edit)).mesh
    assert (mesh.edges[0], mesh.edges[-1]) == (0, mesh.size)
    np.testing.assert_allclose(np.diff(mesh.edges), cell, atol=0.011)


def test_the_meshs_box_is_that_of_the_largest_object_in_its_gallerys_whole_pictures(shown):
    def edit():
        table = pd.read_csv(INPUTS.gallery)
        rng = np.random.default_rng(0)
        table[["box_w", "box_h"]] = rng.uniform(1, 9, (len(table), 2))
        table["side"] = np.sqrt(table["box_w"] * table["box_h"])
        table.to_csv(INPUTS.gallery, index=False)

    study = shown(edit=edit)
    whole = study.gallery[study.gallery["task"] == "scene"]
    due = whole.sort_values("side").groupby("size_group").last().loc["small", ["box_w", "box_h"]]
    mesh = objects.gallery(study).mesh
    assert [mesh.width, mesh.height] == pytest.approx(list(due))


def decoded(shot):
    kind, _, content = shot.uri.partition(";base64,")
    return kind, base64.b64decode(content)


def test_addresses_tell_png_from_jpeg_and_hold_the_files(shown):
    card = objects.gallery(shown()).objects[0].whole
    for shot, name, kind in (
        (card.untouched, "untouched", "jpeg"),
        (card.picture, "picture", "png"),
        (card.overlay, "overlay", "png"),
    ):
        assert decoded(shot) == (f"data:image/{kind}", Path(card.row[name]).read_bytes())


@pytest.mark.parametrize(("width", "height"), [(400, 300), (90, 160), (64, 64)])
def test_the_untouched_picture_has_a_size_of_its_own_and_its_box_the_same_place(
    shown, width, height
):
    def edit():
        table = pd.read_csv(INPUTS.gallery).assign(view_w=width, view_h=height)
        table.to_csv(INPUTS.gallery, index=False)
        row = table.iloc[0]
        pixels = np.zeros((height, width, 3), np.uint8)
        across, down = width / row["input_size"], height / row["input_size"]
        left, top = round(row["box_x"] * across), round(row["box_y"] * down)
        right = round((row["box_x"] + row["box_w"]) * across)
        bottom = round((row["box_y"] + row["box_h"]) * down)
        pixels[top:bottom, left:right] = 255
        Image.fromarray(pixels).save(row["untouched"], quality=95)

    card = objects.gallery(shown(edit=edit)).objects[0].whole
    seen, due = card.untouched, card.picture
    assert (seen.box, seen.view, seen.pointers) == (due.box, due.view, due.pointers)
    assert (seen.left, seen.top, seen.width, seen.height) == (
        due.left, due.top, due.width, due.height,
    )  # fmt: skip
    with Image.open(io.BytesIO(decoded(seen)[1])) as picture:
        bright = np.argwhere(np.asarray(picture.convert("L")) > 128)
    middle = (bright.min(axis=0) + bright.max(axis=0) + 1) / 2 / (height, width)
    box = seen.box
    boxed = (box.y + box.h / 2) / seen.view[1], (box.x + box.w / 2) / seen.view[0]
    assert boxed == pytest.approx(tuple(middle), abs=0.01)
    assert seen.view[0] / seen.view[1] == pytest.approx(width / height)


@pytest.mark.parametrize("kind", ["picture", "overlay", "untouched"])
def test_a_missing_or_broken_picture_is_named_in_one_line(shown, kind):
    study = shown()
    path = Path(study.gallery[kind].iloc[0])
    for spoil in (lambda: path.write_text("no picture", encoding="utf-8"), path.unlink):
        spoil()
        with pytest.raises(PictureError, match=re.escape(str(path))) as caught:
            [one.whole.untouched for one in objects.gallery(study).objects]
        assert "\n" not in str(caught.value)


class Cards(HTMLParser):
    """Every card of a page: its text, and its pictures' descriptions and addresses."""

    def __init__(self, page):
        super().__init__()
        self.cards, self.inside = [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "article":
            self.cards.append(["", []])
            self.inside = True
        elif tag == "img" and self.inside:
            self.cards[-1][1].append([dict(attributes)[name] for name in ("alt", "src")])

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "article"

    def handle_data(self, data):
        if self.inside:
            self.cards[-1][0] += " ".join(["", *data.split()])


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page with three objects recognised to one failed, and their table, pictures and all."""
    folder = tmp_path_factory.mktemp("shown")
    made = built(folder, form="printed", only=FEW, category=HOSTILE, correct=3, failed=1)
    table = pd.read_csv(folder / INPUTS.gallery)
    table = table[table["size_group"] == "small"].reset_index(drop=True)
    for name in ("untouched", "picture", "overlay"):
        table[name] = [(folder / path).read_bytes() for path in table[name]]
    return made, table


def test_every_card_says_what_its_object_is_and_what_was_predicted(page):
    made, table = page
    found = Cards(made).cards
    assert len(found) == len(table) / 2
    # A pair's recognised object comes first.
    whole, window = (
        table[table["task"] == task].reset_index(drop=True) for task in ("scene", "object")
    )
    order = whole.assign(rank=whole.groupby("outcome").cumcount())
    order = order.sort_values(["rank", "outcome"]).index
    for (text, pictures), number in zip(found, order, strict=True):
        rows = whole.loc[number], window.loc[number]
        assert rows[0]["ann_id"] == rows[1]["ann_id"]
        assert text.startswith(f" {rows[0]['category_name']} , side {rows[0]['side']:.0f} px")
        for row, name in zip(rows, ("Whole picture", "Window"), strict=True):
            sign = {"correct": "✓", "failed": "✗"}[row["outcome"]]
            lift = "– (no evidence)" if np.isnan(row["lift"]) else f"{row['lift']:.2f}"
            said = f"{name}: {sign} {row['predicted']} {100 * row['confidence']:.0f}%, "
            assert f"{said}lift {lift}" in text
        texts, addresses = zip(*pictures, strict=True)
        words = ("picture itself", "whole picture as", "map", "enlarged", "window as", "map")
        for alt, word in zip(texts, words, strict=True):
            assert word in alt
        assert all(HOSTILE in texts[number] for number in (0, 1, 4))
        shown = [base64.b64decode(address.partition(",")[2]) for address in addresses]
        due = [row[name] for row in rows for name in ("picture", "overlay")]
        assert [shown[0], *shown[1:3], *shown[4:]] == [rows[0]["untouched"], *due]


def test_hostile_names_stay_text_in_the_cards(page):
    made, _ = page
    assert "<img src=x" not in made
    assert all(HOSTILE in text for text, _ in Cards(made).cards)


def test_where_fewer_failed_the_page_says_so(page):
    text = text_of(page[0])
    assert text.count("No further failed object was drawn.") == 2
    assert "No further recognised object" not in text


def test_a_caption_counts_what_is_shown_of_what_there_is(page):
    text = text_of(page[0])
    correct = round(40 * APART["small"])
    counts = (
        f"3 of the {correct} objects recognised in the whole picture, and 1 of the "
        f"{40 - correct} objects that failed"
    )
    assert f"Small objects, untouched: {counts}. Of these 4, 3 are recognised" in text


@pytest.mark.parametrize(("count", "due"), [(1, "1 object"), (1234, "1,234 objects")])
def test_a_gallery_counts_the_objects_that_it_is_drawn_from(shown, count, due):
    study = shown()
    counts = study.tables["attention"].assign(n=7)
    asked = "map == 'predicted' and size_group == 'medium' and outcome == 'failed'"
    asked = counts[counts["condition"] == UNTOUCHED].query(f"task == 'scene' and {asked}").index
    counts.loc[asked, "n"] = count
    made = with_tables(study, attention=counts)
    assert objects.count_objects(made, "medium", "failed") == due
    assert objects.count_objects(made, "medium", "correct") == "7 objects"
    nothing = with_tables(study, attention=counts[:0])
    assert objects.count_objects(nothing, "medium", "failed") == "0 objects"
