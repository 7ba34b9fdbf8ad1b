import numpy as np
import pytest

from builders.segmentations import HEIGHT, MALFORMED, POLYGON, RUNS, SAME, SQUARE, WIDTH
from smallsight.datasets import coco
from smallsight.imaging import masks
from smallsight.runtime.errors import AnnotationError
from smallsight.sampling.annotated_masks import collect_masks
from smallsight.sampling.instance_masks import read_masks, write_masks


def decoded(segmentation):
    return masks.decode(segmentation, width=WIDTH, height=HEIGHT)


def dataset(segmentations):
    """Pictures 7 and 3 with an annotation per segmentation, in turn."""
    tree = {
        "images": [
            {"id": number, "file_name": f"{number}.jpg", "width": WIDTH, "height": HEIGHT}
            for number in (7, 3)
        ],
        "annotations": [
            {"id": 10 + n, "image_id": (7, 3)[n % 2], "category_id": 1, "bbox": [2, 1, 4, 3]}
            | ({} if segmentation is None else {"segmentation": segmentation})
            for n, segmentation in enumerate(segmentations)
        ],
        "categories": [{"id": 1, "name": "car"}],
    }
    return coco.parse(tree, ("car",), where="mine.json")


def collect(data, instances, *, max_bad_share=0.01):
    return collect_masks(data, instances, max_bad_share=max_bad_share)[0]


def collected(segmentations):
    data = dataset(segmentations)
    return collect(data, data.annotations)


def test_masks_come_by_the_ids_of_their_instances():
    found = collected([POLYGON, RUNS, masks.encode(~SQUARE), None, []])
    assert {key: decoded(mask).sum() for key, mask in found.items()} == {
        (7, 10): 12, (3, 11): 12, (7, 12): 36,
    }  # fmt: skip
    assert (decoded(found[7, 12]) == ~SQUARE).all()


def test_one_mask_is_kept_one_way_however_it_was_written():
    kept = list(collected(SAME.values()).values())
    assert len(kept) == 3
    assert kept[0] == kept[1] == kept[2]


def test_masks_are_those_of_the_sample_alone():
    data = dataset([POLYGON, POLYGON, MALFORMED["runs that end early"], POLYGON])
    sample = data.annotations[data.annotations["ann_id"].isin([11, 10])]
    assert collect(data, sample).keys() == {(7, 10), (3, 11)}
    assert collect(data, sample.iloc[:0]) == {}


def test_the_order_of_the_sample_does_not_matter(tmp_path):
    data = dataset([POLYGON, RUNS, masks.encode(~SQUARE), POLYGON])
    for name, sample in (("one", data.annotations), ("other", data.annotations[::-1])):
        write_masks(collect(data, sample), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_segmentation_is_one_line_that_names_file_and_annotation(kind):
    data = dataset([POLYGON, MALFORMED[kind], RUNS])
    with pytest.raises(
        AnnotationError, match=r"mine\.json: 1 of 3 segmentations .* that of annotation 11 "
    ) as caught:
        collect(data, data.annotations, max_bad_share=0)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
    found, unreadable = collect_masks(data, data.annotations, max_bad_share=0.01)
    assert (found.keys(), unreadable) == ({(7, 10), (7, 12)}, 1)


def test_a_mask_of_another_size_than_its_picture_is_named_even_if_another_picture_has_it():
    data = dataset([masks.encode(np.ones((4, 5), bool)), POLYGON])
    data.images.loc[data.images["image_id"] == 3, ["width", "height"]] = [5, 4]
    with pytest.raises(AnnotationError, match=r"of the picture's size, .* annotation 10 "):
        collect(data, data.annotations, max_bad_share=0)


# The file.


def test_masks_are_written_the_same_whatever_the_order_and_come_back(tmp_path):
    rng = np.random.default_rng(0)
    known = {
        (int(image_id), int(ann_id)): masks.encode(rng.random((9, 7)) < 0.5)
        for image_id, ann_id in zip(rng.permutation(20), rng.permutation(20), strict=True)
    }
    turned = {
        key: dict(reversed(known[key].items())) for key in sorted(known, key=lambda key: -key[1])
    }
    write_masks(known, tmp_path / "one.json")
    write_masks(turned, tmp_path / "other.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "other.json").read_bytes()
    assert read_masks(tmp_path / "one.json") == known


def test_no_masks_are_a_file_too(tmp_path):
    write_masks({}, tmp_path / "none.json")
    assert read_masks(tmp_path / "none.json") == {}


def test_ids_of_any_size_come_back(tmp_path):
    known = {(2**62 + 1, 2**61 + 3): masks.encode(SQUARE)}
    write_masks(known, tmp_path / "large.json")
    assert read_masks(tmp_path / "large.json") == known
