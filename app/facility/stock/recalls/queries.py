"""What screens read of recalls: who has what of them, who bought it or got it at the clinic, what is left to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import NotFound
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

PAGE = 50
MOST_FOUND = 50
MOST_PLACES = 500
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

# The lots a recall means: those of its targets, or those of its packs.
_OF_RECALL = """
    select l.id, l.facility_id, l.product_id, l.lot_number, l.expires_on, l.hold
    from recall_target t join lot l on l.tenant_id = t.tenant_id and l.product_id = t.product_id and (t.lot_number = '' or l.lot_number = t.lot_number)
    where t.recall_id = {recall}
    union
    select l.id, l.facility_id, l.product_id, l.lot_number, l.expires_on, l.hold
    from recall r join trace_code c on c.tenant_id = r.tenant_id and c.code = any(r.codes) join lot l on l.tenant_id = c.tenant_id and l.id = c.lot_id
    where r.id = {recall}
"""

# The products a recall `r` means.
_PRODUCTS = """array(
    select t.product_id from recall_target t where t.tenant_id = r.tenant_id and t.recall_id = r.id
    union select c.product_id from trace_code c where c.tenant_id = r.tenant_id and c.code = any(r.codes))"""

# What is reported of one facility: base units that are here, were sold or handed to patients, came back, went to the supplier, were destroyed.
FIGURES = f"""
with lots as ({_OF_RECALL.format(recall="%(recall)s")}), moved as (
    select coalesce(-sum(m.quantity) filter (where m.kind = 'SA'), 0)::bigint as sold, coalesce(sum(m.quantity) filter (where m.kind = 'SR'), 0)::bigint as came_back,
        coalesce(-sum(m.quantity) filter (where m.kind = 'PR'), 0)::bigint as returned, coalesce(-sum(m.quantity) filter (where m.kind = 'DM'), 0)::bigint as destroyed
    from lots l join stock_movement m on m.tenant_id = %(tenant)s and m.lot_id = l.id where l.facility_id = %(facility)s
), held as (
    select coalesce(sum(b.on_hand), 0)::bigint as held from lots l join lot_balance b on b.tenant_id = %(tenant)s and b.lot_id = l.id
    where l.facility_id = %(facility)s
), buyers as (
    select p.sale_id as id from lots l join sale_pick p on p.tenant_id = %(tenant)s and p.lot_id = l.id
    join sale s on s.tenant_id = p.tenant_id and s.id = p.sale_id and s.state = 'settled' where l.facility_id = %(facility)s
    union
    select g.dispensing_id from lots l join dispensing_line g on g.tenant_id = %(tenant)s and g.lot_id = l.id where l.facility_id = %(facility)s
)
select held.held, moved.sold, moved.came_back, moved.returned, moved.destroyed, (select count(*) from buyers)::bigint as buyers, (
    select count(*) from buyers b where b.id in (
        select coalesce(c.sale_id, c.dispensing_id) from recall_call c
        where c.tenant_id = %(tenant)s and c.recall_id = %(recall)s and c.outcome <> 'unreached'))::bigint as reached
from held, moved
""".replace("where t.recall_id", "where t.tenant_id = %(tenant)s and t.recall_id").replace(
    "where r.id", "where r.tenant_id = %(tenant)s and r.id"
)


def list_recalls(facility_id: int, state: str = "", before: tuple[datetime, UUID] | None = None) -> Sequence[Any]:
    """Recalls that concern this facility, newest first, one more than a page."""
    at, last = before or (clock.now() + timedelta(days=1), LAST)
    return run(
        f"""
        select r.id, r.number, r.origin, r.level, r.product, r.lots, r.codes, r.issued_at, r.deadline_at, r.state, r.reason,
            p.acknowledged_at, p.reported_at, p.held_quantity, p.held_lots, {_PRODUCTS} as products
        from recall r join recall_place p on p.tenant_id = r.tenant_id and p.recall_id = r.id and p.facility_id = :facility
        where (:state = '' or r.state = :state) and (r.issued_at, r.id) < (:at, cast(:last as uuid))
        order by r.issued_at desc, r.id desc limit :page
        """,
        facility=facility_id, state=state, at=at, last=last, page=PAGE + 1,
    ).all()  # fmt: skip


def get_recall(facility_id: int, recall_id: UUID) -> Any:
    """One recall as it stands at this facility. Raises NotFound."""
    row = run(
        f"""
        select r.*, {_PRODUCTS} as products, p.acknowledged_at, p.reported_at, p.report, p.held_lots, p.held_quantity, s.name as staff, c.name as closer, a.name as seen_by
        from recall r join recall_place p on p.tenant_id = r.tenant_id and p.recall_id = r.id and p.facility_id = :facility
        left join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
        left join staff c on c.tenant_id = r.tenant_id and c.id = r.closed_by
        left join staff a on a.tenant_id = r.tenant_id and a.id = p.acknowledged_by
        where r.id = :recall
        """,
        facility=facility_id, recall=recall_id,
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound
    return row


def places_of(recall_id: UUID) -> Sequence[Any]:
    """Where the goods of a recall lie, at every facility of the organization: zone, quantity, codes, what open sales hold."""
    return run(
        f"""
        select f.name as facility, l.facility_id, l.id as lot_id, l.lot_number, l.expires_on, l.hold, b.zone, b.on_hand, b.reserved, b.on_hand > b.reserved as movable, p.pack_size,
            p.pack_unit, p.base_unit, p.generic_name, l.product_id, (
            select count(*) from trace_code c where c.tenant_id = b.tenant_id and c.lot_id = b.lot_id and c.zone = b.zone
                and c.state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE', 'RESERVED')) as codes
        from ({_OF_RECALL.format(recall=":recall")}) l
        join facility f on f.id = l.facility_id
        join product p on p.id = l.product_id
        join lot_balance b on b.lot_id = l.id and b.on_hand > 0
        order by f.name, l.lot_number, b.zone limit :most
        """,
        recall=recall_id, most=MOST_PLACES,
    ).all()  # fmt: skip


def waiting(facility_id: int, recall_id: UUID) -> Any:
    """How many open or held `baskets` of this facility hold goods of the recall, which are refused when they settle; and how many paid
    `sheets` of a clinic, which are refused when they are handed over.

    A recall of single packs means only baskets with one of these packs. A basket that asked for settlement is on its way or
    settled; what it holds shows as reserved, whom it was sold to among the buyers. A sheet has no packs of its own yet.
    """
    return run(
        f"""
        with meant as (select id from ({_OF_RECALL.format(recall=":recall")}) l where l.facility_id = :facility),
            packs as (select unnest(codes) as code from recall where id = :recall)
        select (
            select count(*) from basket b where b.facility_id = :facility and (b.state = 'open' or b.state = 'held') and exists (
                select from jsonb_array_elements(b.content -> 'lines') line
                where (line ->> 'lot_id')::bigint in (select id from meant) and (not exists (select from packs) or exists (
                    select from jsonb_array_elements(line -> 'codes') c where c ->> 'code' in (select code from packs))))
        ) as baskets, (
            select count(distinct n.order_id) from meant m join bill_pick k on k.lot_id = m.id and k.held > 0
            join bill_line n on n.tenant_id = k.tenant_id and n.bill_id = k.bill_id and n.line_no = k.line_no
            join bill b on b.tenant_id = k.tenant_id and b.id = k.bill_id and b.state = 'settled'
            where not exists (select from packs)
        ) as sheets
        """,
        facility=facility_id, recall=recall_id,
    ).one()  # fmt: skip


# Who got goods of these `lots`: sales at the counter, hand-overs at a clinic.
_GONE = """
    select s.id, s.receipt, s.asked_at, s.settled_at, i.shown ->> 'masked_name' as who, k.quantity, k.lots, k.lot_ids, k.product_id,
        null::uuid as order_id, null::uuid as patient_id
    from (
        select p.sale_id, sum(p.quantity)::bigint as quantity, string_agg(distinct l.lot_number, '、') as lots, array_agg(distinct l.id) as lot_ids,
            min(l.product_id) as product_id
        from lots l join sale_pick p on p.lot_id = l.id group by p.sale_id
    ) k
    join sale s on s.id = k.sale_id and s.state = 'settled' and s.facility_id = :facility
    left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
    union all
    select h.id, h.number, h.at, h.at, p.name_shown, k.quantity, k.lots, k.lot_ids, k.product_id, h.order_id, p.id
    from (
        select g.dispensing_id, sum(g.quantity)::bigint as quantity, string_agg(distinct l.lot_number, '、') as lots, array_agg(distinct l.id) as lot_ids,
            min(l.product_id) as product_id
        from lots l join dispensing_line g on g.lot_id = l.id group by g.dispensing_id
    ) k
    join dispensing h on h.id = k.dispensing_id and h.facility_id = :facility
    join clinic_order o on o.tenant_id = h.tenant_id and o.id = h.order_id
    join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
"""


def buyers_of(facility_id: int, recall_id: UUID, before: tuple[datetime, UUID] | None = None) -> Sequence[Any]:
    """Sales and hand-overs at this facility from the lots of a recall, newest first, with the buyer or patient masked and how reaching
    them stands. A hand-over (发药) names its sheet and patient.
    """
    at, last = before or (clock.now() + timedelta(days=1), LAST)
    return run(
        f"""
        with lots as (select * from ({_OF_RECALL.format(recall=":recall")}) l where l.facility_id = :facility), gone as (
            select * from ({_GONE}) g where (g.asked_at, g.id) < (:at, cast(:last as uuid)) order by g.asked_at desc, g.id desc limit :page
        )
        select g.*, d.pack_size, d.pack_unit, d.base_unit, c.outcome, c.note, c.called_at, c.name as caller, case when g.order_id is null then (
            select coalesce(sum(n.quantity), 0)::bigint from refund_line n join refund r on r.tenant_id = n.tenant_id and r.id = n.refund_id and r.state = 'refunded'
            where n.sale_id = g.id and n.lot_id = any(g.lot_ids))
        else (
            select coalesce(sum(b.quantity), 0)::bigint from dispensing_line n
            join dispensing_return_line b on b.tenant_id = n.tenant_id and b.dispensing_id = n.dispensing_id and b.dispensing_line_no = n.line_no
            where n.dispensing_id = g.id and n.lot_id = any(g.lot_ids))
        end as came_back
        from gone g join product d on d.id = g.product_id
        left join lateral (
            select c.outcome, c.note, c.called_at, f.name from recall_call c join staff f on f.tenant_id = c.tenant_id and f.id = c.staff_id
            where c.recall_id = :recall and (c.sale_id = g.id or c.dispensing_id = g.id) order by c.id desc limit 1
        ) c on true
        order by g.asked_at desc, g.id desc
        """,
        facility=facility_id, recall=recall_id, at=at, last=last, page=PAGE + 1,
    ).all()  # fmt: skip


def find_lots(entry: str) -> Sequence[Any]:
    """What a typed lot number or a scanned code may mean in this organization: product and lot, with what lies where."""
    return run(
        """
        select p.id as product_id, p.generic_name, p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit, l.lot_number, max(l.expires_on) as expires_on,
            count(distinct l.facility_id) as facilities, coalesce(sum(z.on_hand), 0)::bigint as on_hand, coalesce(sum(k.sold), 0)::bigint as sold,
            bool_or(l.hold = 'recalled') as recalled
        from lot l join product p on p.id = l.product_id
        cross join lateral (select sum(b.on_hand) as on_hand from lot_balance b where b.tenant_id = l.tenant_id and b.lot_id = l.id) z
        cross join lateral (
            select coalesce((select sum(k.quantity) from sale_pick k where k.tenant_id = l.tenant_id and k.lot_id = l.id), 0)
                + coalesce((select sum(g.quantity) from dispensing_line g where g.tenant_id = l.tenant_id and g.lot_id = l.id), 0) as sold
        ) k
        where l.lot_number = coalesce((
            select o.lot_number from trace_code c join lot o on o.tenant_id = c.tenant_id and o.id = c.lot_id where c.code = :entry), :entry)
        group by p.id, p.generic_name, p.spec, p.maker, p.pack_size, p.pack_unit, p.base_unit, l.lot_number
        order by 11 desc, p.id limit :most
        """,
        entry=entry, most=MOST_FOUND,
    ).all()  # fmt: skip


def list_holds(facility_id: int, before: int | None = None) -> Sequence[Any]:
    """Lots of this facility that may not be sold, newest first, with who locked them and why."""
    return run(
        """
        select l.id, l.lot_number, l.expires_on, l.hold, l.hold_reason, p.id as product_id, p.generic_name, p.spec, p.pack_size, p.pack_unit, p.base_unit,
            c.staff_id as held_by, s.name as staff, c.changed_at, c.reason = '随原批号锁定' as copied, (
            select coalesce(sum(b.on_hand), 0)::bigint from lot_balance b where b.tenant_id = l.tenant_id and b.lot_id = l.id) as on_hand
        from lot l join product p on p.id = l.product_id
        left join lateral (
            select c.staff_id, c.changed_at, c.reason from lot_change c where c.tenant_id = l.tenant_id and c.lot_id = l.id and c.what = 'hold' order by c.id desc limit 1
        ) c on true
        left join staff s on s.tenant_id = l.tenant_id and s.id = c.staff_id
        where l.facility_id = :facility and l.hold is not null and (cast(:before as bigint) is null or l.id < :before)
        order by l.id desc limit :page
        """,
        facility=facility_id, before=before, page=PAGE + 1,
    ).all()  # fmt: skip


def lots_to_hold(facility_id: int, entry: str) -> Sequence[Any]:
    """Lots of this facility by number or by a scanned code, that may be locked on suspicion."""
    return run(
        """
        select l.id, l.lot_number, l.expires_on, l.hold, p.generic_name, p.spec, p.maker from lot l join product p on p.id = l.product_id
        where l.facility_id = :facility and l.lot_number = coalesce((
            select o.lot_number from trace_code c join lot o on o.tenant_id = c.tenant_id and o.id = c.lot_id where c.code = :entry), :entry)
        order by l.id desc limit :most
        """,
        facility=facility_id, entry=entry, most=MOST_FOUND,
    ).all()  # fmt: skip


def count_open(facility_id: int) -> int:
    """How many recalls run at this facility."""
    found = run(
        "select count(*) from recall_place p join recall r on r.tenant_id = p.tenant_id and r.id = p.recall_id and r.state = 'open' where p.facility_id = :facility",
        facility=facility_id,
    ).scalar_one()
    return int(found)
