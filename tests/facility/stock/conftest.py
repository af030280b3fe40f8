"""A pharmacy of one's own, for the pages of the stock room."""

from __future__ import annotations

import pytest

from launcher import translations
from tests.factories.people import make_pharmacy

translations.prepare()  # The English pages are looked at too.


@pytest.fixture
def pharmacy(facility_app):
    return make_pharmacy(facility_app)


def text(answer):
    return answer.get_data(as_text=True)


def next_page(page: str) -> str:
    """The address of the page that follows."""
    before, found, _after = page.partition('" rel="next"')
    assert found, "this page has no next one"
    return before.rpartition('href="')[2].replace("&amp;", "&")
