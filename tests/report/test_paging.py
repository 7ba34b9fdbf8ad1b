"""Which sheets follow on, so that no page is left half empty."""

from hypothesis import given
from hypothesis import strategies as st

from smallsight.report.paging import MOST_PAGES, LaidOut, followers

SHEETS = ["one", "two", "three"]


def page(**bottoms):
    return LaidOut(top=10.0, height=100.0, bottoms=bottoms)


def test_a_pages_fill_is_that_of_its_lowest_part():
    assert page(one=40.0, two=90.0).fill == 0.8
    assert page().fill == 0.0


def test_filled_pages_leave_every_sheet_its_own():
    pages = [page(one=80.0), page(two=66.0), page(three=20.0)]
    assert followers(SHEETS, pages, frozenset()) == frozenset()


def test_what_comes_after_a_half_empty_page_follows_on():
    pages = [page(one=100.0), page(one=30.0), page(two=95.0), page(three=90.0)]
    assert followers(SHEETS, pages, frozenset()) == {"two"}


def test_a_sheet_that_goes_on_over_the_page_is_not_said_to_follow():
    # Its own next part had no room: that page can be filled by nothing else.
    pages = [page(one=40.0), page(one=100.0)]
    assert followers(SHEETS, pages, frozenset()) == frozenset()


def test_what_follows_on_already_stays():
    pages = [page(one=100.0, two=104.0), page(three=90.0)]
    assert followers(SHEETS, pages, frozenset({"two"})) == {"two"}


def test_too_many_pages_let_all_follow_on():
    pages = [page(one=100.0)] * MOST_PAGES
    assert followers(SHEETS, pages, frozenset()) == frozenset()
    assert followers(SHEETS, [*pages, page(three=100.0)], frozenset()) == {"two", "three"}


@given(
    st.lists(st.floats(10, 110), min_size=3, max_size=3),
    st.frozensets(st.sampled_from(SHEETS[1:])),
)
def test_the_first_sheet_never_follows_and_nothing_is_taken_back(bottoms, following):
    pages = [page(**{name: low}) for name, low in zip(SHEETS, bottoms, strict=True)]
    found = followers(SHEETS, pages, following)
    assert following <= found <= set(SHEETS[1:])
