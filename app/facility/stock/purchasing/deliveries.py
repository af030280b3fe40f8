"""What people do with a delivery (随货同行单): open it, keep it while it is unpacked, give it up, accept it (验收)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import NotFound, Several, words
from app.core.money import fen
from app.facility.db import action, hot_action, run, transaction
from app.facility.stock import queries as stock
from app.facility.stock import receiving, statements
from app.facility.stock.purchasing import codes as packing
from app.facility.stock.purchasing import rules
from app.facility.stock.purchasing.errors import DeliveryClosed, DraftChanged, NotAccepted
from app.facility.stock.receiving import Paper
from app.facility.stock.suppliers import actions as owing
from app.facility.stock.suppliers import queries as suppliers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.stock.rules import ReceiptLine

_json = msgspec.json.Encoder(decimal_format="string").encode
_draft = msgspec.json.Decoder(rules.Draft)
STATES = {"draft": "正在验收", "accepted": "已验收入库", "abandoned": "已放弃"}

OPEN = """
    insert into delivery (id, facility_id, supplier_id, order_id, content, staff_id, made_at, changed_at)
    select :id, :facility, s.id, o.id, cast(:content as jsonb), :staff, :at, :at
    from supplier s left join purchase_order o on o.tenant_id = s.tenant_id and o.id = :order and o.facility_id = :facility
    where s.id = :supplier
    on conflict on constraint delivery_pkey do nothing
"""
EXPECTED = """
    select l.product_id, l.packs - l.received_packs as packs, l.price, p.generic_name, p.spec, p.pack_unit
    from purchase_order_line l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id
    where l.order_id = :order and l.packs > l.received_packs order by l.line_no limit 200
"""
LOCK = """
select d.id, d.state, d.version, d.content::text as content, d.supplier_id, d.order_id, s.name as supplier, s.credit_code
from delivery d join supplier s on s.tenant_id = d.tenant_id and s.id = d.supplier_id
where d.tenant_id = %(tenant)s and d.facility_id = %(facility)s and d.id = %(delivery)s for no key update of d
"""
GOODS = """
select id, generic_name as name, pack_size, storage, special_class, rx_class as rx, approval_number as approval, maker, trace_required
from product where tenant_id = %(tenant)s and id = any(%(ids)s) and state = 'active'
"""
ORDERED = """
select product_id, packs - received_packs as packs from purchase_order_line where tenant_id = %(tenant)s and order_id = %(order)s order by line_no limit 200
"""
ACCEPT = """
with lines as (
    insert into delivery_line (tenant_id, delivery_id, line_no, product_id, lot_number, produced_on, expires_on, arrived, accepted, rejected,
        reason, kept, zone, cost_price, approval_number, maker, origin, code_count)
    select %(tenant)s, %(delivery)s, l.line_no, l.product_id, l.lot_number, l.produced_on, l.expires_on, l.arrived, l.accepted, l.rejected,
        l.reason, l.kept, l.zone, l.cost_price, l.approval, l.maker, l.origin, l.code_count
    from jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, product_id bigint, lot_number text, produced_on date, expires_on date, arrived int,
        accepted int, rejected int, reason text, kept boolean, zone text, cost_price numeric, approval text, maker text, origin text, code_count int)
)
update delivery set state = 'accepted', accepted_at = %(at)s, changed_at = %(at)s, inspector_id = %(staff)s, second_id = %(second)s,
    note_number = %(note_number)s, record = %(record)s::jsonb
where tenant_id = %(tenant)s and id = %(delivery)s
"""
COUNT_IN = """
with came as (
    select product_id, sum(accepted) as packs from jsonb_to_recordset(%(lines)s::jsonb) as l(product_id bigint, accepted int) group by product_id
), counted as (
    update purchase_order_line o set received_packs = o.received_packs + came.packs from came
    where o.tenant_id = %(tenant)s and o.order_id = %(order)s and o.product_id = came.product_id
    returning o.line_no, o.packs > o.received_packs as waits
)
update purchase_order o set state = case when exists (
        select from purchase_order_line l left join counted c on c.line_no = l.line_no
        where l.tenant_id = o.tenant_id and l.order_id = o.id and coalesce(c.waits, l.packs > l.received_packs)) then 'partly' else 'received' end
where o.tenant_id = %(tenant)s and o.id = %(order)s and o.state in ('placed', 'partly')
"""


@action
def open_delivery(desk: Desk, delivery_id: UUID, supplier_id: int, order_id: UUID | None = None) -> None:
    """Begin to take a delivery in; from an order, its open lines stand there already. The same id again changes nothing."""
    draft = rules.Draft(arrived_at=clock.local(clock.now()).strftime("%Y-%m-%dT%H:%M"))
    if order_id:
        draft.rows = [_expected(row) for row in run(EXPECTED, order=str(order_id))]
    run(
        OPEN, id=delivery_id, facility=desk.facility_id, supplier=supplier_id, order=order_id, content=_json(draft).decode(),
        staff=desk.staff_id, at=clock.now(),
    )  # fmt: skip
    found = run(
        "select 1 from delivery where id = :id and facility_id = :facility", id=delivery_id, facility=desk.facility_id
    )
    if found.one_or_none() is None:
        raise NotFound


def _expected(row: Any) -> rules.Row:
    name = " · ".join(part for part in (row.generic_name, row.spec, row.pack_unit) if part)
    price = f"{row.price.normalize():f}" if row.price is not None else ""
    return rules.Row(row.product_id, name, arrived=str(row.packs), cost=price)


@action
def save_delivery(desk: Desk, delivery_id: UUID, version: int, draft: rules.Draft) -> int:
    """Keep a delivery as it stands on the screen; returns its new version. Raises DraftChanged, DeliveryClosed."""
    _, current = get_draft(desk, delivery_id)
    if current != version:
        raise DraftChanged
    content = _json(draft).decode().replace("\\u0000", "")
    run(
        "update delivery set content = cast(:content as jsonb), version = version + 1, changed_at = :at where id = :id",
        content=content, at=clock.now(), id=delivery_id,
    )  # fmt: skip
    return current + 1


@action
def get_draft(desk: Desk, delivery_id: UUID) -> tuple[rules.Draft, int]:
    """A delivery's draft and its version, locked until the act is over. Raises DeliveryClosed, NotFound."""
    found = run(
        "select state, version, content::text as content from delivery where id = :id and facility_id = :facility for no key update",
        id=delivery_id,
        facility=desk.facility_id,
    ).one_or_none()
    if found is None:
        raise NotFound
    if found.state != "draft":
        raise DeliveryClosed(state=words(STATES[found.state]))
    return _draft.decode(found.content), int(found.version)


@action
def abandon_delivery(desk: Desk, delivery_id: UUID) -> None:
    """Give a delivery up before anything of it was taken in. Raises DeliveryClosed."""
    given_up = run(
        "update delivery set state = 'abandoned', changed_at = :at where id = :id and facility_id = :facility and state = 'draft' returning id",
        at=clock.now(), id=delivery_id, facility=desk.facility_id,
    ).one_or_none()  # fmt: skip
    if given_up is None:
        raise DeliveryClosed(state=words("结束"))


@hot_action
def accept_delivery(desk: Desk, delivery_id: UUID, version: int, second_id: int | None = None) -> str:
    """Accept a delivery and put it away (验收入库, movement PI); returns the receipt's number. The document is the delivery's own id.

    Accepting twice takes in once. Raises NotAccepted (every reason at once, the gate's among them), ReceiptNotTaken,
    CodeAlreadyKnown, DraftChanged, DeliveryClosed.
    """
    with transaction(settings=desk.settings) as hot:
        found = hot.run(LOCK, {**desk.keys, "delivery": delivery_id})
        if not found:
            raise NotFound
        delivery = found[0]
        if delivery.state == "accepted":
            known = hot.run(statements.KNOWN_RECEIPT, {**desk.keys, "document": delivery_id})
            return str(known[0].number) if known else ""  # Nothing came in when all of it was rejected.
        if delivery.state != "draft":
            raise DeliveryClosed(state=words(STATES[delivery.state]))
        if delivery.version != version:
            raise DraftChanged
        return _accept(hot, desk, delivery, _draft.decode(delivery.content), second_id)


def _accept(hot: Hot, desk: Desk, delivery: Any, draft: rules.Draft, second_id: int | None) -> str:
    goods = goods_of(hot, desk, [row.product for row in draft.rows])
    lots, problems = rules.read(draft, goods)
    if not problems and second_id is None and rules.needs_second(lots, goods):
        problems.append(words("有特殊管理药品：须由第二位验收员输入密码复核。"))
    if problems:
        raise NotAccepted(problems=Several(problems[:20], between=" "))
    paper = Paper(
        supplier_id=delivery.supplier_id, supplier=delivery.supplier, licence=delivery.credit_code, note=draft.note[:200],
        delivery_id=delivery.id, note_number=draft.note_number.strip()[:60], invoice=draft.invoice.strip()[:60], second_id=second_id,
    )  # fmt: skip
    lines = rules.receipt_lines(lots)
    keys = {**desk.keys, "delivery": delivery.id, "order": delivery.order_id, "second": second_id, "at": clock.now()}
    ordered = {row.product_id: row.packs for row in hot.run(ORDERED, keys)} if delivery.order_id else {}
    record = record_of(draft, lots, ordered, goods)
    rows = [
        {**msgspec.to_builtins(lot), "line_no": number, "code_count": len(lot.codes)}
        for number, lot in enumerate(lots, 1)
    ]
    told = {**keys, "lines": _json(rows).decode(), "record": _json(record).decode(), "note_number": paper.note_number}
    hot.run_all([(ACCEPT, told), *([(COUNT_IN, told)] if delivery.order_id else [])])
    return take_purchase(
        hot, desk, delivery.id, receiving.digest_of(lines, paper), lines, paper, [lot.product_id for lot in lots]
    )


def take_purchase(
    hot: Hot,
    desk: Desk,
    receipt_id: UUID,
    digest: bytes,
    lines: Sequence[ReceiptLine],
    paper: Paper,
    product_ids: Sequence[int],
) -> str:
    """What every purchase shares: the gate, the goods, what is owed, the fact. Returns the receipt's number; ends the transaction."""
    assert paper.supplier_id
    ids = sorted(set(product_ids))
    if refused := suppliers.why_not_buy(hot, desk, paper.supplier_id, ids, clock.business_date()):
        raise NotAccepted(problems=Several(refused[:20], between=" "))
    if not lines:  # Everything was rejected on the spot: the record stands, nothing came in.
        return ""
    products = stock.receiving_facts(hot, desk, ids)
    owing.note_owed(
        hot, desk, paper.supplier_id, receipt_id, "receipt", _worth_fen(lines), clock.now(), paper.note_number
    )
    taken = receiving.take_in(hot, desk, receipt_id, digest, lines, paper, products)
    learnt = {**desk.keys, "prefixes": packing.prefixes_of(lines), "facts": taken.facts}
    hot.run_all([(packing.LEARN_PREFIXES, learnt), (statements.APPEND, learnt)], last=True)
    return taken.number


def _worth_fen(lines: Sequence[ReceiptLine]) -> int:
    """What accepted goods cost; what was rejected but still lies here is not owed."""
    return sum(
        fen(line.cost_price, line.packs) for line in lines if line.cost_price is not None and line.zone != "REJECT"
    )


@hot_action
def receive_purchase(
    desk: Desk, receipt_id: UUID, supplier_id: int, lines: Sequence[ReceiptLine], note_number: str = "", note: str = ""
) -> str:
    """Take goods in from an approved supplier in one step, for interfaces and jobs that have no unpacking table; returns the number.

    The same receipt again returns its number. Raises NotAccepted (the gate), ReceiptNotTaken, CodeAlreadyKnown, DocumentChanged.
    """
    with transaction(settings=desk.settings) as hot:
        found = hot.run(
            "select name, credit_code from supplier where tenant_id = %(tenant)s and id = %(supplier)s",
            {**desk.keys, "supplier": supplier_id},
        )
        if not found:
            raise NotFound
        paper = Paper(
            "purchase", supplier_id, found[0].name, found[0].credit_code, note[:200], note_number=note_number[:60]
        )
        digest = receiving.digest_of(lines, paper)
        if number := receiving.known_number(hot, desk, receipt_id, digest):
            return number
        return take_purchase(hot, desk, receipt_id, digest, lines, paper, [line.product_id for line in lines])


def goods_of(hot: Hot, desk: Desk, product_ids: Sequence[int]) -> dict[int, rules.Goods]:
    """What acceptance must know of these products."""
    rows = hot.run(GOODS, {**desk.keys, "ids": sorted(set(product_ids))})
    return {
        row.id: rules.Goods(
            row.name, row.pack_size, row.storage, row.special_class, row.rx, row.approval, row.maker, row.trace_required
        )
        for row in rows
    }


def record_of(
    draft: rules.Draft, lots: Sequence[rules.Lot], ordered: Mapping[int, int], goods: Mapping[int, rules.Goods]
) -> dict[str, Any]:
    """What stays of a delivery beside its lines: the journey, and what differed from the order and the note."""
    noted: dict[int, int] = {}
    for row in draft.rows:
        if row.noted.strip().isdigit():
            noted[row.product] = noted.get(row.product, 0) + int(row.noted)
    names = {product_id: about.name for product_id, about in goods.items()}
    journey = {
        name: getattr(draft, name)[:40]
        for name in ("arrived_at", "transport", "temperature_out", "temperature_in", "minutes", "invoice")
    }
    differing = rules.differences(lots, noted, ordered, names)
    return {**journey, "note": draft.note[:200], "differences": differing}
