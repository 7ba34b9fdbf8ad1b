"""What a whole table of predictions must be: each error names the first object at fault."""

from collections.abc import Collection, Hashable

import numpy as np
import pandas as pd

from smallsight.api.columns import cell_of
from smallsight.conditions.families import FAMILIES
from smallsight.conditions.rendered.names import UNTOUCHED, Condition
from smallsight.runtime.errors import SmallsightError
from smallsight.vocabulary import INSTANCE

_ASKED = ["condition", "task", "regime", "seed"]


def place_of(where: str, image: Hashable, number: Hashable) -> str:
    """Write where an object stands in a table."""
    return f"{where}: image {image}, object {number}"


def check_spelling(
    given: np.ndarray, due: Collection[str], where: str, *, declared: Collection[str]
) -> None:
    """Refuse predicted names that differ from those due by nothing but case or blanks around them.

    Parameters
    ----------
    declared
        Names that are categories whatever they look like.
    """
    spelt = {_folded(name): name for name in due}
    for name in pd.unique(given):
        meant = spelt.get(_folded(name), name)
        if name != meant and name not in due and name not in declared:
            place = cell_of(where, "predicted", given == name)
            expected = f"{meant!r}, or categories that hold both"
            raise SmallsightError(place, repr(name), expected)


def _folded(name: str) -> str:
    return name.strip().casefold()


def check_once(table: pd.DataFrame, where: str) -> None:
    """Refuse an object that is answered twice under one condition."""
    twice = table.duplicated([*_ASKED, *INSTANCE])
    if twice.any():
        row = table[twice].iloc[0]
        found = f"two rows ({_named(row[_ASKED])})"
        raise SmallsightError(place_of(where, *row[INSTANCE]), found, "one")


def check_constant(table: pd.DataFrame, name: str, where: str) -> None:
    """Refuse an object of which rows say different things."""
    several = table.drop_duplicates([*INSTANCE, name])
    twice = several.duplicated(INSTANCE)
    if twice.any():
        row = several[twice].iloc[0]
        of_it = (several[INSTANCE] == row[INSTANCE]).all(axis=1)
        found = " and ".join(several.loc[of_it, name].iloc[:2])
        raise SmallsightError(place_of(where, *row[INSTANCE]), found, f"one {name} in all rows")


def check_complete(table: pd.DataFrame, where: str) -> None:
    """Refuse a condition that lacks an object; sweeps of pixels leave out those that are small."""
    for (task, regime), part in table.groupby(["task", "regime"], sort=False):
        if not (part["condition"] == UNTOUCHED).any():
            raise SmallsightError(where, f"no {UNTOUCHED} ({task}, {regime})", "untouched pictures")
    seeds = pd.DataFrame({"seed": table["seed"].unique()})
    due = pd.MultiIndex.from_frame(table[INSTANCE].drop_duplicates().merge(seeds, how="cross"))
    for key, part in table.groupby(_ASKED[:-1], sort=False):
        family = FAMILIES.get(part["family"].iloc[0])
        if len(part) < len(due) and not (family and family.reduces_to):
            known = pd.MultiIndex.from_frame(part[[*INSTANCE, "seed"]])
            *instance, seed = due.difference(known)[0]
            found = f"no row ({_named([*key, seed])})"
            raise SmallsightError(
                place_of(where, *instance), found, "every object under every condition"
            )


def check_sides(table: pd.DataFrame, where: str) -> None:
    """Refuse levels of a sweep of pixels that name no side."""
    for family, level in table[["family", "level"]].drop_duplicates().itertuples(index=False):
        option = FAMILIES[family].reduces_to if family in FAMILIES else None
        if option is None:
            continue
        side = Condition(family, level, is_reference=False).options.get(option, "")
        if not side.replace(".", "", 1).isdecimal() or float(side) == 0:
            expected = f"{family}/{option}=<pixels>"
            raise SmallsightError(f"{where}: condition", f"{family}/{level}", expected)


def _named(asked: Collection[object]) -> str:
    *words, seed = asked
    return ", ".join([*map(str, words), f"seed {seed}"])
