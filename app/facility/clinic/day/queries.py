"""Read the summaries, the log of visits and what is still open. Row-level security picks the tenant."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.facility.clinic.day.errors import DaysTooMany, LogTooLong
from app.facility.clinic.day.summaries import MOST, Summary
from app.facility.db import run

if TYPE_CHECKING:
    from app.core.tenancy import Desk

PAGE = 50
MOST_DAYS = 366
MOST_ROWS = 5_000  # Of a log on paper or in a file.

Days = tuple[date, date]
Place = tuple[date, str]  # The last visit seen: its day and number.

LOG = """
select v.id, v.visit_on, v.number, v.kind, v.state, v.insutype, v.arrived_at, p.name_shown, p.sex, p.born_on, d.name as department, s.name as doctor,
    (select string_agg(g.name, '、' order by g.line_no) from visit_diagnosis g where g.tenant_id = v.tenant_id and g.visit_id = v.id and g.version = v.version) as diagnoses
from visit v join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
left join staff s on s.tenant_id = v.tenant_id and s.id = v.doctor_id
where v.facility_id = :facility and v.visit_on >= :first and v.visit_on <= :last and v.state in ('IN_VISIT', 'SIGNED', 'CLOSED')
    and (cast(:after_day as date) is null or (v.visit_on, v.number) < (cast(:after_day as date), :after_number))
order by v.visit_on desc, v.number desc limit :most
"""
# What of a day is not at its end, by what keeps it open.
OPEN = """
select
    (select count(*) from visit where facility_id = :facility and visit_on = :day and state in ('BOOKED', 'WAITING', 'CALLED', 'PASSED')) as waiting,
    (select count(*) from visit where facility_id = :facility and visit_on < :day and visit_on > :day - 60 and state in ('WAITING', 'CALLED', 'PASSED') and version = 0) as unseen,
    (select count(*) from visit where facility_id = :facility and visit_on = :day and state = 'IN_VISIT') as in_visit,
    (select count(*) from visit where facility_id = :facility and visit_on = :day and state = 'SIGNED') as signed,
    (select count(*) from clinic_order where facility_id = :facility and state = 'SIGNED') as to_review,
    (select count(*) from clinic_order where facility_id = :facility and state in ('RETURNED', 'REFUSED')) as returned,
    (select count(*) from clinic_order where facility_id = :facility and state = 'PASSED' and valid_until >= :day) as to_charge,
    (select count(*) from bill where facility_id = :facility and state = 'asked') as unknown,
    (select count(*) from clinic_order where facility_id = :facility and state in ('CHARGED', 'DISPENSING')) as to_dispense
"""


def moments(days: Days) -> tuple[datetime, datetime]:
    """The moments a range of days covers, in China. Raises DaysTooMany."""
    if not 0 <= (days[1] - days[0]).days < MOST_DAYS:
        raise DaysTooMany(most=MOST_DAYS)
    first, last = (datetime.combine(day, time(), clock.CHINA) for day in days)
    return first, last + timedelta(days=1)


def read_summary(desk: Desk, summary: Summary, days: Days) -> list[Any]:
    """The rows of a summary, at most 500. Raises DaysTooMany."""
    begins, ends = moments(days)
    keys = {
        "tenant": desk.tenant_id, "facility": desk.facility_id, "begins": begins, "ends": ends, "first": days[0], "last": days[1], "most": MOST,
    }  # fmt: skip
    return list(
        run(summary.statement, **{name: value for name, value in keys.items() if f":{name}" in summary.statement})
    )


def totals(summary: Summary, rows: list[Any]) -> dict[str, int]:
    """The sums of the columns that can be added up."""
    added = [each.key for each in summary.columns if each.totalled and each.holds in {"count", "fen"}]
    return {key: sum(getattr(row, key) or 0 for row in rows) for key in added}


def read_log(desk: Desk, days: Days, after: Place | None = None, most: int = PAGE) -> tuple[list[Any], Place | None]:
    """Visits of these days, newest first, and where the next page begins. Raises DaysTooMany."""
    moments(days)
    day, number = after or (None, "")
    rows = list(
        run(
            LOG,
            facility=desk.facility_id,
            first=days[0],
            last=days[1],
            after_day=day,
            after_number=number,
            most=most + 1,
        )
    )
    page = rows[:most]
    return page, (page[-1].visit_on, page[-1].number) if len(rows) > most else None


def read_whole_log(desk: Desk, days: Days) -> list[Any]:
    """Every visit of these days, oldest first, as a log on paper stands. Raises DaysTooMany, LogTooLong."""
    rows, more = read_log(desk, days, most=MOST_ROWS)
    if more:
        raise LogTooLong(most=MOST_ROWS)
    return rows[::-1]


def what_is_open(desk: Desk) -> Any:
    """How much of today is not at its end."""
    return run(OPEN, facility=desk.facility_id, day=clock.business_date()).one()
