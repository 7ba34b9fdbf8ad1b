import pickle

import pytest

from smallsight.runtime import errors

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.SmallsightError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_message_is_one_line_with_all_three_parts(kind):
    text = str(kind("params.seed", "'x'", "a whole number"))
    assert len(text.splitlines()) == 1
    assert text.startswith(f"{kind.label}: params.seed:")
    assert "'x'" in text
    assert text.endswith("a whole number")


@pytest.mark.parametrize("kind", KINDS)
def test_error_survives_pickling(kind, tmp_path):
    error = kind(tmp_path, "nothing", "something")
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error)
    assert (back.where, back.found, back.expected) == (str(tmp_path), "nothing", "something")


def test_what_a_terminal_would_obey_is_written_as_numbers():
    error = errors.SmallsightError("a\nb", "\x1b[2J", "Größe 1\u00a0%\u202e")
    assert str(error) == "error: a\\nb: \\x1b[2J; expected Größe 1\u00a0%\\u202e"


def test_labels_tell_the_kinds_apart():
    labels = [kind.label for kind in KINDS]
    assert len(set(labels)) == len(KINDS) > 1
    assert all(
        label.endswith("error") and kind.__doc__ for label, kind in zip(labels, KINDS, strict=True)
    )


def test_endless_words_are_cut_off():
    error = errors.SmallsightError("a" * 10**6, "\n" * 10**6, "b" * errors.LONGEST)
    assert len(error.where) == len(error.found) == errors.LONGEST
    assert error.where.endswith("a…")
    assert error.expected == "b" * errors.LONGEST
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
