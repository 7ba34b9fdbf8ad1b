"""Predictions to tables with intervals, and the few numbers that compare experiments."""

import numpy as np
import pandas as pd

from smallsight import params, statistics
from smallsight.conditions import UNTOUCHED
from smallsight.vocabulary import REGIMES, SIZE_GROUPS

CONDITION = ["regime", "condition", "family", "level"]
INSTANCE = ["image_id", "ann_id"]


def accuracy(
    predictions: pd.DataFrame, *, settings: params.Analysis, rng: np.random.Generator
) -> pd.DataFrame:
    """Accuracy by regime, condition and size group, with intervals by bootstrap over images.

    An instance counts by the share of seeds that predict it correctly. The draws of images are
    the same for every row, so that rows can be compared.

    Returns
    -------
    DataFrame
        regime, condition, family, level, size_group (`all` too), n (instances), images, acc,
        ci_low, ci_high. An empty group has n 0 and nothing else.
    """
    instances = predictions[[*INSTANCE, "size_group"]].drop_duplicates().sort_values(INSTANCE)
    weights = statistics.image_weights(
        instances["image_id"].to_numpy(), draws=settings.bootstrap_draws, rng=rng
    )
    group = instances["size_group"].to_numpy()
    members = {"all": np.full(len(group), fill_value=True)}
    members |= {name: group == name for name in SIZE_GROUPS}
    rows = []
    for key, part in predictions.groupby(CONDITION, sort=False):
        shares = part.groupby(INSTANCE)["correct"].mean().to_numpy()
        for name, chosen in members.items():
            row = dict(zip(CONDITION, key, strict=True)) | {"size_group": name}
            row["n"] = int(chosen.sum())
            row["images"] = instances.loc[chosen, "image_id"].nunique()
            if row["n"]:
                drawn = statistics.weighted_means(shares[chosen], weights[:, chosen])
                low, high = statistics.percentile_interval(drawn, settings.confidence)
                row |= {"acc": shares[chosen].mean(), "ci_low": low, "ci_high": high}
            rows.append(row)
    columns = [*CONDITION, "size_group", "n", "images", "acc", "ci_low", "ci_high"]
    return pd.DataFrame(rows).reindex(columns=columns)


def headline(table: pd.DataFrame) -> dict[str, float | None]:
    """Pick the numbers that a person compares between experiments, rounded to 4 digits.

    Parameters
    ----------
    table
        What `accuracy` made.

    Returns
    -------
    dict
        In the headline regime: accuracy on untouched pictures per size group, large minus small,
        and the largest loss of small objects under any condition. None where a group is empty.
    """
    fixed = table[table["regime"] == next(iter(REGIMES))]
    by_group = fixed.pivot_table(
        index="condition", columns="size_group", values="acc", sort=False
    ).reindex(columns=["all", *SIZE_GROUPS])
    untouched = by_group.loc[UNTOUCHED]
    numbers = {f"accuracy_{group}": value for group, value in untouched.items()}
    numbers["size_gap"] = untouched["large"] - untouched["small"]
    effects = by_group["small"].drop(UNTOUCHED) - untouched["small"]
    numbers["worst_effect_on_small"] = effects.min()
    return {
        name: None if pd.isna(value) else round(float(value), 4) for name, value in numbers.items()
    }
