"""The errors a user can meet: each is one line that names the place, the value and what was due."""

import unicodedata

LONGEST = 1000
"""Letters of each part of an error that are told: what stands in a file may be endless."""


def _visible(text: str) -> str:
    """Write as numbers what a terminal would obey, and what would end the line."""
    visible = "".join(
        letter
        if letter.isprintable() or unicodedata.category(letter) == "Zs"
        else letter.encode("unicode_escape").decode()
        for letter in text[: LONGEST + 1]
    )
    return visible if len(visible) <= LONGEST else f"{visible[: LONGEST - 1]}…"


class SmallsightError(Exception):
    """Something a user can put right.

    Parameters
    ----------
    where
        The file, address or parameter at fault.
    found
        What stands there.
    expected
        What should stand there.
    """

    label = "error"

    def __init__(self, where: object, found: str, expected: str) -> None:
        self.where, self.found, self.expected = map(_visible, (str(where), found, expected))
        super().__init__(f"{self.label}: {self.where}: {self.found}; expected {self.expected}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        """Survive the way back from a worker process with all three parts."""
        return type(self), (self.where, self.found, self.expected)


class ParameterError(SmallsightError):
    """A parameter is unknown, misspelt, or has a value of the wrong kind."""

    label = "parameter error"


class AnnotationError(SmallsightError):
    """The annotations are missing, malformed, or hold impossible values."""

    label = "annotation error"


class PictureError(SmallsightError):
    """A picture is missing, truncated, or not what the annotations say."""

    label = "picture error"


class DownloadError(SmallsightError):
    """An address gave no answer, or not the one that was due."""

    label = "download error"


class WeightsError(SmallsightError):
    """A file of weights is missing or does not fit the network."""

    label = "weights error"


class ClassifierError(SmallsightError):
    """A classifier of the user's own cannot be opened, or does not answer as it declares."""

    label = "classifier error"


class ClusterError(SmallsightError):
    """A cluster was lost in the middle of the work, or cannot do it."""

    label = "cluster error"


class SampleError(SmallsightError):
    """Too few instances to do what was asked."""

    label = "sample error"
