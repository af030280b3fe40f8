"""A draft is kept, and signed: the record, its diagnoses and its sheets are written at once, as a version that stays."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec

from app.core import clock, personal
from app.core.errors import NotFound, words
from app.facility.catalog import queries as catalog
from app.facility.clinic import visits
from app.facility.clinic.desk import answers, checking, limits, reminders, rules
from app.facility.clinic.desk.rules import Content
from app.facility.clinic.errors import (
    AllergiesNotAsked,
    DraftChanged,
    RemindersOpen,
    SheetPaid,
    SheetSentOut,
    VisitBeingPaid,
    VisitIncomplete,
    VisitMovedOn,
)
from app.facility.clinic.practice import actions as practice
from app.facility.clinic.terms import actions as terms
from app.facility.db import hot_action, transaction
from app.facility.organizations import parameters
from app.facility.stock import ledger
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.catalog.queries import ProductCard

KEEP = """
insert into visit_draft (tenant_id, visit_id, version, sealed, staff_id, changed_at)
select %(tenant)s, v.id, 1, %(sealed)s, %(staff)s, %(at)s from visit v
where v.tenant_id = %(tenant)s and v.facility_id = %(facility)s and v.id = %(visit)s and v.state = 'IN_VISIT' and %(version)s = 0
on conflict do nothing returning version
"""
KEEP_AGAIN = """
update visit_draft set version = version + 1, sealed = %(sealed)s, staff_id = %(staff)s, changed_at = %(at)s
where tenant_id = %(tenant)s and visit_id = %(visit)s and version = %(version)s returning version
"""
STANDING = (
    "select state, number from visit where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(visit)s"
)
DRAFT = "select version, sealed from visit_draft where tenant_id = %(tenant)s and visit_id = %(visit)s"
NEWEST = "select version, sealed from visit_record where tenant_id = %(tenant)s and visit_id = %(visit)s order by version desc limit 1"
SIGNED = (
    "select sealed from visit_record where tenant_id = %(tenant)s and visit_id = %(visit)s and version = %(version)s"
)
# Sheets that are not paid for end with the version they belong to; what is being paid or was paid stands.
ENDED = """
update clinic_order set state = 'VOID', changed_at = %(at)s
where tenant_id = %(tenant)s and visit_id = %(visit)s and state in ('SIGNED', 'PASSED', 'RETURNED', 'REFUSED') and bill_id is null returning id
"""
# Locked, so that none is charged or sent out while its visit is signed anew.
KNOWN_SHEETS = """
select id, number, state, bill_id from clinic_order where tenant_id = %(tenant)s and visit_id = %(visit)s order by id limit 500 for no key update
"""
PAID = frozenset({"CHARGED", "DISPENSING", "DONE", "OUT"})
WRITE = """
with record as (
    insert into visit_record (tenant_id, visit_id, version, sealed, reason, staff_id, signed_at)
    values (%(tenant)s, %(visit)s, %(version)s, %(sealed)s, %(reason)s, %(staff)s, %(at)s)
), diagnoses as (
    insert into visit_diagnosis (tenant_id, visit_id, version, line_no, kind, code, name)
    select %(tenant)s, %(visit)s, %(version)s, d.line_no, d.kind, d.code, d.name
    from jsonb_to_recordset(%(diagnoses)s::jsonb) as d(line_no int, kind text, code text, name text)
), orders as (
    insert into clinic_order (tenant_id, id, facility_id, visit_id, patient_id, version, number, kind, tag, doctor_id, department_id, doses, usage, long_term,
        reason, state, signed_at, valid_until, changed_at)
    select %(tenant)s, o.id, %(facility)s, %(visit)s, %(patient)s, %(version)s, o.number, o.kind, o.tag, %(staff)s, %(department)s, o.doses, o.usage,
        o.long_term, o.reason, o.state, %(at)s, %(valid_until)s::date, %(at)s
    from jsonb_to_recordset(%(orders)s::jsonb)
        as o(id uuid, number text, kind text, tag text, doses int, usage text, long_term boolean, reason text, state text)
), lines as (
    insert into clinic_order_line (tenant_id, order_id, line_no, group_no, product_id, quantity, split, price, amount_fen, dose, dose_unit, frequency, route,
        days, handling, skin_test, self_paid, note, described)
    select %(tenant)s, l.* from jsonb_to_recordset(%(lines)s::jsonb)
        as l(order_id uuid, line_no int, group_no int, product_id bigint, quantity bigint, split boolean, price numeric, amount_fen bigint, dose text,
            dose_unit text, frequency text, route text, days int, handling text, skin_test boolean, self_paid boolean, note text, described jsonb)
), done as (
    delete from visit_draft where tenant_id = %(tenant)s and visit_id = %(visit)s
)
update visit set version = %(version)s where tenant_id = %(tenant)s and id = %(visit)s
"""


@hot_action
def keep_draft(desk: Desk, visit_id: UUID, version: int, content: Content) -> int:
    """Keep what is being written (草稿); version 0 begins it. Returns the new version. Raises DraftChanged, VisitMovedOn, NotFound."""
    keys = {**desk.keys, "visit": visit_id, "version": version, "sealed": _sealed(desk, content), "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        kept = hot.run(KEEP_AGAIN if version else KEEP, keys)
        if kept:
            return int(kept[0].version)
        standing = hot.run(STANDING, keys)
    if not standing:
        raise NotFound
    if standing[0].state != "IN_VISIT":
        raise VisitMovedOn(
            number=standing[0].number, state=words(visits.STATES[standing[0].state]), act=words("写病历")
        )
    raise DraftChanged


def read_draft(hot: Hot, desk: Desk, visit_id: UUID) -> tuple[int, Content]:
    """What is being written, with its version; else what was signed last; else nothing yet."""
    keys = {**desk.keys, "visit": visit_id}
    draft, newest = hot.run_all([(DRAFT, keys), (NEWEST, keys)])
    if draft:
        return int(draft[0].version), _unsealed(desk, draft[0].sealed)
    return 0, _unsealed(desk, newest[0].sealed) if newest else Content()


def read_signed(hot: Hot, desk: Desk, visit_id: UUID, version: int) -> Content:
    """What was signed in this version. Raises NotFound."""
    rows = hot.run(SIGNED, {**desk.keys, "visit": visit_id, "version": version})
    if not rows:
        raise NotFound
    return _unsealed(desk, rows[0].sealed)


@hot_action
def sign_visit(desk: Desk, visit_id: UUID, content: Content, *, reason: str = "") -> int:
    """Sign record, diagnoses and sheets (签名); returns the version. Sheets of an earlier version that are not paid for end.

    Medicines wait for the pharmacist; treatments, tests and fees for the cashier. The same content again changes nothing.
    A sheet that was paid for stays as it was. Who is suspended signs at an emergency only. Raises VisitIncomplete, AllergiesNotAsked, RemindersOpen, VisitMovedOn, VisitBeingPaid, SheetPaid, NotPractitioner, NotEligible, NotFound.
    """
    cards = catalog.get_products({line.product_id for sheet in content.sheets for line in sheet.lines})
    if why := rules.problem(content, cards):
        raise VisitIncomplete(why=why)
    at, today = clock.now(), clock.business_date()
    keys = {**desk.keys, "visit": visit_id, "at": at}
    allowed = limits.of(parameters.of(desk.tenant_id), at)
    with transaction(settings=desk.settings) as hot:
        rights = practice.rights_of(hot, desk)
        visit = visits.locked(hot, desk, visit_id)
        practice.check_practice(rights, prescribing=True, emergency=visit.kind == "emergency")
        before, known = _before(hot, desk, keys) if visit.version else (Content(), {})
        if visit.state == "SIGNED" and _digest(before) == _digest(content):
            return int(visit.version)
        if any(row.bill_id is not None and row.state in {"SIGNED", "PASSED"} for row in known.values()):
            raise VisitBeingPaid(number=visit.number)
        _check(hot, desk, visit_id, content, cards, allowed, rights)
        content, written = _anew(content, before, known, visit.version + 1)
        terms.note_use(hot, desk, [one.code for one in content.diagnoses])
        visits.move(hot, desk, visit_id, "signed", at, doctor=desk.staff_id)
        hot.run(ENDED, keys)
        number = ledger.number_for(hot, desk, "Y", today) if written else ""
        hot.run_last(
            WRITE,
            {
                **keys, "version": visit.version + 1, "sealed": _sealed(desk, content), "reason": reason.strip()[:200], "patient": visit.patient_id,
                "department": visit.department_id, "valid_until": today + timedelta(days=allowed.valid_days), "diagnoses": _diagnoses(content),
                "orders": _orders(written, number), "lines": _lines(written, cards),
            },
        )  # fmt: skip
        return int(visit.version) + 1


def _check(
    hot: Hot,
    desk: Desk,
    visit_id: UUID,
    content: Content,
    cards: Mapping[int, ProductCard],
    allowed: limits.Limits,
    rights: Any,
) -> None:
    """Look at limits and reminders at the moment of signing, whatever the page showed."""
    for one in limits.broken(content, cards, allowed, narcotics=rights.narcotics, antimicrobials=rights.antimicrobials):
        raise VisitIncomplete(why=one.said)
    if not rights.herbs and any(sheet.kind == "HERB" for sheet in content.sheets):
        raise VisitIncomplete(why=words("您没有开饮片处方的权限"))
    who, asked, answered = answers.facts(hot, desk, visit_id)
    if asked is None:
        raise AllergiesNotAsked
    local = reminders.reminders(content, cards, who, clock.business_date(), allowed.herbs)
    found = checking.merged(local, checking.standing(hot, desk, visit_id), content, cards)
    open_ = [one for one in found if one.firm and one.key not in answered]
    if open_:
        raise RemindersOpen(n=len(open_), first=open_[0].said)


def _before(hot: Hot, desk: Desk, keys: dict[str, Any]) -> tuple[Content, dict[UUID, Any]]:
    """What was signed last, and every sheet of the visit by its id."""
    newest, sheets = hot.run_all([(NEWEST, keys), (KNOWN_SHEETS, keys)])
    return _unsealed(desk, newest[0].sealed), {row.id: row for row in sheets}


def _anew(
    content: Content, before: Content, known: Mapping[UUID, Any], version: int
) -> tuple[Content, tuple[rules.Sheet, ...]]:
    """A sheet that was signed before is a new one when it is signed again; one that is paid or out stands as it is. Raises SheetPaid, SheetSentOut.

    Returns the content with the sheets' new ids, and the sheets that are to be written.
    """
    signed = {sheet.id: sheet for sheet in before.sheets}
    kept, written = [], []
    for sheet in content.sheets:
        row = known.get(sheet.id)
        if row is not None and row.state in PAID:
            if signed.get(sheet.id) != sheet:
                raise (SheetSentOut if row.state == "OUT" else SheetPaid)(number=row.number)
            kept.append(sheet)
            continue
        fresh = sheet if row is None else msgspec.structs.replace(sheet, id=uuid5(sheet.id, str(version)))
        kept.append(fresh)
        written.append(fresh)
    return msgspec.structs.replace(content, sheets=tuple(kept)), tuple(written)


def _digest(content: Content) -> bytes:
    """The same words are the same content, whatever ids their sheets have."""
    sheets = tuple(msgspec.structs.replace(sheet, id=UUID(int=0)) for sheet in content.sheets)
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(content, sheets=sheets))).digest()


def _sealed(desk: Desk, content: Content) -> bytes:
    return personal.seal(str(desk.tenant_id), msgspec.json.encode(content))


def _unsealed(desk: Desk, sealed: bytes) -> Content:
    return msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(sealed)), type=Content)


def _diagnoses(content: Content) -> str:
    return as_json(
        [
            {"line_no": n, "kind": one.kind, "code": one.code, "name": one.name}
            for n, one in enumerate(content.diagnoses, 1)
        ]
    )


def _orders(sheets: Sequence[rules.Sheet], number: str) -> str:
    alone = len(sheets) == 1
    return as_json(
        [
            {
                "id": str(sheet.id), "number": number if alone else f"{number}-{n}", "kind": sheet.kind, "tag": sheet.tag, "doses": sheet.doses, "usage": sheet.usage,
                "long_term": sheet.long_term, "reason": sheet.reason, "state": "SIGNED" if sheet.kind in rules.MEDICINES else "PASSED",
            }
            for n, sheet in enumerate(sheets, 1)
        ]
    )  # fmt: skip


def _lines(sheets: Sequence[rules.Sheet], cards: Mapping[int, ProductCard]) -> str:
    rows = []
    for sheet in sheets:
        for n, line in enumerate(sheet.lines, 1):
            card = cards[line.product_id]
            rows.append(
                {
                    "order_id": str(sheet.id), "line_no": n, "group_no": line.group_no, "product_id": line.product_id, "quantity": line.quantity, "split": line.split,
                    "price": str(rules.price_of(card, split=line.split)), "amount_fen": rules.amount_fen(line, card), "dose": f"{line.dose:f}" if line.dose is not None else "",
                    "dose_unit": line.dose_unit, "frequency": line.frequency, "route": line.route, "days": line.days, "handling": line.handling,
                    "skin_test": line.skin_test, "self_paid": line.self_paid, "note": line.note, "described": described(card),
                }
            )  # fmt: skip
    return as_json(rows)


def described(card: ProductCard) -> dict[str, Any]:
    """What the sheet says of a product for ever, whatever the catalog says later."""
    return {
        "code": card.code, "national": card.national_code or "", "name": card.generic_name, "spec": card.spec, "maker": card.maker, "form": card.dosage_form,
        "rx_class": card.rx_class, "special": card.special_class or "", "pack_unit": card.pack_unit, "base_unit": card.base_unit, "pack_size": card.pack_size,
        "insurance": card.insurance_class or "",
    }  # fmt: skip
