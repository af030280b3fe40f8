"""The summaries of a clinic's days, each one statement over what was settled, given back or signed in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

MOST = 500  # Rows of a summary; there are fewer doctors, cashiers and drugs in a day than that.


@dataclass(frozen=True)
class Column:
    """A column: its name, and what stands in it (text, count, fen, share in basis points, somebody's name, a moment, a reason of dispensing)."""

    key: str
    name: Any
    holds: str = "count"
    totalled: bool = True


@dataclass(frozen=True)
class Summary:
    """One table: what its rows are, its columns, where they come from."""

    key: str
    title: Any
    sub: Any
    columns: tuple[Column, ...]
    statement: str


# What money came and went in these days: one row a bill or a refund.
_DOCUMENTS = """
documents as (
    select b.id, b.cashier_id as staff_id, b.visit_id, b.paid, b.total_fen as in_fen, 0::bigint as out_fen from bill b
    where b.tenant_id = :tenant and b.facility_id = :facility and b.settled_at >= :begins and b.settled_at < :ends
    union all
    select r.id, r.staff_id, b.visit_id, b.paid, 0, r.refund_fen from bill_refund r join bill b on b.tenant_id = r.tenant_id and b.id = r.bill_id
    where r.tenant_id = :tenant and r.facility_id = :facility and r.refunded_at >= :begins and r.refunded_at < :ends
), money as (
    select d.id, coalesce(sum(t.amount_fen) filter (where t.kind = 'fund'), 0) as fund_fen,
        coalesce(sum(t.amount_fen) filter (where t.kind in ('account', 'mutual')), 0) as account_fen,
        coalesce(sum(t.amount_fen) filter (where t.kind = 'cash'), 0) as cash_fen,
        coalesce(sum(t.amount_fen) filter (where t.kind in ('wechat', 'alipay')), 0) as mobile_fen,
        coalesce(sum(t.amount_fen) filter (where t.kind = 'bank'), 0) as bank_fen
    from documents d join tender t on t.tenant_id = :tenant and t.document_id = d.id group by d.id
)"""
_SUMS = """
    count(*) filter (where d.in_fen > 0) as bills, coalesce(sum(d.in_fen), 0)::bigint as in_fen, count(*) filter (where d.out_fen > 0) as refunds,
    coalesce(sum(d.out_fen), 0)::bigint as out_fen, coalesce(sum(d.in_fen - d.out_fen), 0)::bigint as net_fen, coalesce(sum(m.fund_fen), 0)::bigint as fund_fen,
    coalesce(sum(m.account_fen), 0)::bigint as account_fen, coalesce(sum(m.cash_fen), 0)::bigint as cash_fen, coalesce(sum(m.mobile_fen), 0)::bigint as mobile_fen,
    coalesce(sum(m.bank_fen), 0)::bigint as bank_fen"""
_MONEY = (
    Column("bills", _l("收费单")), Column("in_fen", _l("收入"), "fen"), Column("refunds", _l("退费单")), Column("out_fen", _l("退费"), "fen"), Column("net_fen", _l("净额"), "fen"),
    Column("fund_fen", _l("统筹等基金"), "fen"), Column("account_fen", _l("个人账户"), "fen"), Column("cash_fen", _l("现金"), "fen"), Column("mobile_fen", _l("移动支付"), "fen"),
    Column("bank_fen", _l("银行卡"), "fen"),
)  # fmt: skip

# What was charged in these days, line by line, and what was paid back of it.
_LINES = """
lines as (
    select l.product_id, l.order_id, l.described, l.quantity, l.amount_fen, b.visit_id from bill b join bill_line l on l.tenant_id = b.tenant_id and l.bill_id = b.id
    where b.tenant_id = :tenant and b.facility_id = :facility and b.settled_at >= :begins and b.settled_at < :ends
    union all
    select l.product_id, l.order_id, l.described, -g.quantity, -g.amount_fen, b.visit_id from bill_refund r
    join bill_refund_line g on g.tenant_id = r.tenant_id and g.refund_id = r.id
    join bill_line l on l.tenant_id = g.tenant_id and l.bill_id = g.bill_id and l.line_no = g.line_no
    join bill b on b.tenant_id = r.tenant_id and b.id = r.bill_id
    where r.tenant_id = :tenant and r.facility_id = :facility and r.refunded_at >= :begins and r.refunded_at < :ends
)"""
_PRODUCTS = f"""
with {_LINES}
select max(described ->> 'code') as code, max(described ->> 'name') as name, max(described ->> 'spec') as spec, max(described ->> 'maker') as maker,
    sum(quantity)::bigint / max((described ->> 'pack_size')::bigint) as packs, sum(quantity)::bigint %% max((described ->> 'pack_size')::bigint) as loose,
    max(described ->> 'pack_unit') as unit, sum(amount_fen)::bigint as amount_fen, count(distinct visit_id) filter (where quantity > 0) as visits
from lines where (described ->> 'rx_class' = 'SERVICE') = {{service}} group by product_id
having sum(quantity) <> 0 or sum(amount_fen) <> 0 order by sum(amount_fen) desc, product_id limit :most
""".replace("%%", "%")

CASHIERS = Summary("cashiers", _l("收费员"), _l("谁收了多少、退了多少，钱怎么来的"),
    (Column("who", _l("收费员"), "text"), *_MONEY),
    f"""
    with {_DOCUMENTS}
    select s.number || ' ' || s.name as who, {_SUMS} from documents d left join money m on m.id = d.id
    join staff s on s.tenant_id = :tenant and s.id = d.staff_id group by s.id, s.number, s.name order by s.number limit :most
    """,
)  # fmt: skip
PAYERS = Summary("payers", _l("付费方"), _l("医保和自费各多少，按险种"),
    (Column("payer", _l("付费方"), "payer"), Column("visits", _l("人次")), *_MONEY),
    f"""
    with {_DOCUMENTS}
    select case when d.paid = 'insured' then coalesce(v.insutype, '') else 'self' end as payer, count(distinct d.visit_id) as visits, {_SUMS}
    from documents d left join money m on m.id = d.id join visit v on v.tenant_id = :tenant and v.id = d.visit_id group by 1 order by 1 limit :most
    """,
)  # fmt: skip
DOCTORS = Summary("doctors", _l("医师"), _l("看了多少人、开了多少处方、收入里药品占多少"),
    (
        Column("who", _l("医师"), "text"), Column("department", _l("科室"), "text"), Column("visits", _l("人次")), Column("firsts", _l("初诊")), Column("emergencies", _l("急诊")),
        Column("insured", _l("医保")), Column("prescriptions", _l("处方")), Column("herbs", _l("饮片方")), Column("infusions", _l("输液")), Column("amount_fen", _l("已收"), "fen"),
        Column("medicine_fen", _l("其中药品"), "fen"), Column("share", _l("药占比"), "share", False), Column("each_fen", _l("次均"), "fen", False),
    ),
    f"""
    with {_LINES}, seen as (
        select doctor_id, count(*) as visits, count(*) filter (where kind = 'first') as firsts, count(*) filter (where kind = 'emergency') as emergencies,
            count(*) filter (where mdtrt_id is not null) as insured
        from visit where tenant_id = :tenant and facility_id = :facility and visit_on >= :first and visit_on <= :last and state in ('IN_VISIT', 'SIGNED', 'CLOSED')
        group by doctor_id
    ), written as (
        select doctor_id, count(*) filter (where kind in ('WESTERN', 'HERB', 'INFUSION')) as prescriptions, count(*) filter (where kind = 'HERB') as herbs,
            count(*) filter (where kind = 'INFUSION') as infusions
        from clinic_order where tenant_id = :tenant and facility_id = :facility and signed_at >= :begins and signed_at < :ends and state <> 'VOID' group by doctor_id
    ), paid as (
        select o.doctor_id, sum(l.amount_fen)::bigint as amount_fen, coalesce(sum(l.amount_fen) filter (where l.described ->> 'rx_class' <> 'SERVICE'), 0)::bigint as medicine_fen
        from lines l join clinic_order o on o.tenant_id = :tenant and o.id = l.order_id group by o.doctor_id
    ), who as (
        select doctor_id from seen union select doctor_id from written union select doctor_id from paid
    )
    select s.number || ' ' || s.name as who, coalesce(d.name, '') as department, coalesce(v.visits, 0) as visits, coalesce(v.firsts, 0) as firsts,
        coalesce(v.emergencies, 0) as emergencies, coalesce(v.insured, 0) as insured, coalesce(w.prescriptions, 0) as prescriptions, coalesce(w.herbs, 0) as herbs,
        coalesce(w.infusions, 0) as infusions, coalesce(p.amount_fen, 0) as amount_fen, coalesce(p.medicine_fen, 0) as medicine_fen,
        p.medicine_fen * 10000 / nullif(p.amount_fen, 0) as share, p.amount_fen / nullif(v.visits, 0) as each_fen
    from who join staff s on s.tenant_id = :tenant and s.id = who.doctor_id
    left join practitioner r on r.tenant_id = :tenant and r.staff_id = s.id and r.facility_id = :facility
    left join department d on d.tenant_id = :tenant and d.id = r.department_id
    left join seen v on v.doctor_id = who.doctor_id left join written w on w.doctor_id = who.doctor_id left join paid p on p.doctor_id = who.doctor_id
    order by s.number limit :most
    """,
)  # fmt: skip
_OF_PRODUCTS = (
    Column("code", _l("编码"), "text"), Column("name", _l("名称"), "text"), Column("spec", _l("规格"), "text"), Column("maker", _l("生产企业"), "text"),
    Column("packs", _l("数量"), "packs", False), Column("visits", _l("人次"), "count", False), Column("amount_fen", _l("金额"), "fen"),
)  # fmt: skip
DRUGS = Summary("drugs", _l("药品"), _l("收了费的药品，退费已减去"), _OF_PRODUCTS, _PRODUCTS.format(service="false"))
ITEMS = Summary("items", _l("项目"), _l("收了费的诊疗项目，退费已减去"),
    tuple(column for column in _OF_PRODUCTS if column.key not in {"spec", "maker"}), _PRODUCTS.format(service="true"),
)  # fmt: skip
WORKLOAD = Summary("workload", _l("工作量"), _l("每个人这几天做了什么"),
    (
        Column("who", _l("人员"), "text"), Column("registered", _l("挂号")), Column("seen", _l("接诊")), Column("sheets", _l("开单")), Column("reviewed", _l("审方")),
        Column("bills", _l("收费")), Column("refunds", _l("退费")), Column("dispensed", _l("发药")), Column("executed", _l("治疗执行")),
    ),
    """
    with done as (
        select staff_id as who, 'registered' as what from visit where tenant_id = :tenant and facility_id = :facility and visit_on >= :first and visit_on <= :last
            and state not in ('BOOKED', 'CANCELLED')
        union all
        select doctor_id, 'seen' from visit where tenant_id = :tenant and facility_id = :facility and visit_on >= :first and visit_on <= :last
            and state in ('IN_VISIT', 'SIGNED', 'CLOSED')
        union all
        select doctor_id, 'sheets' from clinic_order where tenant_id = :tenant and facility_id = :facility and signed_at >= :begins and signed_at < :ends
        union all
        select reviewer_id, 'reviewed' from clinic_order where tenant_id = :tenant and facility_id = :facility and reviewed_at >= :begins and reviewed_at < :ends
        union all
        select cashier_id, 'bills' from bill where tenant_id = :tenant and facility_id = :facility and settled_at >= :begins and settled_at < :ends
        union all
        select staff_id, 'refunds' from bill_refund where tenant_id = :tenant and facility_id = :facility and refunded_at >= :begins and refunded_at < :ends
        union all
        select staff_id, 'dispensed' from dispensing where tenant_id = :tenant and facility_id = :facility and at >= :begins and at < :ends
        union all
        select staff_id, 'executed' from execution where tenant_id = :tenant and facility_id = :facility and at >= :begins and at < :ends
    )
    select s.number || ' ' || s.name as who, count(*) filter (where what = 'registered') as registered, count(*) filter (where what = 'seen') as seen,
        count(*) filter (where what = 'sheets') as sheets, count(*) filter (where what = 'reviewed') as reviewed, count(*) filter (where what = 'bills') as bills,
        count(*) filter (where what = 'refunds') as refunds,
        count(*) filter (where what = 'dispensed') as dispensed, count(*) filter (where what = 'executed') as executed
    from done join staff s on s.tenant_id = :tenant and s.id = done.who group by s.id, s.number, s.name order by s.number limit :most
    """,
)  # fmt: skip
SWAPS = Summary("swaps", _l("换批换药"), _l("发药时没有发先到期的批号，或换了同一种药的另一家：发了什么、代替什么、为什么、谁同意"),
    (
        Column("at", _l("时间"), "moment"), Column("number", _l("发药单"), "text"), Column("patient", _l("患者"), "text"), Column("gone", _l("发出的药"), "text"),
        Column("instead", _l("代替的"), "text"), Column("reason", _l("原因"), "reason"), Column("who", _l("配药人"), "name"), Column("checker", _l("核对人"), "name"), Column("doctor", _l("同意的医师"), "name"),
    ),
    """
    select h.at, h.number, p.name_shown as patient, w.gone, w.instead, w.reason, w.note, a.number || ' ' || a.name as who, c.number || ' ' || c.name as checker, w.doctor
    from dispensing h join dispensing_line g on g.tenant_id = h.tenant_id and g.dispensing_id = h.id
    join bill_line n on n.tenant_id = g.tenant_id and n.bill_id = g.bill_id and n.line_no = g.bill_line_no
    join lot x on x.tenant_id = g.tenant_id and x.id = g.lot_id
    cross join lateral (
        select (n.described ->> 'name') || ' ' || x.lot_number as gone, y.lot_number || ' ' || y.expires_on as instead, g.lot_reason as reason, g.lot_note as note, '' as doctor
        from lot y where y.tenant_id = g.tenant_id and y.id = g.passed_lot_id
        union all
        select concat_ws(' ', s.described ->> 'name', s.described ->> 'maker', s.described ->> 'spec', x.lot_number), concat_ws(' ', n.described ->> 'maker', n.described ->> 'spec'),
            s.reason, s.note, d.number || ' ' || d.name
        from substitution s join substitution_answer r on r.tenant_id = s.tenant_id and r.substitution_id = s.id join staff d on d.tenant_id = r.tenant_id and d.id = r.staff_id
        where s.tenant_id = g.tenant_id and s.id = g.substitution_id) w
    join clinic_order o on o.tenant_id = h.tenant_id and o.id = h.order_id join patient p on p.tenant_id = o.tenant_id and p.id = o.patient_id
    join staff a on a.tenant_id = h.tenant_id and a.id = h.staff_id join staff c on c.tenant_id = h.tenant_id and c.id = h.checker_id
    where h.tenant_id = :tenant and h.facility_id = :facility and h.at >= :begins and h.at < :ends order by h.at, h.id, g.line_no limit :most
    """,
)  # fmt: skip
SUMMARIES = {each.key: each for each in (DOCTORS, CASHIERS, PAYERS, DRUGS, ITEMS, WORKLOAD, SWAPS)}
