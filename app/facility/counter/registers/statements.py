"""The readings behind the books: one statement each, newest first, a page at a time by the last row's key.

A book that is about few lines of many sales finds them by an index that holds only those lines.
"""

# Sale lines of this facility in a range of moments; a book adds its condition on the line and its joins.
_SALES = """
select s.asked_at as at, s.id as key, n.line_no as line, s.receipt, n.quantity, n.split, n.described, f.name as seller, f.id as seller_id,
    p.lots, coalesce(b.quantity, 0)::bigint as returned{columns}
from sale s
join sale_line n on n.tenant_id = s.tenant_id and n.sale_id = s.id and {condition}
join staff f on f.tenant_id = s.tenant_id and f.id = s.staff_id
left join lateral (
    select jsonb_agg(jsonb_build_object('lot', l.lot_number, 'expires_on', l.expires_on) order by l.expires_on) as lots
    from sale_pick k join lot l on l.tenant_id = k.tenant_id and l.id = k.lot_id
    where k.tenant_id = n.tenant_id and k.sale_id = n.sale_id and k.line_no = n.line_no) p on true
left join lateral (
    select sum(x.quantity) as quantity from refund_line x join refund r on r.tenant_id = x.tenant_id and r.id = x.refund_id and r.state = 'refunded'
    where x.tenant_id = n.tenant_id and x.sale_id = n.sale_id and x.line_no = n.line_no and x.goods <> 'kept') b on true
{joins}
where s.facility_id = :facility and s.state = 'settled' and s.asked_at >= :begins and s.asked_at < :ends
    and (cast(:at as timestamptz) is null or (s.asked_at, s.id, n.line_no) < (cast(:at as timestamptz), cast(:key as uuid), cast(:line as int)))
order by s.asked_at desc, s.id desc, n.line_no desc limit :page
"""
_RX = (
    ", r.number as rx_number, r.issued_on, r.patient_sealed, r.diagnosis, r.prescriber, r.institution, r.reviewer_name"
)
_RX_JOIN = "left join prescription r on r.tenant_id = n.tenant_id and r.id = n.prescription_id"


def _of_sales(condition: str, columns: str = "", joins: str = "") -> str:
    return _SALES.format(condition=condition, columns=columns, joins=joins)


PRESCRIBED = _of_sales("n.prescription_id is not null", _RX, _RX_JOIN)
NEAR = _of_sales("n.described ? 'near'", ", s.sold_on")

# The day the pack was opened: of the pack with this code, else the last one opened of the lot before the sale.
SPLITS = _of_sales(
    "n.split",
    ", coalesce(e.at, m.moved_at) as opened_at, c.staff_id as checker_id, g.name as checker, c.checked_at",
    """
left join split_check c on c.tenant_id = n.tenant_id and c.sale_id = n.sale_id and c.line_no = n.line_no
left join staff g on g.tenant_id = c.tenant_id and g.id = c.staff_id
left join lateral (
    select t.at from sale_code y join trace_event t on t.tenant_id = y.tenant_id and t.code = y.code and t.kind = 'SP' and t.at <= s.asked_at
    where y.tenant_id = n.tenant_id and y.sale_id = n.sale_id and y.line_no = n.line_no order by t.id desc limit 1) e on true
left join lateral (
    select v.moved_at from sale_pick k join stock_movement v on v.tenant_id = k.tenant_id and v.lot_id = k.lot_id and v.kind = 'SP'
        and v.zone = 'SPLIT' and v.quantity > 0 and v.moved_at <= s.asked_at
    where k.tenant_id = n.tenant_id and k.sale_id = n.sale_id and k.line_no = n.line_no order by v.id desc limit 1) m on e.at is null""",
)

SPECIAL = f"""
select c.at, c.sale_id as key, c.line_no as line, c.special_class, s.receipt, n.quantity, n.split, n.described, f.name as seller, f.id as seller_id,
    p.lots, coalesce(b.quantity, 0)::bigint as returned, coalesce(y.sealed, i.agent_sealed, i.sealed) as buyer_sealed{_RX}
from special_sale_line c
join sale s on s.tenant_id = c.tenant_id and s.id = c.sale_id and s.state = 'settled'
join sale_line n on n.tenant_id = c.tenant_id and n.sale_id = c.sale_id and n.line_no = c.line_no
join staff f on f.tenant_id = s.tenant_id and f.id = s.staff_id
left join buyer_check y on y.tenant_id = c.tenant_id and y.id = c.buyer_check_id
left join identification i on i.tenant_id = s.tenant_id and i.id = s.identification_id
{_RX_JOIN}
left join lateral (
    select jsonb_agg(jsonb_build_object('lot', l.lot_number, 'expires_on', l.expires_on) order by l.expires_on) as lots
    from sale_pick k join lot l on l.tenant_id = k.tenant_id and l.id = k.lot_id
    where k.tenant_id = c.tenant_id and k.sale_id = c.sale_id and k.line_no = c.line_no) p on true
left join lateral (
    select sum(x.quantity) as quantity from refund_line x join refund r on r.tenant_id = x.tenant_id and r.id = x.refund_id and r.state = 'refunded'
    where x.tenant_id = c.tenant_id and x.sale_id = c.sale_id and x.line_no = c.line_no and x.goods <> 'kept') b on true
where c.facility_id = :facility and c.special_class {{classes}} and c.at >= :begins and c.at < :ends
    and (cast(:at as timestamptz) is null or (c.at, c.sale_id, c.line_no) < (cast(:at as timestamptz), cast(:key as uuid), cast(:line as int)))
order by c.at desc, c.sale_id desc, c.line_no desc limit :page
"""
EPHEDRINE = SPECIAL.format(classes="= 'EPHEDRINE'")
OTHER_SPECIAL = SPECIAL.format(classes="in ('PSYCHOTROPIC_2', 'TOXIC', 'SPECIAL_COMPOUND')")

# A coming and the leaving that followed it, if the person left.
DUTY = """
select a.at, a.id as key, 0 as line, f.name as pharmacist, f.national_code, a.terminal, o.at as left_at
from attendance a join staff f on f.tenant_id = a.tenant_id and f.id = a.staff_id
left join lateral (
    select x.at, x.kind from attendance x
    where x.tenant_id = a.tenant_id and x.facility_id = a.facility_id and x.staff_id = a.staff_id and x.at >= a.at and x.id > a.id
    order by x.at, x.id limit 1) o on o.kind = 'out'
where a.facility_id = :facility and a.kind = 'in' and a.at >= :begins and a.at < :ends
    and (cast(:at as timestamptz) is null or (a.at, a.id) < (cast(:at as timestamptz), cast(:key as bigint)))
order by a.at desc, a.id desc limit :page
"""

DISCOUNTS = """
select d.at, d.sale_id as key, d.line_no as line, s.receipt, n.quantity, n.split, n.described, d.list_price, d.price, d.list_fen, d.amount_fen,
    d.reason, f.name as seller, g.name as approver
from sale_discount d
join sale s on s.tenant_id = d.tenant_id and s.id = d.sale_id and s.state = 'settled'
join sale_line n on n.tenant_id = d.tenant_id and n.sale_id = d.sale_id and n.line_no = d.line_no
join staff f on f.tenant_id = d.tenant_id and f.id = d.staff_id
left join staff g on g.tenant_id = d.tenant_id and g.id = d.approver_id
where d.facility_id = :facility and d.at >= :begins and d.at < :ends
    and (cast(:at as timestamptz) is null or (d.at, d.sale_id, d.line_no) < (cast(:at as timestamptz), cast(:key as uuid), cast(:line as int)))
order by d.at desc, d.sale_id desc, d.line_no desc limit :page
"""

# Who gave how much on which day. A day of a person is a row, so the key is the day and the person.
DISCOUNT_DAYS = """
select (d.sold_on::timestamp at time zone 'Asia/Shanghai') as at, d.staff_id as key, 0 as line, d.sold_on, f.name as seller,
    count(distinct d.sale_id) as sales, count(*) as lines, sum(d.list_fen)::bigint as list_fen, sum(d.amount_fen)::bigint as amount_fen,
    count(*) filter (where d.approver_id is not null) as approved
from sale_discount d
join sale s on s.tenant_id = d.tenant_id and s.id = d.sale_id and s.state = 'settled'
join staff f on f.tenant_id = d.tenant_id and f.id = d.staff_id
where d.facility_id = :facility and d.at >= :begins and d.at < :ends
    and (cast(:at as timestamptz) is null
        or (d.sold_on, d.staff_id) < ((cast(:at as timestamptz) at time zone 'Asia/Shanghai')::date, cast(:key as bigint)))
group by d.sold_on, d.staff_id, f.name
order by d.sold_on desc, d.staff_id desc limit :page
"""
