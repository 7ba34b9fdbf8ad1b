"""Studies whose report is read or built."""

import pytest

from builders import study_files
from readers import report_pages
from smallsight import params
from smallsight.report import page
from smallsight.report.inputs import read_study

WHOLE_STUDIES = {"forms", "report_page", "reported_study"}
"""Fixtures that write a study."""


def pytest_collection_modifyitems(items):
    for item in items:
        if WHOLE_STUDIES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.page)


@pytest.fixture
def reported_study(tmp_path, monkeypatch):
    """Make a study with the given properties in the working folder, and read it as a report does.

    `edit` is called in that folder before it is read; `study_files.write_study` has the properties.
    """

    def make(*, edit=None, **properties):
        study_files.write_study(tmp_path, **properties)
        monkeypatch.chdir(tmp_path)
        if edit is not None:
            edit()
        return read_study(study_files.INPUTS, params.load())

    return make


@pytest.fixture
def report_page(reported_study):
    """Make such a study and build the page for a browser."""

    def make(**properties):
        reported_study(**properties)
        return page.build(study_files.INPUTS, params.load()).screen()

    return make


@pytest.fixture(scope="session")
def forms(tmp_path_factory):
    """The same study's report, made later, elsewhere, in this process."""
    return report_pages.forms_of(
        study_files.write_study(tmp_path_factory.mktemp("forms"), **study_files.WHOLE)
    )
