"""A study whose page is looked at in a browser: every object differs from the others."""

import contextlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from builders.study_files import CLIMBED, HOSTILE, INPUTS, write_study
from smallsight import params
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report import page
from smallsight.report.inputs import read_study
from smallsight.report.study import Study

SPREADSHEET = "=cmd()"
"""A category that a spreadsheet would run; the study's other one is `HOSTILE`."""
CONDITIONS = (
    *(UNTOUCHED, "orig_crop", "downscale", "crop_low", "object_alone"),
    *("bg_swap", "bg_swap/donor=other"),
)
CHANGES = {
    ("fixed", "orig_crop"): -0.2,
    ("fixed", "downscale"): -0.2,
    ("fixed", "crop_low"): {"small": -0.6, "medium": -0.1},
    ("fixed", "object_alone"): {"small": -0.3, "medium": 0.2},
    ("fixed", "bg_swap"): {"small": -0.4, "large": -0.5},
}
SIZE, CELLS, ALPHA = 64, 3, 0.5
"""Sides of the network's input and of a thumbnail, of a map; how much of a map is blended in."""
VIEWS = ((640, 480), (64, 64), (300, 600), (800, 400))
"""Widths and heights of the objects' pictures, by turns."""
MANY = 6000


@dataclass(frozen=True)
class Browsed:
    """A page, and what it was made of."""

    folder: Path
    study: Study
    html: str

    @property
    def address(self):
        return (self.folder / "report.html").as_uri()

    @cached_property
    def shown(self):
        """The tasks and conditions that the gallery shows, in order."""
        return pairs_of(self.study.maps)

    @cached_property
    def failures(self):
        return self.study.tables["failures"]

    @cached_property
    def views(self):
        """A row per view and object; columns `*_first` are those of the first seed."""
        keys = ["image_id", "ann_id"]
        table = self.study.tables["answers"].merge(
            self.study.maps.assign(cam=list(self.study.map_values)),
            on=["task", "condition", *keys],
            suffixes=("", "_first"),
        )
        causes = ["cause", "neighbour", "neighbour_ann_id", "neighbour_side"]
        causes += ["rescued_by", "rungs"]
        table = table.merge(self.failures[[*keys, *causes]], on=keys, how="left")
        image, ann = (table[key].astype(str) for key in keys)
        return table.assign(id=image + "-" + ann)

    def views_of(self, key):
        """Return the views of one object, in the order in which they are shown."""
        return self.views[self.views["id"] == key].set_index(["task", "condition"]).loc[self.shown]

    def fitting(self, *, condition=0, **wanted):
        """Return the views of the objects that fit, in the order of the tables.

        `condition` is its place in what is shown; all others are filters of the gallery by their
        names, with the values that stand in addresses.
        """
        pairs = zip(self.views["task"], self.views["condition"], strict=True)
        table = self.views[[pair == self.shown[condition] for pair in pairs]]
        for name, value in wanted.items():
            table = table[self.fits(table, name, value)]
        return table

    def fits(self, table, name, value):
        """Say of each view whether a filter lets it through."""
        if name == "outcome":
            return table["failed"] == (value == "failed")
        if name == "rescued":
            return [value in str(names).split("; ") for names in table["rescued_by"]]
        if name == "neighbour_named":
            larger = table["neighbour_side"] > table["side"]
            smaller = table["neighbour_side"] <= table["side"]
            has_failed = table["cause"].notna()
            return {"larger": larger, "smaller": smaller, "none": has_failed & ~larger & ~smaller}[
                value
            ]
        if name == "company":
            largest = self.views.groupby("image_id")["side"].max()
            larger = table["side"] < table["image_id"].map(largest)
            return larger if value == "larger" else ~larger
        columns = {"group": "size_group", "category": "category_name", "named": "predicted"}
        return table[columns.get(name, name)] == value


def pairs_of(maps):
    """List task and condition of what a table of maps is of, in order."""
    return list(dict.fromkeys(zip(maps["task"], maps["condition"], strict=True)))


def colour(condition):
    """Return the one colour of all pictures under a condition, by its number."""
    return np.array([40 + 25 * condition, 90, 220 - 25 * condition])


def write_page(folder):
    """Write a study and its page into a folder."""
    write_study(folder, category=HOSTILE, only=CONDITIONS, changes=CHANGES, **CLIMBED)
    with contextlib.chdir(folder):
        for path in (*Path("data").glob("**/*.csv"), INPUTS.sampling):
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub(r"\bbus\b", SPREADSHEET, text), encoding="utf-8")
        rng = np.random.default_rng(7)
        edit_maps(rng)
        edit_tables(rng)
        study = read_study(INPUTS, params.load())
        html = page.build(INPUTS, params.load()).screen()
    (folder / "report.html").write_text(html, encoding="utf-8")
    return Browsed(folder, study, html)


def edit_maps(rng):
    """Return each object a box, numbers and pictures of its own."""
    maps = pd.read_csv(INPUTS.maps)
    n = len(maps)
    sheets = ("data/gradcam/all.webp", "data/gradcam/one.webp")
    for path, shown in zip(sheets, (len(pairs_of(maps)), 1), strict=True):
        row = np.concatenate([np.full((SIZE, SIZE, 3), colour(i)) for i in range(shown)], axis=1)
        Image.fromarray(row.astype(np.uint8)).save(path, lossless=True)
    number = maps.groupby(["task", "condition"], sort=False).cumcount()
    with np.load(INPUTS.map_values) as file:
        cams = file["cams"].reshape(n, CELLS, CELLS)
    width, height = rng.integers(2, 30, (2, n))
    maps.assign(
        confidence=rng.integers(20, 99, n) / 100,
        lift=np.where(number % 9 == 4, np.nan, rng.integers(10, 900, n) / 100),
        peak=cams.max(axis=(1, 2)),
        box_x=rng.integers(2, SIZE - 1 - width),
        box_y=rng.integers(2, SIZE - 1 - height),
        box_w=width,
        box_h=height,
        view_w=[VIEWS[i % len(VIEWS)][0] for i in number],
        view_h=[VIEWS[i % len(VIEWS)][1] for i in number],
        # Of the last object, all pictures but the first were given up.
        thumbnail=np.where(number == number.max(), sheets[1], sheets[0]),
        # The first seed now and then says something else than most seeds.
        predicted=np.where(number % 7 == 3, HOSTILE, maps["predicted"]),
    ).to_csv(INPUTS.maps, index=False)


def edit_tables(rng):
    """Let seeds disagree, and some failures have no neighbour."""
    votes = pd.read_csv(INPUTS.table("answers"))
    luck = rng.integers(0, 3, len(votes)) / 5
    votes["right"] = np.where(votes["failed"], luck, 1 - luck)
    votes.to_csv(INPUTS.table("answers"), index=False)
    failures = pd.read_csv(INPUTS.table("failures"))
    failures.loc[::5, ["neighbour", "neighbour_ann_id", "neighbour_side"]] = np.nan
    failures.to_csv(INPUTS.table("failures"), index=False)


def write_many(made):
    """Write a page of many objects: copies of the study's, with images of their own."""
    head, mark, rest = made.html.partition('id="explorer-data">')
    text, end, tail = rest.partition("</script>")
    tree = json.loads(text)
    few = tree["objects"]
    tree["objects"] = [
        few[i % len(few)]
        | {"image": str(100_000 * (i // len(few)) + int(few[i % len(few)]["image"]))}
        for i in range(MANY)
    ]
    path = made.folder / "many.html"
    told = json.dumps(tree, ensure_ascii=False).replace("<", "\\u003c")
    path.write_text(head + mark + told + end + tail, encoding="utf-8")
    return path.as_uri()
