import pickle
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from builders.phantom_dials import make_dials
from smallsight.phantom import CATEGORIES, layout, silhouettes
from smallsight.phantom.layout import MIN_PIXELS, MIN_SIDE, covered
from smallsight.phantom.plan import SIZE_CATEGORIES, group_of

SCENES = 40


def scenes(n=SCENES, **dials):
    return [layout(np.random.default_rng([11, k]), make_dials(**dials)) for k in range(n)]


def objects(scene):
    """(category, box, group) of every object; box is left, top, right, bottom in pixels."""
    found = []
    for item in silhouettes(scene):
        rows, columns = np.flatnonzero(item.mask.any(1)), np.flatnonzero(item.mask.any(0))
        box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        area = (box[2] - box[0]) * (box[3] - box[1])
        found.append((item.category, box, group_of(area / item.mask.size)))
    return found


@pytest.fixture(scope="module")
def standard():
    return scenes()


@pytest.fixture(scope="module")
def standard_objects(standard):
    return [objects(scene) for scene in standard]


def test_the_same_rng_gives_the_same_scene(standard):
    again = layout(np.random.default_rng([11, 0]), make_dials())
    assert pickle.dumps(again) == pickle.dumps(standard[0])


def test_painting_dials_do_not_move_anything(standard):
    other = layout(np.random.default_rng([11, 0]), make_dials(small_blur=3.0, haze=1.0, noise=0.3))
    assert pickle.dumps(other.things) == pickle.dumps(standard[0].things)


def test_things_stand_from_far_to_near(standard):
    for scene in standard:
        depth = [thing.depth for thing in scene.things]
        assert depth == sorted(depth, reverse=True)


def test_every_object_in_the_picture_can_be_annotated(standard):
    for scene in standard:
        found = silhouettes(scene)
        assert len(found) == sum(bool(thing.category) for thing in scene.things)
        for item in found:
            assert item.mask.sum() >= MIN_PIXELS
            assert item.mask.any(0).sum() >= 1 and item.mask.any(1).sum() >= 1
            assert np.ptp(np.flatnonzero(item.mask.any(0))) + 1 >= MIN_SIDE
            assert np.ptp(np.flatnonzero(item.mask.any(1))) + 1 >= MIN_SIDE


def test_the_pool_suffices_in_every_group(standard_objects):
    groups = Counter(group for found in standard_objects for _, _, group in found)
    for group in SIZE_CATEGORIES:
        assert groups[group] * 420 / SCENES >= 300
    share = Counter(name for found in standard_objects for name, _, _ in found)
    assert set(share) == set(CATEGORIES)
    assert share["person"] < 0.3 * share.total()


def test_most_scenes_have_one_large_object(standard_objects):
    large = [sum(group == "large" for _, _, group in found) for found in standard_objects]
    assert 0.6 <= np.mean(np.array(large) >= 1) <= 0.95
    assert np.mean(np.array(large) >= 3) < 0.1


def test_full_context_fills_a_scene_with_the_street_s_own_category():
    for scene in scenes(12, context=1.0, neighbours=0.0):
        assert {thing.category for thing in scene.things} <= {"", scene.street.own}


def test_without_context_category_and_street_are_independent():
    table = Counter(
        (scene.street.name, thing.category)
        for scene in scenes(40, context=0.0, neighbours=0.0)
        for thing in scene.things
        if thing.category
    )
    streets = sorted({street for street, _ in table})
    counts = [[table[street, name] for name in CATEGORIES] for street in streets]
    assert stats.chi2_contingency(counts).pvalue > 1e-3


def by_group(**dials):
    found = [item for scene in scenes(36, neighbours=0.0, **dials) for item in objects(scene)]
    return {g: Counter(n for n, _, group in found if group == g) for g in ("small", "large")}


def test_without_class_mix_size_and_category_are_independent():
    counts = by_group(class_mix=0.0, context=0.0)
    table = [[counts[group][name] for name in CATEGORIES] for group in counts]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def test_full_class_mix_gives_each_size_its_own_categories():
    counts = by_group(class_mix=1.0)
    for group, names in counts.items():
        listed = sum(names[name] for name in SIZE_CATEGORIES[group])
        assert listed >= 0.95 * names.total()


def captured(found):
    """Of small and medium objects with a larger one, whether the nearest larger differs."""
    out = []
    for name, box, group in found:
        area = (box[2] - box[0]) * (box[3] - box[1])
        larger = [
            (max(o[0] - box[2], box[0] - o[2], o[1] - box[3], box[1] - o[3], 0), other)
            for other, o, _ in found
            if (o[2] - o[0]) * (o[3] - o[1]) > 1.2 * area
        ]
        if group != "large" and larger:
            out.append(min(larger)[1] != name)
    return out


def test_neighbours_put_a_larger_object_of_another_category_nearby():
    shares = [
        np.mean([v for s in scenes(20, neighbours=n, context=0.9) for v in captured(objects(s))])
        for n in (0.0, 1.0)
    ]
    assert shares[1] > shares[0] + 0.2


def test_clutter_adds_things_that_are_no_objects():
    counts = [
        np.mean([sum(not t.category for t in s.things) for s in scenes(8, clutter=c)])
        for c in (0.0, 1.0)
    ]
    assert counts[1] > counts[0] + 4


def test_covered_is_the_share_of_the_first_box():
    assert covered((0, 0, 10, 10), (5, 0, 25, 10)) == pytest.approx(0.5)
    assert covered((5, 0, 25, 10), (0, 0, 10, 10)) == pytest.approx(0.25)
    assert covered((0, 0, 10, 10), (20, 20, 30, 30)) == 0.0


def test_scenes_of_other_sizes_work_under_any_dials():
    rng = np.random.default_rng(0)
    for k in range(6):
        shares = dict(
            zip(("context", "clutter", "neighbours", "class_mix"), rng.random(4), strict=True)
        )
        scene = layout(np.random.default_rng(k), make_dials(width=160, height=120, **shares))
        assert all(item.mask.shape == (120, 160) for item in silhouettes(scene))
        assert all(item.mask.sum() >= MIN_PIXELS for item in silhouettes(scene))
