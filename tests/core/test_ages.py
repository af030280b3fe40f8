"""How old somebody is in words: newborns by days, infants by months, everybody else by years."""

from datetime import date

import pytest
from flask_babel import force_locale

from app.core.ages import age_of


@pytest.mark.parametrize(("born_on", "said", "in_english"), [
    (date(2026, 11, 23), "出生当天", "born today"), (date(2026, 11, 22), "出生 1 天", "1 d"), (date(2026, 10, 24), "出生 30 天", "30 d"),
    (date(2026, 10, 23), "1 个月", "1 mo"), (date(2025, 11, 24), "11 个月", "11 mo"), (date(2025, 11, 23), "1 岁", "1 y"),
    (date(2025, 5, 20), "1 岁 6 个月", "1 y 6 mo"), (date(2023, 11, 24), "2 岁 11 个月", "2 y 11 mo"), (date(2023, 11, 23), "3 岁", "3 y"),
    (date(2020, 2, 29), "6 岁", "6 y"), (date(1964, 11, 24), "61 岁", "61 y"),
])  # fmt: skip
def test_an_age_is_said_as_records_say_it(facility_app, born_on, said, in_english):
    with facility_app.app_context():
        for language, words in (("zh", said), ("en", in_english)):
            with force_locale(language):
                assert age_of(born_on, date(2026, 11, 23)) == words


def test_who_has_no_day_of_birth_has_no_age():
    assert age_of(None, date(2026, 11, 23)) is None
