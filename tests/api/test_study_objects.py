import numpy as np
import pytest

from builders.handmade_study import write_small_study
from smallsight.api.study_objects import Answer, read_study_objects
from smallsight.runtime.errors import PictureError, SmallsightError


@pytest.fixture
def paths(tmp_path):
    return write_small_study(tmp_path)


def test_objects_are_those_of_the_files(paths, tmp_path):
    study = read_study_objects(paths)
    assert study.headline == "object_orig_full"
    assert study.fields == (
        "scene_orig_full",
        "object_orig_full",
        "object_downscale_scale_0_125",
    )
    assert [(one.image_id, one.path.name) for one in study.pictures] == [(3, "3.png"), (7, "7.png")]
    (bus,), (car, other) = (one.objects for one in study.pictures)
    assert (bus.ann_id, bus.category, bus.size_group, bus.cause) == (30, "bus", "medium", "")
    assert bus.box == (0.25, 0.5, 0.5, 0.25)
    assert car.box == (0.05, 0.2, 0.15, 0.4)
    assert (car.ann_id, car.side, car.cause) == (70, 5.0, "no_window")
    assert (other.ann_id, other.cause) == (71, "")


def test_answers_are_the_votes_with_their_mean_probability(paths):
    """Of the car's seeds as a whole picture, three say bus at 0.75, and one at 0.25."""
    _, (car, _) = (one.objects for one in read_study_objects(paths).pictures)
    wrong = Answer("bus", 0.625, correct=False, right=0.25)
    assert car.answers == {
        "scene_orig_full": wrong,
        "object_orig_full": Answer("car", 0.75, correct=True, right=1.0),
        "object_downscale_scale_0_125": wrong,
    }


def test_maps_are_of_untouched_whole_pictures_with_evidence(paths):
    (bus,), (car, other) = (one.objects for one in read_study_objects(paths).pictures)
    assert np.array_equal(car.saliency, [[0, 1], [2, 3]])
    assert np.array_equal(bus.saliency, [[8, 9], [10, 11]])
    assert other.saliency is None


@pytest.mark.parametrize(
    "name", ["sample", "predictions", "answers", "failures", "maps", "map_values"]
)
@pytest.mark.parametrize("spoil", ["remove", "damage"])
def test_a_file_that_cannot_be_read_is_named(paths, name, spoil):
    path = getattr(paths, name)
    path.unlink() if spoil == "remove" else path.write_bytes(b"\0nothing")
    with pytest.raises(SmallsightError, match=path.name) as caught:
        read_study_objects(paths)
    assert "\n" not in str(caught.value)


def test_a_picture_that_is_gone_is_named(paths, tmp_path):
    (tmp_path / "7.png").unlink()
    with pytest.raises(PictureError, match=r"7\.png"):
        read_study_objects(paths)
