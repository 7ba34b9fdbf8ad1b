"""Studies whose saliency maps are looked at."""

import contextlib
import functools

import pytest

from builders.map_tables import FEW, write_any_numbers, write_layer
from builders.study_files import INPUTS, built, write_study
from smallsight import params
from smallsight.report.inputs import read_study
from smallsight.vocabulary import GROUPS


@pytest.fixture(scope="session")
def mapped_study(tmp_path_factory):
    """Make a study of a few conditions, and return its page and the study."""

    def make(**properties):
        folder = tmp_path_factory.mktemp("mapped")
        page = built(folder, **{"only": FEW, **properties})
        with contextlib.chdir(folder):
            return page, read_study(INPUTS, params.load())

    return make


@pytest.fixture(scope="session")
def any_numbers(mapped_study):
    """Return the page of a layer's maps, with any numbers, and its study."""

    def edit(layer):
        write_any_numbers()
        write_layer(layer)

    return functools.cache(lambda layer: mapped_study(edit=lambda: edit(layer)))


@pytest.fixture(scope="session")
def flawless(mapped_study):
    """A page and its study in which nothing failed."""
    return mapped_study(accuracy=dict.fromkeys(GROUPS, 1.0))


@pytest.fixture(scope="session")
def telling_study(tmp_path_factory):
    """Correct predictions have twice the lift of failed ones, and objects matter by their side."""
    folder = write_study(tmp_path_factory.mktemp("telling"), only=FEW)
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())
