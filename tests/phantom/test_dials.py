import dataclasses

import pytest

from smallsight.phantom import Dials
from smallsight.runtime.errors import ParameterError


@pytest.mark.parametrize("name", ["context", "clutter", "neighbours", "class_mix", "haze", "noise"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_share_outside_its_range_is_refused_by_name(name, value):
    with pytest.raises(ParameterError, match=f"phantom.{name}"):
        Dials(**{name: value})


@pytest.mark.parametrize("bad", [{"small_blur": -1.0}, {"width": 10}, {"height": 63}])
def test_impossible_pictures_are_refused(bad):
    with pytest.raises(ParameterError):
        Dials(**bad)


def test_dials_cannot_be_turned_after_the_fact():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Dials().context = 0.1
