from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from smallsight.classifiers.facts import ClassifierFacts, Preprocessing
from smallsight.classifiers.mapping import ClassMapping
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.tables import PREPROCESSINGS, is_suspicious
from smallsight.classifiers.torch_model import Opened, TorchModel
from smallsight.classifiers.wrong_preprocessings import (
    compare_preprocessings,
    wrong_preprocessings,
)
from smallsight.runtime.errors import ClassifierError
from smallsight.runtime.tables import conform

pytestmark = pytest.mark.usefixtures("single_worker")

TRAINED = Preprocessing(16, (0.5,) * 3, (0.25,) * 3, "bilinear", "rgb", "0..1")
CLASSES = ("dark red", "bright red", "dark blue", "bright blue")
IMAGENETS = "ImageNet's mean and deviation"
EACH = ClassMapping(np.eye(4, dtype=bool))


class Rule(nn.Module):
    """Names red or blue, dark or bright, of inputs that are preprocessed as `TRAINED`."""

    def forward(self, inputs):
        means = inputs.mean(dim=(2, 3))
        red, bright = means[:, 0] - means[:, 2], means.mean(dim=1)
        return 3 * torch.stack([red - bright, red + bright, -red - bright, bright - red], dim=1)


class Overflowing(Rule):
    """The same, until values are large."""

    def forward(self, inputs):
        return super().forward(inputs) * torch.where(inputs.abs().max() > 100, torch.nan, 1.0)


def classifier(declared=TRAINED, module=None, output="logits"):
    facts = ClassifierFacts(
        source="state_dict",
        architecture="code:Rule",
        command="",
        code="",
        code_sha256="",
        label="Rule",
        origin="rule.pth",
        sha256="",
        notes=(),
        classes=CLASSES,
        input="object",
        output=output,
        preprocessing=declared,
        maps="none",
        layer="",
        cells=0,
        no_maps="none",
    )
    return OwnClassifier(facts, TorchModel(Opened(module or Rule())))


@pytest.fixture(scope="module")
def pictures():
    """Dark red, bright red, dark blue, bright blue, in turn, with noise: 40 pictures, labels."""
    labels = np.arange(40) % 4
    rng = np.random.default_rng(0)
    colours = np.array([(90, 60, 30), (220, 190, 160), (30, 60, 90), (160, 190, 220)])
    noise = rng.integers(-10, 11, (40, 16, 16, 3))
    return (colours[labels][:, None, None] + noise).astype(np.uint8), labels


@pytest.fixture
def compare(pictures, cpu):
    def compare(own, mapping=EACH):
        return compare_preprocessings(own, mapping, *pictures, device=cpu).set_index("variant")

    return compare


def test_the_usual_wrong_ones_do_what_is_known_of_them(compare):
    table = compare(classifier())
    assert table["accuracy"].to_dict() == {
        "as declared": 1,
        "values 0 to 255": 0.5,  # all is bright
        "blue, green, red": 0,
        "not normalised": 0.5,
        IMAGENETS: 1,
    }
    assert table["is_declared"].tolist() == [True, False, False, False, False]
    assert table["n"].tolist() == [40] * 5
    assert table["gained"].tolist() == [0] * 5
    assert table["lost"].tolist() == [0, 20, 40, 20, 0]
    assert not is_suspicious(table)


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": "bgr"},
        {"range": "0..255"},
        {"mean": (0.0,) * 3, "std": (1.0,) * 3},
    ],
)
def test_a_wrong_declaration_is_suspicious(compare, wrong):
    table = compare(classifier(replace(TRAINED, **wrong)))
    assert table["accuracy"].iloc[0] < 1
    assert table["gained"].max() > 0
    assert is_suspicious(table)


def test_gained_and_lost_are_of_the_same_objects(compare):
    table = compare(classifier(replace(TRAINED, channels="bgr", range="0..255")))
    declared = table.loc["as declared", "accuracy"]
    change = (table["gained"] - table["lost"]) / table["n"]
    np.testing.assert_allclose(table["accuracy"] - declared, change)


def test_the_declared_preprocessing_is_that_of_predictions(compare, pictures):
    own = classifier(replace(TRAINED, range="0..255"))
    with torch.inference_mode():
        named = own.scene(torch.from_numpy(pictures[0])).argmax(1).numpy()
    assert compare(own)["accuracy"].iloc[0] == (named == pictures[1]).mean()
    assert own.facts.preprocessing.range == "0..255"


def test_predictions_are_of_categories(compare):
    two = ClassMapping(np.array([[1, 0, 1, 0], [0, 1, 0, 1]], bool))
    # Labels 2 and 3 are of no category here; what is dark or bright in blue says the same.
    table = compare(classifier(), two)
    assert table.loc["blue, green, red", "accuracy"] == table.loc["as declared", "accuracy"] == 0.5


def test_what_gives_no_numbers_is_no_reason_to_stop(compare):
    table = compare(classifier(module=Overflowing()))
    row = table.loc["values 0 to 255"]
    assert np.isnan(row["accuracy"])
    assert (row["gained"], row["lost"]) == (0, 40)
    assert not is_suspicious(table)


def test_no_numbers_as_declared_is_an_error(compare):
    with pytest.raises(ClassifierError, match=r"rule\.pth: NaN among the outputs"):
        compare(classifier(replace(TRAINED, range="0..255"), Overflowing()))


def test_the_table_is_as_declared(compare):
    table = compare(classifier()).reset_index()
    assert list(conform(table, PREPROCESSINGS).columns) == PREPROCESSINGS.names
    assert not is_suspicious(PREPROCESSINGS.empty())


def test_few_more_are_enough():
    table = pd.DataFrame({"gained": [0, 7, 4], "lost": [0, 7, 3]})
    assert is_suspicious(table)
    assert not is_suspicious(table[:2])


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        (
            replace(TRAINED, channels="bgr", range="0..255"),
            [
                "values 0 to 1",
                "red, green, blue",
                "not normalised",
                "ImageNet's mean and deviation",
            ],
        ),
        (
            replace(TRAINED, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
            ["values 0 to 255", "blue, green, red", "not normalised"],
        ),
        (
            replace(
                TRAINED,
                range="0..255",
                mean=(123.675, 116.28, 103.53),
                std=(58.395, 57.12, 57.375),
            ),
            ["values 0 to 1", "blue, green, red", "not normalised"],
        ),
        (
            replace(TRAINED, range="0..255", mean=(0.0,) * 3, std=(1.0,) * 3),
            ["values 0 to 1", "blue, green, red", IMAGENETS],
        ),
        (
            # Here values of 0 to 1 come out as without normalisation.
            replace(TRAINED, range="0..255", mean=(0.0,) * 3, std=(1 / 255,) * 3),
            ["values 0 to 1", "blue, green, red", IMAGENETS],
        ),
    ],
)
def test_what_equals_the_declared_one_is_not_tried(declared, names):
    wrong = wrong_preprocessings(declared)
    assert list(wrong) == names
    assert all(one != declared for one in wrong.values())
    assert all(one.input_size == 16 for one in wrong.values())
