"""One mask as COCO may write it, and what is no mask."""

import math

import numpy as np

from smallsight.imaging import masks

WIDTH, HEIGHT = 8, 6
SQUARE = np.zeros((HEIGHT, WIDTH), bool)
SQUARE[1:4, 2:6] = True
POLYGON = [[2, 1, 6, 1, 6, 4, 2, 4]]
RUNS = {"size": [HEIGHT, WIDTH], "counts": [13, 3, 3, 3, 3, 3, 3, 3, 14]}
"""The square's pixels, column by column: unset, set, unset, ..."""
SAME = {"polygon": POLYGON, "RLE": RUNS, "compressed": masks.encode(SQUARE)}
MALFORMED = {
    "numbers without a polygon": POLYGON[0],
    "half a point": [[2, 3, 9]],
    "words": [["a", "b", "c", "d", "e", "f"]],
    "NaN": [[2, 1, math.nan, 1, 6, 4]],
    "infinity": [[2, 1, math.inf, 1, 6, 4]],
    "beyond three times the picture": [[2, 1, 24.5, 1, 6, 4]],
    "far beyond the picture": [[2, 1, -1e9, 1, 6, 4]],
    "nothing known": {"mask": 1},
    "no size": {"counts": RUNS["counts"]},
    "no counts": {"size": RUNS["size"]},
    "counts that are none": RUNS | {"counts": None},
    "runs that end early": RUNS | {"counts": [13, 3, 3]},
    "runs that go on": RUNS | {"counts": [*RUNS["counts"], 5]},
    "no runs": RUNS | {"counts": []},
    "negative runs": RUNS | {"counts": [13, -3, 38]},
    "broken runs": RUNS | {"counts": [13.5, 3, 31.5]},
    "huge runs": RUNS | {"counts": [10**30]},
    "no text": RUNS | {"counts": ""},
    "text cut short": RUNS | {"counts": masks.encode(SQUARE)["counts"][:-3]},
    "text of another mask": RUNS | {"counts": masks.encode(np.ones((9, 9), bool))["counts"]},
    "no RLE at all": RUNS | {"counts": "{}~é"},
    "another size": masks.encode(np.ones((WIDTH, HEIGHT), bool)),
    "a huge size": {"size": [10**7, 10**7], "counts": [10**14]},
}
"""What a reader must refuse."""
