"""Tables about saliency maps with other numbers, other directions, or less in them."""

import json

import numpy as np
import pandas as pd

from builders.study_files import INPUTS, with_tables
from smallsight.conditions.rendered.names import UNTOUCHED
from smallsight.vocabulary import GROUPS

FEW = (UNTOUCHED, "downscale", "bg_blur")
"""Conditions that are enough for tables about maps."""
TABLES = ("attention", "attention_controls", "attention_outcomes", "faithfulness")
CELLS = {"last": 32.0, "blocks.4": 16.0}
"""Input pixels of a cell, by layer."""
LAYERS = {"last": "the last layer", "blocks.4": "blocks.4"}
"""What the page calls them."""
COUNTS = ("n", "images", "n_mask", "n_correct", "n_failed")


def write_any_numbers():
    """Write other numbers, each its own, into the tables; some rows have no evidence."""
    rng = np.random.default_rng(7)
    for name in TABLES:
        path = INPUTS.table(name)
        table = pd.read_csv(path)
        for column in table.select_dtypes("number").columns.difference(["area", "direction"]):
            if column in COUNTS:
                table[column] = rng.integers(1, 900, len(table))
            else:
                low = -1.0 if column in ("signed_in_box", "excess", "object", "rank") else 0.0
                table[column] = rng.uniform(low, 1, len(table))
        if name == "attention":
            measured = [
                "energy_in_box", "lift", "lift_q1", "lift_q3", "mask_lift", "pointing_hit",
                "signed_in_box",
            ]  # fmt: skip
            table.loc[::7, measured] = np.nan
        else:
            if name == "faithfulness":
                table.loc[::3, "overlap"] = 0
            if "direction" in table:
                table["direction"] = rng.permutation(np.resize((1, -1, 0), len(table)))
        table.to_csv(path, index=False)


def write_layer(layer):
    """Write that the maps are those of a layer."""
    about = json.loads(INPUTS.about.read_text(encoding="utf-8"))
    about |= {"layer": layer, "cell": CELLS[layer]}
    INPUTS.about.write_text(json.dumps(about), encoding="utf-8")


def with_directions(study, name, directions):
    """Give the rows of the size groups these directions, and all others none."""
    table = study.tables[name]
    by_group = dict(zip(GROUPS, directions, strict=True))
    return with_tables(study, **{name: table.assign(direction=table["size_group"].map(by_group))})


def without(study, *names, **dropped):
    """Leave out rows of tables: those where a column has a value, or else all."""
    tables = {name: study.tables[name] for name in names}
    for column, value in dropped.items():
        tables = {name: table[table[column] != value] for name, table in tables.items()}
    if not dropped:
        tables = {name: table[:0] for name, table in tables.items()}
    return with_tables(study, **tables)
