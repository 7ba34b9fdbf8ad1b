"""Sentences about accuracy: a direction stands only where the tables give one."""

from smallsight.report.sections import accuracy, summary

DIRECTIONS = ("less often", "more often", " lower,", " higher,", "lose ", "must be", "may be")


def test_equal_conditions_give_no_direction_at_all(reported_study):
    made = reported_study()
    points = [*summary.sentences(made), *accuracy.sentences(made)]
    assert not any(word in point for point in points for word in DIRECTIONS)
    assert sum("detectable: " in point for point in points) == 4
