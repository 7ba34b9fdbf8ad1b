"""Makes a worker that preloads it see nothing that others write from then on.

It stands for one on a machine without the study's files.
"""

import pathlib

_exists = pathlib.Path.exists


def _exists_for_it(path, **options):
    return not path.name.startswith(".smallsight-") and _exists(path, **options)


def dask_setup(_worker):
    pathlib.Path.exists = _exists_for_it
