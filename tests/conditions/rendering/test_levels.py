import itertools
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import smallsight
from builders import views
from builders.families import EVERY, ON_FRAMES, ON_WINDOWS, TASKS, level, levels
from builders.views import BOX, EXTREME, HEIGHT, WIDTH
from smallsight import params
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import ORIGINAL, Condition, FamilyFacts
from smallsight.conditions.rendering.levels import facts_of, levels_by_family, levels_of
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.imaging.boxes import Box
from smallsight.params import Share
from smallsight.runtime.errors import ParameterError


@pytest.fixture(scope="module")
def picture(noise):
    return noise(HEIGHT, WIDTH)


def changed(picture, box, name, **options):
    return FAMILIES[name].change(View(picture, box), **options)


def in_task(task, found):
    return [one.condition for one in found if one.condition.task == task]


def names(found, task="object"):
    return [one.name for one in in_task(task, found)]


def options(found, task="object"):
    return [one.level for one in in_task(task, found)]


def refused(settings, tasks=TASKS):
    """The error of parameters that are refused, which is one line."""
    with pytest.raises(ParameterError) as caught:
        levels_by_family(settings, tasks)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


# Names and levels.


def test_names_and_levels():
    found = levels("downscale", scale=[0.5, 0.25, 1])
    assert names(found) == ["downscale", "downscale/scale=0.25", "downscale/scale=1"]
    assert options(found) == ["scale=0.5", "scale=0.25", "scale=1"]
    assert [one.is_reference for one in in_task("object", found)] == [True, False, False]
    for task in ("scene", "object"):
        (only,) = in_task(task, levels("orig_full"))
        assert (only.name, only.level) == ("orig_full", "default")


def test_the_scene_comes_first_with_the_reference_level_alone():
    found = levels("downscale", scale=[0.25, 0.5])
    assert [(one.condition.task, one.condition.level) for one in found] == [
        ("scene", "scale=0.25"), ("object", "scale=0.25"), ("object", "scale=0.5"),
    ]  # fmt: skip
    assert [one.condition.is_reference for one in found] == [True, True, False]
    outside = params.Tasks(scene=("orig_full",), window_margin=0.25)
    found = levels_of("downscale", {"downscale": {"scale": [0.25, 0.5]}}, outside)
    assert [one.condition.task for one in found] == ["object", "object"]


def test_levels_are_every_combination_in_the_order_listed():
    found = levels("bg_blur", sigma=[3.5, 7], margin=[0.1, 0.0, 0.3])
    due = [f"sigma={s},margin={m}" for s, m in itertools.product(["3.5", "7"], ["0.1", "0", "0.3"])]
    assert options(found) == due
    assert names(found) == ["bg_blur", *(f"bg_blur/{level}" for level in due[1:])]


def test_level_names_its_options_in_one_order_however_they_are_listed():
    one = levels("bg_blur", sigma=3.5, margin=[0.1])
    other = levels("bg_blur", margin=0.1, sigma=[3.5])
    assert one == other
    assert one[0].condition.level == "sigma=3.5,margin=0.1"


def test_an_option_with_a_default_is_named_only_where_it_differs(picture):
    found = levels("motion_blur", length=[0.5, 2.0], unit=["native", "object"])
    assert options(found) == [
        "length=0.5", "length=0.5,unit=object", "length=2", "length=2,unit=object",
    ]  # fmt: skip
    short = level("motion_blur", length=0.5)
    _, native, relative, *_ = found
    assert short == native
    due = views.window(View(picture, BOX)).picture
    assert (short.apply(View(picture, BOX)).picture == due).all()
    assert (relative.apply(View(picture, BOX)).picture != due).any()


def test_the_study_asks_the_original_question_of_the_original_families(study):
    found = levels_by_family(study.conditions, study.tasks)
    every = [one for each in found.values() for one in each]
    assert sorted(names(every, "scene")) == sorted(ORIGINAL)
    assert all(one.is_reference for one in in_task("scene", every))
    assert options(found["orig_crop"], "scene") == ["margin=0.25"]
    assert options(found["downscale"], "scene") == ["scale=0.5"]
    assert options(found["motion_blur"], "scene") == ["length=15"]
    assert options(found["occlusion"], "scene") == ["ratio=0.35"]
    assert options(found["bg_blur"], "scene") == ["sigma=3.5,margin=0.1"]


def test_the_study_shows_every_other_family_and_level_in_the_object_task(study):
    found = levels_by_family(study.conditions, study.tasks)
    every = [one for each in found.values() for one in each]
    shown = [name for name in study.conditions if name not in ON_FRAMES]
    assert [one.name for one in in_task("object", every) if one.is_reference] == shown
    assert {"crop_low", "object_alone", "bg_swap", "pixels", "shift"} <= set(shown)
    assert options(found["bg_swap"]) == ["donor=same", "donor=other"]
    sides = (6, 8, 12, 16, 24, 32, 48, 64)
    assert options(found["pixels"]) == [f"side={side}" for side in sides]
    assert len(options(found["shift"])) >= 3
    assert all(one.options["reach"] == "31" for one in in_task("object", found["shift"]))


def test_a_level_applies_its_own_options(picture):
    strong, weak = levels("bg_blur", sigma=[8.0, 1.2], margin=0.0)[1:]
    for one, sigma in ((strong, 8.0), (weak, 1.2)):
        due = changed(picture, BOX, "bg_blur", sigma=sigma, margin=0.0)
        due = views.window(due).picture
        assert (one.apply(View(picture, BOX)).picture == due).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_facts_of_levels_are_what_their_family_says(name):
    facts, family = facts_of(EVERY[name]), FAMILIES[name]
    assert facts == FamilyFacts(
        name, family.label, family.description, family.role, family.neutral,
        tuple(one.condition for one in EVERY[name]),
    )  # fmt: skip
    assert set(facts.neutral) <= set(family.options.model_fields)


# What the tasks show.


def test_the_scene_task_shows_what_the_family_makes_of_the_whole_picture(picture):
    for name, found in EVERY.items():
        scene = [one for one in found if one.condition.task == "scene"]
        assert bool(scene) == (name not in ON_WINDOWS)
        for one in scene:
            rng = [np.random.default_rng(1), np.random.default_rng(1)]
            random = {"rng": rng[0]} if name == "shift" else {}
            view = views.seen(picture, BOX)
            due = FAMILIES[name].change(view, **dict(one.options), **random)
            assert (one.apply(view, rng=rng[1]).picture == due.picture).all()


@pytest.mark.parametrize("margin", [0, 0.25, 1.3])
@pytest.mark.parametrize("place", EXTREME)
def test_the_window_is_the_grown_box_clipped_in_whole_pixels(picture, place, margin):
    """All pixels that the grown box touches, and no others."""
    tasks = params.Tasks(scene=("orig_full",), window_margin=margin)
    _, only = levels_of("orig_full", {"orig_full": {}}, tasks)
    view = views.seen(picture, EXTREME[place])
    inside = views.touched(views.grown(view.box, margin))
    found = only.apply(view)
    assert found.picture.shape[:2] == (inside.any(axis=1).sum(), inside.any(axis=0).sum())
    assert (found.picture.reshape(-1, 3) == picture[inside]).all()
    assert (found.mask.reshape(-1) == view.mask[inside]).all()
    top, left = np.argwhere(inside)[0]
    assert found.box == Box(view.box.x - left, view.box.y - top, view.box.w, view.box.h)
    assert found.whole == (HEIGHT, WIDTH)


CORRUPTIONS = [
    ("motion_blur", {"length": 21}), ("downscale", {"scale": 0.1}),
    ("bg_blur", {"sigma": 4, "margin": 0.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), CORRUPTIONS)
def test_a_corruption_reaches_in_from_outside_the_window(name, options):
    """The picture is black but for what lies just beside the window: only a blur brings it in."""
    inside = views.touched(views.grown(BOX))
    lit = np.where(inside, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    dark = np.zeros_like(lit)
    one = level(name, **options)
    found = one.apply(View(lit, BOX)).picture
    assert found.max() > 100
    assert (one.apply(View(dark, BOX)).picture == 0).all()
    assert (level("orig_full").apply(View(lit, BOX)).picture == 0).all()
    # Were the window cut out first, there would be nothing bright to smear.
    cut = views.window(View(lit, BOX))
    assert (FAMILIES[name].change(cut, **options).picture == 0).all()


@pytest.mark.parametrize(
    "name", [name for name, one in FAMILIES.items() if one.acts_on == "picture"]
)
def test_what_acts_on_pictures_is_cut_out_after_the_change(picture, name):
    for one in EVERY[name]:
        if one.condition.task == "object" and name != "shift":
            view = views.seen(picture, BOX)
            due = views.window(FAMILIES[name].change(view, **dict(one.options)))
            assert (one.apply(view).picture == due.picture).all()
            assert one.apply(view).box == due.box


@pytest.mark.parametrize("name", ON_WINDOWS)
def test_what_acts_on_windows_sees_nothing_beside_them(picture, name):
    other = np.where(views.touched(views.grown(BOX))[..., None], picture, 255 - picture)
    for one in EVERY[name]:
        view = views.seen(picture, BOX)
        due = FAMILIES[name].change(views.window(view), **dict(one.options))
        for shown in (picture, other):
            found = one.apply(replace(view, picture=shown))
            assert (found.picture == due.picture).all()
            assert found.box == due.box


# Objects that are large enough.


def test_pixels_suits_objects_as_large_as_its_greatest_level():
    found = levels("pixels", side=[6, 24, 12])
    assert [one.condition.level for one in found] == ["side=6", "side=24", "side=12"]
    blank = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for box, suits in ((Box(1, 1, 24, 24), True), (Box(1, 1, 36, 16), True),
                       (Box(1, 1, 24, 23.9), False), (Box(1, 1, 70, 6), False)):  # fmt: skip
        assert {one.suits(View(blank, box)) for one in found} == {suits}


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"pixels"}))
def test_all_other_families_suit_every_object(picture, name):
    for box in EXTREME.values():
        assert all(one.suits(View(picture, box)) for one in EVERY[name])


# New families.


@pytest.fixture
def register():
    """Enter families that are forgotten after the test."""
    with mock.patch.dict(FAMILIES):
        yield family


def test_a_new_family_needs_one_function(register, picture):
    @register(label="Inverted", description="light for dark")
    def inverted(view, *, strength: Share):
        return view.showing(np.rint(view.picture * (1 - strength)).astype(np.uint8))

    only = level("inverted", strength=1.0)
    assert only.condition == Condition("inverted", "strength=1", is_reference=True)
    assert not only.apply(View(picture, BOX)).picture.any()
    with pytest.raises(ParameterError, match=r"conditions\.inverted\.strength: 2"):
        levels("inverted", strength=2)


def test_a_random_family_is_handed_a_generator_which_is_no_option(register, picture):
    @register(label="Speckled", description="points of light")
    def speckled(view, *, share: Share, rng):
        return view.showing(np.where(rng.random((60, 80, 1)) < share, 255, view.picture))

    def apply(seed):
        return only.apply(View(picture, BOX), rng=np.random.default_rng(seed)).picture

    only = level("speckled", share=0.1)
    assert only.condition.level == "share=0.1"
    assert (apply(1) == apply(1)).all()
    assert (apply(1) != apply(2)).any()
    with pytest.raises(ParameterError, match=r"expected one of share$"):
        levels("speckled", share=0.1, rng=1)


def test_other_families_are_handed_none(picture):
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    only = level("occlusion", ratio=0.5)
    due = only.apply(View(picture, BOX)).picture
    assert (only.apply(View(picture, BOX), rng=rng).picture == due).all()
    assert rng.bit_generator.state == before


def test_a_new_family_needs_one_file(tmp_path):
    """In a copy of the library, where it is found by whoever asks for families or levels."""
    copy = tmp_path / "smallsight"
    shutil.copytree(Path(smallsight.__file__).parent, copy)
    text = (copy / "conditions/families/orig_full.py").read_text()
    text = text.replace("orig_full", "mine").replace("Untouched", "Mine")
    (copy / "conditions/families/mine.py").write_text(text)
    asks = (
        "from smallsight.conditions.families import FAMILIES; print(FAMILIES['mine'].label)",
        "from smallsight.conditions.rendering.levels import levels_of, facts_of;"
        "from smallsight.params import Tasks;"
        "tasks = Tasks(scene=('orig_full',), window_margin=0.25);"
        "print(facts_of(levels_of('mine', {'mine': {}}, tasks)).label)",
    )
    for ask in asks:
        found = subprocess.run(
            [sys.executable, "-c", ask],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout == "Mine\n"


# What is refused.


@pytest.mark.parametrize(
    ("name", "options", "where", "found"),
    [
        ("downscale", {"scale": [0]}, "scale", "0"),
        ("downscale", {"scale": [0.5, 1.5]}, "scale", "1.5"),
        ("downscale", {"scale": "half"}, "scale", "'half'"),
        ("downscale", {"scale": True}, "scale", "True"),
        ("orig_crop", {"margin": [-0.1]}, "margin", "-0.1"),
        ("motion_blur", {"length": [0]}, "length", "0"),
        ("motion_blur", {"length": [-2.5]}, "length", "-2.5"),
        ("motion_blur", {"length": [9], "unit": "pixels"}, "unit", "'pixels'"),
        ("zoom", {"factor": [0]}, "factor", "0"),
        ("occlusion", {"ratio": [1.01]}, "ratio", "1.01"),
        ("bg_blur", {"sigma": [0], "margin": [0.1]}, "sigma", "0"),
        ("bg_blur", {"sigma": [1], "margin": [2]}, "margin", "2"),
        ("object_only", {"region": "shape"}, "region", "'shape'"),
        ("object_alone", {"region": ["mask", "shape"]}, "region", "'shape'"),
        ("context_only", {"region": True}, "region", "True"),
        ("bg_swap", {"donor": ["same", "any"]}, "donor", "'any'"),
        ("pixels", {"side": [8, 0]}, "side", "0"),
        ("shift", {"reach": 0, "draw": 1}, "reach", "0"),
        ("shift", {"reach": 3.5, "draw": 1}, "reach", "3.5"),
        ("shift", {"reach": 3, "draw": [1, 0]}, "draw", "0"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(name, options, where, found):
    error = refused({"orig_full": {}, name: options}, narrow(name))
    assert error.where == f"conditions.{name}.{where}"
    assert error.found == found


def narrow(name):
    """Tasks of which the scene has the untouched family, and this one where it may."""
    scene = ("orig_full",) if name in ON_WINDOWS else ("orig_full", name)
    return params.Tasks(scene=scene, window_margin=0.25)


def test_an_unknown_option_lists_the_known_ones():
    error = refused({"orig_full": {}, "bg_blur": {"sigma": 1.0, "margn": 0.1}}, narrow("bg_blur"))
    assert error.where == "conditions.bg_blur.margn"
    assert error.expected == "one of sigma, margin, unit"
    for name in ("orig_full", "crop_low"):
        error = refused({"orig_full": {}, name: {"x": 1}}, narrow(name))
        assert (error.where, error.expected) == (f"conditions.{name}.x", "no options")


def test_a_missing_option_is_named():
    error = refused({"orig_full": {}, "bg_blur": {"sigma": 1.0}}, narrow("bg_blur"))
    assert error.where == "conditions.bg_blur.margin"


def test_an_unknown_family_lists_the_known_ones():
    error = refused({"orig_full": {}, "downscal": {"scale": 0.5}}, narrow("downscal"))
    assert error.where == "conditions.downscal"
    assert error.expected == "one of " + ", ".join(FAMILIES)


def test_a_family_that_is_not_listed_names_those_that_are():
    with pytest.raises(ParameterError, match=r"conditions\.bg_blur: nothing; .* orig_full$"):
        levels_of("bg_blur", {"orig_full": {}}, TASKS)


@pytest.mark.parametrize("scale", [[], [0.5, 0.5], [0.5, 0.50000001]])
def test_a_level_that_is_none_or_twice_is_refused(scale):
    with pytest.raises(ParameterError, match=r"^parameter error: conditions\.downscale: "):
        levels("downscale", scale=scale)


@pytest.mark.parametrize("listed", [{}, {"downscale": {"scale": 0.5}}])
def test_the_untouched_family_must_be_there(listed):
    error = refused(listed)
    assert (error.where, error.expected) == ("conditions", "orig_full")


def test_the_scene_task_must_show_untouched_pictures():
    tasks = params.Tasks(scene=("downscale",), window_margin=0.25)
    error = refused({"orig_full": {}, "downscale": {"scale": 0.5}}, tasks)
    assert (error.where, error.found, error.expected) == ("tasks.scene", "downscale", "orig_full")


def test_an_unknown_family_in_the_scene_task_is_named():
    tasks = params.Tasks(scene=("orig_full", "downscal"), window_margin=0.25)
    error = refused({"orig_full": {}, "downscale": {"scale": 0.5}}, tasks)
    assert (error.where, error.found) == ("tasks.scene", "downscal")
    assert error.expected == "one of orig_full, downscale"


def test_a_family_that_is_taken_out_need_not_be_taken_out_of_the_scene_task_too():
    tasks = params.Tasks(scene=("orig_full", "downscale", "motion_blur"), window_margin=0.25)
    given = {"orig_full": {}, "downscale": {"scale": 0.5}}
    alone = params.Tasks(scene=("orig_full", "downscale"), window_margin=0.25)
    assert levels_by_family(given, tasks) == levels_by_family(given, alone)


@pytest.mark.parametrize("name", ON_WINDOWS)
def test_a_family_of_windows_has_no_part_in_the_scene_task(name):
    tasks = params.Tasks(scene=("orig_full", name), window_margin=0.25)
    options = {"pixels": {"side": 8}, "bg_swap": {"donor": "same"}}.get(name, {})
    error = refused({"orig_full": {}, name: options}, tasks)
    assert (error.where, error.found) == ("tasks.scene", name)


@pytest.mark.parametrize(("name", "option"), [("orig_crop", "margin"), ("zoom", "factor")])
def test_a_family_of_frames_has_a_part_in_the_scene_task_alone(name, option):
    outside = params.Tasks(scene=("orig_full",), window_margin=0.25)
    error = refused({"orig_full": {}, name: {option: 2}}, outside)
    assert (error.where, error.found) == (f"conditions.{name}", "a family of no task")
    error = refused({"orig_full": {}, name: {option: [2, 3]}}, narrow(name))
    assert (error.where, error.found) == (f"conditions.{name}", "2 levels")
