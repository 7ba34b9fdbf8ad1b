"""How the reference head was trained, the one that is kept as a file."""

from dataclasses import dataclass

from markupsafe import Markup

from smallsight.report.figures.training import training_curve
from smallsight.report.section import Section
from smallsight.report.study import Study


@dataclass(frozen=True)
class Training:
    """What the section shows.

    Attributes
    ----------
    condition
        Label of the condition that it was trained under.
    n_train, n_test
        Objects.
    is_instance_split
        Whether the sample was divided by instance, for this head and all others.
    seed, device
        How it was trained.
    test_accuracy
        Its accuracy on test data, 0 to 1.
    panels
        Its measures by epoch.
    """

    condition: str
    n_train: int
    n_test: int
    is_instance_split: bool
    seed: int
    device: str
    test_accuracy: float
    panels: list[Markup]


def panels(study: Study) -> list[Markup]:
    """Draw the reference head's training, one panel per measure."""
    return [
        Markup(
            training_curve(study.curve, name=f"training-{measure}", measure=measure, title=title)
        )
        for measure, title in (("accuracy", "Accuracy"), ("loss", "Loss"))
    ]


def build(study: Study) -> Training | None:
    """Return what the section shows of a study; None where no head was trained."""
    if study.curve.empty:
        return None
    training = study.training
    return Training(
        condition=study.label(training["condition"]),
        n_train=training["n_train"],
        n_test=training["n_test"],
        is_instance_split=study.protocol.is_instance_split,
        seed=training["seed"],
        device=training["device"],
        test_accuracy=training["test_accuracy"],
        panels=panels(study),
    )


SECTION = Section(
    name="training", build=build, anchor="training", title="Training of the reference head"
)
