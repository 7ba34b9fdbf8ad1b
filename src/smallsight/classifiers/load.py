"""A classifier of the user's own, collected once and opened by every later stage."""

from pathlib import Path
from typing import TYPE_CHECKING

from smallsight import params
from smallsight.backbones.facts import LAST
from smallsight.classifiers.facts import ClassifierFacts
from smallsight.classifiers.sources import Wanted, source_of

if TYPE_CHECKING:
    from smallsight.classifiers.asked import AskedClassifier
    from smallsight.classifiers.own import OwnClassifier


def collect_classifier(
    settings: params.Classifier,
    model: Path,
    *,
    seed: int,
    preview: bool = False,
    layer: str = LAST,
) -> ClassifierFacts:
    """Read or download a classifier, check it, and write the file of which it is opened.

    Parameters
    ----------
    model
        The file that is written.
    seed
        The study's; weights drawn at random depend on it.
    preview
        Draw weights at random where they may have to be downloaded.
    layer
        The layer whose maps are looked at, as `params.Explain` has it.

    Raises
    ------
    SmallsightError
        One line, where it cannot be had, something is not declared, or it does not answer as
        it declares.
    """
    wanted = Wanted(seed, preview, layer)
    return source_of(settings.source).collect(settings, model, wanted)


def open_classifier(facts: ClassifierFacts, model: Path) -> "OwnClassifier | AskedClassifier":
    """Open what `collect_classifier` wrote.

    Parameters
    ----------
    facts
        What it returned.
    model
        The file that it wrote.
    """
    return source_of(facts.source).open_(facts, model)
