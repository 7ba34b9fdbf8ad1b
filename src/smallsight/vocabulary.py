"""Words that people see in tables, figures and text, each with its meaning."""

import math

SIZE_GROUPS = {"small": 0.01, "medium": 0.05, "large": math.inf}
"""Each size group, and the share of the picture's area that a box of it stays below."""

REGIMES = {
    "fixed": "head trained on untouched pictures, tested on every condition",
    "retrained": "head trained and tested on the same condition",
}
"""Each regime and what it means, the headline regime first."""
