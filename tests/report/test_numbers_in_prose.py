"""Every number in the report's prose comes from a table, and is what the table holds.

Each input is changed by itself and the page is made again: a number that moves with none of them
is made up, unless it belongs to the words. One that moves must be what that input holds, in one of
the ways in which numbers are written.
"""

import dataclasses
import re
from collections import defaultdict
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from builders.study_files import APART, INPUTS, write_study
from smallsight import params
from smallsight.imaging.boxes import Box
from smallsight.report import page, text
from smallsight.report.figures import curves, gap, saliency, style
from smallsight.report.inputs import read_study
from smallsight.report.pictures import Shot
from smallsight.report.sections import galleries, words
from smallsight.vocabulary import GROUPS, NO_VISIBLE_CHANGE

DRAWING = {
    style: ("by_condition", "training_curve"),
    saliency: ("spreads", "regions"),
    gap: ("waterfall", "confusion"),
    curves: ("dose_response", "against_side", "headline"),
}
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?:e-\d+)?")
WORDS = (
    r"(Figures?|Table) \d+", r"ResNet-?\d+", r"ICLR \d+", r"ImageNet-9", r"SHA-256", r"80/20",
    r"first 12 digits", r"Kitagawa \(1955\)", r"find 7\.3 points", r"half of 640 pixels",
    r"[Ll]ayer\d", r"\w+=[\d.]+", r"(below|from) \d%", r"above 0\.98", r"in 80% of such studies",
    r"; 1 is|where it is 1\b", r"([Aa]bove|[Bb]elow|is|are) 0\b", r"0evidence", r"p < 0\.0001",
    r"the first \d+, size groups", r"\d+ (further levels?|lower|higher|without a change)",
)  # fmt: skip
"""What has digits and is no number of the study."""


LEVELS = re.compile(r"(\d+) (lower|higher|without a change)")
LEAD = {"fixed": "With the head left as it is", "retrained": "With a head trained again"}
KEYS = ("area", "input_size")
"""Columns by which rows are found, or which pictures depend on."""


class Prose(HTMLParser):
    """Text of paragraphs, items, terms and captions; what stands in figures is left out."""

    BLOCKS = ("p", "li", "dd", "figcaption", "caption")

    def __init__(self, page):
        super().__init__()
        self.blocks, self.open, self.hidden = [], 0, 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag in ("svg", "nav", "style", "code"):
            self.hidden += 1
        elif tag in self.BLOCKS:
            self.open += 1
            self.blocks.append("")

    def handle_endtag(self, tag):
        if tag in ("svg", "nav", "style", "code"):
            self.hidden -= 1
        elif tag in self.BLOCKS:
            self.open -= 1

    def handle_data(self, data):
        if self.open and not self.hidden:
            self.blocks[-1] += data


def prose(study):
    """Give the sentences of a study's page, without what belongs to the words."""
    blocks = Prose(page.draw(study, fingerprints={}).printed()).blocks
    return [re.sub("|".join(WORDS), "·", re.sub(r"\s+", " ", block)) for block in blocks]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Read a study in which much is shown; nothing is drawn."""
    folder = write_study(
        tmp_path_factory.mktemp("numbers"),
        accuracy=APART | {"small": 0.5},
        changes={
            ("fixed", "orig_crop"): {"small": -0.48},
            ("fixed", "occlusion"): {"small": 0.48, "large": -0.6},
            ("fixed", "zoom/factor=2"): {"small": -0.45},
            ("fixed", "zoom_matched"): {"small": 0.4},
            ("retrained", "object_only"): {"small": 0.3},
        },
        counts={"small": 80, "large": 60},
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        for module, names in DRAWING.items():
            for name in names:
                patched.setattr(module, name, lambda *args, **kwargs: "")
        blank = Shot("data:,", 0, 0, 100, 100, (4, 3), Box(1, 1, 1, 1), ())
        for name in ("shot", "untouched", "close_up"):
            patched.setattr(galleries, name, lambda *args: blank)
        yield read_study(INPUTS, params.load())


def moved_table(table):
    """Change every number of a table, so that whatever is written of it is written otherwise."""
    table = table.copy()
    for name in table.select_dtypes("number"):
        column = table[name]
        if name in KEYS:
            continue
        if name in ("p_value", "p_holm"):
            # "p < 0.0001" stays what it is.
            table[name] = column.where(column < 0.0001, column * 0.5 + 0.0003)
        elif (column.dropna() % 1 == 0).all() and column.abs().max() > 1:
            table[name] = column + 1
        else:
            table[name] = column * 1.17 + np.copysign(0.0137, column)
    return table


def moved(study):
    """Give the study once for each input, with that one changed, and what the input holds."""
    for field in dataclasses.fields(study):
        value = getattr(study, field.name)
        if isinstance(value, pd.DataFrame) and field.name not in ("sample", "curve"):
            yield field.name, {field.name: moved_table(value)}, cells(value)
        elif isinstance(value, dict):
            held = set()
            yield field.name, {field.name: moved_tree(value, held)}, held
    # Less similar still, so that marks of vacuous conditions stay.
    whole = study.severity["ssim_picture"]
    less = study.severity.assign(ssim_picture=whole.where(whole > NO_VISIBLE_CHANGE, 0.9 * whole))
    yield "severity", {"severity": less}, cells(study.severity)
    for name in ("effects", "claims", "ledger", "attention_outcomes"):
        table = getattr(study, name)
        again = table[:1] if name == "attention_outcomes" else table[-1:]
        yield name, {name: pd.concat([table, again])}, lengths(table)
    other = study.sample[3:-5].assign(bbox_area=study.sample["bbox_area"] * 1.5)
    other = other.drop(index=other.index[90])
    other.iloc[:10, other.columns.get_loc("category_name")] = "tram"
    yield "sample", {"sample": other}, counts(study.sample)
    fewer = study.gallery.drop_duplicates(["size_group", "outcome"])
    shown = study.gallery.groupby(["size_group", "outcome"]).size()
    yield "gallery", {"gallery": fewer}, set(shown)
    ids = ["image_id", "ann_id"]
    renamed = study.strips.assign(**{name: "9" + study.strips[name] for name in ids})
    yield "strips", {"strips": renamed}, set(study.strips[ids].astype(int).to_numpy().ravel())
    sizes = study.strips.assign(input_size=32)
    yield "strips", {"strips": sizes}, set(study.strips["input_size"])
    sizes = study.gallery.assign(input_size=32)
    yield "gallery", {"gallery": sizes}, set(study.gallery["input_size"])
    for section, key, value in (
        ("evaluation", "folds", 7), ("evaluation", "repeats", 7), ("heads", "epochs", 7),
        ("analysis", "bootstrap_draws", 777), ("analysis", "confidence", 0.9),
        ("sample", "person_cap", 7), ("backbone", "input_size", 112),
    ):  # fmt: skip
        before = getattr(study.params, section)
        after = before.model_copy(update={key: value})
        name = "input_pixels" if key == "input_size" else key
        held = {getattr(before, name)}
        yield key, {"params": study.params.model_copy(update={section: after})}, held


def moved_tree(tree, held):
    """Change every number of a tree, and note what they were."""
    if isinstance(tree, dict):
        return {key: moved_tree(one, held) for key, one in tree.items()}
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        held.add(tree)
        return 3 * tree + 1
    return tree


def lengths(table):
    """Count a table's rows, and those of the maps of the predicted class."""
    return {len(table), int((table["map"] == "predicted").sum()) if "map" in table else 0}


def cells(table):
    """Give the numbers that a table holds."""
    values = table.select_dtypes("number").to_numpy(float)
    return set(values[np.isfinite(values)].tolist())


def counts(sample):
    """Count what the report says of a sample."""
    names = sample["category_name"].value_counts()
    small = sample[sample["size_group"] == "small"]
    shares = [
        (part["category_name"].value_counts() / len(part)).iloc[0] for part in (sample, small)
    ]
    sides = np.sort(small["bbox_area"].to_numpy() ** 0.5)
    return {
        *(int((sample["size_group"] == group).sum()) for group in GROUPS),
        *(len(sample), sample["image_id"].nunique(), len(names), 1 / len(names)),
        *(*shares, *range(len(sides) + 1)),
    }


def written(value):
    """Write a number in all ways in which the report writes numbers, without signs."""
    shapes = ("{:.1f}", "{:.2f}", "{:.3f}", "{:.0f}", "{:g}", "{:,.0f}", "{:.1g}", "{:.2g}")
    turned = [value, 100 * value, 0.5 + value, 100 * (0.5 + value), 1 / value if value else value]
    found = {shape.format(abs(one)) for one in turned for shape in shapes}
    return found | {text.p_value(value)}


def by_words(blocks):
    """Give what numbers stand between the same words: by these, a list per block."""
    found = defaultdict(list)
    for block in blocks:
        found[re.sub(f"[+−]?(?:{NUMBER.pattern})", "#", block)].append(NUMBER.findall(block))
    return found


def test_every_number_of_the_prose_is_one_of_a_table(study):
    before = by_words(prose(study))
    untraced = {
        (wording, number, place)
        for wording, blocks in before.items()
        for number, block in enumerate(blocks)
        for place in range(len(block))
    }
    assert len(untraced) > 300
    wrong = []
    for name, changed, held in moved(study):
        after = by_words(prose(dataclasses.replace(study, **changed)))
        # What is counted of the sample may depend on a number from elsewhere.
        known = set().union(*map(written, held | counts(study.sample)))
        for wording in before.keys() & after.keys():
            pairs = zip(before[wording], after[wording], strict=False)
            for number, (olds, news) in enumerate(pairs):
                for place, (old, new) in enumerate(zip(olds, news, strict=True)):
                    if old != new:
                        untraced.discard((wording, number, place))
                        if old not in known:
                            wrong.append(f"{old} is not in {name}: {wording}")
    assert sorted(untraced) == []
    assert wrong == []


def test_levels_are_counted_as_their_verdicts_say(study):
    table = study.effects[study.effects["size_group"] == "small"]
    for regime in study.regimes:
        further = [
            study.effect(regime, step.name, "small")["verdict"]
            for step in study.happenings
            if not step.is_reference
        ]
        assert further
        said = next(text for text in words.points(study) if text.startswith(LEAD[regime]))
        known = {"lower": 0, "higher": 0, "without a change": further.count("inconclusive")}
        known |= {verdict: further.count(verdict) for verdict in ("lower", "higher")}
        assert f"{len(further)} further levels" in said
        told = {words: int(number) for number, words in LEVELS.findall(said)}
        due = {words: number for words, number in known.items() if number}
        assert told == (due if len(due) > 1 or "without a change" not in due else {})
    assert set(table["verdict"]) == {"lower", "higher", "inconclusive"}
