"""What a doctor answers to reminders, kept for good; that allergies were asked about; what of a patient reminders look at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound, WrongInput
from app.facility.clinic.desk import reminders
from app.facility.clinic.desk.reminders import InUse, Who
from app.facility.db import hot_action, transaction

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

ANSWERS = {"reasoned": "写明理由", "kept": "照常"}
MOST_NOTE = 200
MOST_SAID = 500
ANSWER = """
insert into reminder_answer (tenant_id, id, facility_id, visit_id, rule, key, said, firm, answer, reason_code, note, checked_by, staff_id, at)
select %(tenant)s, %(id)s, %(facility)s, v.id, %(rule)s, %(key)s, %(said)s, %(firm)s, %(answer)s, %(reason)s, %(note)s, %(checked_by)s, %(staff)s, %(at)s
from visit v where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.id = %(visit)s and v.state in ('IN_VISIT', 'SIGNED')
on conflict (tenant_id, id) do nothing returning id
"""
# What was answered to the center's warning waits to be told (3103).
GONE_ON = """
update center_warning set way = '1', reason = %(why)s, told_at = null
where tenant_id = %(tenant)s and facility_id = %(facility)s and visit_id = %(visit)s and jr_id = %(jr_id)s
"""
KNOWN = "select 1 as known from reminder_answer where tenant_id = %(tenant)s and id = %(id)s"
GIVEN = """
select distinct on (key) key, answer, reason_code, note from reminder_answer
where tenant_id = %(tenant)s and visit_id = %(visit)s order by key, at desc limit 500
"""
ASKED = """
update visit set allergies_asked_at = coalesce(allergies_asked_at, %(at)s)
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(visit)s and state in ('CALLED', 'IN_VISIT', 'SIGNED') returning id
"""
# A patient, and whoever was merged into that file.
FAMILY = """
select f.id from visit v join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id
join patient f on f.tenant_id = p.tenant_id and coalesce(f.merged_into, f.id) = coalesce(p.merged_into, p.id)
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.id = %(visit)s
"""
PERSON = """
select p.sex, p.born_on, v.allergies_asked_at from visit v join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.id = %(visit)s
"""
ALLERGENS = f"""
select substance from allergy where tenant_id = %(tenant)s and patient_id in ({FAMILY}) and withdrawn_at is null limit 50
"""
IN_USE = f"""
select l.product_id, l.described ->> 'name' as name, o.number, o.signed_at, l.days
from clinic_order o join clinic_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
where o.tenant_id = %(tenant)s and o.patient_id in ({FAMILY}) and o.visit_id <> %(visit)s and o.kind in ('WESTERN', 'INFUSION')
    and o.state in ('SIGNED', 'PASSED', 'CHARGED', 'DISPENSING', 'DONE') and o.signed_at >= %(since)s and l.days is not null
order by o.signed_at desc limit 100
"""
LOOK_BACK = timedelta(days=180)


@hot_action
def answer_reminder(
    desk: Desk,
    answer_id: UUID,
    visit_id: UUID,
    reminder: reminders.Reminder,
    answer: str,
    reason: str = "",
    note: str = "",
) -> None:
    """Keep what the doctor answered to a reminder (理由、照常). Sent again it changes nothing. Raises WrongInput, NotFound.

    A firm reminder is only passed with a coded reason; the answer says what was shown then.
    """
    if answer not in ANSWERS or (reminder.firm and answer != "reasoned"):
        raise WrongInput(what="提醒", why="这条提醒要改好，或写明理由")
    if (answer == "reasoned") != (reason in reminders.REASONS) or (reason == "other" and not note.strip()):
        raise WrongInput(what="理由", why="要选一项；选其他时要写明")
    keys = {
        **desk.keys, "id": answer_id, "visit": visit_id, "rule": reminder.rule, "key": reminder.key, "said": str(reminder.said)[:MOST_SAID],
        "firm": reminder.firm, "answer": answer, "reason": reason or None, "note": note.strip()[:MOST_NOTE], "at": clock.now(),
        "checked_by": reminder.checked_by, "jr_id": reminder.jr_id, "why": _why(answer, reason, note),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if not hot.run(ANSWER, keys) and not hot.run(KNOWN, keys):
            raise NotFound
        if reminder.jr_id:
            hot.run(GONE_ON, keys)


def _why(answer: str, reason: str, note: str) -> str:
    """What the center is told: the coded reason in words, and what was written besides."""
    said = str(reminders.REASONS[reason]) if answer == "reasoned" else ANSWERS[answer]
    return "：".join(filter(None, (said, note.strip())))[:MOST_NOTE]


@hot_action
def note_asked(desk: Desk, visit_id: UUID) -> None:
    """Note that allergies were asked about at this visit (已问过敏史); the first time counts. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        if not hot.run_last(ASKED, {**desk.keys, "visit": visit_id, "at": clock.now()}):
            raise NotFound


def given(hot: Hot, desk: Desk, visit_id: UUID) -> dict[str, Any]:
    """The newest answer to each reminder of a visit, by its key."""
    rows = hot.run(GIVEN, {"tenant": desk.tenant_id, "visit": visit_id})
    return {row.key: row for row in rows}


def facts(hot: Hot, desk: Desk, visit_id: UUID) -> tuple[Who, datetime | None, dict[str, Any]]:
    """What reminders of a visit look at, when allergies were asked about, and what was answered. Raises NotFound."""
    keys = {**desk.keys, "visit": visit_id, "since": clock.now() - LOOK_BACK}
    person, allergens, in_use, answers = hot.run_all([(PERSON, keys), (ALLERGENS, keys), (IN_USE, keys), (GIVEN, keys)])
    if not person:
        raise NotFound
    today = clock.business_date()
    who = Who(
        person[0].sex, reminders.age_on(person[0].born_on, today), tuple(row.substance for row in allergens), tuple(_in_use(row) for row in in_use),
    )  # fmt: skip
    return who, person[0].allergies_asked_at, {row.key: row for row in answers}


def _in_use(row: Any) -> InUse:
    given_on: date = clock.business_date(row.signed_at)
    return InUse(row.product_id, row.name, row.number, given_on, given_on + timedelta(days=row.days), row.days)
