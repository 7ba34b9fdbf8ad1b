import numpy as np
import pandas as pd
import pytest

from smallsight.analysis.statistics import tests, verdicts

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize(
    ("low", "high", "p_value", "due"),
    [
        (0.1, 0.2, 0.01, 1), (-0.2, -0.1, 0.01, -1), (-0.1, 0.2, 0.01, 0), (0.1, 0.2, 0.051, 0),
        (0.1, 0.2, 0.05, 1), (-0.2, -0.1, 0.3, 0), (0.0, 0.2, 0.01, 0), (-0.2, 0.0, 0.01, 0),
        (np.nan, np.nan, 0.01, None), (0.1, 0.2, np.nan, 0),
    ],
)  # fmt: skip
def test_a_verdict_needs_interval_and_test(low, high, p_value, due):
    row = {"p_value": p_value, "ci_low": low, "ci_high": high, "other": "x"}
    names = {1: "above", -1: "below", 0: "neither", None: "no interval"}
    # 1 - 0.95 is a little above 0.05.
    judged = verdicts.judge(pd.DataFrame([row]), names, confidence=0.95)
    assert judged["verdict"].tolist() == [names[due]]
    assert judged["direction"].tolist() == pytest.approx(
        [np.nan if due is None else due], nan_ok=True
    )
    assert judged["p_holm"].tolist() == pytest.approx([p_value], nan_ok=True)
    assert judged["other"].tolist() == ["x"]


def test_the_rows_of_a_judged_table_are_one_family_of_tests():
    p_values = [0.01, 0.04, np.nan, 0.03]
    table = pd.DataFrame({"p_value": p_values, "ci_low": 0.1, "ci_high": 0.2})
    judged = verdicts.judge(table, {1: "yes", 0: "no"}, confidence=0.95)
    assert judged["p_holm"].to_numpy() == pytest.approx(tests.holm(p_values), nan_ok=True)
    assert judged["verdict"].tolist() == ["yes", "no", "no", "no"]
    assert judged["direction"].tolist() == [1, 0, 0, 0]


def test_a_p_value_that_is_adjusted_already_is_taken_as_it_is():
    table = pd.DataFrame({"p_value": [0.01, 0.04], "ci_low": 0.1, "ci_high": 0.2})
    decided = verdicts.decide(
        table.assign(p_holm=[0.06, 0.04]), {1: "yes", 0: "no"}, confidence=0.95
    )
    assert decided["verdict"].tolist() == ["no", "yes"]
    assert decided["p_holm"].tolist() == [0.06, 0.04]


def test_words_are_given_for_both_directions_alone():
    words = verdicts.verdict_words("rises", "falls")
    assert words == {1: "rises", -1: "falls", 0: "not decided", None: ""}
