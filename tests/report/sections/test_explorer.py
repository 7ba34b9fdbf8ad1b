"""The gallery's data: every object and map as the tables have them, and nothing but data."""

import base64
import contextlib
import dataclasses
import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from builders.study_files import CLIMBED, INPUTS, with_tables, write_study
from smallsight import params
from smallsight.analysis.terms import describe_part
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.evaluation.rungs import RUNGS
from smallsight.report import traits
from smallsight.report.figures import style
from smallsight.report.inputs import read_study
from smallsight.report.sections import explorer
from smallsight.runtime.errors import PictureError, SmallsightError
from smallsight.saliency import gallery
from smallsight.vocabulary import GROUPS

pytestmark = pytest.mark.page

SOME = (UNTOUCHED, "downscale", "crop_low", "object_alone", "bg_swap", "bg_swap/donor=other")
"""Conditions of both tasks and of one; a further level has no maps."""
MAPPED = [
    ("scene", UNTOUCHED), ("object", UNTOUCHED), ("object", "downscale"), ("object", "crop_low"),
    ("object", "object_alone"), ("object", "bg_swap"),
]  # fmt: skip
"""What is shown: whole pictures, then every condition of the window."""
RESCUED = {("fixed", "crop_low"): {"small": -0.6}, ("fixed", "downscale"): {"medium": -0.2}}
INSTANCE = ["image_id", "ann_id"]
NASTY = [
    "</script><script>alert(1)</script>", "<!-- <script>", "]]>", 'a "b" \\ \'c\'', "\u2028\u2029",
    "Füße 🚲", "&lt;b&gt;", "None",
]  # fmt: skip


def read(folder):
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


@contextlib.contextmanager
def inside(folder):
    """Stand where the thumbnails are."""
    with contextlib.chdir(folder):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study's folder; every third object keeps a thumbnail of its first condition alone."""
    explored = tmp_path_factory.mktemp("explored")
    made = write_study(explored, only=SOME, changes=RESCUED, **CLIMBED)
    Image.new("RGB", (64, 64), (200, 30, 30)).save(made / "data/gradcam/first.webp")
    table = pd.read_csv(made / INPUTS.maps, keep_default_na=False)
    table.loc[table["ann_id"] % 3 == 0, "thumbnail"] = "data/gradcam/first.webp"
    rng = np.random.default_rng(0)
    for name in ("confidence", "peak", "box_x", "box_y", "box_w", "box_h"):
        table[name] = rng.uniform(1, 9, len(table))
    table["confidence"] /= 10
    table[["view_w", "view_h"]] = rng.integers(100, 900, (len(table), 2))
    table.loc[::11, "lift"] = np.nan
    # The first seed need not say what most of them do.
    table.loc[::7, "predicted"] = "truck"
    table.to_csv(made / INPUTS.maps, index=False)
    with np.load(made / INPUTS.map_values) as file:
        arrays = dict(file)
    cams = arrays["cams"] * rng.uniform(0, 40, arrays["cams"].shape)
    cams[1, 4] = 0
    np.savez(made / INPUTS.map_values, **(arrays | {"cams": cams.astype(np.float32)}))
    return made


@pytest.fixture(scope="module")
def study(folder):
    return read(folder)


@pytest.fixture(scope="module")
def text(folder, study):
    with inside(folder):
        return explorer.data(study)


@pytest.fixture(scope="module")
def tree(text):
    return json.loads(text)


def table(folder, path):
    return pd.read_csv(folder / path, keep_default_na=False, dtype=dict.fromkeys(INSTANCE, str))


def named(tree, view):
    """Return an object's view by the names of its values."""
    return dict(zip(tree["view"], view, strict=True))


def test_every_object_stands_once_with_a_view_of_all_that_has_maps(folder, tree):
    votes = table(folder, INPUTS.table("answers"))
    due = list(votes[INSTANCE].drop_duplicates().itertuples(index=False, name=None))
    assert [(one["image"], one["object"]) for one in tree["objects"]] == due
    assert len(set(due)) == len(due) == 120
    assert [(step["task"], step["name"]) for step in tree["conditions"]] == MAPPED
    assert {len(one["views"]) for one in tree["objects"]} == {len(MAPPED)}
    assert {len(view) for one in tree["objects"] for view in one["views"]} == {len(explorer.VIEW)}


def test_objects_are_what_the_tables_say(folder, study, tree):
    votes = table(folder, INPUTS.table("answers")).drop_duplicates(INSTANCE).set_index(INSTANCE)
    files = table(folder, INPUTS.sample).set_index(INSTANCE)["file_name"]
    for one in tree["objects"]:
        row = votes.loc[one["image"], one["object"]]
        assert one["group"] == row["size_group"]
        assert one["category"] == row["category_name"]
        assert one["side"] == pytest.approx(row["side"], abs=0.051)
        assert one["file"] == files.loc[one["image"], one["object"]]
    assert tree["groups"] == list(GROUPS)
    assert tree["seeds"] == study.n_seeds == study.params.evaluation.repeats


def test_views_are_what_the_tables_say(folder, tree):
    votes = table(folder, INPUTS.table("answers")).set_index(["task", "condition", *INSTANCE])
    maps = table(folder, INPUTS.maps).set_index(["task", "condition", *INSTANCE])
    size = json.loads((folder / INPUTS.about).read_text(encoding="utf-8"))["input_size"]
    for one in tree["objects"]:
        for shown, values in zip(MAPPED, one["views"], strict=True):
            view = named(tree, values)
            vote = votes.loc[(*shown, one["image"], one["object"])]
            seen = maps.loc[(*shown, one["image"], one["object"])]
            assert view["failed"] == int(vote["failed"])
            assert tree["categories"][view["named"]] == vote["predicted"]
            assert view["right"] == pytest.approx(vote["right"], abs=0.0006)
            assert tree["categories"][view["predicted"]] == seen["predicted"]
            for key in ("confidence", "lift", "peak"):
                due = float(seen[key]) if seen[key] != "" else None
                assert view[key] == (None if due is None else pytest.approx(due, rel=0.006))
            box = [float(seen[f"box_{key}"]) / size for key in "xywh"]
            assert [view[key] for key in "xywh"] == pytest.approx(box, abs=6e-5)
            assert view["ratio"] == pytest.approx(seen["view_w"] / seen["view_h"], abs=6e-5)


def test_the_first_seed_may_say_something_else_than_most(tree):
    views = [named(tree, view) for one in tree["objects"] for view in one["views"]]
    assert 0 < sum(view["named"] != view["predicted"] for view in views) < len(views)


def test_some_have_no_lift_and_all_have_the_rest(tree):
    lifts = [named(tree, view)["lift"] for one in tree["objects"] for view in one["views"]]
    assert 0 < sum(lift is None for lift in lifts) < len(lifts)
    assert not any(
        value is None for one in tree["objects"] for view in one["views"]
        for key, value in named(tree, view).items() if key != "lift"
    )  # fmt: skip


def test_failures_have_their_causes_and_what_turns_them_right(folder, study, tree):
    failures = table(folder, INPUTS.table("failures")).set_index(INSTANCE)
    found = {(one["image"], one["object"]): one for one in tree["objects"] if "cause" in one}
    assert set(found) == set(failures.index)
    assert 0 < len(found) < len(tree["objects"])
    given = {rung.name: rung.label.lower() for rung in RUNGS}
    for key, one in found.items():
        row = failures.loc[key]
        assert one["cause"] == row["cause"]
        assert named(tree, one["views"][0])["failed"] == 1
        assert one["rescued"] == [name for name in row["rescued_by"].split("; ") if name]
        assert one["given"] == [given[name] for name in row["rungs"].split("; ") if name]
        side = f"{float(row['neighbour_side']):.1f} px" if row["neighbour_side"] != "" else ""
        assert ("neighbour" in one) == bool(side)
        if side:
            said = f"{row['neighbour']}, object {row['neighbour_ann_id']}, side {side}"
            assert one["neighbour"] == said
    assert len({one["cause"] for one in found.values()}) > 1
    for name in ("rescued", "given"):
        assert {bool(one[name]) for one in found.values()} == {True, False}
    steps = list(dict.fromkeys(study.tables["failure_causes"]["cause"]))
    known = [cause for cause in steps if cause in set(failures["cause"])]
    assert list(tree["causes"].items()) == [(one, describe_part(one).label) for one in known]
    rescuers = {name for one in found.values() for name in one["rescued"]}
    assert tree["rescuers"] == {name: study.label(name) for name in tree["rescuers"]}
    assert set(tree["rescuers"]) == rescuers


def test_what_is_recognised_untouched_has_no_cause(tree):
    for one in tree["objects"]:
        failed = named(tree, one["views"][0])["failed"]
        assert ("cause" in one) == ("rescued" in one) == ("given" in one) == bool(failed)


def decoded(one, cells):
    values = np.frombuffer(base64.b64decode(one["maps"]), np.uint8)
    return values.reshape(-1, cells, cells)


def test_maps_decode_to_their_own_within_one_step_of_their_greatest_cell(folder, study, tree):
    maps = table(folder, INPUTS.maps)
    keys = maps[["task", "condition", *INSTANCE]].itertuples(index=False, name=None)
    place = {key: at for at, key in enumerate(keys)}
    assert tree["cells"] == study.map_values.shape[-1]
    blank = 0
    for one in tree["objects"]:
        for shown, values in zip(MAPPED, decoded(one, tree["cells"]), strict=False):
            cam = study.map_values[place[(*shown, one["image"], one["object"])]]
            top = cam.max()
            blank += top == 0
            np.testing.assert_allclose(values / 255 * top, cam, atol=0.501 * top / 255)
            assert values.max() == (255 if top > 0 else 0)
    assert blank == 1


def test_maps_and_pictures_are_those_of_the_conditions_that_were_kept(tree):
    for one in tree["objects"]:
        kind, _, content = one["pictures"].partition(",")
        assert kind == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            assert picture.format == "WEBP"
            shown = picture.width // picture.height
        kept = 1 if int(one["object"]) % 3 == 0 else len(MAPPED)
        assert shown == kept
        assert len(decoded(one, tree["cells"])) == kept
        # Of every condition it is told what was answered, whether its picture was kept or not.
        assert len(one["views"]) == len(MAPPED)


def test_pictures_are_the_files_as_they_are(folder, tree):
    for one in tree["objects"][:4]:
        name = "first" if int(one["object"]) % 3 == 0 else "thumbnail"
        content = base64.b64decode(one["pictures"].partition(",")[2])
        assert content == (folder / f"data/gradcam/{name}.webp").read_bytes()


def test_colours_are_those_of_the_overlays_on_paper(study, tree):
    assert tree["stops"] == list(style.gradient(gallery.COLORMAP))
    assert tree["alpha"] == gallery.ALPHA == study.about["alpha"]


def test_conditions_have_their_labels_and_marks(study, tree):
    labels = {(step["task"], step["name"]): step["label"] for step in tree["conditions"]}
    assert labels["object", "downscale"] == "Downscale ∅"
    assert labels["scene", UNTOUCHED] == "Whole picture, untouched"
    assert labels["object", UNTOUCHED] == "Window, untouched"
    assert labels["object", "crop_low"] == study.label("crop_low")


def test_categories_are_the_parameters_then_the_rest(study, tree):
    chosen = list(study.params.data.categories)
    assert tree["categories"][: len(chosen)] == chosen
    assert len(set(tree["categories"])) == len(tree["categories"])
    assert {"car", "bus"} <= set(tree["categories"])


def test_the_same_study_gives_the_same_text(folder, text):
    with inside(folder):
        assert explorer.data(read(folder)) == text
    assert str(folder) not in text


NAMES = [
    "group",
    "category",
    "named",
    "outcome",
    "cause",
    "rescued",
    "neighbour_named",
    "company",
    "label",
]


def test_a_gallery_can_be_narrowed_down_to_what_there_is(study, tree):
    found = {one.name: one for one in explorer.filters(study)}
    choices = {
        name: {choice.value: choice.label for choice in one.choices} for name, one in found.items()
    }
    # Whether there is a label to doubt is left to the study.
    assert tree["filters"] == NAMES
    assert [*found, "label"][: len(NAMES)] == NAMES
    assert list(choices["group"]) == list(GROUPS)
    assert list(choices["category"]) == list(choices["named"]) == tree["categories"]
    assert choices["outcome"] == {"recognised": "Recognised", "failed": "Failed"}
    assert choices["cause"] == {name: describe_part(name).label for name in choices["cause"]}
    assert choices["rescued"] == tree["rescuers"]
    # What changes with the condition is no value of an object.
    assert [name for name in NAMES if name not in tree["traits"]] == ["named", "outcome"]
    for name in set(tree["traits"]) & set(found):
        had = {value for one in tree["objects"] for value in flat(one.get(name, []))}
        assert had <= set(choices[name])
        assert name == "category" or had == set(choices[name])


def flat(value):
    return value if isinstance(value, list) else [value]


def test_neighbours_are_told_from_the_tables(folder, tree):
    failures = table(folder, INPUTS.table("failures")).set_index(INSTANCE)
    sides = {(one["image"], one["object"]): one["side"] for one in tree["objects"]}
    kinds = set()
    for one in tree["objects"]:
        others = [side for (image, _), side in sides.items() if image == one["image"]]
        assert one["company"] == ("larger" if max(others) > one["side"] else "none")
        assert ("neighbour_named" in one) == ("cause" in one)
        if "cause" in one:
            side = failures.loc[one["image"], one["object"]]["neighbour_side"]
            own = float(failures.loc[one["image"], one["object"]]["side"])
            due = "none" if side == "" else "larger" if float(side) > own else "smaller"
            assert one["neighbour_named"] == due
            kinds.add(due)
    assert len(kinds) > 1


def test_without_failures_there_is_no_cause_to_choose(study):
    made = with_tables(study, failures=study.tables["failures"][:0])
    assert [one.name for one in explorer.filters(made)] == [
        "group", "category", "named", "outcome", "company",
    ]  # fmt: skip


def test_another_filter_is_one_line(study, folder, monkeypatch):
    first = tuple(study.sample[INSTANCE].iloc[0])
    new = traits.Trait(
        "doubt", "Doubt", lambda study: {"doubted": "Doubted"}, lambda study: {first: "doubted"}
    )
    monkeypatch.setattr(traits, "TRAITS", (*traits.TRAITS, new))
    assert explorer.filters(study)[-1].label == "Doubt"
    with inside(folder):
        tree = json.loads(explorer.data(study))
    assert tree["filters"][-1] == tree["traits"][-1] == "doubt"
    doubted = [(one["image"], one["object"]) for one in tree["objects"] if "doubt" in one]
    assert doubted == [tuple(str(part) for part in first)]


def test_conditions_are_chosen_by_task_and_name(study, tree):
    tasks = explorer.shown(study)
    assert [one.label for one in tasks] == ["Whole picture", "Window"]
    choices = [choice for one in tasks for choice in one.choices]
    assert [choice.value for choice in choices] == [
        f"{one['task']}/{one['name']}" for one in tree["conditions"]
    ]
    assert [choice.label for choice in choices] == [one["label"] for one in tree["conditions"]]


def test_an_address_narrows_the_gallery_down():
    address = explorer.address(category="a & b=c", group="small")
    assert address == "galleries?category=a+%26+b%3Dc&group=small"


class Scripts(HTMLParser):
    """What stands in a page's scripts, and how often any element begins."""

    def __init__(self, page):
        super().__init__()
        self.scripts, self.tags = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "script":
            self.scripts[-1] += data


@pytest.mark.parametrize("name", NASTY)
def test_hostile_categories_stay_data(folder, study, name):
    columns = {
        "answers": ["category_name", "predicted"],
        "maps": ["predicted"],
        "failures": ["neighbour"],
        "sample": ["file_name"],
    }
    known = {**study.tables, "maps": study.maps, "sample": study.sample}
    tables = {}
    for field, names in columns.items():
        made = known[field]
        for column in names:
            here = made[column].isin(["car"]) | made[column].str.startswith("picture_2")
            assert here.any()
            made = made.assign(**{column: made[column].where(~here, name)})
        tables[field] = made
    own = {field: tables.pop(field) for field in ("maps", "sample")}
    hostile = dataclasses.replace(with_tables(study, **tables), **own)
    with inside(folder):
        text = explorer.data(hostile)
    page = f'<p>before</p><script type="application/json">{text}</script><i>after</i>'
    parsed = Scripts(page)
    assert parsed.tags == ["p", "script", "i"]
    (content,) = parsed.scripts
    tree = json.loads(content)
    assert "<" not in text
    assert name in tree["categories"]
    assert any(one["file"] == name for one in tree["objects"])
    assert any(one.get("neighbour", "").startswith(f"{name}, object") for one in tree["objects"])
    assert any(one["category"] == name for one in tree["objects"])


@pytest.mark.parametrize("name", ["NA", "None"])
def test_a_category_may_be_called_like_nothing(reported_study, name):
    made = reported_study(only=(UNTOUCHED,), category=name)
    tree = json.loads(explorer.data(made))
    assert name in tree["categories"]
    told = [one["category"] for one in tree["objects"]]
    assert set(told) == {name, "bus"}
    views = [named(tree, one["views"][0]) for one in tree["objects"]]
    assert {tree["categories"][view["predicted"]] for view in views} == {name, "bus"}
    assert {tree["categories"][view["named"]] for view in views} == {name, "bus"}


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"no picture")])
def test_a_missing_or_broken_thumbnail_is_named_in_one_line(reported_study, spoil):
    made = reported_study(only=(UNTOUCHED,))
    path = Path(made.maps["thumbnail"].iloc[0])
    spoil(path)
    with pytest.raises(PictureError, match=re.escape(str(path))) as caught:
        explorer.data(made)
    assert "\n" not in str(caught.value)
    assert "WebP" in str(caught.value)


@pytest.mark.parametrize("number", [0, 359, 719, 721])
def test_maps_of_another_number_than_the_table_says_are_an_error(study, number):
    cams = np.zeros((number, 3, 3), np.float32)
    with pytest.raises(SmallsightError, match=rf"maps\.npz.*{number} maps.*720") as caught:
        explorer.data(dataclasses.replace(study, map_values=cams))
    assert "\n" not in str(caught.value)


def test_no_number_is_written_that_json_does_not_know(text):
    assert not re.search(r"\b(NaN|Infinity)\b", text)
    for value in json.loads(text)["objects"][0]["views"][0]:
        assert value is None or math.isfinite(value)


def test_without_maps_there_is_no_object(study):
    made = dataclasses.replace(study, maps=study.maps[:0], map_values=study.map_values[:0])
    tree = json.loads(explorer.data(made))
    assert tree["objects"] == tree["conditions"] == []
