import base64

import pytest
from PIL import ImageFile

from builders.compared_studies import BETTER, FILES, predicted, side_of, write_study
from readers.comparison_pages import text_of
from smallsight.comparison import cards
from smallsight.comparison.comparison import compare_studies
from smallsight.comparison.inputs import WANTED_OF_VIEWS
from smallsight.comparison.page import build
from smallsight.runtime.errors import PictureError, SmallsightError

pytestmark = pytest.mark.page


def test_cards_say_what_each_study_names_the_object(comparison):
    gallery = cards.make_gallery(comparison, "negative", most=99)
    failures = comparison.sides[1].failures
    failures = {f"{row.image_id}_{row.ann_id}" for row in failures.itertuples()}
    assert gallery.shown == gallery.number > 0
    for row in gallery.rows:
        assert row.number == len(row.cards)
        for card in row.cards:
            in_a, in_b = card.answers
            assert card.size_group == row.group
            assert in_a.named == card.category != in_b.named
            assert (in_a.is_right, in_b.is_right) == (True, False)
            # The builder gives a cause to what is wrong in the whole picture.
            assert card.cause == ("More of its own pixels" if card.name in failures else "")
            assert [one.studies for one in card.seen] == [""]


def test_pictures_that_differ_stand_one_below_the_other(other, sample):
    changes = {"data.phantom.haze": 0.9}
    better = predicted(sample, odds=BETTER, seed=1)
    comparison = other(sample, better, shade=5, changes=changes)
    gallery = cards.make_gallery(comparison, "positive", most=2)
    shown = [card for row in gallery.rows for card in row.cards]
    assert [[one.studies for one in card.seen] for card in shown] == [["A", "B"]] * 2
    text = text_of(build(comparison, most=2))
    assert "The objects are the same, but data.phantom.haze differs" in text


@pytest.mark.parametrize("folder", [FILES.pictures, FILES.windows])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_picture_that_is_missing_or_broken_is_named(
    sample, sides, tmp_path, monkeypatch, lenient, folder
):
    # As WeasyPrint sets it for good.
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    write_study(tmp_path, sample, predicted(sample, odds=BETTER, seed=1))
    comparison = compare_studies(sides[0], side_of(tmp_path, name="damaged"))
    flips = comparison.headline.flips
    first = flips[flips["flip"] == "positive"].iloc[0]
    path = tmp_path / folder / f"{first['image_id']}_{first['ann_id']}.png"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(PictureError, match=rf"{path.name} at damaged: no picture"):
        cards.make_gallery(comparison, "positive", most=999)
    path.unlink()
    with pytest.raises(SmallsightError, match=rf"{path.name} at damaged: no such file"):
        cards.make_gallery(comparison, "positive", most=999)
    path.write_bytes(content)
    (tmp_path / FILES.views).write_text(",".join(WANTED_OF_VIEWS) + "\n")
    with pytest.raises(PictureError, match=r"no row of \d+_\d+\.png"):
        cards.make_gallery(comparison, "positive", most=999)


def test_a_card_shows_the_whole_picture_and_the_window_as_each_was_seen(comparison):
    """The builder paints windows lighter than pictures, and puts the object elsewhere in them."""
    gallery = cards.make_gallery(comparison, "positive", most=4)
    for card in (card for row in gallery.rows for card in row.cards):
        (seen,) = card.seen
        stored = [
            (comparison.sides[0].revision.read(f"{folder}/{card.name}.png"))
            for folder in (FILES.pictures, FILES.windows)
        ]
        for shown, content in zip((seen.picture, seen.window), stored, strict=True):
            assert base64.b64decode(shown.uri.partition(",")[2]) == content
        # 8 of 32 pixels in a picture of 4 to 3, and 20 of 32 in one as wide as high, in a frame
        # that is 400 wide; with an outline.
        assert seen.picture.box.w == pytest.approx(400 * 8 / 32 + 5)
        assert seen.window.box.w == pytest.approx(300 * 20 / 32 + 5)
