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

from builders.study_files import APART, INPUTS, OWN, with_tables, write_study
from readers.report_pages import text_of
from smallsight import params
from smallsight.imaging.boxes import Box
from smallsight.report import cards, page, text
from smallsight.report.figures import by_condition, curves, reliability
from smallsight.report.inputs import read_study
from smallsight.report.pictures import Shot
from smallsight.report.sections import (
    confusion,
    deletion,
    ladder,
    saliency,
    training,
)
from smallsight.vocabulary import GROUPS, HEADLINE_TASK, NO_VISIBLE_CHANGE

pytestmark = pytest.mark.page

DRAWING = {
    by_condition: ("by_condition",),
    curves: ("dose_response", "within_objects", "learning_curve"),
    reliability: ("reliability",),
    confusion: ("confusion_matrix",),
    deletion: ("regions",),
    ladder: ("climb", "waterfall"),
    saliency: ("spreads",),
    training: ("training_curve",),
}
"""Functions that draw, by the module that calls them by name."""
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?(?:e-\d+)?")
WORDS = (
    r"(Figures?|Table) \d+", r"EfficientNet-Lite\d", r"package \S+ \S+(?=\))", r"SHA-256",
    r"(in|from) 0 to 1", r"80% of the objects with", r"first 12 digits",
    r"It costs one pass per \w+|It takes [\d.]+ times a plain pass per \w+",
    r", and [\d.]+ times its time",
    r"Kitagawa \(1955\)", r"blocks\.\d", r"\w+=[\d.]+",
    r"(below|from) \d%", r"(above|line at) 0\.98", r"80% of such studies", r"strides 8, 16 and 32",
    r"(\(1|, \d)(?= (the|its|a) )", r"Below 1\b", r"On 80%",
    r"the 80% of the objects", r"even map has 1", r"; 1 is|where it is 1\b",
    r"([Aa]bove|[Bb]elow|is|are) 0\b(?!\.)", r"0evidence", r"p < 0\.0001",
    r"the first \d+, size groups", r"features\.\d", r"values 0 to 1",
    r"(strong|moderate|weak): \d+ or more", r"once, \d% at a time",
)  # fmt: skip
"""What has digits and is no number of the study."""


KEYS = ("area", "input_size", "image_id", "ann_id", "neighbour_ann_id", "direction")
"""Columns by which rows are found, which pictures depend on, or which no sentence writes."""


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
    """Return the sentences of a study's page, without what belongs to the words."""
    blocks = Prose(page.draw(study).screen()).blocks
    return [re.sub("|".join(WORDS), "·", re.sub(r"\s+", " ", block)) for block in blocks]


@pytest.fixture(scope="module", params=[None, OWN], ids=["heads", "a classifier"])
def study(request, tmp_path_factory):
    """Read a study in which much is shown; nothing is drawn."""
    folder = write_study(
        tmp_path_factory.mktemp("numbers"),
        own=request.param,
        accuracy=APART | {"small": 0.6},
        scene=APART | {"small": 0.1},
        rungs={"window_few_pixels": {"small": 0.55, "medium": 0.5, "large": 0.97}},
        changes={
            ("fixed", "motion_blur"): {"small": -0.48},
            ("fixed", "occlusion"): {"small": 0.38, "large": -0.6},
            ("retrained", "bg_swap"): {"small": 0.3},
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
            patched.setattr(cards, name, lambda *args, **kwargs: blank)
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
    """Yield the study once for each input, with that one changed, and what the input holds."""
    for name, table in study.tables.items():
        yield name, with_tables(study, **{name: moved_table(table)}), cells(table)
    for name in ("gallery", "strips", "maps", "remedy_times"):
        table = getattr(study, name)
        yield name, dataclasses.replace(study, **{name: moved_table(table)}), cells(table)
    for name in ("sampling", "training", "metrics", "about"):
        held = set()
        tree = moved_tree(getattr(study, name), held)
        yield name, dataclasses.replace(study, **{name: tree}), held
    examples = study.sampling["examples"]
    others = dict.fromkeys(examples, "annotation 1001 (bbox [1002.5, 1003.5, 1004.5, 1005.5])")
    told = {float(number) for text in examples.values() for number in re.findall(r"[\d.]+", text)}
    elsewhere = {**study.sampling, "examples": others}
    yield "examples", dataclasses.replace(study, sampling=elsewhere), told
    facts = dataclasses.replace(study.backbone, input_size=3 * study.backbone.input_size + 1)
    yield "backbone", dataclasses.replace(study, backbone=facts), {study.backbone.input_size}
    # Less similar still, so that marks of conditions without visible change stay.
    severity = study.tables["severity"]
    whole = severity["ssim_picture"]
    less = severity.assign(ssim_picture=whole.where(whole > NO_VISIBLE_CHANGE, 0.9 * whole))
    yield "severity", with_tables(study, severity=less), cells(severity)
    effects = study.tables["effects"]
    more = effects.assign(primary=effects["primary"] | (effects["condition"] == "downscale"))
    yield "effects", with_tables(study, effects=more), lengths(effects[effects["primary"]])
    tried = study.tables["remedies"]
    more = tried.assign(primary=True)
    yield "remedies", with_tables(study, remedies=more), lengths(tried[tried["primary"]])
    for name in ("gap_parts", "attention_outcomes"):
        table = study.tables[name]
        again = table[:1] if name == "attention_outcomes" else table[-1:]
        yield name, with_tables(study, **{name: pd.concat([table, again])}), lengths(table)
    table = study.tables["claims"]
    whole = table[table["part"] == ""]
    more = pd.concat([table, whole[-1:].assign(claim="another")])
    yield "claims", with_tables(study, claims=more), lengths(whole)
    other = study.sample[3:-5].assign(bbox_area=study.sample["bbox_area"] * 1.5)
    other = other.drop(index=other.index[90])
    other.iloc[:10, other.columns.get_loc("category_name")] = "tram"
    yield "sample", dataclasses.replace(study, sample=other), counts(study.sample)
    fewer = study.gallery.drop_duplicates(["task", "size_group", "outcome"])
    shown = study.gallery.groupby(["task", "size_group", "outcome"]).size()
    yield "gallery", dataclasses.replace(study, gallery=fewer), set(shown)
    ids = ["image_id", "ann_id"]
    renamed = study.strips.assign(**{name: study.strips[name] + 90_000 for name in ids})
    held = set(study.strips[ids].to_numpy().ravel().tolist())
    yield "strips", dataclasses.replace(study, strips=renamed), held
    for name in ("strips", "gallery"):
        table = getattr(study, name)
        changed = {name: table.assign(input_size=32)}
        yield name, dataclasses.replace(study, **changed), set(table["input_size"])
    for section, key, value in (
        ("evaluation", "folds", 7), ("evaluation", "repeats", 7), ("heads", "epochs", 7),
        ("analysis", "bootstrap_draws", 777), ("analysis", "confidence", 0.9),
        ("sample", "per_group", 777), ("tasks", "window_margin", 0.5),
    ):  # fmt: skip
        before = getattr(study.params, section)
        yield key, with_parameter(study, section, key, value), {getattr(before, key)}
    yield "caps", with_parameter(study, "sample", "caps", {"person": 7}), {70}
    yield from of_classifier(study)
    # The user's classifier has a class of this name.
    more = with_parameter(study, "data", "categories", ("car", "bus", "tree"))
    yield "categories", more, {1 / 2, 2, 3}
    accuracy = study.tables["accuracy"]
    fewer = accuracy[accuracy["condition"] != "bg_swap/donor=other"]
    held = {len(study.changed_conditions(HEADLINE_TASK))}
    yield "accuracy", with_tables(study, accuracy=fewer), held
    shift = study.families["shift"]
    moved = tuple(
        dataclasses.replace(one, level=one.level.replace("reach=31", "reach=7"))
        for one in shift.conditions
    )
    families = {**study.families, "shift": dataclasses.replace(shift, conditions=moved)}
    yield "families", dataclasses.replace(study, families=families), {31}


def of_classifier(study):
    """Yield a study of a user's classifier with other facts of it; none of heads."""
    facts = study.classifier
    if facts is None:
        return
    made = facts.preprocessing
    held = {made.input_size, *made.mean, *made.std, facts.cells, len(facts.classes)}
    moved = dataclasses.replace(
        made,
        input_size=3 * made.input_size + 1,
        mean=tuple(value + 0.1 for value in made.mean),
        std=tuple(value + 0.1 for value in made.std),
    )
    more = dataclasses.replace(
        facts, classes=(*facts.classes, "cat", "cow"), preprocessing=moved, cells=facts.cells + 1
    )
    # Three of five are of no category.
    yield "classifier", dataclasses.replace(study, classifier=more), held | {3}
    table = study.preprocessings
    other = dataclasses.replace(study, preprocessings=moved_table(table))
    yield "preprocessings", other, cells(table)


def with_parameter(study, section, key, value):
    """Give a study another value of one parameter."""
    tree = getattr(study.params, section).model_copy(update={key: value})
    return dataclasses.replace(study, params=study.params.model_copy(update={section: tree}))


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
    """Return the numbers that a table holds."""
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
    """Return what numbers stand between the same words: by these, a list per block."""
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
    assert len(untraced) > 200
    wrong = []
    for name, changed, held in moved(study):
        after = by_words(prose(changed))
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


@pytest.mark.parametrize(("share", "split"), [(0.2, "80/20"), (0.25, "75/25")])
def test_the_split_of_the_original_protocol_is_that_of_the_parameters(
    tmp_path, monkeypatch, share, split
):
    write_study(tmp_path, protocol="original")
    monkeypatch.chdir(tmp_path)
    study = with_parameter(read_study(INPUTS, params.load()), "evaluation", "test_share", share)
    whole = text_of(page.draw(study).screen())
    assert f"how the original study was made: one {split} split by instance, one seed" in whole
    assert f"Evaluation. One {split} split by instance and one seed" in whole
    assert re.findall(r"\d+/\d+ split", whole) == [f"{split} split"] * 2
