"""Parts of the report that show objects: what the network saw, its heat map, and the original."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from smallsight.report.pictures import Shot, close_up, shot, untouched
from smallsight.report.study import Study
from smallsight.vocabulary import GROUPS

_ACROSS = 7
"""Pictures side by side in a strip."""


@dataclass(frozen=True)
class Card:
    """One object under one condition: its pictures, its heat map, and what the network said."""

    name: str
    picture: Shot
    overlay: Shot
    row: Mapping[str, Any]

    @property
    def untouched(self) -> Shot:
        """The picture as it was before it was brought to the network's input."""
        return untouched(self.row["untouched"], self.row)

    @property
    def close_up(self) -> Shot:
        """The object enlarged."""
        return close_up(self.row["picture"], self.row)

    @property
    def is_correct(self) -> bool:
        """Whether the network named the category."""
        return self.row["outcome"] == "correct"


def card(study: Study, row: Mapping[str, Any]) -> Card:
    """Read one row's pictures and put them beside what it says."""
    mark = study.mark(row["condition"], row["size_group"])
    return Card(
        name=f"{study.label(row['condition'])} {mark}".strip(),
        picture=shot(row["picture"], row),
        overlay=shot(row["overlay"], row),
        row=row,
    )


def strips(study: Study) -> list[dict[str, Any]]:
    """Show, per size group that has one, the same object under every condition."""
    found = []
    for group in GROUPS:
        records = study.strips[study.strips["size_group"] == group].to_dict("records")
        if records:
            lines = math.ceil(len(records) / _ACROSS)
            found.append(
                {
                    "group": group,
                    "first": records[0],
                    "columns": math.ceil(len(records) / lines),
                    "cards": [card(study, row) for row in records],
                }
            )
    return found


def galleries(study: Study) -> list[dict[str, Any]]:
    """Put recognised objects beside failed ones, per size group that has any."""
    found = []
    for group in GROUPS:
        part = study.gallery[study.gallery["size_group"] == group]
        cards = [card(study, row) for row in part.to_dict("records")]
        if cards:
            shown = {
                outcome: sum(card.row["outcome"] == outcome for card in cards)
                for outcome in ("correct", "failed")
            }
            found.append(
                {
                    "group": group,
                    "cards": cards,
                    "pairs": _pairs(cards),
                    "shown": shown,
                    "mesh": _mesh(study, part),
                }
            )
    return found


def _pairs(cards: Sequence[Card]) -> list[tuple[Card | None, Card | None]]:
    """Put recognised objects beside failed ones; the shorter side ends in None."""
    correct = [card for card in cards if card.is_correct]
    failed = [card for card in cards if not card.is_correct]
    return list(zip_longest(correct, failed))


def _mesh(study: Study, gallery: Any) -> dict[str, Any]:
    """Measure the heat map's cells and a gallery's largest box, in input pixels."""
    largest = gallery.loc[gallery["side"].idxmax()]
    size, cell = int(largest["input_size"]), float(study.about["cell"])
    return {
        "size": size,
        "edges": [round(number * cell, 2) for number in range(round(size / cell) + 1)],
        "width": float(largest["box_w"]),
        "height": float(largest["box_h"]),
    }
