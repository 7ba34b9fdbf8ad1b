"""What the report shows of attention: numbers of its tables, and sentences by their verdicts."""

import contextlib
import dataclasses
import functools
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from test_figures_attention import lines, places, scale
from test_figures_evidence import dots
from test_report_evidence import table

from builders.study_files import INPUTS, built, write_study
from readers.report_pages import text_of
from smallsight import params
from smallsight.conditions.names import UNTOUCHED
from smallsight.report import text as write
from smallsight.report.figures.style import FAINT, INK, SERIES
from smallsight.report.inputs import read_study
from smallsight.report.rows import keyed
from smallsight.report.sections import attention, attention_words
from smallsight.vocabulary import GROUPS

FEW = (UNTOUCHED, "downscale", "bg_blur")
TABLES = ("attention", "attention_controls", "attention_outcomes", "faithfulness")
CELLS = {"layer4": 32.0, "layer3": 16.0}
KINDS = {
    "Correct": ("predicted", "correct"),
    "Failed": ("predicted", "failed"),
    "Failed, true class": ("true_class", "failed"),
    "Box elsewhere": ("random_box", "all"),
    "Centre": ("centre", "all"),
    "Random weights": ("random_weights", "all"),
}
CONTROLS = {"random_box": "Box elsewhere", "centre": "Centre", "random_weights": "Random weights"}
AGAINST = {"random_box": "same size anywhere", "centre": "the middle", "random_weights": "random w"}
VERDICTS = {
    "attention_controls": ("more", "less", "inconclusive"),
    "attention_outcomes": ("correct", "failed", "inconclusive"),
    "faithfulness": ("higher", "lower", "inconclusive"),
}
CLAIMS = {
    "supported": "Supported: failed predictions look away from the object;",
    "contradicted": "Contradicted: failed predictions look at the object more than correct ones",
    "inconclusive": "Whether failed predictions look away from the object is not decided:",
}
SENTENCES = ("claim", "by_size", "controls", "removal", "ranks")
COUNTS = ("n", "n_mask", "n_correct", "n_failed")
ARROWS = {"more": "▲ ", "less": "▼ ", "correct": "▲ ", "failed": "▼ ", "higher": "▲ ",
          "lower": "▼ ", "inconclusive": ""}  # fmt: skip


def any_numbers():
    """Put other numbers, each its own, into the tables about maps; some rows have no evidence."""
    rng = np.random.default_rng(7)
    for name in TABLES:
        path = getattr(INPUTS, name)
        made = pd.read_csv(path)
        for column in made.select_dtypes("number").columns.difference(["area"]):
            if column in COUNTS:
                made[column] = rng.integers(1, 900, len(made))
            else:
                low = -1.0 if column in ("signed_in_box", "excess", "object", "rank") else 0.0
                made[column] = rng.uniform(low, 1, len(made))
        if name == "attention":
            measured = [
                "energy_in_box", "lift", "lift_q1", "lift_q3", "mask_lift", "pointing_hit",
                "signed_in_box",
            ]  # fmt: skip
            made.loc[::7, measured] = np.nan
        else:
            if name == "faithfulness":
                made.loc[::3, "overlap"] = 0
            made["verdict"] = rng.permutation(np.resize(VERDICTS[name], len(made)))
        made.to_csv(path, index=False)


def of_layer(layer):
    about = json.loads(INPUTS.about.read_text(encoding="utf-8"))
    about |= {"layer": layer, "cell": CELLS[layer]}
    INPUTS.about.write_text(json.dumps(about), encoding="utf-8")


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Make a study of a few conditions, and give it with its page."""

    def make(**properties):
        folder = tmp_path_factory.mktemp("attended")
        page = built(folder, **{"only": FEW, **properties})
        with contextlib.chdir(folder):
            return page, read_study(INPUTS, params.load())

    return make


@pytest.fixture(scope="module")
def pages(make):
    """Give the page of a layer's maps, with any numbers, and its study."""
    return functools.cache(lambda layer: make(edit=lambda: (any_numbers(), of_layer(layer))))


@pytest.fixture(scope="module")
def flawless(make):
    """A page and its study in which nothing failed."""
    return make(accuracy=dict.fromkeys(GROUPS, 1.0))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Correct predictions have twice the lift of failed ones, and objects matter by their side."""
    folder = write_study(tmp_path_factory.mktemp("looked"), only=FEW)
    with contextlib.chdir(folder):
        return read_study(INPUTS, params.load())


def with_verdicts(study, name, verdicts):
    """Give untouched pictures' size groups, and one change, these verdicts."""
    made = getattr(study, name)
    told = made["size_group"].map(dict(zip(GROUPS, verdicts, strict=True)))
    return dataclasses.replace(study, **{name: made.assign(verdict=told.fillna("other"))})


def without(study, *names, **dropped):
    """Leave out rows of tables: those where a column has a value, or else all."""
    tables = {name: getattr(study, name) for name in names}
    for column, value in dropped.items():
        tables = {name: made[made[column] != value] for name, made in tables.items()}
    if not dropped:
        tables = {name: made[:0] for name, made in tables.items()}
    return dataclasses.replace(study, **tables)


def body_of(page, caption):
    _, *body = table(page, caption)
    return [[" ".join(cell.split()) for cell in cells] for cells in body]


def number(value):
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def mde(row):
    return f"mde {write.size(row['mde'])}" if row["verdict"] == "inconclusive" else ""


def test_what_maps_measure_stands_in_the_page_beside_controls(pages):
    page, study = pages("layer4")
    rows = keyed(study.attention, "map", "condition", "size_group", "outcome")
    due, missing = [], 0
    for group in GROUPS:
        due.append([f"{group.capitalize()} objects"])
        for label, (name, outcome) in KINDS.items():
            row = rows[name, UNTOUCHED, group, outcome]
            missing += np.isnan(row["lift"])
            lift = f"{number(row['lift'])} ({number(row['lift_q1'])}–{number(row['lift_q3'])})"
            signed = write.signed(row["signed_in_box"])
            shares = (row[key] for key in ("energy_in_box", "pointing_hit", "no_evidence"))
            energy, pointing, nothing = map(write.percent, shares)
            due.append([
                label, str(row["n"]), energy, lift.replace(" (–––)", ""), number(row["mask_lift"]),
                pointing, nothing, signed if signed == "–" else f"{signed}%",
            ])  # fmt: skip
    assert missing > 1
    found = body_of(page, "What maps of untouched pictures measure")
    assert [[cell.replace(" (–––)", "") for cell in cells] for cells in found] == due


def test_correct_beside_failed_stands_in_the_page(pages):
    page, study = pages("layer4")
    rows = keyed(study.attention_outcomes, "map", "condition", "size_group")
    due = []
    for condition in FEW:
        due.append([study.label(condition)])
        for group in ("all", *GROUPS):
            row = rows["predicted", condition, group]
            ends = f"({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})"
            p = ", ".join(filter(None, (f"p {write.p_value(row['p_holm'])}", mde(row))))
            medians = ", ".join(
                f"{name} {number(row[f'median_{name}'])} [{row[f'n_{name}']}]"
                for name in ("correct", "failed")
            )
            share = f"{ARROWS[row['verdict']]}{100 * row['superiority']:.1f}%"
            due[-1].append(f"{share} {ends}, {p} {medians}")
    assert body_of(page, "The chance that a correct prediction’s map") == due
    assert len({row["verdict"] for row in rows.values()}) == 3


def test_all_comparisons_of_one_kind_of_map_are_counted_as_one_family(pages):
    page, study = pages("layer4")
    number = (study.attention_outcomes["map"] == "predicted").sum()
    assert 0 < number < len(study.attention_outcomes)
    assert f"Holm’s method over the {number} comparisons" in text_of(page)


def test_controls_stand_in_the_page(pages):
    page, study = pages("layer4")
    rows = keyed(study.attention_controls, "control", "condition", "size_group")
    due = []
    for condition in FEW:
        due.append([study.label(condition)])
        for group in ("all", *GROUPS):
            parts = [write.percent(rows["random_box", condition, group]["energy"])]
            for control, label in CONTROLS.items():
                row = rows.get((control, condition, group))
                assert (row is None) == (control == "random_weights" and condition != UNTOUCHED)
                if row is not None:
                    excess = f"{ARROWS[row['verdict']]}{write.signed(row['excess'])}"
                    parts += [label, excess, f"({write.span(row)})", mde(row)]
            due[-1].append(" ".join(filter(None, parts)))
    assert body_of(page, "Mean share of the predicted class’s map") == due


def test_regions_removed_and_restored_stand_in_the_page(pages):
    page, study = pages("layer4")
    rows = keyed(study.faithfulness, "change", "area", "size_group")
    due = []
    for change, area in itertools.product(("removed", "restored"), (0.5, 1.0, 4.0)):
        due.append([f"{change.capitalize()}, {area:g} × the box"])
        for group in GROUPS:
            row = rows[change, area, group]
            difference = f"{ARROWS[row['verdict']]}{write.signed(row['difference'])}"
            p = ", ".join(filter(None, (f"p {write.p_value(row['p_holm'])}", mde(row))))
            kinds = [f"{kind} {write.signed(row[kind])}" for kind in ("object", "random")]
            ranks = f"{number(row['rank_low'])} to {number(row['rank_high'])}"
            shared = f"[{100 * row['overlap']:.0f}%]" if row["overlap"] else ""
            told = [", ".join(kinds), shared, f"rank {number(row['rank'])} ({ranks})"]
            told = " ".join(filter(None, told))
            due[-1].append(f"{difference} ({write.span(row)}), {p} {told}")
    assert 0 < (study.faithfulness["overlap"] > 0).mean() < 1
    assert body_of(page, "Mean change of the true class’s probability") == due


def section(page, anchor):
    return page[page.index(f'<section id="{anchor}"') :].partition("</section>")[0]


def captions(part):
    pattern = r'<(caption|figcaption)>(.*?)</\1>|<p class="caption">(.*?)</p>'
    found = (match[2] or match[3] for match in re.finditer(pattern, part, re.DOTALL))
    return [" ".join(re.sub("<[^>]*>", "", text).split()) for text in found]


@pytest.mark.parametrize("layer", CELLS)
def test_captions_of_maps_name_the_layer_and_its_cell(pages, layer):
    cell = f"{layer}, one cell {CELLS[layer]:g} × {CELLS[layer]:g} input pixels"
    found = captions(section(pages(layer)[0], "attention"))
    # Regions are removed without looking at any map.
    about_maps = [text for text in found if "Below 0, brown" not in text]
    assert len(about_maps) == len(found) - 1 == 6
    for text in about_maps:
        assert cell in text.replace("Layer", "layer")


@pytest.mark.parametrize("anchor", ["galleries", "conditions"])
@pytest.mark.parametrize("layer", CELLS)
def test_captions_of_pictures_under_maps_name_the_layer_and_its_cell(pages, layer, anchor):
    cell = f"{layer}, one cell {CELLS[layer]:g} × {CELLS[layer]:g} input pixels"
    found = captions(section(pages(layer)[0], anchor))
    assert len(found) == len(GROUPS)
    for text in found:
        assert cell in text.replace("Layer", "layer")


def test_only_pooled_maps_are_in_logits_and_say_where_finer_ones_are(pages):
    pooled, finer = (text_of(pages(layer)[0]) for layer in ("layer4", "layer3"))
    for said in (
        "Finer cells: dvc exp run -S explain.layer=layer3",
        "which the card gives in logits",
    ):
        assert said in pooled
        assert said not in finer
    assert "which the card gives in units of the map" in finer
    # Sums are exact on the pooled layer, whichever layer's maps are shown.
    for text in (pooled, finer):
        assert "logits; layer4, one cell 32 × 32 input pixels)" in text


def test_every_sentence_stands_in_the_page(pages):
    page, study = pages("layer4")
    text = re.sub(r"\s", "", text_of(page))
    told = [getattr(attention_words, name)(study) for name in SENTENCES]
    assert all(told)
    for sentence in told:
        assert re.sub(r"\s", "", sentence) in text


def test_what_no_map_measures_is_a_dash(pages):
    text = text_of(pages("layer4")[0])
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_without_maps_the_page_says_so(make):
    def edit():
        for name in (*TABLES, "claims"):
            path = getattr(INPUTS, name)
            pd.read_csv(path)[:0].to_csv(path, index=False)

    page, _ = make(edit=edit)
    part = section(page, "attention")
    assert "There are no maps." in part
    for absent in ("<table", "<figure", "<h3"):
        assert absent not in part


@pytest.mark.parametrize("group", GROUPS)
def test_an_empty_size_has_a_dash_in_its_column_and_no_panel(study, group):
    few = without(study, *TABLES, size_group=group)
    left = [name for name in GROUPS if name != group]
    assert [part["group"] for part in attention.measures(few)] == left
    assert len(attention.lifts(few)) == len(attention.regions(few)) == len(left)
    column = GROUPS.index(group)
    for parts, before in ((attention.outcomes, 1), (attention.controls, 1),
                          (attention.faithfulness, 0)):  # fmt: skip
        rows = parts(few)
        assert rows
        for row in rows:
            assert [bool(cell) for cell in row["cells"]] == [
                number != column + before for number in range(before + len(GROUPS))
            ]


def test_an_empty_size_makes_a_page(make):
    def edit():
        for name in TABLES:
            path = getattr(INPUTS, name)
            pd.read_csv(path).query("size_group != 'medium'").to_csv(path, index=False)

    page, _ = make(edit=edit)
    part = section(page, "attention")
    for caption in ("The chance that a correct", "Mean share of", "Mean change of"):
        assert {cells[-2] for cells in body_of(part, caption)} == {"–"}
    assert "Medium objects" not in part
    assert not re.search(r"\bnan\b", part, re.IGNORECASE)


def test_where_nothing_failed_nothing_is_compared(flawless):
    page, study = flawless
    part = section(page, "attention")
    assert study.attention_outcomes.empty
    assert "Correct against failed predictions" not in part
    labels = {cells[0] for cells in body_of(part, "What maps of untouched") if len(cells) > 1}
    assert labels == {label for label in KINDS if not label.startswith("Failed")}
    assert attention_words.by_size(study) == ""
    assert not re.search(r"\bnan\b", text_of(page), re.IGNORECASE)


def test_where_nothing_failed_no_sentence_compares(flawless):
    assert attention_words.claim(flawless[1]) == ""


def test_where_sides_are_unknown_the_next_sentence_is_still_one(make):
    def edit():
        pd.read_csv(INPUTS.accuracy).assign(side=np.nan).to_csv(INPUTS.accuracy, index=False)

    page, study = make(edit=edit)
    assert np.isnan(study.median_side("small"))
    told = re.search(r"<p>Maps are of.*?</p>", page)[0]
    assert "what is smaller than a cell" in told.lower()
    assert not re.search(r"\. [a-z]", told)


def test_sides_are_those_of_untouched_pictures(study):
    for group in GROUPS:
        side = study.similarity("downscale", group)["side_untouched"]
        assert study.median_side(group) == side


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_leaves_its_parts_out(study, name):
    parts = {
        "attention": ("conditions", "measures", "lifts", "superiorities", "outcomes", "controls"),
        "attention_controls": ("controls",),
        "attention_outcomes": ("superiorities", "outcomes"),
        "faithfulness": ("regions", "faithfulness"),
    }
    sentences = {
        "attention_controls": ("controls",),
        "attention_outcomes": ("by_size",),
        "faithfulness": ("removal", "ranks"),
    }
    for part in parts[name]:
        assert getattr(attention, part)(study)
        assert getattr(attention, part)(without(study, name)) == []
    for sentence in sentences.get(name, ()):
        assert getattr(attention_words, sentence)(study)
        assert getattr(attention_words, sentence)(without(study, name)) == ""


def test_conditions_with_maps_keep_the_studys_order(study):
    shuffled = study.attention[study.attention["condition"] != "downscale"].sample(
        frac=1, random_state=0
    )
    found = attention.conditions(dataclasses.replace(study, attention=shuffled))
    assert found == [step.name for step in study.conditions if step.name != "downscale"]


def test_panels_of_lifts_have_the_tables_numbers_and_one_axis(study):
    rows = keyed(study.attention, "map", "condition", "size_group", "outcome")
    panels = attention.lifts(study)
    for panel, group in zip(panels, GROUPS, strict=True):
        assert f"{group.capitalize()} objects" in panel
        across = scale(panel, "x")
        kinds = list(KINDS.values())
        for colour, part in ((INK, kinds[:3]), (FAINT, kinds[3:])):
            due = [rows[name, UNTOUCHED, group, outcome]["lift"] for name, outcome in part]
            np.testing.assert_allclose(across(places(dots(panel, colour), "x")), due, atol=0.01)
        np.testing.assert_allclose(across([60, 160]), scale(panels[0], "x")([60, 160]))


def test_the_axis_of_lifts_holds_every_quartile(study):
    far = dataclasses.replace(study, attention=study.attention.assign(lift_q3=9.0))
    for panel in attention.lifts(far):
        left, width = map(
            float, re.search(r'<rect x="(\S+)" y="\S+" width="(\S+)"', panel).groups()
        )
        assert scale(panel, "x")(left + width) > 9
        ends = [x2 for _, _, x2, _ in lines(panel, INK)]
        np.testing.assert_allclose(scale(panel, "x")(ends), 9, atol=0.05)


def test_a_panel_per_kind_of_map_has_the_chances_hollow_where_inconclusive(study):
    chances = np.linspace(0, 1, len(study.attention_outcomes))
    table = study.attention_outcomes.assign(superiority=chances)
    made = dataclasses.replace(study, attention_outcomes=table)
    made = with_verdicts(made, "attention_outcomes", ("inconclusive", "correct", "failed"))
    rows = keyed(made.attention_outcomes, "map", "condition", "size_group")
    panels = attention.superiorities(made)
    for panel, name in zip(panels, ("predicted", "true_class"), strict=True):
        for group in GROUPS:
            marks = dots(panel, SERIES[group].colour)
            due = [100 * rows[name, condition, group]["superiority"] for condition in FEW]
            np.testing.assert_allclose(scale(panel, "x")(places(marks, "x")), due, atol=0.2)
            filled = {f"fill: {SERIES[group].colour}" in mark.get("style") for mark in marks}
            assert filled == {group != "small"}


def test_panels_of_regions_have_one_axis_that_holds_every_interval(study):
    panels = attention.regions(study)
    for panel, group in zip(panels, GROUPS, strict=True):
        assert f"{group.capitalize()} objects" in panel
        up = scale(panel, "y")
        np.testing.assert_allclose(up([0, 100]), scale(panels[0], "y")([0, 100]))
        frame = re.search(r'<rect x="\S+" y="(\S+)" .*height="(\S+)"', panel).groups()
        top, bottom = up(float(frame[0])), up(sum(map(float, frame)))
        part = study.faithfulness[study.faithfulness["size_group"] == group]
        assert 100 * part["object_high"].max() < top
        assert 100 * part["object_low"].min() > bottom


@pytest.mark.parametrize("verdict", CLAIMS)
def test_the_claim_is_told_by_its_verdict_whatever_the_numbers(study, verdict):
    claims = study.claims.assign(
        verdict=verdict, effect=-0.123, ci_low=-0.234, ci_high=0.345, p_holm=0.0456, mde=0.067
    )
    said = attention_words.claim(dataclasses.replace(study, claims=claims))
    assert [start for start in CLAIMS.values() if start in said] == [CLAIMS[verdict]]
    assert "in 37.7% of pairs (26.6% to 84.5%, p = 0.046;" in said
    assert ("6.7 points was detectable" in said) == (verdict == "inconclusive")


def test_a_claim_that_nothing_tests_is_not_told(study):
    others = study.claims[study.claims["claim"] != "failed_look_away"]
    assert len(others)
    assert attention_words.claim(dataclasses.replace(study, claims=others)) == ""


def clauses(sentence, wordings):
    """Give the size groups that each wording is followed by, up to the next one."""
    found = {wording: [] for wording in wordings}
    pattern = "|".join(map(re.escape, sorted(wordings, key=len, reverse=True)))
    pieces = re.split(f"(?:^|; |, |: )({pattern}) for ", sentence)
    for wording, rest in zip(pieces[1::2], pieces[2::2], strict=True):
        found[wording] += re.findall(r"(small|medium|large) objects", rest)
    return found


@pytest.mark.parametrize("verdicts", [*itertools.product(VERDICTS["attention_outcomes"], repeat=3)])
def test_sizes_are_told_by_their_verdicts(study, verdicts):
    wordings = {"correct": "shown", "failed": "the reverse shown", "inconclusive": "not shown"}
    made = with_verdicts(study, "attention_outcomes", verdicts)
    said = attention_words.by_size(made)
    told = clauses(said, wordings.values())
    for verdict, wording in wordings.items():
        due = [group for group, one in zip(GROUPS, verdicts, strict=True) if one == verdict]
        assert told[wording] == due
    assert ("detectable: " in said) == ("inconclusive" in verdicts)


def test_sizes_are_told_with_the_numbers_of_the_predicted_classs_untouched_maps(pages):
    study = pages("layer4")[1]
    rows = keyed(study.attention_outcomes, "map", "condition", "size_group")
    said = attention_words.by_size(study)
    for group in GROUPS:
        row = rows["predicted", UNTOUCHED, group]
        share, low, high = (
            f"{100 * row[key]:.1f}%" for key in ("superiority", "ci_low", "ci_high")
        )
        assert f"{group} objects ({share}, {low} to {high})" in said


@pytest.mark.parametrize("verdicts", [*itertools.product(VERDICTS["attention_controls"], repeat=3)])
def test_controls_are_told_by_their_verdicts(study, verdicts):
    wordings = {"more": "more", "less": "less", "inconclusive": "no difference shown"}
    made = with_verdicts(study, "attention_controls", verdicts)
    said = attention_words.controls(made).split("gainst ")[1:]
    for part, against in zip(said, AGAINST.values(), strict=True):
        assert against in part
        told = clauses(part, wordings.values())
        for verdict, wording in wordings.items():
            due = [group for group, one in zip(GROUPS, verdicts, strict=True) if one == verdict]
            assert told[wording] == due
        assert ("detectable: " in part) == ("inconclusive" in verdicts)


def test_controls_are_told_with_the_numbers_of_untouched_pictures(pages):
    study = pages("layer4")[1]
    rows = keyed(study.attention_controls, "control", "condition", "size_group")
    parts = attention_words.controls(study).split("gainst ")[1:]
    for part, control in zip(parts, CONTROLS, strict=True):
        for group in GROUPS:
            row = rows[control, UNTOUCHED, group]
            excess = f"{write.signed(row['excess'])} points, {write.span(row)}"
            told = f"{group} objects ({excess}, {write.p_equals(row['p_holm'])})"
            assert (told in part) == (row["verdict"] != "inconclusive")


@pytest.mark.parametrize("missing", AGAINST)
def test_a_control_without_rows_is_not_told(study, missing):
    said = attention_words.controls(without(study, "attention_controls", control=missing))
    assert [against in said for against in AGAINST.values()] == [
        name != missing for name in AGAINST
    ]


@pytest.mark.parametrize("verdicts", [("higher", "lower", "inconclusive"),
                                      ("inconclusive", "higher", "lower")])  # fmt: skip
def test_removal_is_told_with_its_numbers_and_undecided_ones_as_such(pages, verdicts):
    study = with_verdicts(pages("layer4")[1], "faithfulness", verdicts)
    rows = keyed(study.faithfulness, "change", "area", "size_group")
    said = attention_words.removal(study)
    _, *parts = re.split(r"(?=small ones|medium ones|large ones)", said)
    for part, group, verdict in zip(parts, GROUPS, verdicts, strict=True):
        row = rows["removed", 1.0, group]
        whole, other, away = (write.signed(row[key]) for key in ("object", "random", "difference"))
        assert part.startswith(f"{group} ones {whole} points, against {other} by another region")
        p = write.p_equals(row["p_holm"])
        assert f"(difference {away}, {write.span(row)}, {p}" in part
        undecided = f"no difference shown, detectable: {write.size(row['mde'])} points"
        assert (undecided in part) == (verdict == "inconclusive")


def test_ranks_are_told_as_far_as_there_are_any(pages):
    study = pages("layer4")[1]
    rows = keyed(study.faithfulness, "change", "area", "size_group")
    assert min(rows["removed", 1.0, group]["rank"] for group in GROUPS) < 0
    for missing in GROUPS:
        made = study.faithfulness.copy()
        made.loc[made["size_group"] == missing, ["rank", "rank_low", "rank_high"]] = np.nan
        said = attention_words.ranks(dataclasses.replace(study, faithfulness=made))
        for group in GROUPS:
            row = rows["removed", 1.0, group]
            ends = f"{number(row['rank_low'])} to {number(row['rank_high'])}"
            told = f"{group} {number(row['rank'])} ({ends})"
            assert (told in said) == (group != missing)
        assert "nan" not in said
    none = dataclasses.replace(study, faithfulness=study.faithfulness.assign(rank=np.nan))
    assert attention_words.ranks(none) == ""


@pytest.mark.parametrize(("count", "told"), [(1, "1 object"), (1234, "1,234 objects")])
def test_a_gallery_tells_how_many_objects_it_is_drawn_from(study, count, told):
    counts = study.attention.assign(n=7)
    asked = "map == 'predicted' and size_group == 'medium' and outcome == 'failed'"
    asked = counts[counts["condition"] == UNTOUCHED].query(asked).index
    counts.loc[asked, "n"] = count
    made = dataclasses.replace(study, attention=counts)
    assert attention_words.shown(made, "medium", "failed") == told
    assert attention_words.shown(made, "medium", "correct") == "7 objects"
    nothing = without(study, "attention")
    assert attention_words.shown(nothing, "medium", "failed") == "0 objects"
