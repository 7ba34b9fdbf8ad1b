import numpy as np
import pytest

from smallsight import phantom
from smallsight.phantom import portrait_set
from smallsight.phantom.portrait_set import draw_portraits
from smallsight.runtime.randomness import derive


@pytest.fixture(scope="module")
def drawn():
    """Fourteen portraits drawn by this process alone, in one piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLSIGHT_WORKERS", "1")
        return draw_portraits(14, size=32, seed=1)


def test_portraits_show_the_categories_in_turn(drawn, monkeypatch):
    pictures, labels = drawn
    assert (pictures.shape, pictures.dtype) == ((14, 32, 32, 3), np.uint8)
    names, streets = phantom.CATEGORIES, phantom.STREET_NAMES
    assert [names[label] for label in labels[:, 0]] == [names[n % len(names)] for n in range(14)]
    assert [streets[label] for label in labels[:, 1]] == [streets[n // 6] for n in range(14)]
    for number in (0, 7, 13):
        shown = names[number % len(names)], streets[number // len(names)]
        due = phantom.portrait(*shown, derive(1, "portrait", number), size=32)
        assert (pictures[number] == due).all()
    assert len({picture.tobytes() for picture in pictures}) == 14


def test_portraits_do_not_depend_on_the_workers(drawn, monkeypatch):
    monkeypatch.setattr(portrait_set, "CHUNK", 4)
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "2")
    pictures, labels = draw_portraits(14, size=32, seed=1)
    assert (pictures == drawn[0]).all()
    assert (labels == drawn[1]).all()


def test_more_portraits_begin_with_the_same_ones(drawn, monkeypatch):
    monkeypatch.setenv("SMALLSIGHT_WORKERS", "1")
    fewer, _ = draw_portraits(3, size=32, seed=1)
    other, _ = draw_portraits(3, size=32, seed=2)
    assert (fewer == drawn[0][:3]).all()
    assert (other != fewer).any()
