"""One object under one condition of a task, as galleries show it."""

from dataclasses import dataclass

from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.report.pictures import FRAME, Shot, close_up, shot, untouched
from smallsight.report.rows import Row
from smallsight.report.study import Study
from smallsight.report.text import TASK_NAMES


@dataclass(frozen=True)
class Card:
    """An object under a condition: its pictures, its saliency map, and the prediction.

    Attributes
    ----------
    label
        What is shown, with the condition's mark.
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
        """The whole picture as it was before it was brought to the network's input."""
        return untouched(self.row["untouched"], self.row)

    @property
    def close_up(self) -> Shot:
        """The object enlarged, in a frame like the others'."""
        return close_up(self.row["picture"], self.row, frame=FRAME)

    @property
    def is_correct(self) -> bool:
        """Whether the network named the category."""
        return bool(self.row["outcome"] == "correct")


def shown_label(study: Study, task: str, condition: str) -> str:
    """Say what galleries show: the task where it is untouched, else what is done to the window."""
    label = study.label(condition)
    return f"{TASK_NAMES[task].capitalize()}, {label.lower()}" if condition == UNTOUCHED else label


def read_card(study: Study, row: Row) -> Card:
    """Read the pictures of one row of a gallery.

    Raises
    ------
    PictureError
        Where a picture is missing or has another size than the network's input.
    """
    mark = study.mark(row["task"], row["condition"], row["size_group"])
    return Card(
        label=f"{shown_label(study, row['task'], row['condition'])} {mark}".strip(),
        picture=shot(row["picture"], row),
        overlay=shot(row["overlay"], row),
        row=row,
    )
