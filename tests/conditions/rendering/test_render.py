import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from builders import rendered_families, views
from builders.families import EVERY, MARGIN, ON_WINDOWS, level, levels
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import read_facts
from smallsight.conditions.rendered.store import picture_name, read_masks, read_pictures
from smallsight.conditions.rendered.views import VIEWS, read_views
from smallsight.conditions.rendering import registry, render
from smallsight.conditions.rendering.instance_views import InstanceViews, with_inputs
from smallsight.conditions.rendering.levels import facts_of
from smallsight.conditions.rendering.render import render_family
from smallsight.conditions.rendering.views import InterventionInputs, View
from smallsight.imaging.boxes import Box
from smallsight.imaging.pictures import InputFormat, resize
from smallsight.imaging.similarity import similarity
from smallsight.params import Share
from smallsight.runtime import files
from smallsight.runtime.errors import SampleError
from smallsight.runtime.randomness import derive
from smallsight.runtime.tables import read_table
from smallsight.sampling.donors import KINDS, draw_donors

ROOT = Path(__file__).parents[3]
OWN = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "src")])
SIZE = 48
INPUT = InputFormat(SIZE)
COLOUR = (90, 140, 30)


def written(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def box(row):
    return Box(row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)


def generator(level, row):
    """What a random level is handed for an instance, in a study of seed 0."""
    family, name = level.condition.family, level.condition.level
    return derive(0, family, name, int(row.image_id), int(row.ann_id))


@pytest.fixture
def drawn(sample):
    """Donors, of which one is missing."""
    drawn = draw_donors(sample, sample, window_margin=MARGIN, seed=0)
    drawn.loc[3, ["donor_image_id", "donor_ann_id"]] = None
    return drawn


@pytest.fixture
def run(sample, known, drawn, tmp_path):
    """Render levels over a sample, as the stage does; return the folder."""

    def run(levels, name="out", sample=sample, seed=0, input_format=INPUT, storage="auto"):
        folder = tmp_path / name / levels[0].condition.family
        folder.mkdir(parents=True)
        shared = InstanceViews(COLOUR, input_format, MARGIN)
        instances = with_inputs(sample, known, drawn)
        views = render_family(levels, instances, shared, seed=seed, folder=folder, storage=storage)
        files.write_table(views, folder / "views.csv")
        return folder

    return run


@pytest.fixture
def view_of(sample, known, drawn):
    """Make a row's view from the pictures, the masks and the donors themselves."""

    def view_of(row):
        with Image.open(row.image_path) as picture:
            pixels = np.asarray(picture)
        mask = views.ellipse(box(row), 60, 80) if (row.image_id, row.ann_id) in known else None
        given = {}
        for one in drawn[(drawn["ann_id"] == row.ann_id)].dropna().itertuples():
            (donor,) = sample[sample["ann_id"] == one.donor_ann_id].itertuples()
            given[one.donor] = lambda donor=donor: view_of(donor)
        return View(pixels, box(row), mask, InterventionInputs(COLOUR, SIZE, MARGIN, given))

    return view_of


@pytest.fixture
def speckled():
    """Levels of a random family that is forgotten after the test."""
    with mock.patch.dict(FAMILIES):

        @registry.family(label="Speckled", description="points of light")
        def speckled(view, *, share: Share, rng):
            lit = rng.random((*view.picture.shape[:2], 1)) < share
            return view.showing(np.where(lit, 255, view.picture).astype(np.uint8))

        yield levels("speckled", share=[0.1, 0.3])


@pytest.mark.parametrize("name", EVERY)
def test_a_picture_of_one_pixel_is_rendered_or_left_out(run, sample, tmp_path, name):
    """Its object fills it; levels of several pixels do not suit that."""
    Image.fromarray(np.full((1, 1, 3), COLOUR, np.uint8)).save(tmp_path / "one.png")
    whole = {"bbox_x": 0.0, "bbox_y": 0.0, "bbox_w": 1.0, "bbox_h": 1.0, "area_ratio": 1.0}
    one = sample[:1].assign(image_id=99, ann_id=99, image_path=str(tmp_path / "one.png"), **whole)
    found = read_table(
        run(EVERY[name], sample=pd.concat([sample, one], ignore_index=True)) / "views.csv", VIEWS
    )
    alone = found[found["image_id"] == 99]
    assert len(alone) == (0 if name == "pixels" else len(EVERY[name]))
    assert alone[["ssim_box", "ssim_picture"]].notna().all(axis=None)


def test_a_random_familys_bytes_do_not_depend_on_workers_or_order(
    monkeypatch, run, sample, speckled
):
    outcomes = []
    for workers, order in (("1", sample), ("2", sample.sample(frac=1, random_state=1))):
        monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
        outcomes.append(written(run(speckled, name=workers, sample=order)))
    assert outcomes[0] == outcomes[1]


def test_an_archives_bytes_do_not_depend_on_workers_or_order_and_hold_what_files_do(
    monkeypatch, run, sample, speckled
):
    outcomes = []
    for workers, order in (("1", sample), ("2", sample.sample(frac=1, random_state=1))):
        monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
        outcomes.append(written(run(speckled, name=workers, sample=order, storage="archive")))
    assert outcomes[0] == outcomes[1]
    assert not any(name.endswith(".png") for name in outcomes[0])
    loose = run(speckled, name="loose")
    assert {n: b for n, b in written(loose).items() if not n.endswith(".png")} == {
        n: b for n, b in outcomes[0].items() if not n.endswith(".zip")
    }
    for one in speckled:
        found = [
            read_pictures(folder / one.condition.place, sample)
            for folder in (loose, loose.parents[1] / "2" / loose.name)
        ]
        assert (found[0] == found[1]).all()


def test_processes_and_threads_give_the_same_bytes(monkeypatch, run):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    threads = written(run(EVERY["bg_blur"], name="threads"))
    monkeypatch.setattr(render, "MOST_THREADS", 1)
    assert written(run(EVERY["bg_blur"], name="processes")) == threads


@pytest.mark.usefixtures("single_worker")
def test_a_random_family_draws_apart_for_each_instance_level_and_seed(run, sample, speckled):
    """On black pictures, where nothing differs but what is drawn."""
    for path in sample["image_path"].unique():
        Image.new("RGB", (80, 60)).save(path)
    drawn = {
        (seed, one.condition.level, ann_id): picture.tobytes()
        for seed in (0, 1)
        for folder in [run(speckled, name=str(seed), seed=seed)]
        for one in speckled
        for ann_id, picture in zip(
            sample["ann_id"], read_pictures(folder / one.condition.place, sample), strict=True
        )
    }
    assert len(set(drawn.values())) == len(drawn) == 2 * 2 * 6
    # Other levels do not shift what one draws.
    alone = run(levels("speckled", share=0.3), name="alone")
    again = read_pictures(alone / "object/share=0.3", sample)
    due = [drawn[0, "share=0.3", ann_id] for ann_id in sample["ann_id"]]
    assert [picture.tobytes() for picture in again] == due


@pytest.mark.usefixtures("single_worker")
def test_the_seed_changes_nothing_of_other_families(run):
    downscale = EVERY["downscale"]
    assert written(run(downscale, "one", seed=1)) == written(run(downscale, "other", seed=2))


def expected_pictures(found, sample):
    """The number of pictures: small objects have none in `pixels`."""
    sides = np.sqrt(sample["bbox_w"] * sample["bbox_h"])
    return sum((sides >= one.least_side).sum() for one in found)


@pytest.mark.parametrize("family", FAMILIES)
def test_bytes_do_not_depend_on_the_number_of_workers(monkeypatch, run, sample, family):
    outcomes = []
    for workers in ("1", "2"):
        monkeypatch.setenv("SMALLSIGHT_WORKERS", workers)
        outcomes.append(written(run(EVERY[family], name=workers)))
    assert outcomes[0] == outcomes[1]
    masks = len({one.condition.task for one in EVERY[family]})
    others = len(["views.csv", "family.json"]) + masks
    assert len(outcomes[0]) == expected_pictures(EVERY[family], sample) + others


CHOSEN = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
"""Features of this processor that NumPy has code of its own for, by the names of its release."""
AVX2 = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(
        name for name in CHOSEN if name == "X86_V4" or name.startswith("AVX512")
    ),
    "OPENBLAS_CORETYPE": "Haswell",
}
"""Lets packages that choose their code by the processor use no more than AVX2 and FMA."""
SSE = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(CHOSEN),
    "OPENBLAS_CORETYPE": "Nehalem",
    "JSIMD_FORCENONE": "1",
}
"""Lets them use still less."""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        rendered_families.write(folder)
    return written(folder)


@pytest.mark.parametrize("features", [AVX2, SSE])
def test_bytes_do_not_depend_on_the_processor(tmp_path, rendered, features):
    """As far as one machine can tell: in a process that is forbidden what others do not have."""
    if not features["NPY_DISABLE_CPU_FEATURES"]:
        pytest.skip("this processor has none of the features that would be forbidden")
    subprocess.run(
        [sys.executable, "-m", "builders.rendered_families", tmp_path],
        env=os.environ | features | {"PYTHONPATH": OWN, "SMALLSIGHT_WORKERS": "1"},
        check=True,
    )
    found = written(tmp_path)
    assert found.keys() == rendered.keys()
    assert [path for path in found if found[path] != rendered[path]] == []


@pytest.mark.usefixtures("single_worker")
class TestRender:
    @pytest.mark.parametrize("family", ["bg_blur", "bg_swap", "shift"])
    def test_bytes_do_not_depend_on_the_order_of_the_sample(self, run, sample, family):
        shuffled = sample.sample(frac=1, random_state=1)
        assert written(run(EVERY[family])) == written(run(EVERY[family], "other", shuffled))

    @pytest.mark.parametrize("family", FAMILIES)
    def test_pictures_are_the_condition_at_the_networks_size(self, run, sample, view_of, family):
        folder = run(EVERY[family]).parent
        for row in sample.itertuples():
            for one in EVERY[family]:
                view = one.apply(view_of(row), rng=generator(one, row))
                path = folder / one.condition.folder / f"{row.image_id}_{row.ann_id}.png"
                with Image.open(path) as stored:
                    assert (stored.size, stored.mode) == ((SIZE, SIZE), "RGB")
                    assert (np.asarray(stored) == resize(view.picture, SIZE)).all()

    def test_untouched_pictures_are_the_whole_one_and_the_grown_box_cut_out_of_it(
        self, run, sample
    ):
        """In the places that the contract names, by Pillow alone."""
        folder = run(EVERY["orig_full"])
        assert folder.name == "orig_full"
        for row in sample.itertuples():
            left, top = row.bbox_x - 0.25 * row.bbox_w, row.bbox_y - 0.25 * row.bbox_h
            right, bottom = row.bbox_x + 1.25 * row.bbox_w, row.bbox_y + 1.25 * row.bbox_h
            edges = (
                max(int(np.floor(left)), 0), max(int(np.floor(top)), 0),
                min(int(np.ceil(right)), 80), min(int(np.ceil(bottom)), 60),
            )  # fmt: skip
            with Image.open(row.image_path) as picture:
                whole = picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
                cut = picture.crop(edges).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
            for due, place in ((whole, "default"), (cut, "object/default")):
                with Image.open(folder / place / f"{row.image_id}_{row.ann_id}.png") as stored:
                    assert (np.asarray(stored) == np.asarray(due)).all()

    @pytest.mark.parametrize(
        ("family", "options", "filtering"),
        [
            ("bg_blur", {"sigma": [2.0, 5.0], "margin": 0.1}, "gaussian"),
            ("motion_blur", {"length": [3.0, 5.5]}, "as_bytes"),
            ("downscale", {"scale": [0.5, 0.3]}, "resize_local_mean"),
        ],
    )
    def test_a_whole_picture_is_filtered_once_for_all_its_objects_and_tasks(
        self, monkeypatch, run, family, options, filtering
    ):
        module = sys.modules[FAMILIES[family].change.__module__]
        calls = mock.Mock(wraps=getattr(module, filtering))
        monkeypatch.setattr(module, filtering, calls)
        run(levels(family, **options))
        # Three pictures of two objects at two levels, the reference level in two tasks.
        assert calls.call_count == 3 * 2
        calls.reset_mock()
        if "unit" in FAMILIES[family].options.model_fields:
            # In shares of objects of two sizes, no two blurs are alike.
            run(levels(family, **options, unit="object"), name="shares")
            assert calls.call_count == 3 * 2 * 2

    def test_pictures_are_resized_as_the_network_has_it_and_masks_are_not(self, run, sample):
        scene, _ = EVERY["orig_full"]
        one, other = (
            run(EVERY["orig_full"], name=name, input_format=InputFormat(SIZE, name))
            for name in ("bilinear", "bicubic")
        )
        for row in sample.itertuples():
            with Image.open(row.image_path) as picture:
                due = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
            with Image.open(other / "default" / picture_name(row.image_id, row.ann_id)) as seen:
                assert (np.asarray(seen) == np.asarray(due)).all()
        masks = [
            np.stack(read_masks(folder.parent, scene.condition, sample[:-1]))
            for folder in (one, other)
        ]
        assert (masks[0] == masks[1]).all()

    @pytest.mark.parametrize("family", FAMILIES)
    def test_masks_are_the_reference_levels_at_the_networks_size(
        self, run, sample, known, view_of, family
    ):
        folder = run(EVERY[family]).parent
        for reference in (one for one in EVERY[family] if one.condition.is_reference):
            covers = read_masks(folder, reference.condition, sample)
            for row, cover in zip(sample.itertuples(), covers, strict=True):
                if (row.image_id, row.ann_id) in known:
                    view = reference.apply(view_of(row), rng=generator(reference, row))
                    mask = Image.fromarray(view.mask.astype(np.uint8) * 255)
                    due = mask.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
                    assert cover.dtype == np.uint8
                    assert (cover == np.asarray(due)).all()
                    assert 0 == cover.min() < 100 < cover.max()
                else:
                    assert not cover.any()

    @pytest.mark.parametrize(
        ("family", "options"),
        [("shift", {"draw": 1, "reach": [2, 20]}), ("shift", {"draw": 2, "reach": [9, 14]})],
    )
    def test_other_levels_change_no_mask(self, run, sample, family, options):
        def masks(*reaches):
            found = levels(family, **options | {"reach": list(reaches)})
            folder = run(found, name=str(reaches)).parent
            return np.stack(read_masks(folder, found[0].condition, sample[:-1]))

        values = options["reach"]
        alone = [masks(value) for value in values]
        assert (masks(*values) == alone[0]).all()
        assert (masks(*reversed(values)) == alone[1]).all()
        assert (alone[0] != alone[1]).any()

    @pytest.mark.parametrize(
        ("family", "task", "options"),
        [
            ("orig_full", "scene", {}),
            ("orig_full", "object", {}),
            ("orig_crop", "scene", {"margin": 0.25}),
            ("zoom", "scene", {"factor": 4.0}),
        ],
    )
    def test_masks_lie_on_what_the_pictures_show(self, run, sample, known, family, task, options):
        for path, rows in sample.groupby("image_path"):
            painted = np.zeros((60, 80, 3), np.uint8)
            for channel, row in enumerate(rows.itertuples()):
                painted[views.ellipse(box(row), 60, 80), channel] = 255
            Image.fromarray(painted).save(path)
        condition = level(family, task, **options).condition
        folder = run(levels(family, **options)).parent
        covers = read_masks(folder, condition, sample)
        pictures = read_pictures(folder / condition.folder, sample)
        for number, (row, cover) in enumerate(zip(sample.itertuples(), covers, strict=True)):
            channel = number % 2
            shown = pictures[number, ..., channel]
            if (row.image_id, row.ann_id) not in known:
                assert not cover.any()
            elif family == "zoom" and channel == 1:
                # The picture is reflected beyond its edge, and the object with it.
                assert (cover <= shown).all()
                assert 0 < cover.sum() < shown.sum()
            else:
                assert (cover == shown).all()
                assert cover.any()

    @pytest.mark.parametrize("family", ["orig_crop", "downscale", "bg_swap"])
    def test_the_familys_facts_lie_beside_its_pictures(self, run, family):
        assert read_facts(run(EVERY[family]).parent, family) == facts_of(EVERY[family])

    def test_without_any_mask_there_is_a_file_of_none_in_each_task(self, sample, drawn, tmp_path):
        shared = InstanceViews(COLOUR, INPUT, MARGIN)
        (tmp_path / "orig_full").mkdir()
        instances = with_inputs(sample, {}, drawn)
        render_family(EVERY["orig_full"], instances, shared, seed=0, folder=tmp_path / "orig_full")
        for one in EVERY["orig_full"]:
            covers = read_masks(tmp_path, one.condition, sample)
            assert len(covers) == 6
            assert not any(cover.any() for cover in covers)

    @pytest.mark.parametrize(
        ("family", "task"), [("orig_full", "scene"), ("orig_full", "object"),
                             ("orig_crop", "scene"), ("crop_low", "object")]
    )  # fmt: skip
    def test_views_say_where_the_object_is(self, run, sample, family, task):
        found = [one for one in EVERY[family] if one.condition.task == task]
        views = read_views(run(EVERY[family]).parent, found[0].condition)
        assert list(views.columns) == VIEWS.names[2:]
        ids = ["image_id", "ann_id"]
        assert views[ids].to_numpy().tolist() == sample[ids].to_numpy().tolist()
        for row, view in zip(sample.itertuples(), views.itertuples(), strict=True):
            left = top = 0
            if (family, task) == ("orig_full", "scene"):
                assert (view.view_w, view.view_h) == (80, 60)
            else:
                # `orig_crop` has the margin that windows have.
                left = max(int(np.floor(row.bbox_x - 0.25 * row.bbox_w)), 0)
                top = max(int(np.floor(row.bbox_y - 0.25 * row.bbox_h)), 0)
            # Objects reach no further than the picture.
            width = min(row.bbox_w, 80 - row.bbox_x)
            height = min(row.bbox_h, 60 - row.bbox_y)
            across, down = SIZE / view.view_w, SIZE / view.view_h
            assert view.box_x == pytest.approx((row.bbox_x - left) * across)
            assert view.box_y == pytest.approx((row.bbox_y - top) * down)
            assert view.box_w == pytest.approx(width * across)
            assert view.box_h == pytest.approx(height * down)

    def test_each_condition_has_its_folder_and_its_rows(self, run):
        found = levels("downscale", scale=[0.5, 0.25])
        folder = run(found)
        table = pd.read_csv(folder / "views.csv")
        assert list(table.columns) == VIEWS.names
        keys = table[["task", "level"]].drop_duplicates().itertuples(index=False, name=None)
        # Sorted by level; the scene first, which has the reference alone.
        due = [("scene", "scale=0.5"), ("object", "scale=0.25"), ("object", "scale=0.5")]
        assert list(keys) == due
        assert set(table.groupby(["task", "level"]).size()) == {6}
        for one in found:
            assert len(list((folder / one.condition.place).glob("*.png"))) == 6
            assert len(read_views(folder.parent, one.condition)) == 6
        strong = (folder / "object/scale=0.25/3_30.png").read_bytes()
        assert strong != (folder / "object/scale=0.5/3_30.png").read_bytes()
        folders = {str(path.relative_to(folder).parent) for path in folder.rglob("*.png")}
        assert folders == {"scale=0.5", "object/scale=0.25", "object/scale=0.5"}

    def test_pixels_has_pictures_of_objects_that_are_large_enough(self, run, sample, known):
        """Of the fixture's objects, whose sides are 21.9 and 11.2 pixels, the larger ones."""
        found = levels("pixels", side=[6, 16])
        folder = run(found)
        large = sample[sample["size_group"] == "large"]
        for one in found:
            views = read_views(folder.parent, one.condition)
            assert views["ann_id"].tolist() == large["ann_id"].tolist()
            names = {path.name for path in (folder / one.condition.place).glob("*.png")}
            ids = zip(large["image_id"], large["ann_id"], strict=True)
            assert names == {picture_name(*key) for key in ids}
        covers = read_masks(folder.parent, found[0].condition, sample)
        assert [cover.any() for cover in covers] == (sample["size_group"] == "large").tolist()

    def test_a_family_that_suits_no_object_is_one_line(self, run):
        with pytest.raises(SampleError) as caught:
            run(levels("pixels", side=[6, 22]))
        assert str(caught.value).endswith(
            "conditions.pixels: no object of the sample has a side of 22 pixels; "
            "expected an object at least as large as the greatest level"
        )

    @pytest.mark.parametrize("factor", [4.0, 0.5])
    def test_views_of_zoom_say_how_large_the_object_appears(self, run, sample, factor):
        (zoom,) = levels("zoom", factor=factor)
        views = read_views(run([zoom]).parent, zoom.condition)
        for row, view in zip(sample.itertuples(), views.itertuples(), strict=True):
            place = zoom.apply(View(np.zeros((60, 80, 3), np.uint8), box(row))).box
            cut = place.clipped(view.view_w, view.view_h)
            assert view.box_w == pytest.approx(cut.w * SIZE / view.view_w)
            assert view.box_h == pytest.approx(cut.h * SIZE / view.view_h)
            # Half as wide and high again as the box at least.
            needed = 1.5 * max(row.bbox_w, row.bbox_h * 80 / 60)
            due = 160 if factor < 1 else max(20, needed)
            assert due <= view.view_w <= due + 1.01

    def test_interventions_show_what_they_are_for(self, run, sample, known):
        """Masks and donors reach the pictures, each its own instance's."""

        def pictures(name, **options):
            condition = level(name, **options).condition
            folder = run(levels(name, **options), name=f"{name}{options}").parent
            folder /= condition.folder
            return {
                (row.image_id, row.ann_id): np.asarray(
                    Image.open(folder / picture_name(row.image_id, row.ann_id))
                )
                for row in sample.itertuples()
            }

        alone, boxed = pictures("object_only"), pictures("object_only", region="box")
        swapped = {kind: pictures("bg_swap", donor=kind) for kind in KINDS}
        for row in sample.itertuples():
            key = row.image_id, row.ann_id
            assert (alone[key] != boxed[key]).any() == (key in known)
            assert (alone[key][0, 0] == COLOUR).all()
            missing = row.ann_id == 31
            assert (swapped["other"][key] == alone[key]).all() == missing
            assert (swapped["same"][key] != alone[key]).any()
            assert (swapped["same"][key] != swapped["other"][key]).any()

    def test_object_alone_gives_all_objects_one_side(self, run):
        only = level("object_alone")
        views = read_views(run([only]).parent, only.condition)
        side = np.sqrt(views["box_w"] * views["box_h"])
        assert side.to_numpy() == pytest.approx(SIZE * 2 / 3, rel=0.08)

    @pytest.mark.parametrize("task", ["scene", "object"])
    def test_views_say_how_much_of_the_object_and_of_what_is_shown_is_left(self, run, task):
        """Beside what the same task shows untouched."""

        def likeness(name, **options):
            condition = level(name, task, **options).condition
            folder = run(levels(name, **options), name=f"{name}{options}").parent
            views = read_views(folder, condition)
            return views["ssim_box"].to_numpy(), views["ssim_picture"].to_numpy()

        for part in likeness("orig_full"):
            assert part == pytest.approx(np.ones(6))
        mild, strong = (likeness("motion_blur", length=length) for length in (1.5, 9))
        for few, much in zip(mild, strong, strict=True):
            assert (much < few).all()
            assert (few < 1).all()
        box, picture = likeness("occlusion", ratio=0.9)
        assert (box < picture).all()
        if task == "scene":
            # Sharp far beyond the box, so that nothing in it changes on the way to the network.
            box, picture = likeness("bg_blur", sigma=3.0, margin=1.0)
            assert box == pytest.approx(np.ones(6), abs=0.02)
            assert (picture < 0.9).all()

    @pytest.mark.parametrize("family", [*ON_WINDOWS, "downscale", "shift"])
    def test_pictures_are_compared_with_the_untouched_ones_of_their_task(self, run, sample, family):
        folder = run(EVERY[family]).parent
        run(EVERY["orig_full"])
        untouched = {
            one.condition.task: read_pictures(folder / one.condition.folder, sample)
            for one in EVERY["orig_full"]
        }
        for condition in (one.condition for one in EVERY[family]):
            found = read_views(folder, condition)["ssim_picture"]
            pictures = read_pictures(folder / condition.folder, sample)
            due = [
                similarity(*pair) for pair in zip(pictures, untouched[condition.task], strict=True)
            ]
            assert found.to_numpy() == pytest.approx(due)
            assert max(due) < 0.99
