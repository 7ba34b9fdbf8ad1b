from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallsight.conditions.rendered.names import Condition, level_name, split_name

WORDS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1)
VALUES = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), WORDS)
OPTIONS = st.dictionaries(WORDS, VALUES)


@given(WORDS, OPTIONS)
def test_a_condition_parses_what_its_level_was_written_from(family, options):
    condition = Condition(family, level_name(options), is_reference=False)
    assert condition.options.keys() == options.keys()
    for option, value in options.items():
        told = condition.options[option]
        if isinstance(value, float):
            assert float(told) == pytest.approx(value, rel=1e-5)
        else:
            assert told == str(value)


@given(WORDS, OPTIONS)
def test_a_name_splits_into_what_it_was_made_of(family, options):
    level = level_name(options)
    assert split_name(Condition(family, level, is_reference=False).name) == (family, level)
    assert split_name(Condition(family, level, is_reference=True).name) == (family, "")


def test_a_level_without_options_has_a_name():
    assert level_name({}) == "default"
    assert Condition("orig_full", "default", is_reference=True).options == {}


def test_pictures_of_the_scene_lie_where_the_original_study_has_them_and_objects_apart():
    """`data/conditions/<family>/<level>`, and `object` between the two."""
    scene, thing = (
        Condition("zoom", "factor=4", is_reference=True, task=task) for task in ("scene", "object")
    )
    assert Path("data/conditions") / scene.folder == Path("data/conditions/zoom/factor=4")
    assert Path("data/conditions") / thing.folder == Path("data/conditions/zoom/object/factor=4")
    for one in (scene, thing):
        assert one.family / one.place == one.folder
        assert (one.name, one.options) == ("zoom", {"factor": "4"})
