"""Named tables, and why those that are not among them were left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from smallsight.conditions.rendered.names import FamilyFacts
from smallsight.runtime.tables import Table


@dataclass(frozen=True, repr=False)
class Tables(Mapping[str, pd.DataFrame]):
    """The tables of an analysis by name, as `data/analysis/` of a study has them.

    docs/files.md lists their columns.

    Attributes
    ----------
    made
        The tables that could be computed, by name.
    left_out
        By name of every other one, what it would need.
    families
        What is known of each family of conditions, by name.
    confidence
        That of the intervals, 0 to 1.
    """

    made: Mapping[str, pd.DataFrame]
    left_out: Mapping[str, str]
    families: Mapping[str, FamilyFacts]
    confidence: float

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table.

        Raises
        ------
        KeyError
            Where it was left out, with the reason, or where there is no such table.
        """
        if name in self.left_out:
            raise KeyError(f"{name} was left out: {self.left_out[name]}")
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tables that were computed."""
        return iter(self.made)

    def __len__(self) -> int:
        """Count the tables that were computed."""
        return len(self.made)

    def __repr__(self) -> str:
        """Name all tables, and count the rows of those that were computed."""
        known = [f"{name}: {len(table)} rows" for name, table in self.items()]
        lacking = [f"{name}: left out, {reason}" for name, reason in self.left_out.items()]
        return "\n".join(["Tables", *(f"  {line}" for line in [*known, *lacking])])


def says_something(frame: pd.DataFrame, table: Table) -> bool:
    """Tell whether a table has rows that are about any object."""
    counts = [one.name for one in table.columns if one.kind == "whole number"]
    return len(frame) > 0 and not (counts and (frame[counts].fillna(0) == 0).to_numpy().all())
