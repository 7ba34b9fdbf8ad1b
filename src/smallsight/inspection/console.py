"""What the terminal is told of an inspection."""

from smallsight.inspection.inspect import Inspection
from smallsight.inspection.sentences import (
    detectable_sentence,
    drawn_sentence,
    duration_sentence,
    left_out_sentence,
    pictures_sentence,
)
from smallsight.inspection.warnings import find_warnings


def main_lines(found: Inspection) -> list[str]:
    """Return the few lines that say most, the warnings last."""
    lines = [
        drawn_sentence(found),
        left_out_sentence(found),
        pictures_sentence(found),
        detectable_sentence(found),
        duration_sentence(found),
    ]
    return [*filter(None, lines), *(f"Look at: {one}" for one in find_warnings(found))]
