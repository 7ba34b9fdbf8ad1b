"""JUnit XML, read back by a reader of JUnit XML."""

import math

import junitparser

from smallsight.limits.check import Result
from smallsight.limits.intervals import Interval
from smallsight.limits.junit import write_junit

UNKNOWN = Interval(math.nan, math.nan, math.nan, 0.05)


def result(limit, condition, status, sentence):
    return Result(limit, condition, status, 0.5, UNKNOWN, 3, sentence)


RESULTS = [
    result("largest_gap", "", "passed", "The gap is −3.1 points."),
    result("largest_loss_small", "downscale", "failed", "A loss of <b> & more."),
    result("largest_loss_small", "occlusion", "cannot tell", "Nobody knows."),
]


def test_each_limit_is_a_suite_and_each_condition_a_test():
    read = junitparser.JUnitXml.fromstring(write_junit(RESULTS))
    assert (read.tests, read.failures, read.skipped, read.errors) == (3, 1, 1, 0)
    gap, loss = read
    assert (gap.name, loss.name) == ("largest_gap", "largest_loss_small")
    assert [case.name for case in loss] == ["downscale", "occlusion"]
    assert {case.classname for case in loss} == {"limits.largest_loss_small"}
    assert (loss.tests, loss.failures, loss.skipped) == (2, 1, 1)


def test_what_is_passed_failed_and_untold_has_its_sentence():
    (passed,), (failed, untold) = junitparser.JUnitXml.fromstring(write_junit(RESULTS))
    assert passed.is_passed
    assert passed.system_out == RESULTS[0].sentence
    (reason,) = failed.result
    assert (type(reason), reason.message) == (junitparser.Failure, RESULTS[1].sentence)
    (reason,) = untold.result
    assert (type(reason), reason.message) == (junitparser.Skipped, RESULTS[2].sentence)


def test_equal_results_are_equal_bytes():
    assert write_junit(RESULTS) == write_junit(RESULTS)
