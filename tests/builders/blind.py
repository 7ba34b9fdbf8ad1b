"""Makes the process that imports it see nothing that others write from then on.

A worker that loads it first stands for one on a machine without the study's files.
"""

import pathlib

_exists = pathlib.Path.exists


def _exists_for_it(path, **options):
    return not path.name.startswith(".smallsight-") and _exists(path, **options)


pathlib.Path.exists = _exists_for_it
