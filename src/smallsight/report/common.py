"""What the templates of all sections may show."""

from collections.abc import Mapping
from dataclasses import dataclass

from smallsight.report import glossary, marks, network
from smallsight.report.figures.style import gradient
from smallsight.report.study import Study
from smallsight.report.subject import RegimeWords, Subject
from smallsight.report.text import TASK_NAMES
from smallsight.vocabulary import ALL_AND_GROUPS, GROUPS, POWER


@dataclass(frozen=True)
class Common:
    """What the templates of all sections may show.

    Attributes
    ----------
    groups, all_and_groups
        The size groups, in order; and the same with "all" before them.
    tasks, task_names
        The tasks that were evaluated, the original study's first; and what each is called.
    subject
        Words for what is examined.
    regimes, words
        The regimes that were evaluated, the headline regime first; and what each is called.
    glossary
        What explains a word, by its name.
    headline
        What the headline regime is called in captions; empty where nothing was evaluated.
    has_seeds
        Whether several seeds predict each object.
    has_gallery
        Whether every object has pictures to look at, on a screen.
    interval
        What an interval is called: "95% interval".
    power
        Share of studies that find a detectable effect: "80%".
    mark_meanings
        What each mark of a condition means, in short.
    mark_key
        The marks that the study has, with their meanings; empty where it has none.
    map_cell
        Which layer's maps are shown, and how large their cells are; empty without maps.
    map_unit
        Unit of a map's values.
    map_colours
        Colours of maps, from none to most evidence; none without maps.
    """

    groups: tuple[str, ...]
    all_and_groups: tuple[str, ...]
    tasks: list[str]
    task_names: Mapping[str, str]
    subject: Subject
    regimes: list[str]
    words: Mapping[str, RegimeWords]
    glossary: Mapping[str, str]
    headline: str
    has_seeds: bool
    has_gallery: bool
    interval: str
    power: str
    mark_meanings: Mapping[str, str]
    mark_key: str
    map_cell: str
    map_unit: str
    map_colours: tuple[str, ...]


def describe(study: Study) -> Common:
    """Collect what the templates of all sections may show of a study."""
    about = study.about
    colours = str(about["colormap"]) if about["layer"] else ""
    return Common(
        groups=GROUPS,
        all_and_groups=ALL_AND_GROUPS,
        tasks=study.tasks,
        task_names=TASK_NAMES,
        subject=study.subject,
        regimes=study.regimes,
        words={regime: study.words(regime) for regime in study.regimes},
        glossary=glossary.words(study),
        headline=study.words(study.headline_regime).caption if study.regimes else "",
        has_seeds=study.n_seeds > 1,
        has_gallery=study.has_gallery,
        interval=study.interval,
        power=f"{100 * POWER:g}%",
        mark_meanings=marks.meanings(study),
        mark_key=marks.short_key(study),
        map_cell=network.describe_maps(study),
        # What cells add to a logit is in logits; other maps are Grad-CAM's, in units of their own.
        map_unit="logits" if network.is_exact(study) else "units of the map",
        map_colours=tuple(gradient(colours)) if colours else (),
    )
