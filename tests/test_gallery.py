from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from smallsight import gallery

SIZE = 24
FAMILIES = {"orig_full": "default", "downscale": "scale=0.5"}


@pytest.fixture
def table(population):
    """Predictions of every instance under two conditions, with views and measures."""
    sample = population(images=30)
    n = len(sample)
    rng = np.random.default_rng(0)
    numbers = ["confidence", "side", "energy_in_box", "box_area_share", "lift"]
    numbers += ["box_x", "box_y", "box_w", "box_h", "view_w", "view_h"]
    parts = [
        sample.assign(
            condition=family, family=family, level=level, predicted="a",
            correct=rng.random(n) < 0.5, **{name: rng.random(n) for name in numbers},
        )
        for family, level in FAMILIES.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def cards(table, tmp_path):
    return make(table, tmp_path)


def make(table, folder):
    return gallery.cards(
        table, pictures=folder / "conditions", overlays=Path("data/gradcam/overlays"), size=SIZE
    )


def outcomes(cards, count, seed=0):
    return gallery.draw_outcomes(cards, count=count, rng=np.random.default_rng(seed))


def strips(cards, seed=0):
    return gallery.draw_strips(cards, rng=np.random.default_rng(seed))


def names(cards):
    return cards[["condition", "image_id", "ann_id"]].to_numpy().tolist()


def test_cards_name_their_picture_and_their_overlay(cards, table, tmp_path):
    assert list(cards.columns) == list(gallery.CARD_COLUMNS)
    assert list(cards.index) == list(table.index)
    for card, row in zip(cards.itertuples(), table.itertuples(), strict=True):
        name = f"{row.image_id}_{row.ann_id}.png"
        level = FAMILIES[row.condition]
        assert card.picture == f"{tmp_path.as_posix()}/conditions/{row.condition}/{level}/{name}"
        assert card.overlay == f"data/gradcam/overlays/{row.condition}_{name}"
        assert card.outcome == ("correct" if row.correct else "failed")
    assert (cards["input_size"] == SIZE).all()
    assert cards["overlay"].is_unique
    assert (cards["confidence"] == table["confidence"]).all()


def test_draws_of_outcomes_are_as_many_of_each(cards):
    drawn = outcomes(cards, 4)
    assert list(drawn["outcome"]) == ["correct"] * 4 + ["failed"] * 4
    assert drawn.index.is_unique
    assert (cards.loc[drawn.index, "overlay"] == drawn["overlay"]).all()


@pytest.mark.parametrize(("correct", "failed"), [(2, 9), (9, 1), (0, 3), (3, 0), (0, 0)])
def test_draws_are_fewer_where_there_are_fewer(cards, correct, failed):
    pool = pd.concat(
        cards[cards["outcome"] == name].head(count)
        for name, count in (("correct", correct), ("failed", failed))
    )
    drawn = outcomes(pool, 4)
    due = ["correct"] * min(correct, 4) + ["failed"] * min(failed, 4)
    assert list(drawn["outcome"]) == due
    assert list(drawn.columns) == list(gallery.CARD_COLUMNS)


@pytest.mark.parametrize("draw", [lambda cards, seed: outcomes(cards, 5, seed), strips])
def test_draws_depend_on_the_seed(cards, draw):
    assert names(draw(cards, 0)) == names(draw(cards, 0))
    assert len({str(names(draw(cards, seed))) for seed in range(5)}) > 1


def test_draws_of_outcomes_depend_on_the_order_within_an_outcome_only(cards):
    apart = cards.sort_values("outcome", kind="stable", ascending=False)
    assert names(outcomes(apart, 5)) == names(outcomes(cards, 5))


def test_draws_do_not_look_at_what_they_show(cards):
    other = cards.assign(confidence=0.5, energy_in_box=0.0, lift=9.0, predicted="f")
    assert names(outcomes(other, 5)) == names(outcomes(cards, 5))
    assert names(strips(other)) == names(strips(cards))


def test_every_card_can_be_drawn(cards):
    pool = cards[cards["outcome"] == "failed"].head(6)
    seen = {index for seed in range(60) for index in outcomes(pool, 2, seed).index}
    assert seen == set(pool.index)


def test_strips_show_one_instance_of_each_size_under_every_condition(cards):
    drawn = strips(cards)
    groups = ["small", "small", "medium", "medium", "large", "large"]
    assert list(drawn["size_group"]) == groups
    assert list(drawn["condition"]) == list(FAMILIES) * 3
    for _, strip in drawn.groupby("size_group"):
        assert len(strip[["image_id", "ann_id"]].drop_duplicates()) == 1


def test_strips_draw_the_same_instances_however_many_conditions_there_are(cards):
    one = strips(cards[cards["condition"] == "orig_full"])
    both = strips(cards)
    both = both[both["condition"] == "orig_full"]
    assert names(one) == names(both)


@pytest.mark.parametrize("missing", ["small", "medium", "large"])
def test_strips_leave_an_empty_size_out(cards, missing):
    drawn = strips(cards[cards["size_group"] != missing])
    left = [group for group in ("small", "medium", "large") if group != missing]
    assert list(drawn["size_group"].drop_duplicates()) == left


@pytest.fixture
def pictures(cards, noise):
    for number, path in enumerate(cards["picture"]):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(SIZE, SIZE, number)).save(path)


@pytest.mark.usefixtures("pictures")
def test_overlays_are_written_once_each_from_the_map_of_their_own_row(
    cards, tmp_path, monkeypatch, noise
):
    cams = np.random.default_rng(0).random((len(cards), 3, 3)).astype(np.float32)
    drawn = pd.concat([cards.iloc[[4, 9, 33]], cards.iloc[[9, 40, 4]]])
    folder = tmp_path / "gradcam"
    folder.mkdir()
    blended = []

    def counted(picture, cam, blend=gallery.blend):
        blended.append(cam)
        return blend(picture, cam)

    monkeypatch.setattr(gallery, "blend", counted)
    gallery.write_overlays(drawn, cams, folder)
    assert len(blended) == 4
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert written == {f"overlays/{Path(path).name}" for path in drawn["overlay"]}
    for index, card in drawn.iterrows():
        with Image.open(folder / "overlays" / Path(card["overlay"]).name) as overlay:
            assert (overlay.size, overlay.mode) == ((SIZE, SIZE), "RGB")
            due = gallery.blend(noise(SIZE, SIZE, index), cams[index])
            assert (np.asarray(overlay) == due).all()


def test_blend_is_a_share_of_picture_and_heat(noise):
    picture = noise(SIZE, SIZE)
    colours = np.array(mpl.colormaps[gallery.SCALE["colormap"]]([0.0, 1.0]))[:, :3] * 255
    alpha = gallery.SCALE["alpha"]
    for cam, colour in ((np.zeros((2, 2)), colours[0]), (np.full((2, 2), 0.01), colours[1])):
        blended = gallery.blend(picture, cam.astype(np.float32))
        assert (blended.shape, blended.dtype) == (picture.shape, np.uint8)
        assert np.abs(blended - ((1 - alpha) * picture + alpha * colour)).max() <= 0.51


def test_blend_shows_each_map_by_its_own_maximum(noise):
    cam = np.random.default_rng(0).random((3, 3)).astype(np.float32)
    one, other = (gallery.blend(noise(SIZE, SIZE), factor * cam) for factor in (1, 1000))
    assert np.abs(one.astype(int) - other).max() <= 1
    assert (gallery.blend(noise(SIZE, SIZE), cam.T.copy()) != one).any()
