"""Tables of the analysis, made by hand, that limits are checked on."""

import pandas as pd

from smallsight.limits.check import GAP_CLAIM, TABLES

ROW = {"task": "object", "regime": "fixed", "images": 150, "n": 200}


def table(number, *rows):
    """Make a table of these rows, others' columns empty."""
    declared = TABLES[number]
    if not rows:
        return declared.empty()
    flags = [column.name for column in declared.columns if column.kind == "flag"]
    return pd.DataFrame([dict.fromkeys(flags, False) | row for row in rows]).reindex(
        columns=declared.names
    )


def tables_of(*, small=(0.7, 0.64, 0.76), gap=(0.1, 0.02, 0.18), losses=None, **about):
    """Make the tables of a study; `losses` are (estimate, low, high) by condition."""
    about = ROW | about
    untouched = {"condition": "orig_full"} | about
    acc = dict(zip(("acc", "ci_low", "ci_high"), small, strict=True))
    found = dict(zip(("effect", "ci_low", "ci_high"), gap or 3 * (None,), strict=True))
    effects = [
        {"condition": name, "size_group": "small", "primary": True, "delta": -estimate}
        | {"ci_low": -high, "ci_high": -low}
        | about
        for name, (estimate, low, high) in (losses or {}).items()
    ]
    accuracy = table(
        0,
        {"size_group": "all"} | untouched,
        {"size_group": "small"} | untouched | acc,
        {"size_group": "large"} | untouched,
        {"size_group": "small", "condition": "downscale"} | about | {"acc": 0.01},
        {"size_group": "small"} | untouched | {"task": "scene", "acc": 0.01, "ci_high": 0.02},
    )
    claims = [{"claim": GAP_CLAIM, "part": ""} | about | found] if gap else []
    return {"accuracy": accuracy, "claims": table(1, *claims), "effects": table(2, *effects)}
