"""Writes results as JUnit XML, which services for continuous integration show as tests."""

from collections.abc import Sequence

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from smallsight.limits.check import Result


def write_junit(results: Sequence[Result]) -> str:
    """Write results as XML: a suite per limit, in it a test per condition or a single one.

    A failed result is a failure; one that cannot be told is skipped. Every test has its sentence
    as message or output.
    """
    suites: dict[str, TestSuite] = {}
    for one in results:
        case = TestCase(one.condition or "untouched", classname=f"limits.{one.limit}")
        if one.status == "failed":
            case.result = [Failure(one.sentence)]
        elif one.status == "cannot tell":
            case.result = [Skipped(one.sentence)]
        else:
            case.system_out = one.sentence
        suites.setdefault(one.limit, TestSuite(one.limit)).add_testcase(case)
    whole = JUnitXml("smallsight limits")
    for suite in suites.values():
        whole.add_testsuite(suite)
    whole.update_statistics()
    return f"{whole.tostring().decode()}\n"
