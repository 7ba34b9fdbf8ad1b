"""How long a study takes on this machine: what is counted, times what is measured and known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from smallsight.conditions.rendering.levels import Level
from smallsight.inspection.calibration import Speed
from smallsight.remedies.registry import REMEDIES
from smallsight.vocabulary import HEADLINE_TASK, SCENE

FASTEST, SLOWEST = 0.75, 1.5
"""Ends of the interval, in units of the estimate, where no other program is at work."""

BUSY = 0.2
"""A machine is busy where other programs take more of the processors' time."""

STAGES_BESIDE_FAMILIES = 13
"""Stages of dvc.yaml that run once; two run for each family."""

STAGE_SECONDS = 2.5
"""DVC and Python starting, and DVC writing down what came out: what is left of the default study's
time, by stage, when what the stages themselves say is taken off."""

FETCH_SECONDS = {"phantom": 0.15, "coco": 0.4}
"""Processor time or waiting per picture that is not there yet, by source: painted at 640 x 480, or
downloaded."""

PREDICTION_SECONDS = 6e-5
"""Per answer of a head, on the default study's features."""

FIT_SECONDS = 0.001
"""Per object, and remedy and task that fit heads anew."""

MAP_SECONDS = 0.0012
"""Per saliency map, its measures and controls among them."""

EDITS = 12
"""Pictures with a region removed or restored, per object."""

ANALYSE_SECONDS = 3.4, 0.003
REPORT_SECONDS = 10.0, 0.01
"""Once, and per object."""

REMEDY_PASSES = {
    "zoom": 2.0,
    "guided_zoom": 1.0,
    "tiles_mean": 2.0,  # both of tiles look at the same four
    "tiles_maximum": 2.0,
    "unsharp_mask": 1.0,
    "clahe": 1.0,
    "input_125": 1.5625,
    "input_150": 2.25,
    "input_200": 4.0,
    "refit_input_125": 1.5625,
    "refit_input_150": 2.25,
    "refit_input_200": 4.0,
    "dilated": 2.0,
}
"""Pictures that the network sees for a remedy and task, in units of plain ones, beyond those whose
features the study has anyway. Remedies that are not named need none."""


@dataclass(frozen=True)
class Measured:
    """What a short calibration measured.

    Attributes
    ----------
    render
        Processor time to render one object in all families, at all levels, in seconds.
    network
        How fast the network sees pictures.
    workers
        Processes that share the work.
    """

    render: float
    network: Speed
    workers: int


@dataclass(frozen=True)
class Work:
    """What a study has to do.

    Attributes
    ----------
    objects, images
        In the sample.
    families
        How many there are.
    rendered
        Pictures to render.
    shown
        Pictures of conditions that the network is shown.
    references
        Conditions at reference levels.
    passes
        Pictures that the network sees for the conditions: mirrored ones too, where heads are
        trained.
    remedies
        The same for remedies.
    fits
        Remedies and tasks that fit heads anew.
    answers
        Answers of heads.
    """

    objects: int
    images: int
    families: int
    rendered: int
    shown: int
    references: int
    passes: int
    remedies: float
    fits: int
    answers: int


@dataclass(frozen=True)
class Part:
    """A part of a study's time.

    Attributes
    ----------
    name
        What is done.
    amount
        How much of it, in words.
    seconds
        The estimate; NaN where it is not known.
    """

    name: str
    amount: str
    seconds: float


@dataclass(frozen=True)
class Duration:
    """How long a study takes.

    Attributes
    ----------
    parts
        Whose times sum to it, with all processors to itself.
    share
        Of the processors' time that it would have now, 0 to 1.
    """

    parts: tuple[Part, ...]
    share: float = 1.0

    @property
    def seconds(self) -> float:
        """The estimate without the parts that are not known."""
        return float(np.nansum([part.seconds for part in self.parts]))

    @property
    def taken(self) -> float:
        """The share of the processors' time that other programs take now; 0 where that is small."""
        return 1 - self.share if 1 - self.share > BUSY else 0.0

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the parts that are not known."""
        return tuple(part.name for part in self.parts if np.isnan(part.seconds))

    def in_words(self) -> str:
        """Write the estimate and its ends.

        Examples
        --------
        >>> Duration((Part("rendering", "600 pictures", 600.0),)).in_words()
        'about 10 minutes (7 to 15)'
        >>> Duration((Part("rendering", "9 pictures", 40.0),)).in_words()
        'about 1 minute'
        >>> Duration((Part("rendering", "600,000 pictures", 36000.0),)).in_words()
        'about 10 hours (7 to 15)'
        """
        unit, name = (3600, "hour") if self.seconds > 3 * 3600 else (60, "minute")
        middle = max(round(self.seconds / unit), 1)
        low, high = (
            int(FASTEST * self.seconds / unit),
            round(SLOWEST * self.seconds / unit),
        )
        ends = f" ({max(low, 1)} to {high})" if high > max(low, 1) else ""
        return f"about {middle} {name}{'' if middle == 1 else 's'}{ends}"


def count_work(
    families: Mapping[str, Sequence[Level]],
    sides: np.ndarray,
    remedies: Mapping[str, bool],
    *,
    images: int,
    tasks: Sequence[str],
    is_fitted: bool,
    regimes: int,
    seeds: int,
) -> Work:
    """Count what a study has to do.

    Parameters
    ----------
    families
        The levels of every family.
    sides
        (n,): of each object, the square root of its box's area, in pixels of the picture.
    remedies
        By name, whether to try it.
    images
        Pictures of the sample.
    tasks
        Those in which the network is shown something.
    is_fitted
        Whether heads are trained.
    regimes, seeds
        How many of each there are.
    """
    n = len(sides)
    pictures = [
        (level.condition, int((sides >= level.least_side).sum()))
        for levels in families.values()
        for level in levels
    ]
    shown = sum(number for condition, number in pictures if condition.task in tasks)
    served = {SCENE: images, HEADLINE_TASK: n}
    extra, fits = 0.0, 0
    for remedy in REMEDIES:
        if remedies.get(remedy.name, False):
            needed = remedy.needed(is_fitted=is_fitted)
            for task in set(needed) & set(tasks):
                extra += REMEDY_PASSES.get(remedy.name, 0.0) * served[task]
                fits += needed[task] in ("head", "box_head")
    return Work(
        objects=n,
        images=images,
        families=len(families),
        rendered=sum(number for _, number in pictures),
        shown=shown,
        references=sum(one.is_reference and one.task in tasks for one, _ in pictures),
        passes=(2 if is_fitted else 1) * shown,
        remedies=extra,
        fits=fits,
        answers=shown * regimes * seeds,
    )


def estimate(
    work: Work, measured: Measured, *, source_seconds: float, fetch_seconds: float
) -> Duration:
    """Estimate how long a study takes from nothing.

    Parameters
    ----------
    source_seconds
        What reading or making the annotations took.
    fetch_seconds
        What fetching the sample's pictures takes.
    """
    n = work.objects
    stages = STAGES_BESIDE_FAMILIES + 2 * work.families
    network = measured.network.seconds
    edits = EDITS * n
    maps = n * work.references
    return Duration(
        (
            Part("starting and recording stages", f"{stages} stages", stages * STAGE_SECONDS),
            Part("reading annotations", "once", source_seconds),
            Part("fetching pictures", f"{work.images:,} pictures", fetch_seconds),
            Part(
                "rendering",
                f"{work.rendered:,} pictures",
                n * measured.render / measured.workers,
            ),
            Part("the network, conditions", f"{work.passes:,} passes", work.passes * network),
            Part(
                "the network, remedies",
                f"{work.remedies:,.0f} passes and {work.fits} fits",
                work.remedies * network + work.fits * n * FIT_SECONDS,
            ),
            Part(
                "heads and predictions",
                f"{work.answers:,} answers",
                work.answers * PREDICTION_SECONDS,
            ),
            Part("saliency maps", f"{maps:,} maps", maps * MAP_SECONDS),
            Part("removing the object", f"{edits:,} passes", edits * network),
            Part("analysis", f"{n:,} objects", _fixed_and_each(ANALYSE_SECONDS, n)),
            Part("the report", f"{n:,} objects", _fixed_and_each(REPORT_SECONDS, n)),
        ),
        share=measured.network.share,
    )


def _fixed_and_each(seconds: tuple[float, float], n: int) -> float:
    return seconds[0] + seconds[1] * n
