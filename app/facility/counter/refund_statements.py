"""The statements of refunds. The refund takes the sale's row first, so two refunds of one sale follow each other."""

from app.facility.insurance.machine import CLOSE_ATTEMPT, OPEN_ATTEMPT

KNOWN = "select id, state, digest, receipt, refusal from refund where tenant_id = %(tenant)s and id = %(refund)s and facility_id = %(facility)s"

LOCK_SALE = """
select s.id, s.state, s.paid, s.receipt, s.sold_on, s.settled_at, s.total_fen, s.money, s.setl_id, s.mdtrt_id, s.facility_id, b.content::text as content,
    i.sealed, i.sign_no
from sale s join basket b on b.tenant_id = s.tenant_id and b.id = s.id
left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
where s.tenant_id = %(tenant)s and s.id = %(sale)s and s.facility_id = %(facility)s for no key update of s
"""
SHIFT = "select id from shift where tenant_id = %(tenant)s and station = %(station)s and closed_at is null"

REFUNDED = """
select l.line_no, sum(l.quantity)::bigint as quantity, sum(l.amount_fen)::bigint as amount_fen
from refund_line l join refund r on r.tenant_id = l.tenant_id and r.id = l.refund_id and r.state = 'refunded'
where l.tenant_id = %(tenant)s and l.sale_id = %(sale)s group by l.line_no
"""
# What is still out of each lot a sale took from.
PICKS_LEFT = """
select p.line_no, p.lot_id, p.zone, l.lot_number, l.expires_on, p.quantity - coalesce((
        select sum(b.quantity) from refund_line b join refund r on r.tenant_id = b.tenant_id and r.id = b.refund_id and r.state = 'refunded'
        where b.tenant_id = p.tenant_id and b.sale_id = p.sale_id and b.line_no = p.line_no and b.lot_id = p.lot_id), 0)::bigint as quantity
from sale_pick p join lot l on l.tenant_id = p.tenant_id and l.id = p.lot_id
where p.tenant_id = %(tenant)s and p.sale_id = %(sale)s order by p.line_no, l.expires_on desc, p.lot_id
"""
CODES_LEFT = """
select c.code, c.line_no, c.quantity, t.lot_id from sale_code c join trace_code t on t.tenant_id = c.tenant_id and t.code = c.code
where c.tenant_id = %(tenant)s and c.sale_id = %(sale)s and not exists (
    select from refund_code b join refund r on r.tenant_id = b.tenant_id and r.id = b.refund_id and r.state = 'refunded'
    where b.tenant_id = c.tenant_id and b.code = c.code and r.sale_id = c.sale_id)
order by c.line_no, c.code
"""

ASK = f"""
with head as (
    update stream_head set
        receipt_number = case when receipt_day = %(today)s then receipt_number + 1 else 1 end, receipt_day = %(today)s,
        message_number = message_number + 1
    where tenant_id = %(tenant)s and facility_id = %(facility)s returning receipt_number, message_number
), document as (
    insert into refund (tenant_id, id, facility_id, station, terminal, shift_id, staff_id, approver_id, sale_id, state, receipt, reason, digest,
        whole, refund_fen, cash_fen, reversed_setl_id, asked_at)
    select %(tenant)s, %(refund)s, %(facility)s, %(station)s, %(terminal)s, %(shift)s, %(staff)s, %(approver)s::bigint, %(sale)s, 'asked',
        'T' || to_char(%(today)s::date, 'YY-MMDD') || '-' || lpad(head.receipt_number::text, 4, '0'), %(reason)s, %(digest)s,
        %(whole)s, %(refund_fen)s, 0, %(reversed_setl_id)s, %(at)s
    from head returning id, receipt
), lines as (
    insert into refund_line (tenant_id, refund_id, line_no, sale_id, lot_id, quantity, amount_fen, goods)
    select %(tenant)s, document.id, l.line_no, %(sale)s, l.lot_id, l.quantity, l.amount_fen, l.goods
    from document, jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, lot_id bigint, quantity bigint, amount_fen bigint, goods text)
), codes as (
    insert into refund_code (tenant_id, refund_id, code, line_no, quantity, goods)
    select %(tenant)s, document.id, c.code, c.line_no, c.quantity, c.goods
    from document, jsonb_to_recordset(%(codes)s::jsonb) as c(code text, line_no int, quantity bigint, goods text)
), {OPEN_ATTEMPT.replace("%(document)s", "%(refund)s")}
select document.receipt, (select message_id from attempt) as message_id from document
"""

_GOODS_COME_BACK = """
), posted as (
    select case when jsonb_array_length(%(rows)s::jsonb) = 0 then 0
        else post_movements(%(tenant)s, document.facility_id, document.id, %(staff)s, %(at)s, %(rows)s::jsonb) end as posted
    from document
), code_locked as (
    select t.code from trace_code t join refund_code c on c.tenant_id = t.tenant_id and c.code = t.code
    where t.tenant_id = %(tenant)s and c.refund_id = %(refund)s and c.goods <> 'kept' and exists (select from posted)
    order by t.code for no key update of t
), codes as (
    update trace_code t set remaining = t.remaining + c.quantity, document_id = %(refund)s,
        state = case when c.goods = 'quarantine' then 'RETURNED_QUARANTINE'
            when t.state = 'SOLD' and t.zone <> 'SPLIT' and c.quantity = p.pack_size then 'IN_STOCK' else 'SPLIT_OPEN' end,
        zone = case when c.goods = 'quarantine' then 'QUARANTINE'
            when t.state = 'SOLD' and t.zone <> 'SPLIT' and c.quantity = p.pack_size then t.zone else 'SPLIT' end
    from refund_code c join code_locked k on k.code = c.code, product p
    where t.tenant_id = %(tenant)s and t.code = c.code and c.tenant_id = %(tenant)s and c.refund_id = %(refund)s
        and p.tenant_id = t.tenant_id and p.id = t.product_id
        -- A code lies in one place: units that come back elsewhere than where the rest of their pack lies, lie there without it.
        and (t.state = 'SOLD' or (t.state = 'SPLIT_OPEN' and c.goods = 'shelf')
            or (t.state in ('RETURNED_QUARANTINE', 'FROZEN') and t.zone = 'QUARANTINE' and c.goods = 'quarantine'))
), events as (
    insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
    select %(tenant)s, c.code, 'SR', c.quantity, %(refund)s, c.line_no, document.facility_id, %(staff)s, %(at)s
    from document join refund_code c on c.tenant_id = %(tenant)s and c.refund_id = document.id and c.goods <> 'kept'
), tenders as (
    insert into tender (tenant_id, document_id, shift_id, kind, amount_fen, at)
    select %(tenant)s, document.id, document.shift_id, t.kind, t.amount_fen, %(at)s
    from document, jsonb_to_recordset(%(tenders)s::jsonb) as t(kind text, amount_fen bigint) where t.amount_fen <> 0
)
select document.id, posted.posted from document, posted
"""

CONFIRM_CASH = f"""
with document as (
    update refund set state = 'refunded', refunded_at = %(at)s, cash_fen = %(cash_fen)s
    where tenant_id = %(tenant)s and id = %(refund)s and state = 'asked' returning id, shift_id, facility_id
{_GOODS_COME_BACK}"""

CONFIRM = f"""
with {CLOSE_ATTEMPT}, document as (
    update refund set state = 'refunded', refunded_at = %(at)s, cash_fen = %(cash_fen)s, new_setl_id = %(new_setl_id)s, new_mdtrt_id = %(new_mdtrt_id)s,
        money = %(money)s::jsonb
    from attempt where refund.tenant_id = %(tenant)s and refund.id = attempt.document_id and refund.state in ('asked', 'reversed_unsettled')
    returning refund.id, refund.shift_id, refund.facility_id, refund.sale_id
), sold as (
    update sale set setl_id = %(new_setl_id)s, mdtrt_id = %(new_mdtrt_id)s, money = %(money)s::jsonb
    from document where sale.tenant_id = %(tenant)s and sale.id = document.sale_id
{_GOODS_COME_BACK}"""

REVERSED = f"""
with {CLOSE_ATTEMPT}
update refund set state = 'reversed_unsettled' from attempt
where refund.tenant_id = %(tenant)s and refund.id = attempt.document_id and refund.state = 'asked' returning refund.id
"""

RELEASE = f"""
with {CLOSE_ATTEMPT}
update refund set state = 'refused', refusal = %(answer_text)s from attempt
where refund.tenant_id = %(tenant)s and refund.id = attempt.document_id and refund.state = 'asked' returning refund.id
"""

TELL = """
with told as (
    select f.number from refund r cross join lateral append_facts(%(tenant)s, r.facility_id, %(facts)s::jsonb) f
    where r.tenant_id = %(tenant)s and r.id = %(refund)s and r.state = 'refunded' and r.stream_number is null
)
update refund set stream_number = told.number from told
where tenant_id = %(tenant)s and id = %(refund)s returning stream_number
"""

STORED = """
select s.id, s.receipt, s.paid, s.money, s.total_fen, s.facility_id, b.content::text as content, i.sealed, i.sign_no,
    r.state as refund_state, r.receipt as refund_receipt, r.reason, r.whole, r.refund_fen, r.reversed_setl_id, r.staff_id, r.terminal,
    s.total_fen - coalesce((select sum(o.refund_fen) from refund o where o.tenant_id = s.tenant_id and o.sale_id = s.id and o.state = 'refunded'), 0)::bigint as total_left_fen,
    f.number || ' ' || f.name as who
from refund r join sale s on s.tenant_id = r.tenant_id and s.id = r.sale_id
join basket b on b.tenant_id = s.tenant_id and b.id = s.id
join staff f on f.tenant_id = r.tenant_id and f.id = r.staff_id
left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
where r.tenant_id = %(tenant)s and r.id = %(refund)s for no key update of r
"""
STORED_LINES = """
select n.line_no, n.lot_id, n.quantity, n.amount_fen, n.goods, l.lot_number, l.expires_on, p.zone
from refund_line n join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
join sale_pick p on p.tenant_id = n.tenant_id and p.sale_id = n.sale_id and p.line_no = n.line_no and p.lot_id = n.lot_id
where n.tenant_id = %(tenant)s and n.refund_id = %(refund)s order by n.line_no, n.lot_id
"""
STORED_CODES = "select code, line_no, quantity, goods from refund_code where tenant_id = %(tenant)s and refund_id = %(refund)s order by line_no, code"

ASK_REST = f"""
with document as (
    select id from refund where tenant_id = %(tenant)s and id = %(refund)s and state = 'reversed_unsettled'
), head as (
    update stream_head set message_number = message_number + 1
    where tenant_id = %(tenant)s and facility_id = %(facility)s and exists (select from document) returning message_number
), {OPEN_ATTEMPT.replace("%(document)s", "%(refund)s")}
select message_id from attempt
"""
