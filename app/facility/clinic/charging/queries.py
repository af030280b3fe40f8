"""What the cashier's pages show: who has something to pay, the sheets of a visit, bills. Row-level security picks the tenant."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.clinic.charging import refund_statements, statements
from app.facility.clinic.packages import actions as packages
from app.facility.clinic.packages.rules import fit
from app.facility.clinic.patients import queries as patients
from app.facility.db import run, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.tenancy import Desk

PAGE = 50
MOST_FOUND = 20
FOUND_DAYS = 30
# What stands together on the screen; the first is shown unless told otherwise.
LISTS = {"open": ("open", "asked"), "settled": ("settled",), "back": ("refunded", "cancelled")}

HEAD = """
v.id, v.number, v.ticket, v.visit_on, v.state, v.mdtrt_id, v.insutype, p.name_shown, p.sex, p.born_on, d.name as department, s.name as doctor
"""
JOINS = """
join patient p on p.tenant_id = v.tenant_id and p.id = v.patient_id
join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
left join staff s on s.tenant_id = v.tenant_id and s.id = v.doctor_id
"""
WAITING = f"""
select {HEAD}, w.since, w.sheets, w.total_fen, w.taken, w.bill_id, w.expired, b.number as bill, b.state as bill_state
from (
    select o.visit_id, min(o.signed_at) as since, count(*) as sheets, count(o.bill_id) as taken, bool_and(o.valid_until < :today) as expired, (array_agg(o.bill_id) filter (where o.bill_id is not null))[1] as bill_id,
        sum((select sum(l.amount_fen) from clinic_order_line l where l.tenant_id = o.tenant_id and l.order_id = o.id))::bigint as total_fen
    from clinic_order o where o.facility_id = :facility and o.state = 'PASSED' and o.signed_at >= :since and o.signed_at < :until and (o.valid_until >= :today or :older)
    group by o.visit_id having (min(o.signed_at), o.visit_id) > (:at, cast(:last as uuid)) order by 2, 1 limit :page) w
join visit v on v.id = w.visit_id
{JOINS}
left join bill b on b.tenant_id = v.tenant_id and b.id = w.bill_id
order by w.since, w.visit_id
"""
FOUND = f"""
select {HEAD}, (
    select count(*) from clinic_order o where o.tenant_id = v.tenant_id and o.visit_id = v.id and o.state = 'PASSED' and o.bill_id is null) as sheets
from visit v
{JOINS}
where v.facility_id = :facility and v.visit_on >= :since and
"""
SHEETS = """
select o.id, o.number, o.kind, o.tag, o.state, o.valid_until, o.signed_at, o.bill_id, o.doses, s.name as doctor, b.number as bill, b.state as bill_state, l.lines,
    l.total_fen, l.self_paid_fen, l.names
from clinic_order o join staff s on s.tenant_id = o.tenant_id and s.id = o.doctor_id
left join bill b on b.tenant_id = o.tenant_id and b.id = o.bill_id
cross join lateral (
    select count(*) as lines, coalesce(sum(coalesce(n.amount_fen, x.amount_fen)), 0)::bigint as total_fen,
        coalesce(sum(coalesce(n.amount_fen, x.amount_fen)) filter (where x.self_paid), 0)::bigint as self_paid_fen, array_agg(x.described ->> 'name' order by x.line_no) as names
    from clinic_order_line x
    left join bill_line n on n.tenant_id = x.tenant_id and n.order_id = x.order_id and n.order_line_no = x.line_no and n.bill_id = o.bill_id
    where x.tenant_id = o.tenant_id and x.order_id = o.id) l
where o.visit_id = :visit and o.facility_id = :facility and o.state <> 'VOID' order by o.number limit 50
"""
SERVICES = """
select o.id::text as order_id, l.product_id, l.quantity, l.split, l.amount_fen from clinic_order o
join clinic_order_line l on l.tenant_id = o.tenant_id and l.order_id = o.id
where o.visit_id = :visit and o.facility_id = :facility and o.state = 'PASSED' and o.bill_id is null and o.valid_until >= :today
    and l.described ->> 'rx_class' = 'SERVICE' order by o.number, l.line_no limit 200
"""
BILLS = """
select b.id, b.number, b.state, b.paid, b.total_fen, b.opened_at, b.settled_at, b.cash_fen, b.refusal, p.name_shown, v.number as visit_number, v.ticket, s.name as cashier
from bill b join visit v on v.tenant_id = b.tenant_id and v.id = b.visit_id
join patient p on p.tenant_id = b.tenant_id and p.id = b.patient_id
join staff s on s.tenant_id = b.tenant_id and s.id = coalesce(b.cashier_id, b.staff_id)
where b.facility_id = :facility and
"""
# The bill page asks these in one go.
HEADS = """
select o.number, o.kind, o.tag, o.doses, o.usage, o.signed_at, o.state, f.name as doctor
from clinic_order o join staff f on f.tenant_id = o.tenant_id and f.id = o.doctor_id
where o.tenant_id = %(tenant)s and o.id in (select order_id from bill_line where tenant_id = %(tenant)s and bill_id = %(bill)s) order by o.number limit 50
"""
ABOUT = """
select p.name_shown, p.sex, p.born_on, d.name as department, s.name as cashier, c.name as consenter, f.name as facility, f.national_code
from bill b join visit v on v.tenant_id = b.tenant_id and v.id = b.visit_id
join patient p on p.tenant_id = b.tenant_id and p.id = b.patient_id
join department d on d.tenant_id = v.tenant_id and d.id = v.department_id
join facility f on f.tenant_id = b.tenant_id and f.id = b.facility_id
join staff s on s.tenant_id = b.tenant_id and s.id = coalesce(b.cashier_id, b.staff_id)
left join staff c on c.tenant_id = b.tenant_id and c.id = b.consented_by
where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.id = %(bill)s limit 1
"""
ATTEMPT = """
select a.asked_at, a.state, a.tries, a.deadline_at, a.given_up_at from insurance_attempt a
where a.tenant_id = %(tenant)s and a.document_id = %(bill)s and a.state in ('asked', 'recovering') order by a.asked_at desc limit 1
"""
REFUNDS = """
select r.id, r.number, r.state, r.reason, r.refund_fen, r.cash_fen, r.asked_at, r.refunded_at from bill_refund r
where r.tenant_id = %(tenant)s and r.bill_id = %(bill)s order by r.asked_at desc limit 50
"""
REFUND = """
select r.id, r.number, r.state, r.reason, r.refund_fen, r.cash_fen, r.asked_at, r.refunded_at, r.refusal, r.bill_id, r.whole, r.money, r.new_setl_id, r.reversed_setl_id,
    b.number as bill_number, b.patient_id, p.name_shown, s.name as staff, a.name as approver, r.stream_number, r.terminal, f.name as facility, f.national_code
from bill_refund r join bill b on b.tenant_id = r.tenant_id and b.id = r.bill_id
join patient p on p.tenant_id = b.tenant_id and p.id = b.patient_id
join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
join facility f on f.tenant_id = r.tenant_id and f.id = r.facility_id
left join staff a on a.tenant_id = r.tenant_id and a.id = r.approver_id
where r.tenant_id = %(tenant)s and r.facility_id = %(facility)s and r.id = %(refund)s
"""
REFUND_LINES = """
select l.line_no, l.quantity, l.freed, l.amount_fen, n.split, n.quantity as whole_quantity, n.described
from bill_refund_line l join bill_line n on n.tenant_id = l.tenant_id and n.bill_id = l.bill_id and n.line_no = l.line_no
where l.tenant_id = %(tenant)s and l.refund_id = %(refund)s order by l.line_no limit 500
"""
PRINT = """
insert into receipt_print (tenant_id, document_id, staff_id, size, at)
select tenant_id, id, %(staff)s, %(size)s, %(at)s from bill
where tenant_id = %(tenant)s and id = %(bill)s and facility_id = %(facility)s and state in ('settled', 'refunded')
"""


def list_waiting(facility_id: int, which: str = "today", after: tuple[datetime, str] | None = None) -> list[Any]:
    """Visits with signed sheets that nobody has paid, of today or of the last days (those too old to be charged too), the oldest first; 50 a page."""
    at, last = after or (datetime(2000, 1, 1, tzinfo=clock.CHINA), "00000000-0000-0000-0000-000000000000")
    today = clock.business_date()
    midnight = datetime.combine(today, time(), clock.CHINA)
    older = which == "older"
    since, until = (
        (midnight - timedelta(days=FOUND_DAYS), midnight) if older else (midnight, midnight + timedelta(days=1))
    )
    return list(
        run(
            WAITING,
            facility=facility_id,
            today=today,
            since=since,
            until=until,
            older=older,
            at=at,
            last=last,
            page=PAGE + 1,
        )
    )


def find_visits(facility_id: int, typed: str) -> list[Any]:
    """Visits of the last days by visit number, today's by ticket, or whose patient fits what was typed."""
    today = clock.business_date()
    asked: dict[str, Any] = {"facility": facility_id, "since": today - timedelta(days=FOUND_DAYS), "most": MOST_FOUND}
    number = typed.strip().upper()
    if number.isascii() and number.isdigit() and len(number) <= 4:
        where, asked = "v.visit_on = :today and v.ticket = :ticket", asked | {"ticket": int(number), "today": today}
    elif number.startswith("M") and "-" in number:
        where, asked = "v.number = :number", asked | {"number": number}
    else:
        people = [row.id for row in patients.find_patients(typed)]
        where, asked = "v.patient_id = any(cast(:people as uuid[]))", asked | {"people": people}
    return list(run(f"{FOUND} {where} order by v.visit_on desc, v.made_at desc limit :most", **asked))


def get_visit(facility_id: int, visit_id: UUID) -> Any:
    """One visit of this facility as the cashier sees it. Raises NotFound."""
    row = run(
        f"select {HEAD}, v.identification_id, v.patient_id from visit v {JOINS} where v.facility_id = :facility and v.id = :visit",
        facility=facility_id,
        visit=visit_id,
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_sheets(facility_id: int, visit_id: UUID) -> list[Any]:
    """The sheets of a visit with what they come to and where they stand."""
    return list(run(SHEETS, facility=facility_id, visit=visit_id))


def list_fitting(facility_id: int, visit_id: UUID) -> list[dict[str, Any]]:
    """The packages whose items are all signed and unpaid: what each saves, on which sheets it lies, and whether it goes with those before it."""
    offered = packages.list_offered()
    lines = list(run(SERVICES, facility=facility_id, visit=visit_id, today=clock.business_date())) if offered else []
    found = [(one, places) for one in offered if (places := fit(one, lines)) is not None]
    saving = {one.id: sum(lines[at].amount_fen for at in places) - one.price_fen for one, places in found}
    taken: set[int] = set()
    shown = []
    for one, places in sorted(found, key=lambda each: -saving[each[0].id]):
        free = fit(one, lines, taken)
        taken |= set(free or ())
        sheets = sorted({lines[at].order_id for at in free or places})
        shown.append(
            {
                "id": one.id,
                "name": one.name,
                "price_fen": one.price_fen,
                "saving_fen": saving[one.id],
                "sheets": sheets,
                "chosen": free is not None,
            }
        )
    return shown


def list_bills(facility_id: int, which: str = "open", before: tuple[datetime, str] | None = None) -> list[Any]:
    """Bills of one list, the newest first, 50 a page."""
    at, last = before or (clock.now() + timedelta(minutes=1), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    return list(
        run(
            f"""{BILLS} b.state = any(:states) and (b.opened_at, b.id) < (:at, cast(:last as uuid))
            order by b.opened_at desc, b.id desc limit :page
            """,
            facility=facility_id, states=list(LISTS[which]), at=at, last=last, page=PAGE + 1,
        )
    )  # fmt: skip


def bills_of(facility_id: int, visit_id: UUID) -> list[Any]:
    """The bills of a visit, the newest first."""
    return list(
        run(
            f"{BILLS} b.visit_id = :visit order by b.opened_at desc, b.id limit 20",
            facility=facility_id,
            visit=visit_id,
        )
    )


def look_at_bill(
    desk: Desk, bill_id: UUID
) -> tuple[Any, Any, Sequence[Any], Sequence[Any], Any, Sequence[Any], Sequence[Any]]:
    """A bill of this facility with everything its page shows: bill, about it, lines, sheets, attempt, tenders, refunds. Raises NotFound."""
    keys = {**desk.keys, "bill": bill_id, "station": desk.station}
    asked = [statements.READ, ABOUT, statements.LINES, HEADS, ATTEMPT, statements.TENDERS_OF, REFUNDS]
    with transaction(settings=desk.settings) as hot:
        bill, about, lines, heads, attempt, tenders, back = hot.run_all([(one, keys) for one in asked], last=True)
    if not bill:
        raise NotFound
    return bill[0], about[0], lines, heads, attempt[0] if attempt else None, tenders, back


def look_at_refundable(desk: Desk, bill_id: UUID) -> tuple[Any, Any, Sequence[Any]]:
    """A bill, about it, and of each line what was handed over, came back and was given back. Raises NotFound."""
    keys = {**desk.keys, "bill": bill_id, "station": desk.station}
    with transaction(settings=desk.settings) as hot:
        bill, about, lines = hot.run_all([(one, keys) for one in (statements.READ, ABOUT, refund_statements.LINES)], last=True)  # fmt: skip
    if not bill:
        raise NotFound
    return bill[0], about[0], lines


def get_refund(desk: Desk, refund_id: UUID) -> tuple[Any, Sequence[Any], Sequence[Any]]:
    """A refund of this facility, its lines and its tenders. Raises NotFound."""
    keys = {**desk.keys, "refund": refund_id, "bill": refund_id}
    with transaction(settings=desk.settings) as hot:
        found, lines, tenders = hot.run_all(
            [(REFUND, keys), (REFUND_LINES, keys), (statements.TENDERS_OF, keys)], last=True
        )
    if not found:
        raise NotFound
    return found[0], lines, tenders


def note_print(desk: Desk, bill_id: UUID, size: str) -> None:
    """Count a print of a paid bill; from the second on it is marked as a reprint (补打)."""
    with transaction(settings=desk.settings) as hot:
        hot.run_last(PRINT, {**desk.keys, "bill": bill_id, "size": size, "at": clock.now()})


def count_prints(desk: Desk, bill_id: UUID) -> int:
    """How often a bill was printed."""
    asked = "select count(*) as many from receipt_print where tenant_id = %(tenant)s and document_id = %(bill)s"
    with transaction(settings=desk.settings) as hot:
        return int(hot.run_last(asked, {**desk.keys, "bill": bill_id})[0].many)
