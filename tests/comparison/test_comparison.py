import pytest

from builders.compared_studies import predicted
from smallsight.comparison.comparison import compare_studies
from smallsight.runtime.errors import SmallsightError


def test_other_sources_are_refused(other, sample):
    with pytest.raises(SmallsightError, match=r"data\.source .*: phantom and local; expected"):
        other(sample, predicted(sample), changes={"data.source": "local"})


def test_a_condition_is_called_by_what_varies_between_the_levels(other, sample):
    levels = ("zoom/factor=2,unit=object", "zoom/factor=4,unit=object", "downscale/scale=0.5")
    comparison = other(sample, predicted(sample, conditions=levels), first=None)
    assert comparison.headline.condition_label("downscale", "scale=0.5") == "Downscale"
    first = comparison.sides[1]
    for compared in compare_studies(first, first).tasks:
        assert compared.condition_label("zoom", "factor=2,unit=object") == "Zoom"
        assert compared.condition_label("zoom", "factor=4,unit=object") == "Zoom, factor=4"


def test_the_headlines_task_comes_first(comparison):
    assert [compared.task for compared in comparison.tasks] == ["object", "scene"]
    assert comparison.headline is comparison.tasks[0]
    for compared in comparison.tasks:
        for table in (compared.numbers, compared.conditions, compared.flips, compared.counts):
            assert set(table["task"]) == {compared.task}
