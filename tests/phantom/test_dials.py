import dataclasses

import pytest

from builders.phantom_dials import make_dials


def test_dials_cannot_be_turned_after_the_fact():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_dials().context = 0.1
