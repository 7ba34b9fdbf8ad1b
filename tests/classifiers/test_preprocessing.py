import pytest

from builders import own_classifiers as own
from smallsight import params
from smallsight.classifiers.facts import Preprocessing
from smallsight.classifiers.metadata import KEYS, NOTHING
from smallsight.classifiers.preprocessing import resolve
from smallsight.runtime.errors import ParameterError

FULL = params.validate(params.Preprocessing, own.DECLARED, where="own")
DUE = Preprocessing(own.SIZE, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4), "bicubic", "bgr", "0..1")


def test_what_is_declared_or_carried_is_taken():
    assert resolve(FULL, NOTHING, "own.pt2") == (DUE, ())
    assert resolve(NOTHING, FULL, "own.pt2") == (DUE, ())
    assert resolve(FULL, FULL, "own.pt2") == (DUE, ())


@pytest.mark.parametrize("key", KEYS)
def test_halves_are_joined(key):
    declared = NOTHING.model_copy(update={key: getattr(FULL, key)})
    carried = FULL.model_copy(update={key: None})
    assert resolve(declared, carried, "own.pt2") == (DUE, ())


def test_what_is_declared_wins_with_a_note():
    declared = NOTHING.model_copy(update={"std": (1.0, 1.0, 0.125), "channels": "rgb"})
    found, notes = resolve(declared, FULL, "own.pt2")
    assert found.std == (1.0, 1.0, 0.125)
    assert found.channels == "rgb"
    assert notes == (
        "preprocessing: std 1, 1, 0.125 as declared, not 0.2, 0.3, 0.4",
        "preprocessing: channels rgb as declared, not bgr",
    )


@pytest.mark.parametrize("missing", [KEYS, ("mean", "std"), ("range",)])
def test_all_that_nobody_says_is_in_one_line(missing):
    with pytest.raises(ParameterError) as caught:
        resolve(FULL.model_copy(update=dict.fromkeys(missing)), NOTHING, "own.pt2")
    error = own.one_line(caught, "params.classifier.preprocessing")
    assert error.found == f"no {', '.join(missing)} for own.pt2"
