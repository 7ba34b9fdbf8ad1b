import errno
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from builders.full_disk import room_for
from smallsight.report.figures import style
from smallsight.saliency import gallery
from smallsight.saliency.tables import GALLERY
from smallsight.vocabulary import SIZE_GROUPS

SIZE = 24
FAMILIES = {
    ("scene", "orig_full"): "orig_full/default",
    ("object", "orig_full"): "orig_full/object/default",
    ("object", "downscale"): "downscale/object/scale=0.5",
}
"""Where pictures lie, by task and family."""
NATIVE = {1: (640, 480), 4: (480, 640), 7: (1200, 100), 10: (300, 200), 13: (400, 400)}
"""Width and height of pictures, by image_id."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
SIGHT = {
    "trichromacy": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
"""What is seen of linear RGB (Machado et al. 2009, severity 1)."""


def predictions(sample, seed=0):
    """Every instance in each task and family, with its view and what its map measures."""
    n = len(sample)
    rng = np.random.default_rng(seed)
    numbers = ["confidence", "side", "energy_in_box", "box_area_share", "lift", "peak"]
    numbers += ["box_x", "box_y", "box_w", "box_h", "view_w", "view_h"]
    parts = [
        sample.assign(
            task=task, condition=family, family=family, predicted="a",
            picture=[
                f"{place}/{image_id}_{ann_id}.png"
                for image_id, ann_id in sample[["image_id", "ann_id"]].to_numpy()
            ],
            correct=rng.random(n) < 0.5, **{name: rng.random(n) for name in numbers},
        )
        for (task, family), place in FAMILIES.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def table(population):
    return predictions(population(images=30))


@pytest.fixture
def untouched(table):
    """One condition's predictions, their index that of other maps than the first."""
    return table[table["condition"] == "downscale"]


def outcomes(table, count, seed=0):
    return gallery.draw_outcomes(table, count=count, rng=np.random.default_rng(seed))


def strips(table, seed=0):
    return gallery.draw_strips(table, rng=np.random.default_rng(seed))


def names(table):
    return table[["task", "condition", "image_id", "ann_id"]].to_numpy().tolist()


def sides(table):
    """Predictions by size group and outcome, in the order in which they are drawn."""
    for group in SIZE_GROUPS:
        for correct in (True, False):
            yield table[(table["size_group"] == group) & (table["correct"] == correct)]


@pytest.mark.parametrize("count", [1, 4, 200])
def test_each_size_has_as_many_correct_as_failed_as_far_as_there_are(untouched, count):
    drawn = outcomes(untouched, count)
    order = [
        (row.size_group, row.correct)
        for part in sides(untouched)
        for row in part.head(count).itertuples()
    ]
    assert list(zip(drawn["size_group"], drawn["correct"], strict=True)) == order
    assert drawn.index.is_unique
    pd.testing.assert_frame_equal(drawn, untouched.loc[drawn.index])


@pytest.mark.simulation
def test_a_rare_category_comes_first_as_often_as_a_common_one(untouched):
    kind = np.where(np.arange(len(untouched)) % 10 == 0, "rare", "common")
    apart = untouched.assign(category_name=kind, size_group="small", correct=True)
    first = [outcomes(apart, 1, seed)["category_name"].iloc[0] for seed in range(300)]
    assert first.count("rare") == pytest.approx(150, abs=4 * (300 / 4) ** 0.5)


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("group", SIZE_GROUPS)
def test_what_there_is_none_of_is_not_drawn(untouched, group, correct):
    missing = (untouched["size_group"] == group) & (untouched["correct"] == correct)
    drawn = outcomes(untouched[~missing], 3)
    assert len(drawn) == 5 * 3
    assert ((drawn["size_group"] != group) | (drawn["correct"] != correct)).all()


def test_of_nothing_nothing_is_drawn(untouched):
    drawn = outcomes(untouched[:0], 4)
    assert drawn.empty
    assert list(drawn.columns) == list(untouched.columns)


@given(
    pools=st.lists(st.integers(0, 9), min_size=1, max_size=6),
    count=st.integers(1, 20),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=60)
def test_categories_take_turns(pools, count, seed):
    categories = np.repeat(np.arange(len(pools)), pools).astype(str)
    table = pd.DataFrame({"category_name": categories, "size_group": "medium", "correct": False})
    shown = outcomes(table, count, seed)["category_name"].value_counts()
    had = table["category_name"].value_counts()
    assert shown.sum() == min(count, len(table))
    for category, number in had.items():
        if shown.get(category, 0) < number:
            assert shown.max() <= shown.get(category, 0) + 1


@pytest.mark.parametrize("draw", [lambda table, seed: outcomes(table, 5, seed), strips])
def test_draws_depend_on_the_seed_alone(table, draw):
    assert names(draw(table, 0)) == names(draw(table, 0))
    assert len({str(names(draw(table, seed))) for seed in range(5)}) > 1


@pytest.mark.parametrize("draw", [lambda table: outcomes(table, 5), strips])
def test_draws_do_not_look_at_what_they_show(table, draw):
    shown = ["predicted", "confidence", "side", "energy_in_box", "lift", "peak", "box_w"]
    other = table.copy()
    other[shown] = table[shown].sample(frac=1, random_state=1).to_numpy()
    assert (other["lift"] != table["lift"]).mean() > 0.9
    assert names(draw(other)) == names(draw(table))


def test_every_row_can_be_drawn(untouched):
    parts = [part.head(5) for part in sides(untouched)]
    seen = {index for seed in range(60) for index in outcomes(pd.concat(parts), 2, seed).index}
    assert seen == set(pd.concat(parts).index)


@pytest.mark.parametrize("draw", [lambda table: outcomes(table, 2), lambda table: table[:0]])
def test_what_is_drawn_is_shown_in_both_tasks_whatever_becomes_of_it_there(table, draw):
    plain = table[table["condition"] == "orig_full"]
    drawn = draw(plain[plain["task"] == "scene"])
    both = gallery.in_both_tasks(drawn, plain)
    assert list(both["task"]) == ["scene", "object"] * len(drawn)
    for task, part in both.groupby("task"):
        assert part["ann_id"].tolist() == drawn["ann_id"].tolist()
        assert (part["correct"].to_numpy() == drawn["correct"].to_numpy()).all() == (
            task == "scene"
        )
    pd.testing.assert_frame_equal(both, table.loc[both.index], check_like=True)


def test_strips_show_one_instance_of_each_size_in_all_that_is_shown(table):
    drawn = strips(table)
    assert list(drawn["size_group"]) == list(np.repeat(list(SIZE_GROUPS), len(FAMILIES)))
    shown = list(zip(drawn["task"], drawn["condition"], strict=True))
    assert shown == list(FAMILIES) * len(SIZE_GROUPS)
    for _, strip in drawn.groupby("size_group"):
        assert len(strip[["image_id", "ann_id"]].drop_duplicates()) == 1
    pd.testing.assert_frame_equal(drawn, table.loc[drawn.index])


def test_strips_draw_the_same_instances_however_many_conditions_there_are(table):
    one = strips(table[table["condition"] == "orig_full"])
    every = strips(table)
    assert names(one) == names(every[every["condition"] == "orig_full"])


@pytest.mark.parametrize("missing", SIZE_GROUPS)
def test_strips_leave_an_empty_size_out(table, missing):
    drawn = strips(table[table["size_group"] != missing])
    left = [group for group in SIZE_GROUPS if group != missing]
    assert list(drawn["size_group"].drop_duplicates()) == left


def make(table, scale=None):
    return gallery.make_cards(
        table,
        scale=table["peak"] if scale is None else scale,
        folder=Path("data/gradcam/gallery"),
        size=SIZE,
    )


def test_cards_name_their_pictures_and_say_what_was_predicted(table):
    cards = make(table)
    assert list(cards.columns) == GALLERY.names
    assert list(cards.index) == list(table.index)
    for card, row in zip(cards.itertuples(), table.itertuples(), strict=True):
        name = f"{row.image_id}_{row.ann_id}.png"
        overlay = f"{row.task}_{row.condition}_{name}"
        assert card.overlay == f"data/gradcam/gallery/overlays/{overlay}"
        assert card.untouched == f"data/gradcam/gallery/untouched/{row.image_id}.jpg"
        assert card.outcome == ("correct" if row.correct else "failed")
    assert (cards["input_size"] == SIZE).all()
    assert cards["overlay"].is_unique
    same = [name for name in GALLERY.names if name in table]
    pd.testing.assert_frame_equal(cards[same], table[same])


def test_a_scale_finds_its_card_by_index(table):
    drawn = table.sample(9, random_state=0)
    cards = make(drawn, scale=drawn["peak"].sort_values())
    assert (cards["scale"] == drawn["peak"]).all()


def wavy(width, height):
    """A smooth picture that JPEG and resizing leave nearly as it was."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(3 * x / width), np.cos(4 * y / height), np.sin(2 * (x / width + y / height))]
    return np.rint(127 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)


@pytest.fixture
def written(tmp_path, noise):
    """Cards, their maps, and the folder into which their pictures were written."""
    sample = pd.DataFrame({"image_id": np.repeat(list(NATIVE), 2), "ann_id": range(10)})
    table = predictions(sample.assign(category_name="a", size_group="small"))
    table["picture"] = [f"{tmp_path}/{path}" for path in table["picture"]]
    # One of them untouched in both tasks, and under another condition.
    cards = make(table.iloc[[27, 3, 0, 10, 20, 7, 5]], scale=2 * table["peak"])
    for index, card in cards.iterrows():
        Path(card["picture"]).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(SIZE, SIZE, index)).save(card["picture"])
    # What is not shown needs no source.
    sources = {image_id: str(tmp_path / f"{image_id}.png") for image_id in cards["image_id"]}
    assert len(sources) == len(NATIVE) - 1
    for image_id, path in sources.items():
        Image.fromarray(wavy(*NATIVE[image_id])).save(path)
    saliency = np.random.default_rng(0).random((len(table), 3, 3)).astype(np.float32)
    gallery.write_pictures(cards, saliency, sources, tmp_path / "new" / "gallery")
    return cards, saliency, tmp_path / "new" / "gallery"


def test_a_full_disk_is_told_as_such(written, tmp_path):
    cards, saliency, folder = written
    sources = {image_id: tmp_path / f"{image_id}.png" for image_id in cards["image_id"]}
    largest = max(path.stat().st_size for path in folder.rglob("*.jpg"))
    with pytest.raises(OSError) as caught, room_for(largest - 1):
        gallery.write_pictures(cards, saliency, sources, tmp_path / "again")
    assert caught.value.errno == errno.EFBIG


def test_each_card_has_the_overlay_of_its_own_map_at_its_own_scale(written, noise):
    cards, saliency, folder = written
    found = {path.name for path in (folder / "overlays").iterdir()}
    assert found == {Path(path).name for path in cards["overlay"]}
    for index, card in cards.iterrows():
        with Image.open(folder / "overlays" / Path(card["overlay"]).name) as overlay:
            assert (overlay.size, overlay.mode) == ((SIZE, SIZE), "RGB")
            due = gallery.blend(noise(SIZE, SIZE, index), saliency[index], top=card["scale"])
            assert (np.asarray(overlay) == due).all()


def test_each_image_is_shown_untouched_once_at_its_own_proportions(written):
    cards, _, folder = written
    found = {path.name for path in (folder / "untouched").iterdir()}
    assert found == {f"{image_id}.jpg" for image_id in cards["image_id"]}
    assert len(found) < len(cards)
    for image_id in set(cards["image_id"]):
        with Image.open(folder / "untouched" / f"{image_id}.jpg") as picture:
            assert picture.format == "JPEG"
            width, height = NATIVE[image_id]
            factor = min(1, 400 / max(width, height))
            assert picture.size == pytest.approx((factor * width, factor * height), abs=1)
            whole = Image.fromarray(wavy(width, height)).resize(picture.size)
            assert np.abs(np.asarray(picture, float) - np.asarray(whole)).mean() < 3


def heat(saliency, *, top):
    """What a map adds to a black picture."""
    black = np.zeros((SIZE, SIZE, 3), np.uint8)
    return gallery.blend(black, np.asarray(saliency, np.float32), top=top).astype(float)


def test_blend_is_a_share_of_picture_and_heat(noise):
    picture = noise(SIZE, SIZE)
    colours = np.array(mpl.colormaps[gallery.COLORMAP]([0.0, 0.5, 1.0]))[:, :3] * 255
    for value, colour in zip((0, 0.25, 0.5), colours, strict=True):
        blended = gallery.blend(picture, np.full((2, 2), value, np.float32), top=0.5)
        assert (blended.shape, blended.dtype) == (picture.shape, np.uint8)
        due = (1 - gallery.ALPHA) * picture + gallery.ALPHA * colour
        # Of 256 steps of the colour map, half-way may be either of two.
        assert np.abs(blended - due).max() <= 0.51 + 2 * (value == 0.25)
    assert {"colormap": gallery.COLORMAP, "alpha": gallery.ALPHA} == gallery.SCALE


@pytest.mark.parametrize("factor", [1e-6, 0.5, 1000.0])
def test_a_map_by_its_own_maximum_looks_the_same_at_every_magnitude(factor):
    saliency = np.random.default_rng(0).random((3, 3))
    one, other = (heat(scale * saliency, top=scale * saliency.max()) for scale in (1, factor))
    # Rounding may fall into the next of 256 colours.
    assert np.abs(one - other).max() <= 4
    assert np.abs(one - heat(saliency.T, top=saliency.max())).max() > 20


def test_its_own_maximum_has_the_brightest_colour_and_no_evidence_the_darkest():
    brightest, darkest = (
        gallery.ALPHA * 255 * np.array(mpl.colormaps[gallery.COLORMAP](end)[:3])
        for end in (1.0, 0.0)
    )
    shown = heat([[0.3, 0.0], [0.0, 0.0]], top=0.3)
    assert np.abs(shown[0, 0] - brightest).max() <= 0.51
    assert np.abs(shown[-1, -1] - darkest).max() <= 0.51


def test_maps_with_one_top_compare_in_brightness():
    values = np.linspace(0, 1, 9)
    brightness = [(heat(np.full((2, 2), value), top=1.0) @ LUMINANCE).mean() for value in values]
    assert (np.diff(brightness) > 2).all()


@pytest.mark.filterwarnings("error")
def test_a_map_without_evidence_is_drawn_at_a_top_of_nothing():
    nothing = np.zeros((2, 2))
    assert (heat(nothing, top=0.0) == heat(nothing, top=1.0)).all()


@pytest.mark.parametrize("sight", SIGHT)
def test_more_evidence_is_brighter_whatever_colours_are_seen(sight):
    stops = style.gradient(gallery.COLORMAP, stops=64)
    colours = np.array([mpl.colors.to_rgb(stop) for stop in stops])
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = np.clip(linear @ SIGHT[sight].T, 0, 1) @ LUMINANCE
    assert (np.diff(luminance) > 0).all()
    assert luminance[-1] > 0.5 > 0.05 > luminance[0]
