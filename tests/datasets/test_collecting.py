"""Pictures on their way into a study: what is copied, what is changed, and what is refused."""

import errno
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from builders.full_disk import room_for
from builders.large_pictures import black_png
from smallsight.datasets.collecting import Reading, collect_pictures
from smallsight.datasets.orientation import Doubt
from smallsight.imaging.pictures import read_picture
from smallsight.runtime.errors import PictureError

UPRIGHT = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
BACK = {1: UPRIGHT, 3: UPRIGHT[::-1, ::-1], 6: UPRIGHT.transpose(1, 0, 2)[::-1]}
"""Stored pixels that an orientation brings upright."""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


@pytest.fixture
def photograph(mine):
    """Store a picture that is upright at 64 x 40 pixels under an orientation."""

    def photograph(name, orientation):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(BACK[orientation]).save(mine / name, exif=exif)

    return photograph


@pytest.fixture
def collect(mine, tmp_path):
    """Collect pictures, by name with their annotated size, into the folder `out`."""

    def collect(sizes, convention="upright", **reading):
        rows = [(n, name, *size) for n, (name, size) in enumerate(sizes.items())]
        return collect_pictures(
            pd.DataFrame(rows, columns=["image_id", "file_name", "width", "height"]),
            origin="mine",
            source=mine,
            target=tmp_path / "out",
            reading=Reading(**reading),
            convention=convention,
        )

    return collect


# Which way up.


@pytest.mark.parametrize(
    ("size", "due", "changed"),
    [((64, 40), UPRIGHT, {"turned": ["a.png"]}), ((40, 64), BACK[6], {})],
)
def test_the_annotated_size_decides(photograph, collect, tmp_path, mine, size, due, changed):
    photograph("a.png", 6)
    facts = collect({"a.png": size})
    assert np.array_equal(read_picture(tmp_path / "out/a.png"), due)
    assert facts.changed == changed
    assert facts.doubt.names == ()
    is_copied = (tmp_path / "out/a.png").read_bytes() == (mine / "a.png").read_bytes()
    assert is_copied == (not changed)


@pytest.mark.parametrize("convention", ["upright", "stored"])
def test_where_no_size_decides_the_convention_does(photograph, collect, tmp_path, convention):
    photograph("a.png", 3)
    photograph("b.png", 1)
    facts = collect({"a.png": (64, 40), "b.png": (64, 40)}, convention)
    due = {"upright": UPRIGHT, "stored": BACK[3]}[convention]
    assert np.array_equal(read_picture(tmp_path / "out/a.png"), due)
    assert facts.doubt == Doubt(("a.png",), convention, "as is usual for this source")


@pytest.mark.parametrize(("size", "way"), [((64, 40), "upright"), ((40, 64), "stored")])
@pytest.mark.parametrize("convention", ["upright", "stored"])
def test_pictures_that_can_be_decided_decide_for_the_others(
    photograph, collect, tmp_path, size, way, convention
):
    photograph("a.png", 3)
    photograph("b.png", 6)
    facts = collect({"a.png": (64, 40), "b.png": size}, convention)
    due = {"upright": UPRIGHT, "stored": BACK[3]}[way]
    assert np.array_equal(read_picture(tmp_path / "out/a.png"), due)
    assert facts.doubt == Doubt(("a.png",), way, "as the sizes of the others say")


def test_pictures_that_disagree_leave_it_to_the_convention(photograph, collect):
    photograph("a.png", 3)
    photograph("b.png", 6)
    photograph("c.png", 6)
    facts = collect({"a.png": (64, 40), "b.png": (64, 40), "c.png": (40, 64)}, "stored")
    assert facts.doubt == Doubt(("a.png",), "stored", "as is usual for this source")
    assert facts.changed == {"turned": ["b.png"]}


def test_the_parameter_decides_for_all_and_nothing_is_in_doubt(photograph, collect, tmp_path):
    photograph("a.png", 3)
    for way, due in (("upright", UPRIGHT), ("stored", BACK[3])):
        facts = collect({"a.png": (64, 40)}, orientation=way)
        assert np.array_equal(read_picture(tmp_path / "out/a.png"), due)
        assert facts.doubt.names == ()


@pytest.mark.parametrize(
    ("way", "size", "found"),
    [
        ("stored", (64, 40), "40 x 64 pixels; expected 64 x 40"),
        ("upright", (40, 64), "64 x 40 pixels, turned upright; expected 40 x 64"),
    ],
)
def test_a_picture_that_then_has_another_size_is_an_error(photograph, collect, way, size, found):
    photograph("a.png", 6)
    with pytest.raises(PictureError, match=found):
        collect({"a.png": size}, orientation=way)


def test_the_first_pictures_in_doubt_are_named(photograph, collect):
    names = [f"{n}.png" for n in range(9)]
    for name in reversed(names):
        photograph(name, 3)
    tree = collect(dict.fromkeys(reversed(names), (64, 40))).as_tree()
    assert tree["in_doubt"] == {
        "count": 9,
        "examples": names[:5],
        "way": "upright",
        "reason": "as is usual for this source",
    }


# What is changed.


def test_what_plain_reading_does_not_show_is_written_without_loss(mine, collect, tmp_path):
    grey = np.linspace(21000, 26000, 64 * 40).reshape(40, 64).astype(np.uint16)
    layered = Image.fromarray(UPRIGHT).convert("RGBA")
    layered.putalpha(0)
    Image.fromarray(grey).save(mine / "thermal.tif")
    layered.save(mine / "hidden.png")
    Image.fromarray(UPRIGHT).save(mine / "plain.jpg")
    Image.fromarray(UPRIGHT).convert("CMYK").save(mine / "print.jpg")
    sizes = dict.fromkeys(["thermal.tif", "hidden.png", "plain.jpg", "print.jpg"], (64, 40))
    facts = collect(sizes)
    assert facts.changed == {
        "scaled": ["thermal.tif"],
        "composited": ["hidden.png"],
        "converted": ["print.jpg"],
    }
    out = tmp_path / "out"
    assert len(np.unique(read_picture(out / "thermal.tif"))) == 256
    assert (read_picture(out / "hidden.png") == 255).all()
    for name in ("thermal.tif", "hidden.png"):
        assert Image.open(out / name).format == "PNG"
    for name in ("plain.jpg", "print.jpg"):
        assert (out / name).read_bytes() == (mine / name).read_bytes()
    tree = json.loads(json.dumps(facts.as_tree()))
    assert tree["source"] == "mine"
    assert tree["changed"]["composited"] == {
        "count": 1,
        "example": "hidden.png",
        "rule": "laid on white where transparent",
    }


@pytest.mark.parametrize("workers", ["1", "2"])
def test_workers_change_nothing(photograph, collect, tmp_path, snapshot, monkeypatch, workers):
    names = [f"{n}.png" for n in range(6)]
    for name in names:
        photograph(name, 3)
    first = collect(dict.fromkeys(names, (64, 40)))
    before = snapshot(tmp_path / "out")
    monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
    assert collect(dict.fromkeys(names, (64, 40))) == first
    assert snapshot(tmp_path / "out") == before


# What is refused.


def test_bad_pictures_are_told_at_once_a_clause_for_each_kind(mine, photograph, collect):
    for name in "abcdef":
        photograph(f"{name}.png", 1)
    (mine / "b.png").write_bytes(b"no picture")
    (mine / "c.png").write_bytes((mine / "c.png").read_bytes()[:500])
    (mine / "d.png").unlink()
    sizes = {f"{name}.png": (64, 40) for name in "abcdefg"} | {"f.png": (40, 64)}
    with pytest.raises(PictureError) as caught:
        collect(sizes)
    assert str(caught.value) == (
        f"picture error: mine: 2 of 7 pictures missing, such as {mine}/d.png (no such file); "
        f"2 of 7 pictures not readable, such as {mine}/b.png "
        "(no picture of a format that is opened); "
        f"1 of 7 pictures of another size than the annotations say, such as {mine}/f.png "
        "(64 x 40 pixels); expected every picture that was drawn, whole and of the size that the "
        "annotations say"
    )


def test_a_full_disk_is_not_told_of_the_pictures(photograph, collect):
    for name in "ab":
        photograph(f"{name}.png", 1)
    with pytest.raises(OSError) as caught, room_for(500):
        collect({"a.png": (64, 40), "b.png": (64, 40)})
    assert caught.value.errno == errno.EFBIG


def test_pictures_beyond_the_limit_name_the_parameter(photograph, collect):
    for name in "ab":
        photograph(f"{name}.png", 1)
    with pytest.raises(PictureError, match=r"2 of 2 pictures too large, .*`data\.max_pixels`"):
        collect({"a.png": (64, 40), "b.png": (64, 40)}, max_pixels=2559)
    with pytest.raises(PictureError, match=r"2559 at most; `data\.max_pixels` in params"):
        collect({"a.png": (64, 40)}, max_pixels=2559)
    assert collect({"a.png": (64, 40)}, max_pixels=2560).changed == {}


def test_a_picture_of_one_pixel_comes_and_one_beyond_the_usual_limit_is_refused(mine, collect):
    Image.fromarray(UPRIGHT[:1, :1]).save(mine / "a.png")
    (mine / "b.png").write_bytes(black_png(30_000))
    assert collect({"a.png": (1, 1)}).changed == {}
    with pytest.raises(PictureError, match=r"30000 x 30000 = 900000000 pixels; .*data\.max_pixels"):
        collect({"a.png": (1, 1), "b.png": (30_000, 30_000)})
