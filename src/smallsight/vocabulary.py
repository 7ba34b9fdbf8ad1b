"""Words that people see in tables, figures and text, each with its meaning."""

import math

SIZE_GROUPS = {"small": 0.01, "medium": 0.05, "large": math.inf}
"""Each size group, and the share of the picture's area that a box of it stays below."""


REGIMES = {
    "fixed": "head trained on untouched pictures, tested on every condition",
    "retrained": "head trained and tested on the same condition",
}
"""Each regime and what it means, the headline regime first."""


DIFFERENCE = "small-large"
"""Stands for a size group where a row holds the effect on small minus that on large objects."""


POWER = 0.8
"""Share of the studies that must find an effect for it to count as detectable."""


NO_VISIBLE_CHANGE = 0.98
"""A condition whose median in-box similarity lies above this leaves the object as it was."""


INSTANCE = ["image_id", "ann_id"]


ALL_AND_GROUPS = ("all", *SIZE_GROUPS)
"""Size groups in the order of every table, and all of them together."""


GROUPS = tuple(SIZE_GROUPS)
"""Size groups, in the order in which they are shown."""
