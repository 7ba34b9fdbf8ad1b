"""One object under one condition, as galleries show it."""

from dataclasses import dataclass

from smallsight.report.pictures import Shot, close_up, shot, untouched
from smallsight.report.rows import Row
from smallsight.report.study import Study


@dataclass(frozen=True)
class Card:
    """An object under a condition: its pictures, its saliency map, and the prediction.

    Attributes
    ----------
    label
        What the condition is called, with its mark.
    picture
        What the network saw.
    overlay
        The same under its saliency map.
    row
        A row of the table of the gallery.
    """

    label: str
    picture: Shot
    overlay: Shot
    row: Row

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
        return bool(self.row["outcome"] == "correct")


def read_card(study: Study, row: Row) -> Card:
    """Read the pictures of one row of a gallery.

    Raises
    ------
    PictureError
        Where a picture is missing or has another size than the network's input.
    """
    mark = study.mark(row["condition"], row["size_group"])
    return Card(
        label=f"{study.label(row['condition'])} {mark}".strip(),
        picture=shot(row["picture"], row),
        overlay=shot(row["overlay"], row),
        row=row,
    )
