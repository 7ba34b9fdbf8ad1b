"""Time what the stage `analyse` computes, for growing numbers of instances.

    python benchmarks/analysis.py [instances ...]

Each count runs in a process of its own, so that its peak memory is its own.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Mapping

import numpy as np
import pandas as pd

from smallsight import params
from smallsight.analysis.headline import compute_headline
from smallsight.analysis.outcomes import arrange_outcomes
from smallsight.analysis.tables import compute_tables
from smallsight.conditions.rendered.names import UNTOUCHED, Condition, FamilyFacts
from smallsight.conditions.rendering.levels import facts_of, levels_by_family
from smallsight.saliency import removal
from smallsight.sampling.donors import draw_donors
from smallsight.vocabulary import REGIMES

COUNTS = (600, 1500, 3000, 6000)
SEEDS = 5


def conditions(facts: Mapping[str, FamilyFacts]) -> list[Condition]:
    """List the conditions of all families."""
    return [condition for family in facts.values() for condition in family.conditions]


def predictions(instances: int, *, names: list[Condition]) -> pd.DataFrame:
    """Make predictions as the default study has them: two instances per image, three groups."""
    rng = np.random.default_rng(0)
    categories = ["person", "car", "truck", "bus", "bicycle", "motorcycle"]
    side = np.exp(rng.uniform(np.log(2), np.log(100), instances))
    sample = pd.DataFrame(
        {
            "image_id": np.sort(rng.integers(0, instances // 2, instances)),
            "ann_id": np.arange(instances),
            "category_name": rng.choice(categories, instances),
            "size_group": np.array(["small", "medium", "large"])[
                np.digitize(side, np.quantile(side, [1 / 3, 2 / 3]))
            ],
            "side": side,
            "bbox_w": side,
            "bbox_h": side,
        }
    )
    hard = rng.normal(0, 1, instances)
    parts = []
    for regime in REGIMES:
        for number, condition in enumerate(names):
            for seed in range(SEEDS):
                latent = np.log(side / 12) - 0.05 * number + hard + rng.normal(0, 0.5, instances)
                other = rng.permutation(sample["category_name"])
                right = (latent > 0) | (other == sample["category_name"])
                columns = {
                    "regime": regime,
                    "seed": seed,
                    "family": condition.family,
                    "level": condition.level,
                    "condition": condition.name,
                    "correct": right,
                    "predicted": np.where(right, sample["category_name"], other),
                    "confidence": 0.5,
                }
                parts.append(sample.assign(**columns, **{f"p_{name}": 0.0 for name in categories}))
    return pd.concat(parts, ignore_index=True)


def views(sample: pd.DataFrame, names: list[Condition]) -> pd.DataFrame:
    """Make the similarities and boxes of every instance under every condition."""
    rng = np.random.default_rng(1)
    parts = [
        sample[["image_id", "ann_id"]].assign(
            condition=condition.name,
            ssim_box=rng.random(len(sample)),
            ssim_picture=rng.random(len(sample)),
            box_w=sample["side"],
            box_h=sample["side"],
        )
        for condition in names
        if condition.name != UNTOUCHED
    ]
    return pd.concat(parts, ignore_index=True)


def map_measures(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Make measures of the first seed's saliency maps, and of regions removed and restored."""
    rng = np.random.default_rng(2)
    one = table[(table["regime"] == table["regime"].iloc[0]) & (table["seed"] == 0)]
    one = one[~one["condition"].str.contains("/")]
    measures = (
        *("energy_in_box", "box_area_share", "lift", "pointing_hit", "energy_in_mask"),
        *("mask_area_share", "mask_lift", "signed_in_box"),
    )

    def maps(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(no_evidence=False, **{name: rng.random(len(rows)) for name in measures})

    others = [
        maps(one[one["condition"] == UNTOUCHED] if name == "random_weights" else one).assign(
            map=name
        )
        for name in ("true_class", "random_box", "centre", "random_weights")
    ]
    sample = one[one["condition"] == UNTOUCHED]
    removals = [
        sample.assign(
            change=change, region=region, area=area, area_share=0.1, overlap=0.0, p_before=0.5,
            p_after=rng.random(len(sample)),
        )
        for change, region, area in removal.EDITS
    ]  # fmt: skip
    return {
        "predicted_class_maps": maps(one),
        "other_maps": pd.concat(others),
        "removals": pd.concat(removals),
    }


def analyse(
    table: pd.DataFrame, facts: Mapping[str, FamilyFacts], settings: params.Analysis
) -> dict[str, float]:
    """Compute all that the stage does, and return the seconds of each step."""
    names = conditions(facts)
    sample = table.drop_duplicates(["image_id", "ann_id"])
    given = {"views": views(sample, names), "donors": draw_donors(sample, seed=0)}
    given |= map_measures(table)
    categories = sorted(set(sample["category_name"]))
    seconds = {}
    start = time.perf_counter()

    def done(step: str) -> None:
        seconds[step] = time.perf_counter() - start - sum(seconds.values())

    found = arrange_outcomes(table, settings=settings, rng=np.random.default_rng(0))
    done("outcomes")
    rng = np.random.default_rng(0)
    made = compute_tables(table, found, objects=sample, categories=categories, rng=rng, **given)
    done("tables")
    compute_headline(made, facts)
    return seconds


def measure(instances: int) -> None:
    """Print one line of the table."""
    study = params.load()
    levels = levels_by_family(study.conditions)
    facts = {family: facts_of(each) for family, each in levels.items()}
    seconds = analyse(predictions(instances, names=conditions(facts)), facts, study.analysis)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    steps = " ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    total = sum(seconds.values())
    print(f"{instances:9} {total:8.1f} {total / instances * 1000:13.1f} {peak:8.2f}  {steps}")


def main() -> None:
    """Measure each count in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instances", nargs="*", type=int, default=COUNTS)
    counts = parser.parse_args().instances
    if len(counts) == 1:
        measure(counts[0])
        return
    print("instances  seconds  ms/instance  peak GiB  seconds by step")
    for count in counts:
        subprocess.run([sys.executable, __file__, str(count)], check=True)


if __name__ == "__main__":
    main()
