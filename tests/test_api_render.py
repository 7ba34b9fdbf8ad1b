"""`smallsight.render` shows what a study renders, and refuses what it cannot show in one line."""

import numpy as np
import pytest
import torch
from PIL import Image

import smallsight
from builders import rendered_families, views
from builders.families import EVERY, MARGIN
from builders.rendered_families import BOXES, HEIGHT, SIZE, WIDTH
from smallsight.api.pictures import BY_DONOR, BY_INPUT
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.store import picture_name
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import resize
from smallsight.runtime.errors import ParameterError, PictureError
from smallsight.runtime.randomness import derive

LEVELS = [level for levels in EVERY.values() for level in levels]
SHOWN = [level for level in LEVELS if level.condition.family not in BY_DONOR]


def title(level):
    return f"{level.condition.task}-{level.condition.family}-{level.condition.level}"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Pictures of every family, as the stage `render` writes them."""
    folder = tmp_path_factory.mktemp("rendered")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        rendered_families.write(folder)
    return folder


def shown(study, level, number, condition, **options):
    """Render one object of the first picture."""
    box = Box(*BOXES[number])
    return smallsight.render(
        study / "1.jpg",
        BOXES[number],
        condition,
        task=level.condition.task,
        margin=MARGIN,
        mask=views.ellipse(box, HEIGHT, WIDTH),
        colour=views.COLOUR,
        rng=derive(0, level.condition.family, level.condition.level, 1, 10 + number),
        **options,
    )


@pytest.mark.parametrize("level", SHOWN, ids=title)
def test_pictures_are_those_of_a_study(study, level):
    name = level.condition.family
    told = level.condition.level
    conditions = [name if told == "default" else f"{name}/{told}"]
    conditions.append({"family": name, **dict(level.options)})
    for number in range(len(BOXES)):
        path = study / level.condition.folder / picture_name(1, 10 + number)
        assert path.exists()
        with Image.open(path) as picture:
            due = np.asarray(picture)
        for condition in conditions:
            found = shown(study, level, number, condition, input_size=SIZE)
            assert np.array_equal(found, due)


@pytest.mark.parametrize("level", SHOWN, ids=title)
def test_without_an_input_a_picture_is_what_the_input_is_made_of(study, level):
    name, told = level.condition.family, level.condition.level
    if name in BY_INPUT:
        with pytest.raises(
            ParameterError, match=f"^parameter error: render.input_size: None; .*{name}"
        ):
            shown(study, level, 0, f"{name}/{told}")
        return
    found = shown(study, level, 0, f"{name}/{told}".removesuffix("/default"))
    for way in ("bilinear", "bicubic"):
        due = shown(study, level, 0, f"{name}/{told}".removesuffix("/default"),
                    input_size=SIZE, interpolation=way)  # fmt: skip
        assert np.array_equal(resize(found, SIZE, interpolation=way), due)


def test_an_array_is_as_good_as_a_file_and_is_left_as_it_is(study):
    with Image.open(study / "1.jpg") as picture:
        pixels = np.asarray(picture)
    pixels.setflags(write=False)
    for condition in ("orig_full", "occlusion/ratio=0.35", "bg_blur/sigma=2,margin=0.1"):
        one = smallsight.render(pixels, BOXES[0], condition)
        assert np.array_equal(one, smallsight.render(str(study / "1.jpg"), BOXES[0], condition))
        assert one.dtype == np.uint8


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK"])
def test_a_picture_of_pil_is_as_good_as_its_file(noise, tmp_path, mode):
    picture = Image.fromarray(noise(40, 60)).convert(mode)
    path = tmp_path / "picture.tif"
    picture.save(path)
    due = smallsight.render(path, BOX)
    assert np.array_equal(smallsight.render(picture, BOX), due)
    with Image.open(path) as opened:
        assert np.array_equal(smallsight.render(opened, BOX), due)
    assert picture.mode == mode


def test_a_damaged_picture_of_pil_is_refused_in_one_line(noise, tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(noise(40, 60)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with Image.open(path) as opened, pytest.raises(PictureError) as error:
        smallsight.render(opened, BOX)
    assert str(error.value) == (
        "picture error: render: picture: image file is truncated; "
        "expected a picture that decodes wholly"
    )


def test_a_file_is_turned_upright_and_a_picture_of_pil_is_not(noise, tmp_path):
    path, exif = tmp_path / "picture.png", Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(noise(40, 60)).save(path, exif=exif)
    upright = smallsight.render(noise(40, 60)[::-1, ::-1], BOX)
    assert np.array_equal(smallsight.render(path, BOX), upright)
    with Image.open(path) as opened:
        assert np.array_equal(smallsight.render(opened, BOX), smallsight.render(noise(40, 60), BOX))


def test_pictures_of_16_bits_and_transparent_ones_follow_the_studys_rules(tmp_path):
    thermal = np.linspace(21000, 26000, 40 * 60).reshape(40, 60).astype(np.uint16)
    hidden = np.dstack([np.full((40, 60, 3), 90, np.uint8), np.zeros((40, 60), np.uint8)])
    for name, pixels, least, most in (("a.tif", thermal, 0, 255), ("b.png", hidden, 255, 255)):
        Image.fromarray(pixels).save(tmp_path / name)
        with Image.open(tmp_path / name) as opened:
            for given in (tmp_path / name, opened):
                found = smallsight.render(given, (0, 0, 60, 40), "orig_full", margin=0)
                assert (found.min(), found.max()) == (least, most)


def test_an_input_size_may_be_of_any_type_of_whole_numbers():
    assert smallsight.render(PICTURE, BOX, input_size=np.int64(6)).shape == (6, 6, 3)


def test_a_window_round_the_object_is_what_is_meant(noise):
    picture = noise(40, 60)
    window = smallsight.render(picture, (20, 10, 8, 12))
    assert np.array_equal(window, picture[7:25, 18:30])
    assert np.array_equal(
        smallsight.render(picture, (20, 10, 8, 12), margin=0), picture[10:22, 20:28]
    )
    assert np.array_equal(smallsight.render(picture, (20, 10, 8, 12), task="scene"), picture)


def test_what_is_filled_has_the_pictures_mean_colour_where_none_is_told(noise):
    picture = noise(40, 60)
    found = smallsight.render(picture, (20, 10, 8, 12), "object_alone")
    mean = np.rint(picture.mean(axis=(0, 1)))
    assert (found[0] == mean).all()
    told = smallsight.render(picture, (20, 10, 8, 12), "object_alone", colour=(1, 2, 3))
    assert (told[0] == (1, 2, 3)).all()


PICTURE = np.zeros((40, 60, 3), np.uint8)
BOX = (20, 10, 8, 12)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            {"condition": "fog/level=1"},
            "render.condition: fog: unknown family; expected one of bg_blur, ",
        ),
        (
            {"condition": "bg_swap/donor=same"},
            "render.condition: bg_swap: a family that needs another picture; expected one of ",
        ),
        (
            {"condition": {"length": 5}},
            "render.condition: {'length': 5}; expected "
            '"family/option=value", or a mapping with the key family',
        ),
        ({"condition": "motion_blur"}, "conditions.motion_blur.length: nothing; expected a value"),
        (
            {"condition": "motion_blur/15"},
            "conditions.motion_blur.length: nothing; expected a value",
        ),
        (
            {"condition": "motion_blur/length=[5]"},
            "render.condition: motion_blur.length: [5]; expected one value: a picture has one",
        ),
        ({"condition": "motion_blur/length=["}, "conditions.motion_blur.length: '['; expected"),
        ({"condition": "motion_blur/length=-3"}, "conditions.motion_blur.length: -3"),
        (
            {"condition": "motion_blur/speed=3"},
            "conditions.motion_blur.speed: unknown parameter; expected one of length, unit",
        ),
        (
            {"condition": "zoom/factor=2"},
            "render.condition: zoom: no part in the task object; expected task='scene'",
        ),
        (
            {"condition": "crop_low", "task": "scene", "input_size": 8},
            "render.condition: crop_low: no part in the task scene; expected task='object'",
        ),
        (
            {"condition": "shift/reach=3,draw=1", "input_size": 8},
            "render.rng: None; expected a generator: shift draws",
        ),
        (
            {"condition": "pixels/side=48"},
            "render: box: a side of 9.798 pixels; expected 48 or more, which pixels are taken from",
        ),
        ({"task": "window"}, "render.task: 'window'; expected one of scene, object"),
        ({"margin": -1}, "render.margin: -1; expected a share of the box, 0 or above"),
        (
            {"picture": PICTURE[..., 0]},
            "render: picture: uint8, 40 x 60; expected uint8, height x width x 3",
        ),
        (
            {"picture": PICTURE / 255},
            "render: picture: float64, 40 x 60 x 3; expected uint8, height x width x 3",
        ),
        (
            {"picture": torch.zeros(3, 40, 60)},
            "render: picture: a Tensor; expected an array, a picture that PIL opened, or a path",
        ),
        ({"picture": None}, "render: picture: a NoneType; expected an array"),
        ({"input_size": "6"}, "render.input_size: '6'; expected a whole number of pixels above 0"),
        ({"input_size": 6.5}, "render.input_size: 6.5; expected a whole number of pixels above 0"),
        ({"input_size": 0}, "render.input_size: 0; expected a whole number of pixels above 0"),
        ({"margin": "a"}, "render.margin: 'a'; expected a share of the box, 0 or above"),
        ({"picture": "nowhere.png"}, "nowhere.png: no such file; expected a picture"),
        ({"picture": __file__}, f"{__file__}: no picture of a format that is opened; expected"),
        (
            {"box": (1, 2, 3)},
            "render: box: (1, 2, 3); expected left, top, width and height above 0",
        ),
        ({"box": (1, 2, 0, 3)}, "render: box: (1, 2, 0, 3); expected left, top"),
        ({"box": (1, np.nan, 2, 3)}, "render: box: (1, nan, 2, 3); expected left, top"),
        (
            {"box": (60, 2, 5, 5)},
            "render: box: (60, 2, 5, 5), outside of 60 x 40 pixels; expected a box in the picture",
        ),
        (
            {"mask": np.ones((4, 6), bool)},
            "render: mask: 4 x 6; expected 40 x 60, as the picture has it",
        ),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(options, line):
    known = {"picture": PICTURE, "box": BOX, "condition": "orig_full"} | options
    with pytest.raises((ParameterError, PictureError)) as error:
        smallsight.render(**known)
    assert str(error.value).partition(" error: ")[2].startswith(line)
    assert "\n" not in str(error.value)


def test_every_family_can_be_shown_but_for_those_that_need_other_pictures():
    assert set(BY_INPUT) | set(BY_DONOR) <= set(FAMILIES)
    assert {level.condition.family for level in SHOWN} == set(FAMILIES) - set(BY_DONOR)
