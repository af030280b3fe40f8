"""The counts' set-based statements: one each for opening, judging and closing, however many lines there are."""

KNOWN = "select number, digest from stock_count where tenant_id = %(tenant)s and id = %(count)s"

# The number of the newest movement of a lot `b` in a zone: what the book says, it says up to here. Movements of one lot and
# zone are written under the lock of their balance, so their numbers rise in the order in which they become visible.
_MARK = """
cross join lateral (
    select coalesce((select m.id from stock_movement m where m.tenant_id = {b}.tenant_id and m.lot_id = {b}.lot_id and m.zone = {b}.zone
        order by m.id desc limit 1), 0) as mark
) newest
"""
# All that lies in the scope becomes the list, in the order in which people walk: shelf, then name.
OPEN_LINES = f"""
with made as (
    insert into count_line (tenant_id, count_id, line_no, facility_id, product_id, lot_id, zone, shelf, book, mark)
    select b.tenant_id, %(count)s, row_number() over (order by coalesce(h.shelf, ''), p.pinyin, b.product_id, b.expires_on, b.lot_id, b.zone),
        b.facility_id, b.product_id, b.lot_id, b.zone, coalesce(h.shelf, ''), b.on_hand, newest.mark
    from lot_balance b join product p on p.tenant_id = b.tenant_id and p.id = b.product_id
    left join product_shelf h on h.tenant_id = b.tenant_id and h.facility_id = b.facility_id and h.product_id = b.product_id
    {_MARK.format(b="b")}
    where b.tenant_id = %(tenant)s and b.facility_id = %(facility)s and b.on_hand > 0 and b.zone <> 'TRANSIT' and (
        %(scope)s::text = 'full' or (%(scope)s::text = 'shelf' and h.shelf = %(shelf)s::text)
        or (%(scope)s::text = 'product' and b.product_id = any(%(products)s::bigint[]))
        or (%(scope)s::text = 'controlled' and (p.special_class is not null or b.zone = 'CONTROLLED')))
    returning line_no
)
select count(*) as lines from made
"""
# Which lot of the scope stands in another unfinished count.
STANDS_IN = """
select c.number, p.generic_name as name, l.lot_number
from count_line n join stock_count c on c.tenant_id = n.tenant_id and c.id = n.count_id
join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
left join product_shelf h on h.tenant_id = n.tenant_id and h.facility_id = n.facility_id and h.product_id = n.product_id
where n.tenant_id = %(tenant)s and n.facility_id = %(facility)s and not n.finished and n.count_id <> %(count)s and (
    %(scope)s::text = 'full' or (%(scope)s::text = 'shelf' and h.shelf = %(shelf)s::text)
    or (%(scope)s::text = 'product' and n.product_id = any(%(products)s::bigint[]))
    or (%(scope)s::text = 'controlled' and (p.special_class is not null or n.zone = 'CONTROLLED')))
order by n.lot_id, n.zone limit 1
"""
LOT_STANDS_IN = """
select c.number, p.generic_name as name, l.lot_number
from count_line n join stock_count c on c.tenant_id = n.tenant_id and c.id = n.count_id
join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
where n.tenant_id = %(tenant)s and n.lot_id = %(lot)s and n.zone = %(zone)s and not n.finished limit 1
"""
WRITE_COUNT = """
insert into stock_count (tenant_id, id, facility_id, number, digest, scope, shelf, products, blind, note, staff_id, opened_at, opened_on, line_count)
values (%(tenant)s, %(count)s, %(facility)s, %(number)s, %(digest)s, %(scope)s, %(shelf)s, %(products)s::bigint[], %(blind)s, %(note)s, %(staff)s, %(at)s,
    %(today)s, %(lines)s::int)
"""

# Whoever counts shares the count with the others; whoever closes or decides holds it alone.
HEAD = """
select c.id, c.number, c.state, c.version, c.staff_id, c.closed_by, c.closed_at, c.decided_by, c.blind, s.name as leader, s.number as leader_number
from stock_count c join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
where c.tenant_id = %(tenant)s and c.id = %(count)s and c.facility_id = %(facility)s
"""
SHARE_HEAD, LOCK_HEAD = HEAD + " for share of c", HEAD + " for no key update of c"

# ---- entering ----

ENTRY = "select digest from count_entry where tenant_id = %(tenant)s and id = %(entry)s"
LINE = """
select n.line_no, n.zone, n.lot_id, n.product_id, p.pack_size, p.generic_name as name, l.lot_number
from count_line n join product p on p.tenant_id = n.tenant_id and p.id = n.product_id join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = %(line)s::int
"""
# The entry that stands for a place: the one nobody replaced.
_STANDING = "not exists (select from count_entry n where n.tenant_id = e.tenant_id and n.replaces = e.id)"
STANDING_AT = f"""
select e.id, e.counted_at, s.name as who from count_entry e join staff s on s.tenant_id = e.tenant_id and s.id = e.staff_id
where e.tenant_id = %(tenant)s and e.count_id = %(count)s and e.line_no = %(line)s::int and e.place = %(place)s and {_STANDING}
"""
# Codes in hand that belong to another lot, or that stand in another entry of this count.
CODES_ELSEWHERE = """
select t.code, l.lot_number, p.generic_name as name from trace_code t join lot l on l.tenant_id = t.tenant_id and l.id = t.lot_id
join product p on p.tenant_id = t.tenant_id and p.id = t.product_id
where t.tenant_id = %(tenant)s and t.code = any(%(codes)s) and t.lot_id <> %(lot)s order by t.code limit 5
"""
CODES_TWICE = f"""
select c.code, e.place from count_code c join count_entry e on e.tenant_id = c.tenant_id and e.id = c.entry_id
where c.tenant_id = %(tenant)s and c.count_id = %(count)s and c.code = any(%(codes)s) and not (e.line_no = %(line)s::int and e.place = %(place)s) and {_STANDING}
order by c.code limit 5
"""
# One statement, so that the quantity on hand and the newest movement are of one and the same moment.
ENTER = f"""
insert into count_entry (tenant_id, id, count_id, line_no, place, quantity, code_count, source, staff_id, counted_at, book, reserved,
    mark_from, mark_to, replaces, digest)
select n.tenant_id, %(entry)s, n.count_id, n.line_no, %(place)s, %(quantity)s, %(code_count)s::int, 'page', %(staff)s, %(at)s,
    coalesce(b.on_hand, 0), coalesce(b.reserved, 0), newest.mark, newest.mark, %(replaces)s::uuid, %(digest)s
from count_line n left join lot_balance b on b.tenant_id = n.tenant_id and b.lot_id = n.lot_id and b.zone = n.zone
{_MARK.format(b="n")}
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = %(line)s::int
"""
ENTER_CODES = """
insert into count_code (tenant_id, entry_id, code, count_id) select %(tenant)s, %(entry)s, unnest(%(codes)s::text[]), %(count)s
"""

# Goods that were not on the list: the lot (made when it is new, at the product's last cost), and its line.
MAKE_LOT = """
insert into lot (tenant_id, facility_id, product_id, lot_number, expires_on, cost_price)
select p.tenant_id, %(facility)s, p.id, %(lot_number)s, %(expires_on)s::date, (
    select l.cost_price from lot l where l.tenant_id = p.tenant_id and l.product_id = p.id and l.facility_id = %(facility)s and l.cost_price is not null
    order by l.id desc limit 1)
from product p where p.tenant_id = %(tenant)s and p.id = %(product)s
on conflict do nothing returning id, hold
"""
FIND_LOT = """
select l.id from lot l where l.tenant_id = %(tenant)s and l.facility_id = %(facility)s and l.product_id = %(product)s
    and l.lot_number = %(lot_number)s and l.expires_on = %(expires_on)s::date
"""
LINE_OF_LOT = """
select line_no from count_line where tenant_id = %(tenant)s and count_id = %(count)s and lot_id = %(lot)s and zone = %(zone)s
"""
ADD_LINE = """
with grown as (
    update stock_count set line_count = line_count + 1 where tenant_id = %(tenant)s and id = %(count)s returning id
)
insert into count_line (tenant_id, count_id, line_no, facility_id, product_id, lot_id, zone, shelf, book, mark, found, staff_id)
select l.tenant_id, g.id, (select max(line_no) + 1 from count_line where tenant_id = %(tenant)s and count_id = %(count)s), l.facility_id, l.product_id, l.id, z.zone,
    coalesce(h.shelf, ''), coalesce(b.on_hand, 0), newest.mark, true, %(staff)s
from grown g cross join lot l cross join (select %(zone)s::text as zone) z
left join lot_balance b on b.tenant_id = l.tenant_id and b.lot_id = l.id and b.zone = z.zone
left join product_shelf h on h.tenant_id = l.tenant_id and h.facility_id = l.facility_id and h.product_id = l.product_id
cross join lateral (
    select coalesce((select m.id from stock_movement m where m.tenant_id = l.tenant_id and m.lot_id = l.id and m.zone = z.zone order by m.id desc limit 1), 0) as mark
) newest
where l.tenant_id = %(tenant)s and l.id = %(lot)s and l.facility_id = %(facility)s
returning line_no
"""

# ---- a filled-in sheet ----

# Each row is judged between two moments: what moved between them may be in its figure or not.
ENTER_SHEET = """
insert into count_entry (tenant_id, id, count_id, line_no, place, quantity, code_count, source, staff_id, counted_at, book, reserved,
    mark_from, mark_to, replaces, digest)
select n.tenant_id, r.id, n.count_id, n.line_no, r.place, r.quantity, 0, 'sheet', %(staff)s, %(until)s,
    coalesce(b.on_hand, 0) - later.quantity, coalesce(b.reserved, 0), marks.mark_from, marks.mark_to, e.id, %(digest)s
from jsonb_to_recordset(%(rows)s::jsonb) as r(id uuid, line_no int, place text, quantity bigint)
join count_line n on n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = r.line_no
left join lot_balance b on b.tenant_id = n.tenant_id and b.lot_id = n.lot_id and b.zone = n.zone
left join count_entry e on e.tenant_id = n.tenant_id and e.count_id = n.count_id and e.line_no = n.line_no and e.place = r.place
    and not exists (select from count_entry x where x.tenant_id = e.tenant_id and x.replaces = e.id)
cross join lateral (
    select coalesce(max(m.id) filter (where m.moved_at <= %(since)s), 0) as mark_from, coalesce(max(m.id) filter (where m.moved_at <= %(until)s), 0) as mark_to
    from stock_movement m where m.tenant_id = n.tenant_id and m.lot_id = n.lot_id and m.zone = n.zone
) marks
cross join lateral (
    select coalesce(sum(m.quantity), 0)::bigint as quantity from stock_movement m
    where m.tenant_id = n.tenant_id and m.lot_id = n.lot_id and m.zone = n.zone and m.id > marks.mark_to
) later
order by r.line_no
returning line_no
"""
KNOWN_ENTRIES = "select count(*) as known, bool_and(digest = %(digest)s) as same from count_entry where tenant_id = %(tenant)s and id = any(%(ids)s)"

# ---- closing ----

# A count's lines were just written, so the planner knows nothing of them and would look each up by walking over all. What
# reads a whole count joins by hashing; afterwards everything is as before.
JOIN_WHOLE = "select set_config('enable_nestloop', 'off', true)"
JOIN_AS_USUAL = "select set_config('enable_nestloop', 'on', true)"

# What nobody counted is not there: an entry of nothing for each line without one, by whoever closes. Which lines these are is
# known before the first is written: looked up line by line, each look would walk over all that was just written.
ENTER_REST = f"""
insert into count_entry (tenant_id, id, count_id, line_no, place, quantity, code_count, source, staff_id, counted_at, book, reserved,
    mark_from, mark_to, digest)
select n.tenant_id, gen_random_uuid(), n.count_id, n.line_no, '', 0, 0, 'rest', %(staff)s, %(at)s, coalesce(b.on_hand, 0), coalesce(b.reserved, 0),
    newest.mark, newest.mark, ''
from count_line n left join lot_balance b on b.tenant_id = n.tenant_id and b.lot_id = n.lot_id and b.zone = n.zone
{_MARK.format(b="n")}
where n.tenant_id = %(tenant)s and n.count_id = %(count)s
    and n.line_no not in (select line_no from count_entry where tenant_id = %(tenant)s and count_id = %(count)s)
"""
# Corrections of the book that move no goods.
_BOOK_ONLY = "(m.kind in ('CI', 'CO', 'CR') or (m.kind = 'HB' and m.zone = 'SPLIT' and m.quantity < 0))"
# One row a counted line: the sum of its standing entries, the book at its last mark, and what moved meanwhile.
JUDGE = f"""
with tally as (
    select e.line_no, sum(e.quantity)::bigint as counted, min(e.mark_from) as first_mark, max(e.mark_to) as last_mark,
        (array_agg(e.book order by e.mark_to desc))[1] as book_at, sum(e.reserved)::bigint as reserved
    from count_entry e where e.tenant_id = %(tenant)s and e.count_id = %(count)s and {_STANDING} group by e.line_no
)
select n.line_no, n.lot_id, n.zone, n.product_id, n.difference, t.counted, t.first_mark, t.book_at, t.reserved, moved.went, moved.came, moved.corrected,
    p.rx_class, p.pack_size, l.cost_price, p.generic_name as name, l.lot_number
from tally t join count_line n on n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = t.line_no
join product p on p.tenant_id = n.tenant_id and p.id = n.product_id join lot l on l.tenant_id = n.tenant_id and l.id = n.lot_id
cross join lateral (
    select coalesce(sum(-m.quantity) filter (where m.quantity < 0 and m.id <= t.last_mark and not {_BOOK_ONLY}), 0)::bigint as went,
        coalesce(sum(m.quantity) filter (where m.quantity > 0 and m.id <= t.last_mark and not {_BOOK_ONLY}), 0)::bigint as came,
        coalesce(sum(m.quantity) filter (where m.id > t.last_mark and {_BOOK_ONLY}), 0)::bigint as corrected
    from stock_movement m where m.tenant_id = n.tenant_id and m.lot_id = n.lot_id and m.zone = n.zone and m.id > t.first_mark
) moved
order by n.line_no limit 20000
"""
# A reason given before stays while the difference does.
WRITE_VERDICTS = """
update count_line n set counted = v.counted, difference = v.difference, unsure = v.unsure, first_mark = v.first_mark, worth_fen = v.worth_fen,
    reason = case when v.reason <> '' then v.reason when n.difference = v.difference then n.reason else '' end,
    reason_note = case when v.reason = '' and n.difference = v.difference then n.reason_note else '' end
from jsonb_to_recordset(%(verdicts)s::jsonb) as v(line_no int, counted bigint, difference bigint, unsure bigint, first_mark bigint, worth_fen bigint, reason text)
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = v.line_no
"""
CLOSE = """
update stock_count set state = 'closed', version = version + 1, closed_by = %(staff)s, closed_at = %(at)s, counted_count = %(counted)s::int
where tenant_id = %(tenant)s and id = %(count)s
"""
REOPEN = "update stock_count set state = 'open', version = version + 1 where tenant_id = %(tenant)s and id = %(count)s"
WITHDRAW = """
update stock_count set state = 'withdrawn', version = version + 1, decided_by = %(staff)s, decided_at = %(at)s
where tenant_id = %(tenant)s and id = %(count)s
"""
FINISH_LINES = "update count_line set finished = true where tenant_id = %(tenant)s and count_id = %(count)s"

# ---- explaining and approving ----

EXPLAIN = """
update count_line n set reason = r.reason, reason_note = r.note
from jsonb_to_recordset(%(rows)s::jsonb) as r(line_no int, reason text, note text)
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = r.line_no and n.difference <> 0
"""
TO_EXPLAIN = """
select n.line_no, n.difference, n.counted, p.rx_class, p.generic_name as name from count_line n join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.difference <> 0 and n.line_no = any(%(lines)s::int[]) order by n.line_no limit 500
"""
COUNTED_BY = "select exists (select from count_entry where tenant_id = %(tenant)s and count_id = %(count)s and staff_id = %(staff)s) as counted"
UNEXPLAINED = """
select count(*) over () as open, p.generic_name as name from count_line n join product p on p.tenant_id = n.tenant_id and p.id = n.product_id
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.difference <> 0 and n.reason = '' order by n.line_no limit 3
"""
# Codes of the lines: written off before and in hand again ("found"), or lying there by the book and in nobody's hand ("missing").
# A code that came with a movement after the first mark is not missed.
LINE_CODES = f"""
with standing as (
    select c.code, e.line_no from count_code c join count_entry e on e.tenant_id = c.tenant_id and e.id = c.entry_id
    where c.tenant_id = %(tenant)s and c.count_id = %(count)s and {_STANDING}
)
select n.line_no, t.code, 'found' as what, t.remaining
from standing s join count_line n on n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = s.line_no
join trace_code t on t.tenant_id = n.tenant_id and t.code = s.code and t.lot_id = n.lot_id and t.state = 'LOST'
where n.line_no = any(%(lines)s::int[])
union all
select n.line_no, t.code, 'missing', t.remaining
from count_line n join trace_code t on t.tenant_id = n.tenant_id and t.lot_id = n.lot_id and t.zone = n.zone
    and t.state in ('IN_STOCK', 'SPLIT_OPEN', 'FROZEN', 'RETURNED_QUARANTINE')
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = any(%(lines)s::int[]) and n.counted is not null
    and not exists (select from standing s where s.line_no = n.line_no and s.code = t.code)
    and not exists (select from stock_movement m where m.tenant_id = n.tenant_id and m.document_id = t.document_id and m.lot_id = n.lot_id
        and m.zone = n.zone and m.id > n.first_mark)
union all
select n.line_no, t.code, 'missing', 0
from count_line n join stock_count c on c.tenant_id = n.tenant_id and c.id = n.count_id and c.state = 'approved'
join trace_code t on t.tenant_id = n.tenant_id and t.lot_id = n.lot_id
where n.tenant_id = %(tenant)s and n.count_id = %(count)s and n.line_no = any(%(lines)s::int[]) and n.difference < 0 and exists (
    select from trace_event e where e.tenant_id = t.tenant_id and e.code = t.code and e.document_id = n.count_id and e.kind = 'CO' and e.line_no = n.line_no)
order by 1, 2 limit 200000
"""
# Lines of which any pack was scanned, by line.
SCANNED = f"""
select distinct e.line_no from count_entry e
where e.tenant_id = %(tenant)s and e.count_id = %(count)s and e.code_count > 0 and {_STANDING} order by 1 limit 20000
"""
APPROVE = """
update stock_count set state = 'approved', version = version + 1, decided_by = %(staff)s, decided_at = %(at)s,
    gain_fen = coalesce(w.gain, 0), loss_fen = coalesce(w.loss, 0)
from (select sum(greatest(worth_fen, 0))::bigint as gain, sum(greatest(-worth_fen, 0))::bigint as loss from count_line
    where tenant_id = %(tenant)s and count_id = %(count)s and difference <> 0) w
where tenant_id = %(tenant)s and id = %(count)s
"""
