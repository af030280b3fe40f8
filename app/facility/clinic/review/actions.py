"""A pharmacist says what becomes of a sheet; in an emergency a doctor lets one through before that."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, words
from app.facility.clinic.desk.rules import MEDICINES
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.review import events, rules
from app.facility.clinic.review.errors import (
    NotAnEmergency,
    NotOnDuty,
    OwnSheet,
    ReviewIncomplete,
    ReviewTooLate,
    SheetBeingChanged,
    SheetReviewed,
)
from app.facility.db import hot_action, transaction
from app.facility.organizations import queries as organizations
from app.facility.stock import ledger
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

KNOWN = "select digest from review_event where tenant_id = %(tenant)s and id = %(id)s"
LOCK = """
select o.id, o.number, o.kind, o.tag, o.state, o.bill_id, o.doctor_id, o.reviewer_id, v.state as visit_state, v.number as visit
from clinic_order o join visit v on v.tenant_id = o.tenant_id and v.id = o.visit_id
where o.tenant_id = %(tenant)s and o.facility_id = %(facility)s and o.id = %(order)s for no key update of o
"""
WRITE = """
with changed as (
    update clinic_order set state = %(state)s, reviewer_id = %(reviewer)s::bigint, reviewed_at = case when %(reviewer)s::bigint is null then reviewed_at else %(at)s end,
        review_note = %(note)s, changed_at = %(at)s
    where tenant_id = %(tenant)s and id = %(order)s returning id, doctor_id
)
insert into review_event (tenant_id, id, facility_id, order_id, prescriber_id, result, concerns, note, checklist, late, digest, staff_id, at)
select %(tenant)s, %(id)s, %(facility)s, changed.id, changed.doctor_id, %(result)s, %(concerns)s::text[], %(note)s, %(checklist)s::jsonb, %(late)s, %(digest)s,
    %(staff)s, %(at)s
from changed
"""


@hot_action
def review_sheet(
    desk: Desk,
    review_id: UUID,
    order_id: UUID,
    result: str,
    concerns: Sequence[str] = (),
    note: str = "",
    seen: Mapping[str, str] | None = None,
) -> str:
    """Pass a sheet, pass it with a note, return it to the doctor, or refuse it (审方); returns the sheet's number.

    `seen` is what the page had found of each item. Sent again it changes nothing. Raises ReviewIncomplete, OwnSheet, NotOnDuty, SheetReviewed,
    SheetBeingChanged, ReviewTooLate, NotPractitioner, NotEligible, DocumentChanged, NotFound.
    """
    concerns, note, at = sorted(set(concerns)), note.strip(), clock.now()
    if why := rules.problem(result, concerns, note):
        raise ReviewIncomplete(why=why)
    digest = hashlib.sha256(msgspec.json.encode([str(order_id), result, concerns, note])).digest()
    keys = {**desk.keys, "id": review_id, "order": order_id, "at": at}
    with transaction(settings=desk.settings) as hot:
        known, sheets, on_duty = hot.run_all(
            [(KNOWN, keys), (LOCK, keys), (organizations.ON_DUTY, organizations.on_duty_params(desk.facility_id, at))]
        )
        if not sheets:
            raise NotFound
        if known:
            return _known(known[0], digest, sheets[0])
        sheet, late = sheets[0], _is_late(sheets[0])
        _check_person(hot, desk, sheet, on_duty)
        _check_sheet(sheet, result, late=late)
        state = sheet.state if late and result in {"PASS", "PASS_WITH_NOTE"} else rules.BECOMES[result]
        told = {
            **keys, "state": state, "reviewer": desk.staff_id, "note": note, "result": result, "concerns": concerns, "late": late, "digest": digest,
            "checklist": as_json({code: (seen or {}).get(code, "") for code in rules.CHECKS}),
        }  # fmt: skip
        hot.run(WRITE, told)
        ledger.append(hot, desk, events.sheet_reviewed(desk, review_id, sheet, at, result, concerns, late=late))
    return str(sheet.number)


def _known(row: Any, digest: bytes, sheet: Any) -> str:
    if bytes(row.digest) != digest:
        raise DocumentChanged
    return str(sheet.number)


def _is_late(sheet: Any) -> bool:
    """It went through in an emergency; somebody looks at it afterwards."""
    return sheet.reviewer_id is None and sheet.state in {"PASSED", "CHARGED", "DISPENSING", "DONE"}


def _check_person(hot: Hot, desk: Desk, sheet: Any, on_duty: Sequence[Any]) -> None:
    if sheet.doctor_id == desk.staff_id:
        raise OwnSheet(number=sheet.number)
    practice.check_staff(hot, desk, emergency=sheet.tag == "emergency")
    if desk.staff_id not in {row.staff_id for row in on_duty}:
        raise NotOnDuty


def _check_sheet(sheet: Any, result: str, *, late: bool) -> None:
    if sheet.kind not in MEDICINES or (sheet.state != "SIGNED" and not late):
        raise SheetReviewed(number=sheet.number, state=rules.STATES[sheet.state])
    if late and result in {"RETURN", "REFUSE"} and (sheet.state != "PASSED" or sheet.bill_id is not None):
        raise ReviewTooLate(number=sheet.number)
    if not late and sheet.visit_state == "IN_VISIT":
        raise SheetBeingChanged(number=sheet.number)


@hot_action
def let_through(desk: Desk, event_id: UUID, order_id: UUID, reason: str) -> str:
    """Let a sheet of an emergency be charged before a pharmacist saw it (急诊先行), with the reason; returns its number.

    It stays on the pharmacist's list. Raises NotAnEmergency, ReviewIncomplete, SheetReviewed, NotPractitioner, NotEligible, NotFound.
    """
    reason, at = reason.strip(), clock.now()
    if not 1 <= len(reason) <= rules.MOST_NOTE:
        raise ReviewIncomplete(why=words("急诊先行要写原因"))
    digest = hashlib.sha256(msgspec.json.encode([str(order_id), "EMERGENCY", reason])).digest()
    keys = {**desk.keys, "id": event_id, "order": order_id, "at": at}
    with transaction(settings=desk.settings) as hot:
        known, sheets = hot.run_all([(KNOWN, keys), (LOCK, keys)])
        if not sheets:
            raise NotFound
        if known:
            return _known(known[0], digest, sheets[0])
        sheet = sheets[0]
        practice.check_practice(practice.rights_of(hot, desk), prescribing=True, emergency=True)
        if sheet.tag != "emergency":
            raise NotAnEmergency(number=sheet.number)
        if sheet.state != "SIGNED":
            raise SheetReviewed(number=sheet.number, state=rules.STATES[sheet.state])
        told = {
            **keys, "state": "PASSED", "reviewer": None, "note": reason, "result": "EMERGENCY", "concerns": [], "late": False, "digest": digest,
            "checklist": "{}",
        }  # fmt: skip
        hot.run(WRITE, told)
        ledger.append(hot, desk, events.sheet_reviewed(desk, event_id, sheet, at, "EMERGENCY", (), late=False))
    return str(sheet.number)
