"""What the owner's page is made of, in a handful of statements. Row-level security picks the tenant."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from app.core import clock
from app.facility.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence

LICENCE_DAYS = 90
DIFFERENCE_DAYS = 30
MOST_LICENCES, MOST_DIFFERENCES, MOST_MOVERS = 6, 6, 6

# What lots near their end are worth at cost: past it, within the urgent days, within each product's own days.
ENDING = """
select count(distinct product_id) filter (where past) as past, coalesce(sum(worth_fen) filter (where past), 0)::bigint as past_fen,
    count(distinct product_id) filter (where urgent) as urgent, coalesce(sum(worth_fen) filter (where urgent), 0)::bigint as urgent_fen,
    count(distinct product_id) filter (where near) as near, coalesce(sum(worth_fen) filter (where near), 0)::bigint as near_fen
from (
    select b.product_id, round(b.on_hand * coalesce(l.cost_price, 0) / p.pack_size * 100)::bigint as worth_fen, b.expires_on < :today as past,
        b.expires_on between :today and :urgent_on as urgent, b.expires_on > :urgent_on and b.expires_on <= :today + p.expiry_warning_days as near
    from lot_balance b join lot l on l.tenant_id = b.tenant_id and l.id = b.lot_id join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
    where b.facility_id = :facility and b.on_hand > 0 and b.zone <> 'TRANSIT' and b.expires_on <= greatest(:urgent_on, :today + p.expiry_warning_days)
) ending
"""
TAKINGS = """
select coalesce(sum(total_fen) filter (where sold_on = :today), 0)::bigint as today_fen, count(*) filter (where sold_on = :today) as today,
    coalesce(sum(total_fen), 0)::bigint as month_fen, count(*) as month,
    (select coalesce(sum(refund_fen) filter (where refunded_at >= :day_begins), 0)::bigint from refund
        where facility_id = :facility and state = 'refunded' and asked_at >= :month_begins) as back_today_fen,
    (select coalesce(sum(refund_fen), 0)::bigint from refund where facility_id = :facility and state = 'refunded' and asked_at >= :month_begins) as back_month_fen
from sale where facility_id = :facility and state = 'settled' and asked_at >= :month_begins
"""
STREAM = """
select h.number, h.sent_number, h.relay_state, h.number - h.sent_number as waiting, o.written_at as since_at,
    (select count(*) from insurance_attempt a where a.facility_id = :facility and a.state in ('asked', 'recovering')) as attempts,
    (select min(asked_at) from insurance_attempt a where a.facility_id = :facility and a.state in ('asked', 'recovering')) as attempts_since_at
from stream_head h left join outbox o on o.tenant_id = h.tenant_id and o.facility_id = h.facility_id and o.epoch = h.epoch and o.number = h.sent_number + 1
where h.facility_id = :facility
"""
# Papers of this facility, its people, its suppliers and its products that end soon, and the agreement it sells under.
LICENCES = """
select kind, name, valid_until from (
    select n.kind, coalesce(s.name, p.generic_name, f.name, st.name) as name, n.valid_until
    from licence n left join supplier s on s.tenant_id = n.tenant_id and s.id = n.supplier_id left join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
    left join facility f on f.tenant_id = n.tenant_id and f.id = n.facility_id left join staff st on st.tenant_id = n.tenant_id and st.id = n.person_id
    where n.ended_at is null and n.valid_until <= :soon and (n.facility_id is null or n.facility_id = :facility)
    union all
    select 'agreement', name, agreement_until from facility where id = :facility and agreement_until <= :soon
) ending order by valid_until, name limit :most
"""
# What did not come out even: drawers counted with a difference, transfers with something missing, counts that were posted with a
# gain or a loss, deliveries that differed from their order or note.
DIFFERENCES = """
select kind, id, number, name, at, amount_fen from (
    select 'till' as kind, null::uuid as id, '' as number, s.name, h.closed_at as at, h.counted_fen - h.expected_fen as amount_fen
    from shift h join staff s on s.tenant_id = h.tenant_id and s.id = h.staff_id
    where h.facility_id = :facility and h.opened_at >= :since and h.counted_fen <> h.expected_fen
    union all
    select 'transfer', t.id, t.number, f.name, t.sent_at, null from transfer t join facility f on f.tenant_id = t.tenant_id and f.id = t.to_facility_id
    where (t.from_facility_id = :facility or t.to_facility_id = :facility) and t.state = 'claimed'
    union all
    (select 'count', c.id, c.number, s.name, c.decided_at, c.gain_fen - c.loss_fen from stock_count c join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
    where c.facility_id = :facility and c.state = 'approved' and c.decided_at >= :since and (c.gain_fen <> 0 or c.loss_fen <> 0) order by c.decided_at desc limit :most)
    union all
    (select 'delivery', d.id, r.number, s.name, d.accepted_at, null from delivery d join supplier s on s.tenant_id = d.tenant_id and s.id = d.supplier_id
    join stock_receipt r on r.tenant_id = d.tenant_id and r.id = d.id
    where d.facility_id = :facility and d.made_at >= :since and d.state = 'accepted' and jsonb_array_length(d.record -> 'differences') > 0
    order by d.made_at desc limit :most)
) uneven order by at desc limit :most
"""
# What counts found: those that wait for approval, as they were judged when they were closed; those approved this month, as they
# were posted.
COUNTED = """
with waiting as (
    select id from stock_count where facility_id = :facility and state = 'closed'
), differ as (
    select coalesce(sum(greatest(n.worth_fen, 0)), 0)::bigint as gain_fen, coalesce(sum(greatest(-n.worth_fen, 0)), 0)::bigint as loss_fen,
        count(n.line_no) as lines
    from waiting w join count_line n on n.count_id = w.id and n.difference <> 0
)
select (select count(*) from waiting) as waiting, d.gain_fen as waiting_gain_fen, d.loss_fen as waiting_loss_fen, d.lines, m.approved, m.gain_fen, m.loss_fen
from differ d cross join (
    select count(*) as approved, coalesce(sum(gain_fen), 0)::bigint as gain_fen, coalesce(sum(loss_fen), 0)::bigint as loss_fen
    from stock_count where facility_id = :facility and state = 'approved' and decided_at >= :month_begins
) m
"""
MOVERS = """
select p.id, p.generic_name, p.spec, p.pack_unit, p.base_unit, p.pack_size, m.gone, round(m.gone * coalesce(price.pack_price, 0) / p.pack_size * 100)::bigint as worth_fen
from (
    select product_id, -sum(quantity)::bigint as gone from stock_movement where facility_id = :facility and moved_at >= :since and kind in ('SA', 'MX', 'SR')
    group by product_id having sum(quantity) < 0
) m join product p on p.id = m.product_id
left join lateral (
    select pack_price from product_price r where r.tenant_id = p.tenant_id and r.product_id = p.id and r.from_at <= now() order by from_at desc, id desc limit 1
) price on true
order by worth_fen desc, p.id limit :most
"""


def ending(facility_id: int, urgent_days: int) -> Any:
    """Money that is near its end: warning, urgent, expired, each with its products."""
    today = clock.business_date()
    return run(ENDING, facility=facility_id, today=today, urgent_on=today + timedelta(days=urgent_days)).one()


def takings(facility_id: int) -> Any:
    """What was sold today and this month, and what was given back of it."""
    today = clock.business_date()
    day, month = (datetime.combine(on, time.min, clock.CHINA) for on in (today, today.replace(day=1)))
    return run(TAKINGS, facility=facility_id, today=today, day_begins=day, month_begins=month).one()


def stream(facility_id: int) -> Any | None:
    """How many facts the center has not got yet and since when; and payments whose outcome is open."""
    return run(STREAM, facility=facility_id).one_or_none()


def licences(facility_id: int) -> Sequence[Any]:
    """Papers that end within ninety days, the soonest first."""
    soon = clock.business_date() + timedelta(days=LICENCE_DAYS)
    return run(LICENCES, facility=facility_id, soon=soon, most=MOST_LICENCES).all()


def differences(facility_id: int) -> Sequence[Any]:
    """What did not come out even in the last thirty days, and what is still open, newest first."""
    since = clock.now() - timedelta(days=DIFFERENCE_DAYS)
    return run(DIFFERENCES, facility=facility_id, since=since, most=MOST_DIFFERENCES).all()


def counted(facility_id: int) -> Any:
    """What counts found: how many wait for approval and what they differ by, how many were approved this month and at what worth."""
    month = datetime.combine(clock.business_date().replace(day=1), time.min, clock.CHINA)
    return run(COUNTED, facility=facility_id, month_begins=month).one()


def movers(facility_id: int) -> Sequence[Any]:
    """What sold for most in thirty days, at today's prices."""
    return run(MOVERS, facility=facility_id, since=clock.now() - timedelta(days=30), most=MOST_MOVERS).all()
