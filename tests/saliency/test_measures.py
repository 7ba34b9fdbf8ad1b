import numpy as np
import pytest
import torch
from skimage.transform import resize

from builders.readings import tensor_regions
from smallsight import params
from smallsight.backbones.pooling import cell_shares
from smallsight.backbones.tensor_pooling import mean_over_boxes, mean_over_cells
from smallsight.evaluation.crossfit import out_of_fold_head
from smallsight.evaluation.heads import LinearHeads
from smallsight.evaluation.splitting import cross_validation, single_split
from smallsight.imaging.boxes import Box
from smallsight.saliency import measures
from smallsight.saliency.grid import Grid, region_of_box, region_of_mask
from smallsight.saliency.measures import contributions, enlarge, measure, signed_shares

CATEGORIES = tuple("abcdef")


# What cells add to a logit.


@pytest.fixture(scope="module")
def maps(backbone, noise):
    pictures = np.stack([noise(96, 96, seed) for seed in range(4)])
    with torch.inference_mode():
        return backbone(torch.from_numpy(pictures)).contiguous().numpy()


@pytest.fixture(scope="module")
def weight():
    return np.random.default_rng(0).standard_normal((4, 512)).astype(np.float32) / 20


def test_contributions_and_bias_add_up_to_the_logit(maps, weight):
    bias = np.random.default_rng(1).standard_normal(4).astype(np.float32)
    features = mean_over_cells(torch.from_numpy(maps)).numpy()
    logits = LinearHeads(weight[None], bias[None]).logits(features)[0].diagonal()
    sums = contributions(maps, weight).sum(axis=(1, 2)) + bias
    assert logits.std() > 0.1
    np.testing.assert_allclose(sums, logits, atol=1e-4)


BOXES = np.array([[0, 0, 96, 96], [10.5, 40, 30, 25.25], [60, 3, 9, 9], [-5, 70, 26, 40]])
"""In input pixels; the last one reaches beyond the input."""


def test_contributions_and_bias_add_up_to_the_logit_of_a_box(maps, weight):
    bias = np.random.default_rng(1).standard_normal(4).astype(np.float32)
    shares = cell_shares(BOXES, cells=3, size=96)
    regions = tensor_regions(BOXES, np.arange(4))
    features = mean_over_boxes(torch.from_numpy(maps), regions, size=96).numpy()
    logits = LinearHeads(weight[None], bias[None]).logits(features)[0].diagonal()
    found = contributions(maps, weight, shares)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=(1, 2)) + bias, logits, atol=1e-4)
    # A cell that the box does not reach adds nothing, whatever lies there.
    assert not found[2, 1:].any()
    assert found[2, 0, 1:].all()
    whole = contributions(maps, weight)
    np.testing.assert_allclose(found[0], whole[0], atol=1e-6 * np.abs(whole).max())


def test_contributions_are_the_papers_equations(maps, weight):
    values = torch.from_numpy(maps).requires_grad_()
    (mean_over_cells(values) * torch.from_numpy(weight)).sum().backward()
    alpha = values.grad.sum(dim=(2, 3)) / 9  # equation 1, and the sum of equation 2
    due = np.einsum("nd,ndij->nij", alpha.numpy(), maps)
    found = contributions(maps, weight)
    assert found.dtype == np.float32
    assert found.min() < 0 < found.max()
    np.testing.assert_allclose(found, due, atol=1e-5 * np.abs(due).max())


def test_contributions_keep_their_scale(maps, weight):
    np.testing.assert_allclose(
        contributions(maps, 8 * weight), 8 * contributions(maps, weight), rtol=1e-6
    )


def test_contributions_do_not_depend_on_the_batch_and_change_nothing(maps, weight):
    before = maps.copy(), weight.copy()
    together = contributions(maps, weight)
    for number in range(4):
        part = slice(number, number + 1)
        alone = contributions(maps[part], weight[part])[0]
        np.testing.assert_allclose(alone, together[number], rtol=1e-4, atol=1e-6)
    assert (maps == before[0]).all()
    assert (weight == before[1]).all()


def test_rows_and_columns_stay_apart():
    maps = np.zeros((1, 2, 2, 3), np.float32)
    maps[0, 1, 0, 2] = 6
    assert contributions(maps, np.array([[7, -2]], np.float32)).tolist() == [[[0, 0, -2], [0] * 3]]


# Whose head.


def strong_heads(strength):
    """Heads of random weights, each as many times as strong; and those weights and biases."""
    rng = np.random.default_rng(0)
    weight, bias = rng.random((6, 5)).astype(np.float32), rng.random(6).astype(np.float32)
    strength = np.array(strength, np.float32)
    return LinearHeads(strength[:, None, None] * weight, strength[:, None] * bias), weight, bias


def test_each_class_is_the_heads_that_saw_none_of_the_image(population):
    sample = population(images=40)
    settings = params.Evaluation(test_share=0.2, folds=5, repeats=2)
    folds = cross_validation(sample, CATEGORIES, settings=settings, seed=0)
    assert (folds.fold_of[0] != folds.fold_of[1]).any()
    # The head of fold f of the first seed is f + 1 times as strong; the second seed's are mute.
    fitted, weight, bias = strong_heads([1, 2, 3, 4, 5, 0, 0, 0, 0, 0])
    classes = np.random.default_rng(1).integers(0, 6, len(sample))
    found, offset = out_of_fold_head(folds, fitted, classes)
    strength = folds.fold_of[0] + 1
    np.testing.assert_allclose(found, strength[:, None] * weight[classes], rtol=1e-6)
    np.testing.assert_allclose(offset, strength * bias[classes], rtol=1e-6)


def test_what_is_never_test_data_has_no_head(population):
    sample = population(images=12)
    settings = params.Evaluation(test_share=0.3, folds=5, repeats=2)
    splits = single_split(sample, CATEGORIES, settings=settings, seed=0)
    fitted, weight, bias = strong_heads([1])
    tested = int(splits.reference_test.sum())
    assert 0 < tested < len(sample)
    classes = np.random.default_rng(1).integers(0, 6, tested)
    found, offset = out_of_fold_head(splits, fitted, classes)
    assert (found == weight[classes]).all()
    assert (offset == bias[classes]).all()


# Maps at the size of the input.


@pytest.mark.parametrize(("cells", "size"), [(5, 160), (7, 224), (2, 64), (3, 70)])
def test_enlarging_is_scikit_images_bilinear(cells, size):
    saliency = np.random.default_rng(0).random((3, cells, cells)).astype(np.float32)
    large = enlarge(saliency, size)
    assert large.shape == (3, size, size)
    for small, full in zip(saliency, large, strict=True):
        due = resize(small, (size, size), order=1, mode="edge")
        np.testing.assert_allclose(full, due, atol=1e-5)


@pytest.mark.parametrize("cells", [1, 2, 5, 7, 28])
def test_the_centre_prior_is_symmetric_and_highest_in_the_middle(cells):
    prior = measures.centre_prior(cells)
    assert prior.shape == (cells, cells)
    assert prior.min() > 0
    for other in (prior[::-1], prior[:, ::-1], prior.T):
        np.testing.assert_allclose(prior, other, rtol=1e-12)
    middle = prior[(cells - 1) // 2]
    assert middle.max() == pytest.approx(prior.max())
    assert (np.diff(middle[: (cells + 1) // 2]) > 0).all()


def test_the_centre_prior_has_one_width_whatever_the_cells():
    few, many = measures.centre_prior(4), measures.centre_prior(400)
    # The centres of 4 cells lie on edges of 400 cells.
    assert few[1, 0] / few[1, 1] == pytest.approx(many[150, 50] / many[150, 150], rel=0.02)


# How much of them lies on the object.

SIZE, BOX = 32, Box(8, 4, 16, 8)
SHARE = 16 * 8 / SIZE**2
NO_MASK = np.zeros((1, 1), np.uint8)
NUMBERS = ["energy_in_box", "lift", "energy_in_mask", "mask_lift", "pointing_hit"]


def measured(saliency, box=BOX, mask=NO_MASK):
    saliency = np.asarray(saliency, np.float32)[None]
    grid = Grid(SIZE, saliency.shape[-1])
    regions = region_of_box(box, SIZE), region_of_mask(mask)
    table = measure(saliency, *(grid.locate([region]) for region in regions))
    assert len(table) == 1
    return table.iloc[0]


def inside_out(inside, outside):
    saliency = np.full((SIZE, SIZE), outside, np.float32)
    saliency[4:12, 8:24] = inside
    return saliency


def test_all_energy_in_the_box():
    row = measured(inside_out(3, 0))
    assert row["energy_in_box"] == pytest.approx(1)
    assert row["box_area_share"] == pytest.approx(SHARE)
    assert row["lift"] == pytest.approx(1 / SHARE)
    assert row["pointing_hit"] == 1
    assert not row["no_evidence"]


def test_no_energy_in_the_box():
    row = measured(inside_out(0, 3))
    assert (row[["energy_in_box", "lift", "pointing_hit"]] == 0).all()
    assert not row["no_evidence"]


def test_a_known_share_of_the_energy():
    outside = SIZE**2 - 16 * 8
    row = measured(inside_out(1 / 128, 3 / outside))
    assert row["energy_in_box"] == pytest.approx(0.25, rel=1e-4)
    assert row["lift"] == pytest.approx(0.25 / SHARE, rel=1e-4)


@pytest.mark.parametrize("cells", [1, 2, 4, 8])
@pytest.mark.parametrize("box", [BOX, Box(0, 0, 3, 2), Box(17.3, 20.8, 14.1, 5.5)])
def test_energy_is_that_of_the_map_enlarged(cells, box):
    rng = np.random.default_rng(0)
    saliency = rng.random((cells, cells)).astype(np.float32)
    mask = rng.integers(0, 256, (SIZE, SIZE))
    row, large = measured(saliency, box, mask), enlarge(saliency[None], SIZE)[0]
    part = large[box.touched_pixels(SIZE, SIZE)]
    assert row["energy_in_box"] == pytest.approx(part.sum() / large.sum(), rel=1e-5)
    assert row["energy_in_mask"] == pytest.approx((large * mask).sum() / 255 / large.sum())
    assert row["lift"] == pytest.approx(part.mean() / large.mean(), rel=1e-5)
    assert row["mask_lift"] == pytest.approx((large * mask).sum() / mask.sum() / large.mean())


@pytest.mark.parametrize("cells", [1, 4, 32])
def test_an_even_map_has_lift_one(cells):
    mask = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE))
    row = measured(np.full((cells, cells), 0.7), BOX, mask)
    assert row["energy_in_box"] == pytest.approx(SHARE)
    assert row["mask_area_share"] == pytest.approx(mask.mean() / 255)
    assert row[["lift", "mask_lift"]].tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("cells", [1, 4, 32])
def test_an_even_map_has_lift_one_by_chance_as_well(cells):
    grid, mask = Grid(SIZE, cells), np.random.default_rng(0).integers(0, 256, (20, 20))
    box, hidden = (
        grid.averaged_over_positions([region])
        for region in (region_of_box(BOX, SIZE), region_of_mask(mask))
    )
    row = measure(np.full((1, cells, cells), 0.7), box, hidden).iloc[0]
    assert row["energy_in_box"] == pytest.approx(SHARE)
    assert row[["lift", "mask_lift"]].tolist() == pytest.approx([1, 1])


def test_chance_in_the_middle_is_more_than_the_objects_share_of_the_input():
    # Why the share of the input is no control: more positions hold the middle than a corner.
    box = Grid(SIZE, 4).averaged_over_positions([region_of_box(BOX, SIZE)])
    lift = measure(measures.centre_prior(4)[None], box, box)["lift"][0]
    assert lift > 1.05


def test_a_map_of_nothing_is_no_evidence_and_no_number():
    row = measured(np.zeros((4, 4)), BOX, np.full((SIZE, SIZE), 255))
    assert row["no_evidence"]
    assert row[NUMBERS].isna().all()
    assert row["box_area_share"] == pytest.approx(SHARE)
    assert row["mask_area_share"] == 1


def test_maps_of_nothing_among_others_leave_those_alone():
    saliency = np.stack([inside_out(1, 0), np.zeros((SIZE, SIZE), np.float32), inside_out(0, 1)])
    shares = Grid(SIZE, SIZE).locate([region_of_box(BOX, SIZE)] * 3)
    table = measure(saliency, shares, shares)
    assert table["no_evidence"].tolist() == [False, True, False]
    assert table["energy_in_box"].dropna().tolist() == pytest.approx([1, 0])
    assert table["pointing_hit"].dropna().tolist() == [1, 0]
    assert table["no_evidence"].dtype == bool


def test_an_object_without_a_mask_has_all_other_numbers():
    row = measured(np.random.default_rng(0).random((4, 4)))
    assert row[["mask_area_share", "energy_in_mask", "mask_lift"]].isna().all()
    assert row.drop(["mask_area_share", "energy_in_mask", "mask_lift"]).notna().all()


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_measures_do_not_depend_on_the_scale_of_the_map(factor):
    saliency = np.random.default_rng(0).random((4, 4))
    mask = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE))
    one, other = measured(saliency, BOX, mask), measured(factor * saliency, BOX, mask)
    assert one[NUMBERS].tolist() == pytest.approx(other[NUMBERS].tolist(), rel=1e-4)


@pytest.mark.parametrize(
    "box", [Box(0, 0, 32, 32), Box(31.2, 31.2, 0.8, 0.8), Box(0, 10.3, 0.1, 0.1), Box(5, 5, 1, 1)]
)
def test_any_box_has_an_area_and_shares_between_0_and_1(box):
    row = measured(np.random.default_rng(0).random((4, 4)), box)
    assert 0 < row["box_area_share"] <= 1
    assert 0 <= row["energy_in_box"] <= 1 + 1e-6
    assert row["lift"] > 0
    if box.w == 32:
        assert row["lift"] == pytest.approx(1)
        assert row["pointing_hit"] == 1


@pytest.mark.parametrize(
    ("row", "column", "hit"),
    [(5, 9, 1), (9, 5, 0), (4, 8, 1), (11, 23, 1), (12, 23, 0), (11, 24, 0), (3, 8, 0), (4, 7, 0)],
)
def test_pointing_looks_at_rows_and_columns(row, column, hit):
    saliency = np.zeros((SIZE, SIZE))
    saliency[row, column] = 1
    assert measured(saliency)["pointing_hit"] == hit


@pytest.mark.parametrize(("column", "hit"), [(0, 0), (1, 1), (2, 1), (3, 0)])
def test_pointing_takes_the_whole_cell(column, hit):
    saliency = np.zeros((4, 4))
    saliency[0, column] = 1
    assert measured(saliency, Box(15, 0, 2, 1))["pointing_hit"] == hit


@pytest.mark.parametrize(
    ("inside", "outside", "hit"), [(1, 0, 1), (1, 1, 1 / 2), (2, 6, 1 / 4), (0, 3, 0)]
)
def test_cells_that_are_alike_share_the_pointing(inside, outside, hit):
    saliency = np.zeros((SIZE, SIZE))
    saliency[6, 10] = 0.999
    saliency[4, 8 : 8 + inside] = saliency[20, :outside] = 1
    assert measured(saliency)["pointing_hit"] == pytest.approx(hit)


def test_a_mask_counts_by_how_much_of_each_pixel_it_covers():
    saliency, mask = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE), np.uint8)
    saliency[5, 9], saliency[5, 10], saliency[20, 20] = 2, 1, 1
    mask[5, 9], mask[5, 10], mask[6, 10] = 255, 51, 102
    row = measured(saliency, BOX, mask)
    assert row["energy_in_mask"] == pytest.approx((2 + 0.2) / 4)
    assert row["mask_area_share"] == pytest.approx(1.6 / SIZE**2)
    assert row["mask_lift"] == pytest.approx(0.55 * SIZE**2 / 1.6)
    assert row["energy_in_box"] == pytest.approx(0.75)


# For and against.


def signed(contributed, box=BOX):
    contributed = np.asarray(contributed, np.float32)[None]
    shares = Grid(SIZE, contributed.shape[-1]).locate([region_of_box(box, SIZE)])
    return signed_shares(contributed, shares).iloc[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cells", [1, 4, 7])
def test_parts_in_the_box_and_elsewhere_add_up(seed, cells):
    contributed = np.random.default_rng(seed).standard_normal((cells, cells)).astype(np.float32)
    row = signed(contributed)
    assert row["logit_in_box"] + row["logit_elsewhere"] == pytest.approx(
        contributed.sum(), abs=1e-5
    )
    assert -1 <= row["signed_in_box"] <= 1
    due = row["logit_in_box"] / np.abs(contributed).sum()
    assert row["signed_in_box"] == pytest.approx(due)


@pytest.mark.parametrize(
    ("inside", "outside", "due"),
    [(3, 0, 1), (-3, 0, -1), (0, 3, 0), (0, -3, 0), (7, -1, 1 / 2), (-7, 1, -1 / 2)],
)
def test_evidence_against_counts_as_such(inside, outside, due):
    row = signed(inside_out(inside, outside))
    area = SIZE**2 * SHARE
    assert row["logit_in_box"] == pytest.approx(area * inside)
    assert row["logit_elsewhere"] == pytest.approx((SIZE**2 - area) * outside, abs=1e-9)
    assert row["signed_in_box"] == pytest.approx(due, abs=1e-9)


@pytest.mark.parametrize("contributed", [4, -4])
def test_a_cell_on_the_edge_counts_on_both_sides_by_its_share(contributed):
    cells, box = np.zeros((4, 4)), Box(0, 0, 20, 32)
    cells[1, 2] = contributed
    row, share = signed(cells, box), Grid(SIZE, 4).locate([region_of_box(box, SIZE)]).share[0, 1, 2]
    assert share == pytest.approx(0.5)
    assert row["logit_in_box"] == pytest.approx(contributed / 2)
    assert row["logit_elsewhere"] == pytest.approx(contributed / 2)
    assert row["signed_in_box"] == pytest.approx(np.sign(contributed) / 2)


def test_where_nothing_is_contributed_there_is_no_share():
    row = signed(np.zeros((4, 4)))
    assert row[["logit_in_box", "logit_elsewhere"]].tolist() == [0, 0]
    assert np.isnan(row["signed_in_box"])
