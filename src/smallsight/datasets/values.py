"""Single values of annotations, read as tools write them: as numbers, texts, null or NaN."""

from smallsight.datasets.coco import LARGEST_LENGTH


def read_number(value: object, *, largest: int = LARGEST_LENGTH) -> float | None:
    """Read a finite number of a size that pictures have, which tools also write as a text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -largest < value < largest else None


def read_side(value: object) -> int | None:
    """Read a side in pixels, which tools also write as a text; None where it is none."""
    number = read_number(value)
    return int(number) if number is not None and number >= 1 and number == int(number) else None


def read_box(value: object) -> list[float] | None:
    """Read left edge, upper edge, width and height in pixels; None where they are no box."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        return None
    numbers = [number for each in value if (number := read_number(each)) is not None]
    return numbers if len(numbers) == 4 and min(numbers[2:]) >= 0 else None


def read_area(value: object) -> float | None:
    """Read an area in square pixels; None where it is none, or 0, as some tools write it."""
    number = read_number(value, largest=LARGEST_LENGTH**2)
    return number if number is not None and number > 0 else None


def is_set(value: object) -> bool:
    """Return whether a flag is set, which tools write as a number, a truth value or a text."""
    if isinstance(value, str):
        return value.strip().lower() not in ("", "0", "0.0", "false", "no", "none", "null", "nan")
    # Tables write NaN where nothing was said.
    return bool(value) and value == value


def plain_segmentation(value: object) -> object:
    """Return a segmentation as COCO has it: none where a table wrote NaN, polygons in a list."""
    if isinstance(value, float):
        return None
    if isinstance(value, list) and value and read_number(value[0]) is not None:
        # A single polygon, as VIA writes it.
        return [value]
    return value
