"""Checks the folders that DVC reads or writes itself, before it does.

What else is wrong with the parameters, the first stage says.
"""

import sys

from smallsight import params
from smallsight.datasets.watched import check_watched_folders
from smallsight.runtime.errors import ParameterError, SmallsightError


def main() -> None:
    """Exit with one line of error where a folder is not what DVC needs."""
    try:
        check_watched_folders(params.load().data)
    except ParameterError:
        return
    except SmallsightError as error:
        sys.exit(f"check_folders: {error}")


if __name__ == "__main__":
    main()
