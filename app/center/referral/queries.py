"""Referrals as officers see them: from where to where, how they stand, which are late. Who it is about and why stays with the two."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app.center.db import run
from app.core import clock
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

PAGE = 50
LAST = 2**62
# The state of this moment, as `rules.state_of` reads it; late is what nobody took, or nobody answered, until its last day.
STATE = "case when r.state = 'SENT' and r.valid_until < :today then 'EXPIRED' else r.state end"
LATE = "(r.state in ('SENT', 'ACCEPTED') and r.valid_until < :today)"
_ROW = f"""
    select r.id, r.number, r.patient_shown, r.urgent, r.department, r.doctor_name, r.sent_at, r.valid_until, r.changed_at, {STATE} as state, {LATE} as late,
        r.institution_name as institution, r.target_name as target
    from referral r
"""
LIST = f"""{_ROW}
    where r.id < :before and r.sent_at >= :since and r.sent_at < :until
        and (:state = '' or {STATE} = :state or (:state = 'LATE' and {LATE}))
        and (:institution = '' or :institution in (r.institution_code, r.target_code) or r.institution_name like '%' || :institution || '%' or r.target_name like '%' || :institution || '%')
    order by r.id desc limit :most
"""
ONE = f"{_ROW} where r.id = :id"
EVENTS = """
    select e.kind, e.at, e.operator, case when e.institution_code = r.target_code then r.target_name else r.institution_name end as institution
    from referral_event e join referral r on r.id = e.referral_id
    where e.referral_id = :id order by e.id limit 20
"""


def list_referrals(
    since: date, until: date, state: str = "", institution: str = "", before: int | None = None
) -> Sequence[Any]:
    """Referrals sent on these days from the district or to it, newest first, one more than a page; LATE as a state: the late ones."""
    return run(
        LIST, since=_midnight(since), until=_midnight(until, 1), state=state, institution=institution, before=before or LAST,
        today=clock.business_date(), most=PAGE + 1,
    ).all()  # fmt: skip


def _midnight(day: date, later: int = 0) -> datetime:
    """When a day begins in China, or the day that many later."""
    return datetime.combine(day, time.min, clock.CHINA) + timedelta(days=later)


def get_referral(referral_id: int) -> tuple[Any, Sequence[Any]]:
    """One referral and what happened to it. Raises NotFound."""
    row = run(ONE, id=referral_id, today=clock.business_date()).one_or_none()
    if row is None:
        raise NotFound
    return row, run(EVENTS, id=referral_id).all()
