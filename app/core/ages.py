"""How old somebody is, as records and papers say it: infants under three by months, newborns by days (处方管理办法: 新生儿、婴幼儿写日、月龄)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _

if TYPE_CHECKING:
    from datetime import date

INFANT_YEARS = 3


def age_of(born_on: date | None, day: date) -> str | None:
    """The age on a day in the reader's words; None when the day of birth is not known."""
    if born_on is None:
        return None
    whole = (day.year - born_on.year) * 12 + day.month - born_on.month - (day.day < born_on.day)
    years, months, days = whole // 12, whole % 12, (day - born_on).days
    said: str
    if years >= INFANT_YEARS or (years > 0 and not months):
        said = _("%(n)s 岁", n=years)
    elif years > 0:
        said = _("%(n)s 岁 %(m)s 个月", n=years, m=months)
    elif months > 0:
        said = _("%(n)s 个月", n=months)
    else:
        said = _("出生 %(n)s 天", n=days) if days > 0 else _("出生当天")
    return said
