"""What the templates of all sections may show."""

from collections.abc import Mapping
from dataclasses import dataclass

from smallsight.report import marks, network
from smallsight.report.figures.style import gradient
from smallsight.report.study import Study
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
    regimes
        The regimes that were evaluated, the headline regime first.
    headline_regime
        The headline regime; empty where nothing was evaluated.
    interval
        What an interval is called: "95% interval".
    power
        Share of studies that find a detectable effect: "80%".
    mark_meanings
        What each mark of a condition means, in short.
    mark_key
        The marks that the study has, with their meanings; empty where it has none.
    map_cell
        Which layer's maps are shown, and how large their cells are.
    map_unit
        Unit of a map's values.
    map_colours
        Colours of maps, from none to most evidence.
    map_colour_name
        What the colours are called.
    map_opacity
        Share of a map's colours that is blended into a picture.
    """

    groups: tuple[str, ...]
    all_and_groups: tuple[str, ...]
    tasks: list[str]
    task_names: Mapping[str, str]
    regimes: list[str]
    headline_regime: str
    interval: str
    power: str
    mark_meanings: Mapping[str, str]
    mark_key: str
    map_cell: str
    map_unit: str
    map_colours: tuple[str, ...]
    map_colour_name: str
    map_opacity: float


def describe(study: Study) -> Common:
    """Collect what the templates of all sections may show of a study."""
    about = study.about
    # What cells add to a logit is in logits; other maps are Grad-CAM's, in units of their own.
    is_exact = about["layer"] == about["last_layer"] and study.params.heads.readout == "scene"
    return Common(
        groups=GROUPS,
        all_and_groups=ALL_AND_GROUPS,
        tasks=study.tasks,
        task_names=TASK_NAMES,
        regimes=study.regimes,
        headline_regime=study.headline_regime,
        interval=study.interval,
        power=f"{100 * POWER:g}%",
        mark_meanings=marks.MEANINGS,
        mark_key=marks.short_key(study),
        map_cell=network.describe_cells(network.name_layer(study, about["layer"]), about["cell"]),
        map_unit="logits" if is_exact else "units of the map",
        map_colours=tuple(gradient(str(about["colormap"]))),
        map_colour_name=str(about["colormap"]),
        map_opacity=float(about["alpha"]),
    )
