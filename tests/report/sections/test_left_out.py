"""What the study lacks: found in its tables, each with its reason, and with what would give it."""

import contextlib
import dataclasses
import functools

import pytest

from builders.study_files import ASKED, GRADIENT, INPUTS, OWN, TABLE, with_tables, write_study
from smallsight import params
from smallsight.classifiers.facts import STUDY_HEADS
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.inputs import read_study
from smallsight.report.sections import left_out
from smallsight.report.sections.left_out import NO_TRAINING_DATA, NOT_TRAINED, LeftOut

FEW = (UNTOUCHED, "downscale")
SCENE_ONLY = dataclasses.replace(OWN, input="scene")
STUDIES = {"closed": OWN, "gradient": GRADIENT, "asked": ASKED, "table": TABLE, "scene": SCENE_ONLY}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Read a study of one of `STUDIES`."""

    @functools.cache
    def study(name):
        folder = write_study(tmp_path_factory.mktemp("own"), own=STUDIES[name], only=FEW)
        with contextlib.chdir(folder):
            return read_study(INPUTS, params.load())

    return study


def by_name(study):
    return {one.name: one for one in left_out.rows(study)}


def test_a_study_of_heads_leaves_nothing_out(forms):
    assert left_out.rows(forms.study) == []
    assert left_out.build(forms.study) is None
    assert left_out.sentence(forms.study) == ""


REFITTED = "what can still be learnt under each condition (regime “retrained”)"
STEPS = (
    "steps of the ladder up to “Its strides 8, 16 and 32, over the box”, “A window, no more pixels "
    "than before”, “The window at the whole input”, “The object alone, at one size”"
)
BOX = "step of the ladder up to “Its last layer, over the object's box”"
RULES = (
    "rules that see no pixel: “Commonest category of the size group”, “Position, size and aspect "
    "of the box”"
)
EXAMPLES = "whether more small objects to learn from would help"
TEMPERATURE = "confidence after a temperature by the object’s estimated size"
REMEDIES = "remedies: “Larger input”, “Maximum pooling”, “Window”, “Dilated last stage”"
RANDOM = "saliency maps of random weights, a control"
SUMS = "what each cell of a saliency map adds to an answer (signed share)"
MAPS = "saliency maps, what they measure, and galleries of the objects"
DELETION = "deletion and insertion of the object"
INPUT = "usual mistakes of preprocessing"
WINDOWS = "windows round the objects, and what is only asked of windows"
ALWAYS = [REFITTED, STEPS, RULES, EXAMPLES, TEMPERATURE]


@pytest.mark.parametrize(
    ("name", "due"),
    [
        ("closed", [*ALWAYS, REMEDIES, RANDOM]),
        ("gradient", [*ALWAYS, BOX, REMEDIES, SUMS, RANDOM]),
        ("asked", [*ALWAYS, BOX, REMEDIES, MAPS, INPUT]),
        (
            "table",
            [
                *ALWAYS, BOX, MAPS, DELETION, INPUT,
                "remedies: “Flip averaging”, “CLAHE”, “Larger input”, “Maximum pooling”, "
                "“Window”, “Dilated last stage”",
            ],
        ),
        ("scene", [*ALWAYS, WINDOWS, REMEDIES, RANDOM]),
    ],
)  # fmt: skip
def test_what_is_lacking_follows_from_the_classifier(study, name, due):
    found = by_name(study(name))
    assert sorted(found) == sorted(due)
    assert len(found) == len(left_out.rows(study(name)))
    for one in found.values():
        assert one.reason
        assert one.command or one.instead


def test_reasons_say_what_it_would_take(study):
    found = by_name(study("gradient"))
    assert found[REFITTED] == LeftOut(REFITTED, NOT_TRAINED, STUDY_HEADS)
    assert found[RULES] == LeftOut(RULES, NO_TRAINING_DATA, STUDY_HEADS)
    assert found[BOX].reason == (
        "needs a linear layer that reads the mean of maps; no linear layer reads the mean of its "
        "maps"
    )
    assert found[SUMS].reason == GRADIENT.no_maps
    found = by_name(study("table"))
    assert found[MAPS].reason == TABLE.no_maps
    assert found[DELETION].instead == "a program, which can (classifier.source: command)"
    found = by_name(study("scene"))
    assert "shown whole pictures only" in found[WINDOWS].reason
    assert found[WINDOWS].command == "dvc exp run -S classifier.input=object"


def test_what_the_study_has_is_not_among_it(study, forms):
    """Each finder looks into the tables: given what heads have, it finds nothing."""
    made, heads = study("gradient"), forms.study.tables
    assert EXAMPLES not in by_name(with_tables(made, more_examples=heads["more_examples"]))
    assert TEMPERATURE not in by_name(with_tables(made, calibration=heads["calibration"]))
    assert RULES not in by_name(with_tables(made, baselines=heads["baselines"]))
    assert RANDOM not in by_name(with_tables(made, attention=heads["attention"]))
    assert {BOX, STEPS}.isdisjoint(by_name(with_tables(made, ladder=heads["ladder"])))
    assert DELETION in by_name(with_tables(made, faithfulness=heads["faithfulness"][:0]))
    assert REMEDIES not in by_name(dataclasses.replace(made, remedies=forms.study.remedies))


def test_one_sentence_names_everything(study):
    made = study("table")
    names = "; ".join(one.name for one in left_out.rows(made))
    assert left_out.sentence(made) == f"Left out, for reasons that the report gives: {names}."


def test_what_a_study_is_told_that_it_lacks_comes_last(study):
    made = dataclasses.replace(study("closed"), left_out={"tables a, b": "no boxes: give objects"})
    assert left_out.rows(made)[-1] == LeftOut("tables a, b", "no boxes: give objects")
    assert left_out.build(made).has_remedies
