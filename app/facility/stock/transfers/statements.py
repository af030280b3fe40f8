"""What transfers ask of the database. Each takes all lines at once."""

from app.facility.stock.statements import HELD_WITH_ORIGINAL

# Before sending: is it known already, where does it go, and how large are the packs of these lots of ours.
BEFORE_SENDING = """
select t.number as known_number, t.digest as known_digest, f.national_code as to_code, f.id as to_id, f.closed_at, (
    select jsonb_object_agg(l.id, p.pack_size) from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
    where l.tenant_id = %(tenant)s and l.facility_id = %(facility)s and l.id = any(%(lots)s)) as packs
from (values (1)) one left join transfer t on t.tenant_id = %(tenant)s and t.id = %(document)s
left join facility f on f.tenant_id = %(tenant)s and f.id = %(to)s and f.id <> %(facility)s
"""

# The paper with its number, its lines, the codes that went along (named or with the whole of their zone), the draft's end.
# A second arrival of the same id breaks the key.
WRITE_SENT = """
with numbered as (
    update stream_head set receipt_number = case when receipt_day = %(today)s then receipt_number + 1 else 1 end, receipt_day = %(today)s
    where tenant_id = %(tenant)s and facility_id = %(facility)s
    returning 'B' || to_char(%(today)s::date, 'YY-MMDD') || '-' || lpad(receipt_number::text, 4, '0') as number
), head as (
    insert into transfer (tenant_id, id, from_facility_id, to_facility_id, number, digest, note, line_count, staff_id, sent_at, sent_on)
    select %(tenant)s, %(document)s, %(facility)s, %(to)s, number, %(digest)s, %(note)s, jsonb_array_length(%(lines)s::jsonb), %(staff)s, %(at)s,
        %(today)s from numbered
    returning id, number
), codes as (
    select t.code, e.line_no, e.quantity from jsonb_to_recordset(%(lines)s::jsonb) as n(line_no int, lot_id bigint)
    join trace_code t on t.tenant_id = %(tenant)s and t.lot_id = n.lot_id and t.state = 'IN_TRANSIT' and t.document_id = %(document)s
    cross join lateral (
        select line_no, quantity from trace_event e where e.tenant_id = %(tenant)s and e.code = t.code and e.document_id = %(document)s
        order by e.id desc limit 1) e
    where e.line_no = n.line_no
), lines as (
    insert into transfer_line (tenant_id, transfer_id, line_no, product_id, from_lot_id, from_zone, quantity, in_codes)
    select %(tenant)s, head.id, n.line_no, l.product_id, n.lot_id, n.zone, n.quantity,
        coalesce((select sum(c.quantity) from codes c where c.line_no = n.line_no), 0)
    from head cross join jsonb_to_recordset(%(lines)s::jsonb) as n(line_no int, lot_id bigint, zone text, quantity bigint)
    join lot l on l.tenant_id = %(tenant)s and l.id = n.lot_id
    returning transfer_id, line_no
), drafted as (
    update transfer_draft set state = 'done', changed_at = %(at)s where tenant_id = %(tenant)s and id = %(document)s and kind = 'send'
), packed as (
    insert into transfer_code (tenant_id, transfer_id, code, line_no, quantity)
    select %(tenant)s, n.transfer_id, c.code, c.line_no, c.quantity from codes c join lines n on n.line_no = c.line_no
)
select number from head
"""

# Locks what is on its way to us, with the codes of each line, and finds or makes the lots it becomes here: the same number,
# dates and cost, held where it is held at the sender's. The lots of both ends are locked in one order, so that transfers that
# cross each other wait in a row and not in a circle; a recall waits too. Whoever comes second waits here and then finds nothing on its way.
OPEN_ARRIVAL = f"""
with head as (
    select id, number, from_facility_id from transfer
    where tenant_id = %(tenant)s and id = %(document)s and to_facility_id = %(facility)s and state = 'sent' for no key update
), held as (
    select l.* from lot l join (
        select distinct head.from_facility_id, o.product_id, o.lot_number, o.expires_on
        from head join transfer_line n on n.tenant_id = %(tenant)s and n.transfer_id = head.id
        join lot o on o.tenant_id = n.tenant_id and o.id = n.from_lot_id
    ) w on l.product_id = w.product_id and l.lot_number = w.lot_number and l.expires_on = w.expires_on
        and l.facility_id in (w.from_facility_id, %(facility)s)
    where l.tenant_id = %(tenant)s
    order by l.id for no key update of l
), sent as (
    select * from held where id in (
        select n.from_lot_id from head join transfer_line n on n.tenant_id = %(tenant)s and n.transfer_id = head.id)
), made as (
    insert into lot (tenant_id, facility_id, product_id, lot_number, produced_on, expires_on, cost_price, hold, hold_reason)
    select distinct on (product_id, lot_number, expires_on) %(tenant)s, %(facility)s, product_id, lot_number, produced_on, expires_on, cost_price,
        hold, hold_reason
    from sent order by product_id, lot_number, expires_on
    on conflict on constraint lot_once do update set cost_price = coalesce(lot.cost_price, excluded.cost_price)
    returning id, facility_id, product_id, lot_number, expires_on, hold, hold_reason, (xmax = 0) as fresh
), copies as (
    select m.id, m.facility_id, m.hold, m.hold_reason, m.fresh, s.id as original
    from made m join sent s on s.product_id = m.product_id and s.lot_number = m.lot_number and s.expires_on = m.expires_on
), told as (
{HELD_WITH_ORIGINAL}
)
select head.number, head.from_facility_id, f.national_code as from_code, g.national_code as to_code, n.line_no, n.from_lot_id, n.from_zone, n.quantity, n.in_codes,
    m.id as to_lot_id, coalesce(m.hold, s.hold) as hold, s.lot_number, s.expires_on, p.generic_name as name, p.pack_size, p.base_unit, (
        select jsonb_object_agg(c.code, c.quantity) from transfer_code c
        where c.tenant_id = %(tenant)s and c.transfer_id = head.id and c.line_no = n.line_no) as codes
from head join transfer_line n on n.tenant_id = %(tenant)s and n.transfer_id = head.id
join sent s on s.id = n.from_lot_id
join made m on m.product_id = s.product_id and m.lot_number = s.lot_number and m.expires_on = s.expires_on
join product p on p.tenant_id = %(tenant)s and p.id = n.product_id
join facility f on f.tenant_id = %(tenant)s and f.id = head.from_facility_id
join facility g on g.tenant_id = %(tenant)s and g.id = %(facility)s
order by n.line_no limit 500
"""

WRITE_ARRIVED = """
with head as (
    update transfer set state = %(state)s, received_by = %(staff)s, received_at = %(at)s, received_digest = %(digest)s, received_note = %(note)s
    where tenant_id = %(tenant)s and id = %(document)s and state = 'sent' returning id
), lines as (
    update transfer_line n set received = a.quantity, to_lot_id = a.to_lot_id, to_zone = a.zone, claim_reason = a.reason
    from head, jsonb_to_recordset(%(lines)s::jsonb) as a(line_no int, quantity bigint, to_lot_id bigint, zone text, reason text)
    where n.tenant_id = %(tenant)s and n.transfer_id = head.id and n.line_no = a.line_no returning n.line_no
), codes as (
    update transfer_code c set state = 'received' from head
    where c.tenant_id = %(tenant)s and c.transfer_id = head.id and c.code = any(%(codes)s)
), drafted as (
    update transfer_draft set state = 'done', changed_at = %(at)s where tenant_id = %(tenant)s and id = %(document)s and kind = 'receive'
)
select count(*) as lines from lines
"""

# How a transfer stands for whoever asks a second time. Row-level security picks the organization.
STANDING = """
select t.number, t.state, t.received_digest, t.received_at, s.name as receiver
from transfer t left join staff s on s.tenant_id = t.tenant_id and s.id = t.received_by
where t.tenant_id = %(tenant)s and t.id = %(document)s and t.to_facility_id = %(facility)s
"""

KNOWN_CLAIM = """
select c.digest, t.number from transfer_claim c join transfer t on t.tenant_id = c.tenant_id and t.id = c.transfer_id
where c.tenant_id = %(tenant)s and c.id = %(document)s
"""

# One line with something open, its transfer locked; `codes` are those still on their way.
OPEN_CLAIM = """
select t.number, t.from_facility_id, t.to_facility_id, f.national_code as from_code, g.national_code as to_code, n.line_no, n.from_lot_id, n.from_zone,
    n.to_lot_id, n.to_zone, n.quantity - n.received - n.found - n.back - n.lost as open, l.lot_number, l.expires_on, coalesce(k.hold, l.hold) as hold,
    p.generic_name as name, p.pack_size, p.base_unit, (
        select jsonb_object_agg(c.code, c.quantity) from transfer_code c
        where c.tenant_id = %(tenant)s and c.transfer_id = t.id and c.line_no = n.line_no and c.state = 'sent') as codes
from transfer t join transfer_line n on n.tenant_id = t.tenant_id and n.transfer_id = t.id and n.line_no = %(line_no)s::int
join lot l on l.tenant_id = t.tenant_id and l.id = n.from_lot_id
left join lot k on k.tenant_id = t.tenant_id and k.id = n.to_lot_id
join product p on p.tenant_id = t.tenant_id and p.id = n.product_id
join facility f on f.tenant_id = t.tenant_id and f.id = t.from_facility_id
join facility g on g.tenant_id = t.tenant_id and g.id = t.to_facility_id
where t.tenant_id = %(tenant)s and t.id = %(transfer)s and %(facility)s in (t.from_facility_id, t.to_facility_id) and t.state = 'claimed'
for no key update of t, n
"""

# The line's share, the codes, the claim's own row; the transfer is closed when nothing is open on any line.
WRITE_CLAIM = """
with line as (
    update transfer_line set found = found + case when %(outcome)s = 'found' then %(quantity)s else 0 end,
        back = back + case when %(outcome)s = 'back' then %(quantity)s else 0 end,
        lost = lost + case when %(outcome)s = 'lost' then %(quantity)s else 0 end
    where tenant_id = %(tenant)s and transfer_id = %(transfer)s and line_no = %(line_no)s::int
    returning line_no, quantity - received - found - back - lost as open
), codes as (
    update transfer_code set state = %(outcome)s where tenant_id = %(tenant)s and transfer_id = %(transfer)s and code = any(%(codes)s)
), claim as (
    insert into transfer_claim (tenant_id, id, transfer_id, line_no, facility_id, outcome, quantity, zone, note, digest, staff_id, second_id, settled_at)
    select %(tenant)s, %(document)s, %(transfer)s, line_no, %(facility)s, %(outcome)s, %(quantity)s, %(zone)s, %(note)s, %(digest)s, %(staff)s,
        %(second)s::bigint, %(at)s from line
)
update transfer set state = 'closed' where tenant_id = %(tenant)s and id = %(transfer)s and (select open from line) = 0 and not exists (
    select from transfer_line n where n.tenant_id = %(tenant)s and n.transfer_id = %(transfer)s and n.line_no <> %(line_no)s::int
        and n.received + n.found + n.back + n.lost < n.quantity)
returning id
"""
MAKE_LOT_HERE = f"""
with copies as (
    insert into lot (tenant_id, facility_id, product_id, lot_number, produced_on, expires_on, cost_price, hold, hold_reason)
    select tenant_id, %(facility)s, product_id, lot_number, produced_on, expires_on, cost_price, hold, hold_reason from lot
    where tenant_id = %(tenant)s and id = %(from_lot)s
    on conflict on constraint lot_once do update set cost_price = coalesce(lot.cost_price, excluded.cost_price)
    returning id, facility_id, hold, hold_reason, (xmax = 0) as fresh, %(from_lot)s::bigint as original
), told as (
{HELD_WITH_ORIGINAL}
)
select id from copies
"""
SECOND = "select number, name from staff where tenant_id = %(tenant)s and id = %(second)s"

# ---- drafts ----

SAVE_DRAFT = """
insert into transfer_draft (tenant_id, id, kind, facility_id, staff_id, content, changed_at)
values (%(tenant)s, %(document)s, %(kind)s, %(facility)s, %(staff)s, %(content)s::jsonb, %(at)s)
on conflict (tenant_id, id, kind) do update set content = excluded.content, staff_id = excluded.staff_id, changed_at = excluded.changed_at
where transfer_draft.facility_id = %(facility)s and transfer_draft.state = 'open'
returning id
"""
LOCK_DRAFT = """
select state, content, facility_id from transfer_draft
where tenant_id = %(tenant)s and id = %(document)s and kind = %(kind)s for no key update
"""
DROP_DRAFT = """
update transfer_draft set state = 'dropped', changed_at = %(at)s
where tenant_id = %(tenant)s and id = %(document)s and kind = %(kind)s and facility_id = %(facility)s and state = 'open' returning id
"""

# ---- moves between zones ----

KNOWN_MOVE = "select number, digest from stock_document where tenant_id = %(tenant)s and id = %(document)s"
WRITE_MOVE = """
with head as (
    insert into stock_document (tenant_id, id, facility_id, act, number, state, digest, reason, staff_id, asked_at, asked_on)
    values (%(tenant)s, %(document)s, %(facility)s, 'move', %(number)s, 'posted', %(digest)s, %(reason)s, %(staff)s, %(at)s, %(today)s)
    returning id
), lines as (
    insert into stock_document_line (tenant_id, document_id, line_no, lot_id, from_zone, to_zone, quantity)
    select %(tenant)s, head.id, n.line_no, n.lot_id, n.from_zone, n.to_zone, n.quantity
    from head cross join jsonb_to_recordset(%(lines)s::jsonb) as n(line_no int, lot_id bigint, from_zone text, to_zone text, quantity bigint)
    returning document_id, line_no
), drafted as (
    update transfer_draft set state = 'done', changed_at = %(at)s where tenant_id = %(tenant)s and id = %(document)s and kind = 'move'
)
insert into stock_document_code (tenant_id, document_id, code, line_no)
select distinct on (t.code) %(tenant)s, n.document_id, t.code, n.line_no
from lines n join jsonb_to_recordset(%(lines)s::jsonb) as m(line_no int, lot_id bigint) on m.line_no = n.line_no
join trace_code t on t.tenant_id = %(tenant)s and t.lot_id = m.lot_id and t.document_id = %(document)s
cross join lateral (
    select line_no from trace_event e where e.tenant_id = %(tenant)s and e.code = t.code and e.document_id = %(document)s
    order by e.id desc limit 1) e
where e.line_no = n.line_no
"""
