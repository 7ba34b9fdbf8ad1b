import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import smallsight
from builders.views import BOX
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import ORIGINAL, Condition, FamilyFacts
from smallsight.conditions.rendering.levels import facts_of, levels_by_family, levels_of
from smallsight.conditions.rendering.registry import family
from smallsight.conditions.rendering.views import View
from smallsight.params import Share
from smallsight.runtime.errors import ParameterError


@pytest.fixture(scope="module")
def picture(noise):
    return noise(60, 80)


def changed(picture, box, name, **options):
    return FAMILIES[name].change(View(picture, box), **options)


def names(levels):
    return [level.condition.name for level in levels]


def options(levels):
    return [level.condition.level for level in levels]


# Names and levels.


def test_names_and_levels():
    levels = levels_of("downscale", {"downscale": {"scale": [0.5, 0.25, 1]}})
    assert names(levels) == ["downscale", "downscale/scale=0.25", "downscale/scale=1"]
    assert options(levels) == ["scale=0.5", "scale=0.25", "scale=1"]
    assert [level.condition.is_reference for level in levels] == [True, False, False]
    (only,) = levels_of("orig_full", {"orig_full": {}})
    assert (only.condition.name, only.condition.level) == ("orig_full", "default")


def test_levels_are_every_combination_in_the_order_listed():
    listed = {"sigma": [3.5, 7], "margin": [0.1, 0.0, 0.3]}
    levels = levels_of("bg_blur", {"bg_blur": listed})
    due = [f"sigma={s},margin={m}" for s, m in itertools.product(["3.5", "7"], ["0.1", "0", "0.3"])]
    assert options(levels) == due
    assert names(levels) == ["bg_blur", *(f"bg_blur/{level}" for level in due[1:])]


def test_level_names_its_options_in_one_order_however_they_are_listed():
    one = levels_of("bg_blur", {"bg_blur": {"sigma": 3.5, "margin": [0.1]}})
    other = levels_of("bg_blur", {"bg_blur": {"margin": 0.1, "sigma": [3.5]}})
    assert one == other
    assert one[0].condition.level == "sigma=3.5,margin=0.1"


def test_an_option_with_a_default_is_named_only_where_it_differs(picture):
    listed = {"motion_blur": {"length": [0.5, 2.0], "unit": ["native", "object"]}}
    levels = levels_of("motion_blur", listed)
    assert options(levels) == [
        "length=0.5", "length=0.5,unit=object", "length=2", "length=2,unit=object",
    ]  # fmt: skip
    (short,) = levels_of("motion_blur", {"motion_blur": {"length": 0.5}})
    assert short == levels[0]
    assert (short.apply(View(picture, BOX)).picture == picture).all()
    assert (levels[1].apply(View(picture, BOX)).picture != picture).any()


def test_the_study_has_the_original_families_and_several_levels_of_each_degradation(study):
    levels = levels_by_family(study.conditions)
    assert set(ORIGINAL) <= set(levels)
    conditions = [level.condition for family in levels.values() for level in family]
    assert [each.name for each in conditions if each.is_reference] == list(levels)
    assert options(levels["downscale"]) == ["scale=0.5", "scale=0.25", "scale=0.125"]
    assert options(levels["motion_blur"]) == ["length=15", "length=31", "length=61"]
    assert options(levels["occlusion"]) == ["ratio=0.35", "ratio=0.6", "ratio=0.85"]
    assert options(levels["bg_blur"]) == [f"sigma={sigma},margin=0.1" for sigma in ("3.5", 8)]
    assert options(levels["zoom"]) == ["factor=4", "factor=2", "factor=0.5"]


def test_the_study_has_every_family(study):
    levels = levels_by_family(study.conditions)
    assert set(levels) == set(FAMILIES)
    assert names(levels["bg_swap"]) == ["bg_swap", "bg_swap/donor=other"]
    assert options(levels["bg_swap"]) == ["donor=same", "donor=other"]
    assert options(levels["object_only"]) == ["default"]


def test_a_level_applies_its_own_options(picture):
    strong, weak = levels_of("bg_blur", {"bg_blur": {"sigma": [8.0, 1.2], "margin": 0.0}})
    for level, sigma in ((strong, 8.0), (weak, 1.2)):
        due = changed(picture, BOX, "bg_blur", sigma=sigma, margin=0.0)
        assert (level.apply(View(picture, BOX)).picture == due.picture).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_facts_of_levels_are_what_their_family_says(study, name):
    levels = levels_of(name, study.conditions)
    facts, family = facts_of(levels), FAMILIES[name]
    assert facts == FamilyFacts(
        name, family.label, family.description, family.is_intervention, family.neutral,
        tuple(level.condition for level in levels),
    )  # fmt: skip
    assert set(facts.neutral) <= set(family.options.model_fields)


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

    (level,) = levels_of("inverted", {"inverted": {"strength": 1.0}})
    assert level.condition == Condition("inverted", "strength=1", is_reference=True)
    assert not level.apply(View(picture, BOX)).picture.any()
    with pytest.raises(ParameterError, match=r"conditions\.inverted\.strength: 2"):
        levels_of("inverted", {"inverted": {"strength": 2}})


def test_a_random_family_is_handed_a_generator_which_is_no_option(register, picture):
    @register(label="Speckled", description="points of light")
    def speckled(view, *, share: Share, rng):
        return view.showing(np.where(rng.random((60, 80, 1)) < share, 255, view.picture))

    def apply(seed):
        return level.apply(View(picture, BOX), rng=np.random.default_rng(seed)).picture

    (level,) = levels_of("speckled", {"speckled": {"share": 0.1}})
    assert level.condition.level == "share=0.1"
    assert (apply(1) == apply(1)).all()
    assert (apply(1) != apply(2)).any()
    with pytest.raises(ParameterError, match=r"expected one of share$"):
        levels_of("speckled", {"speckled": {"share": 0.1, "rng": 1}})


def test_other_families_are_handed_none(picture):
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    (level,) = levels_of("occlusion", {"occlusion": {"ratio": 0.5}})
    due = level.apply(View(picture, BOX)).picture
    assert (level.apply(View(picture, BOX), rng=rng).picture == due).all()
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
        "print(facts_of(levels_of('mine', {'mine': {}})).label)",
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
        ("zoom_object", {"region": ["mask", "shape"]}, "region", "'shape'"),
        ("context_only", {"region": True}, "region", "True"),
        ("bg_swap", {"donor": ["same", "any"]}, "donor", "'any'"),
        ("crop_low", {"margin": [-0.1]}, "margin", "-0.1"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(name, options, where, found):
    with pytest.raises(ParameterError) as caught:
        levels_of(name, {name: options})
    assert caught.value.where == f"conditions.{name}.{where}"
    assert caught.value.found == found
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_option_lists_the_known_ones():
    with pytest.raises(ParameterError) as caught:
        levels_of("bg_blur", {"bg_blur": {"sigma": 1.0, "margn": 0.1}})
    assert caught.value.where == "conditions.bg_blur.margn"
    assert caught.value.expected == "one of sigma, margin, unit"
    for name in ("orig_full", "zoom_matched"):
        with pytest.raises(ParameterError, match=rf"{name}\.x: .* expected no options$"):
            levels_of(name, {name: {"x": 1}})


def test_a_missing_option_is_named():
    with pytest.raises(ParameterError) as caught:
        levels_of("bg_blur", {"bg_blur": {"sigma": 1.0}})
    assert caught.value.where == "conditions.bg_blur.margin"


def test_an_unknown_family_lists_the_known_ones():
    with pytest.raises(ParameterError) as caught:
        levels_by_family({"orig_full": {}, "downscal": {"scale": 0.5}})
    assert caught.value.where == "conditions.downscal"
    assert caught.value.expected == "one of " + ", ".join(FAMILIES)


def test_a_family_that_is_not_listed_names_those_that_are():
    with pytest.raises(ParameterError, match=r"conditions\.bg_blur: nothing; .* orig_full$"):
        levels_of("bg_blur", {"orig_full": {}})


@pytest.mark.parametrize("scale", [[], [0.5, 0.5], [0.5, 0.50000001]])
def test_a_level_that_is_none_or_twice_is_refused(scale):
    with pytest.raises(ParameterError, match=r"^parameter error: conditions\.downscale: "):
        levels_of("downscale", {"downscale": {"scale": scale}})


@pytest.mark.parametrize("listed", [{}, {"downscale": {"scale": 0.5}}])
def test_the_untouched_family_must_be_there(listed):
    with pytest.raises(ParameterError, match=r"expected orig_full$"):
        levels_by_family(listed)
