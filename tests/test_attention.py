import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torchvision.models import resnet18

from smallsight import attention, params
from smallsight.attention import enlarge, grad_cam, measure
from smallsight.evaluation import cross_validation, single_split
from smallsight.heads import LinearHeads

SIZE, CLASSES = 96, 6
BOX_COLUMNS = ["box_x", "box_y", "box_w", "box_h"]


@pytest.fixture(scope="module")
def head():
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((CLASSES, 512)).astype(np.float32) / 20
    return weight, rng.standard_normal(CLASSES).astype(np.float32)


@pytest.fixture(scope="module")
def pictures(noise):
    return torch.from_numpy(np.stack([noise(SIZE, SIZE, seed) for seed in range(4)]))


@pytest.fixture(scope="module")
def maps(backbone, pictures):
    with torch.inference_mode():
        return backbone(pictures).contiguous().numpy()


TARGETS = np.array([0, 5, 2, 2])


@pytest.fixture(scope="module")
def library(weights, head, backbone, pictures):
    """What pytorch-grad-cam makes of the whole network: maps as they are, and its own result."""
    network = resnet18(num_classes=CLASSES)
    own = {"fc.weight": torch.from_numpy(head[0]), "fc.bias": torch.from_numpy(head[1])}
    network.load_state_dict(weights.state | own)
    inputs = (pictures.permute(0, 3, 1, 2) / 255 - backbone.mean) / backbone.std
    wanted = [ClassifierOutputTarget(int(target)) for target in TARGETS]
    with GradCAM(network.eval(), [network.layer4]) as cam:
        scaled = cam(inputs, wanted)
        kept = cam.activations_and_grads
        parts = kept.activations[0].numpy(), kept.gradients[0].numpy()
        return np.maximum(cam.get_cam_image(inputs, network.layer4, wanted, *parts), 0), scaled


def test_maps_by_the_tail_are_those_of_the_whole_network(maps, head, library, cpu):
    cams = grad_cam(maps, *head, TARGETS, device=cpu)
    unscaled, scaled = library
    assert cams.shape == (4, 3, 3)
    assert unscaled.max() > 0
    np.testing.assert_allclose(cams, unscaled, atol=1e-4 * unscaled.max())
    # The library stretches each map to 0..1 before it enlarges it, and once more after that.
    twice = scale_cam_image(scale_cam_image(cams, (SIZE, SIZE)))
    np.testing.assert_allclose(twice, scaled, atol=1e-3)


def test_maps_are_the_papers_equations(maps, head, cpu):
    # The gradient of a class score with respect to a cell is the head's weight over the cells.
    alpha = head[0][TARGETS] / maps[0, 0].size
    due = np.maximum(np.einsum("nd,ndij->nij", alpha, maps), 0)
    cams = grad_cam(maps, *head, TARGETS, device=cpu)
    assert cams.dtype == np.float32
    np.testing.assert_allclose(cams, due, rtol=1e-3, atol=1e-5 * due.max())


def test_maps_keep_their_scale(maps, head, cpu):
    weight, bias = head
    once = grad_cam(maps, weight, bias, TARGETS, device=cpu)
    np.testing.assert_allclose(
        grad_cam(maps, 2 * weight, bias, TARGETS, device=cpu), 2 * once, rtol=1e-4
    )
    np.testing.assert_allclose(
        grad_cam(maps, weight, bias + 3, TARGETS, device=cpu), once, rtol=1e-4, atol=1e-7
    )


def test_a_map_does_not_depend_on_its_batch_and_changes_nothing(maps, head, cpu):
    before = maps.copy()
    together = grad_cam(maps, *head, TARGETS, device=cpu)
    for number in range(4):
        part = slice(number, number + 1)
        alone = grad_cam(maps[part], *head, TARGETS[part], device=cpu)
        np.testing.assert_allclose(alone[0], together[number], rtol=1e-4, atol=1e-6)
    assert (maps == before).all()


def test_a_class_without_weights_has_no_evidence(maps, cpu):
    weight, bias = np.zeros((2, CLASSES, 512), np.float32)[0], np.zeros(CLASSES, np.float32)
    assert not grad_cam(maps, weight, bias, TARGETS, device=cpu).any()


def test_each_map_is_by_the_head_that_saw_none_of_its_image(population, features_of, cpu):
    sample = population(images=12)
    settings = params.Evaluation(test_share=0.2, folds=5, repeats=2)
    folds = cross_validation(sample, tuple("abcdef"), settings=settings, seed=0)
    rng = np.random.default_rng(0)
    maps = rng.random((len(sample), 512, 2, 2)).astype(np.float32)
    weight = rng.random((CLASSES, 512)).astype(np.float32)
    # The head of fold f of the first seed is f + 1 times as strong; the second seed's are mute.
    strength = np.array([1, 2, 3, 4, 5, 0, 0, 0, 0, 0], np.float32)
    planted = LinearHeads(strength[:, None, None] * weight, np.zeros((10, CLASSES), np.float32))
    targets = rng.integers(0, CLASSES, len(sample))
    seen = features_of(sample, maps.mean(axis=(2, 3)), maps=maps)
    # Instances share rows: here in reverse, so that rows and instances are not the same thing.
    seen = attention.Features(
        **(vars(seen) | {"row": seen.row[::-1].copy(), "maps": maps[::-1].copy()})
    )
    cams = attention.out_of_fold_cams(folds, planted, seen, targets, device=cpu)
    once = grad_cam(maps, weight, np.zeros(CLASSES, np.float32), targets, device=cpu)
    found = (cams / once).mean(axis=(1, 2))
    np.testing.assert_allclose(found, folds.fold_of[0] + 1, rtol=1e-4)


def test_what_is_never_test_data_has_no_map(population, features_of, cpu):
    sample = population(images=12)
    settings = params.Evaluation(test_share=0.3, folds=5, repeats=2)
    splits = single_split(sample, tuple("abcdef"), settings=settings, seed=0)
    rng = np.random.default_rng(0)
    maps = rng.random((len(sample), 512, 2, 2)).astype(np.float32)
    head = LinearHeads(
        rng.random((1, CLASSES, 512)).astype(np.float32), np.zeros((1, CLASSES), np.float32)
    )
    tested = np.flatnonzero(splits.reference_test)
    targets = rng.integers(0, CLASSES, len(tested))
    seen = features_of(sample, maps.mean(axis=(2, 3)), maps=maps)
    cams = attention.out_of_fold_cams(splits, head, seen, targets, device=cpu)
    due = grad_cam(maps[tested], head.weight[0], head.bias[0], targets, device=cpu)
    np.testing.assert_allclose(cams, due, rtol=1e-5)


@pytest.mark.parametrize(("cells", "size"), [(5, 160), (7, 224), (2, 64)])
def test_enlarging_is_opencvs_bilinear(cells, size):
    cams = np.random.default_rng(0).random((3, cells, cells)).astype(np.float32)
    large = enlarge(cams, size)
    assert large.shape == (3, size, size)
    for cam, full in zip(cams, large, strict=True):
        due = cv2.resize(cam, (size, size), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(full, due, atol=1e-5)


def measured(cam, box, size=32):
    boxes = pd.DataFrame([box], columns=BOX_COLUMNS, index=[17])
    table = measure(np.asarray(cam, np.float32)[None], boxes, size=size)
    assert list(table.index) == [17]
    return table.iloc[0]


BOX = (8.0, 4.0, 16.0, 8.0)
SHARE = 16 * 8 / 32**2


def inside_out(inside, outside):
    cam = np.full((32, 32), outside, np.float32)
    cam[4:12, 8:24] = inside
    return cam


def test_all_energy_in_the_box():
    row = measured(inside_out(3, 0), BOX)
    assert row["energy_in_box"] == pytest.approx(1)
    assert row["box_area_share"] == pytest.approx(SHARE)
    assert row["lift"] == pytest.approx(1 / SHARE)
    assert row["pointing_hit"]
    assert not row["no_evidence"]


def test_no_energy_in_the_box():
    row = measured(inside_out(0, 3), BOX)
    assert row["energy_in_box"] == 0
    assert row["lift"] == 0
    assert not row["pointing_hit"]
    assert not row["no_evidence"]


@pytest.mark.parametrize("cells", [1, 4, 32])
def test_an_even_map_has_lift_one(cells):
    row = measured(np.full((cells, cells), 0.7), BOX)
    assert row["energy_in_box"] == pytest.approx(SHARE, rel=1e-4)
    assert row["lift"] == pytest.approx(1, rel=1e-4)


def test_a_known_share_of_the_energy():
    outside = 32**2 - 16 * 8
    row = measured(inside_out(1 / 128, 3 / outside), BOX)
    assert row["energy_in_box"] == pytest.approx(0.25, rel=1e-4)
    assert row["lift"] == pytest.approx(0.25 / SHARE, rel=1e-4)


def test_a_map_of_nothing_is_no_evidence_and_no_number():
    row = measured(np.zeros((4, 4)), BOX)
    assert row["no_evidence"]
    assert row[["energy_in_box", "lift", "pointing_hit"]].isna().all()
    assert row["box_area_share"] == pytest.approx(SHARE)


def test_maps_of_nothing_among_others_leave_those_alone():
    cams = np.stack([inside_out(1, 0), np.zeros((32, 32), np.float32), inside_out(0, 1)])
    boxes = pd.DataFrame([BOX] * 3, columns=BOX_COLUMNS)
    table = measure(cams, boxes, size=32)
    assert list(table["no_evidence"]) == [False, True, False]
    assert list(table["energy_in_box"].dropna()) == [1, 0]
    assert table["pointing_hit"].mean() == 0.5
    assert table["no_evidence"].dtype == bool


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_measures_do_not_depend_on_the_scale_of_the_map(factor):
    cam = np.random.default_rng(0).random((4, 4))
    one, other = measured(cam, BOX), measured(factor * cam, BOX)
    for name in ("energy_in_box", "lift"):
        assert one[name] == pytest.approx(other[name], rel=1e-4)
    assert one["pointing_hit"] == other["pointing_hit"]


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 32.0, 32.0), (31.2, 31.2, 0.8, 0.8), (0.0, 10.3, 0.1, 0.1), (5.5, 5.5, 1, 1)]
)
def test_any_box_has_an_area_and_shares_between_0_and_1(box):
    row = measured(np.random.default_rng(0).random((4, 4)), box)
    assert 0 < row["box_area_share"] <= 1
    assert 0 <= row["energy_in_box"] <= 1 + 1e-6
    assert row["lift"] > 0
    if box[2] == 32:
        assert row["lift"] == pytest.approx(1)
        assert row["pointing_hit"]


def test_pointing_looks_at_rows_and_columns():
    for row, column, hit in ((5, 9, True), (9, 5, False), (4, 8, True), (11, 23, True),
                             (12, 23, False), (11, 24, False)):  # fmt: skip
        cam = np.zeros((32, 32))
        cam[row, column] = 1
        assert bool(measured(cam, BOX)["pointing_hit"]) is hit


def test_columns_are_the_contracts():
    assert list(attention.ATTENTION_COLUMNS) == [
        "image_id",
        "ann_id",
        "condition",
        "size_group",
        "predicted",
        "correct",
        "energy_in_box",
        "box_area_share",
        "lift",
        "pointing_hit",
        "no_evidence",
    ]
