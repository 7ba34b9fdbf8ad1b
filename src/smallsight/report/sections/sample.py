"""Sentences about the sample: what was drawn, and how often it is guessed without looking."""

from smallsight.conditions.names import UNTOUCHED
from smallsight.report.study import Study
from smallsight.report.text import counted, percent
from smallsight.vocabulary import GROUPS


def shortfalls(study: Study) -> list[str]:
    """Name the size groups that have fewer instances than were asked for."""
    due = int(study.sampling["requested_per_group"])
    sentences = []
    for group in GROUPS:
        drawn = int(study.sampling["drawn"].get(group, 0))
        eligible = sum(study.sampling["eligible"].get(group, {}).values())
        if drawn < due:
            text = f"{group.capitalize()}: {drawn} of the {due} requested were drawn"
            sentences.append(f"{text}; {eligible} were eligible.")
    return sentences


def sample_line(study: Study) -> str:
    """Describe the sample in one line."""
    table = study.sample
    groups = ", ".join(f"{(table['size_group'] == group).sum()} {group}" for group in GROUPS)
    categories = table["category_name"].nunique()
    return (
        f"{counted(len(table), 'object')} in {counted(table['image_id'].nunique(), 'image')}: "
        f"{groups}; {categories} {'category' if categories == 1 else 'categories'}; "
        f"source: {study.params.data.source}."
    )


def without_looking(study: Study) -> str:
    """Say how often answers that need no picture are right; no test compares them with others."""
    small = study.estimate(study.headline, UNTOUCHED, "small")
    categories = study.sample["category_name"].nunique()
    if categories == 1:
        return "The sample holds 1 category: accuracy says nothing about recognition."
    names = study.sample.loc[study.sample["size_group"] == "small", "category_name"]
    if small is None or not small.is_known or names.empty:
        return ""
    common = float(names.value_counts(normalize=True).iloc[0])
    return (
        f"Without looking, guessing is right for {percent(study.chance)} of small objects, and "
        f"naming their commonest category every time for {percent(common)}."
    )
