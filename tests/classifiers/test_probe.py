import pytest
import torch
from torch import nn

from builders import own_classifiers as own
from builders.own_classifiers import facts
from smallsight.classifiers.own import OwnClassifier
from smallsight.classifiers.probe import check_answers, probe_pictures, reason
from smallsight.classifiers.torch_model import Opened, TorchModel
from smallsight.runtime.errors import ClassifierError


class Rule(nn.Module):
    """Answers by what it is given: a function of the means of three channels."""

    def __init__(self, rule):
        super().__init__()
        self.rule = rule

    def forward(self, inputs):
        return self.rule(inputs.mean(dim=(2, 3)))


def check(rule, output="logits", classes=3):
    model = TorchModel(Opened(Rule(rule)))
    check_answers(OwnClassifier(facts(output, classes=classes), model), "net.pth")


def rows(count):
    """Answer to no other number of pictures."""

    def rule(means):
        if len(means) != count:
            raise ValueError(f"{len(means)} rows\nwhere {count} are due")
        return means

    return rule


def test_pictures_of_nothing_are_the_same_every_time():
    one, other = probe_pictures(32), probe_pictures(32)
    assert torch.equal(one, other)
    assert one.shape == (8, 32, 32, 3)
    assert one.dtype == torch.uint8
    assert [int(picture.max()) for picture in one[:3]] == [0, 127, 255]


@pytest.mark.parametrize(
    ("rule", "output"),
    [
        (lambda means: means, "logits"),
        (lambda means: 20 * means - 5, "logits"),
        (lambda means: means.softmax(dim=1), "probabilities"),
        (lambda means: means.half().softmax(dim=1), "probabilities"),
        (lambda means: means.log_softmax(dim=1), "logits"),
        (lambda means: means.double(), "logits"),
        (lambda means: means.sigmoid(), "logits"),
        (lambda means: 0 * means, "logits"),
    ],
)
def test_what_answers_as_declared_passes(rule, output):
    check(rule, output)


@pytest.mark.parametrize(
    ("rule", "output", "found", "expected"),
    [
        (lambda means: means.softmax(dim=1), "logits",
         "numbers from 0 to 1 that sum to 1, declared as logits",
         "params.classifier.output: probabilities"),
        (lambda means: 4 * means - 1, "probabilities",
         "numbers from -1 to -1, declared as probabilities",
         "params.classifier.output: logits, or numbers from 0 to 1 that sum to 1"),
        (lambda means: means.sigmoid(), "probabilities",
         "numbers that sum to 1.5, declared as probabilities",
         "params.classifier.output: logits, or numbers from 0 to 1 that sum to 1"),
        (lambda means: means / 0, "logits", "NaN among the outputs", "finite numbers"),
        (lambda means: 1 / means, "logits", "infinity among the outputs", "finite numbers"),
        (lambda means: means + torch.rand(3), "logits", "answers that change from run to run",
         "a model in evaluation mode, whose dropout is off"),
        (lambda means: means - means.mean(dim=0), "logits",
         "answers that depend on the other pictures of a batch",
         "a model in evaluation mode, with fixed statistics"),
        (rows(1), "logits", "no answer to 2 pictures (2 rows)",
         "a model that takes any number of pictures of 32 x 32 pixels"),
        (rows(2), "logits", "no answer to 1 picture (1 rows)",
         "a model that takes any number of pictures of 32 x 32 pixels"),
        (lambda means: means[:1], "logits", "an output of 1 x 3 for 2 pictures",
         "a number for each of 3 classes"),
        (lambda means: means[:, :, None], "logits", "an output of 1 x 3 x 1 for 1 picture",
         "a number for each of 3 classes"),
        (lambda means: means.sum(), "logits", "an output of one number for 1 picture",
         "a number for each of 3 classes"),
        (lambda means: (means, means), "logits", "an output of type tuple",
         "a tensor: a number for each of 3 classes"),
        (lambda means: {"logits": means}, "logits", "an output of type dict",
         "a tensor: a number for each of 3 classes"),
        (lambda means: means[:, :2], "logits", "2 outputs per picture",
         "3, as there are class names"),
        (lambda means: means.round().long(), "logits", "outputs of type int64",
         "floating point numbers"),
    ],
)  # fmt: skip
def test_what_answers_otherwise_is_one_line(rule, output, found, expected):
    with pytest.raises(ClassifierError) as caught:
        check(rule, output)
    error = own.one_line(caught, "net.pth")
    assert (error.found, error.expected) == (found, expected)


def test_a_single_output_is_no_classifier():
    with pytest.raises(ClassifierError) as caught:
        check(lambda means: means[:, :1], classes=1)
    assert own.one_line(caught).found == "one output per picture"


@pytest.mark.parametrize(
    ("message", "due"),
    [
        ("first\nsecond", "first"),
        ("\n  first\n", "first"),
        ("", "ValueError"),
        ("x" * 300, "x" * 196 + " ..."),
        ("The following operation failed in the TorchScript interpreter.\nTraceback\nError: why\n",
         "Error: why"),
    ],
)  # fmt: skip
def test_a_reason_is_a_part_of_a_line(message, due):
    assert reason(ValueError(message)) == due
