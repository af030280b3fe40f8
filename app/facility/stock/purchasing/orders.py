"""What people do with orders: save an order, place it, close it. What a delivery brings is counted in by its acceptance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import NotFound, Several, words
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger
from app.facility.stock.purchasing import rules
from app.facility.stock.purchasing.errors import DraftChanged, OrderNotOpen, OrderNotPlaced
from app.facility.stock.suppliers import queries as suppliers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

_json = msgspec.json.Encoder(decimal_format="string").encode
_lines = msgspec.json.Decoder(list[rules.OrderLine], strict=False)

LOCK_ORDER = """
select number, state, version, content::text as content, supplier_id, note from purchase_order
where tenant_id = %(tenant)s and facility_id = %(facility)s and id = %(order)s for no key update
"""
NEW_ORDER = """
insert into purchase_order (tenant_id, id, facility_id, supplier_id, number, content, note, staff_id, made_at)
values (%(tenant)s, %(order)s, %(facility)s, %(supplier)s, %(number)s, %(content)s::jsonb, %(note)s, %(staff)s, %(at)s)
on conflict on constraint purchase_order_pkey do nothing returning number
"""
CHANGE_ORDER = """
update purchase_order set supplier_id = %(supplier)s, content = %(content)s::jsonb, note = %(note)s, version = version + 1
where tenant_id = %(tenant)s and id = %(order)s returning version
"""
NAMES = "select id, generic_name from product where tenant_id = %(tenant)s and id = any(%(ids)s) and state = 'active'"
PLACE = """
with lines as (
    insert into purchase_order_line (tenant_id, order_id, line_no, product_id, packs, price)
    select %(tenant)s, %(order)s, l.line_no, l.product, l.packs, l.price
    from jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, product bigint, packs int, price numeric)
)
update purchase_order set state = 'placed', placed_at = %(at)s, placed_by = %(staff)s where tenant_id = %(tenant)s and id = %(order)s
"""
CLOSE = """
update purchase_order set state = %(state)s, closed_at = %(at)s, closed_by = %(staff)s, close_reason = %(reason)s
where tenant_id = %(tenant)s and id = %(order)s
"""


@hot_action
def save_order(
    desk: Desk, order_id: UUID, supplier_id: int, lines: Sequence[rules.OrderLine], note: str = "", version: int = 0
) -> int:
    """Keep an order as a draft (采购订单草稿) and return its version; the first time it gets its number.

    The same content again changes nothing. Raises DraftChanged when somebody else saved it meanwhile, OrderNotOpen once it
    was placed, NotFound for a supplier that is not ours.
    """
    content = _json(list(lines)[: rules.MOST_LINES + 1]).decode()
    values = {**desk.keys, "order": order_id, "supplier": supplier_id, "content": content, "note": note[:200]}
    with transaction(settings=desk.settings) as hot:
        found = hot.run(LOCK_ORDER, values)
        if not found:
            return _begin(hot, desk, values)
        order = found[0]
        same = (_lines.decode(order.content), order.supplier_id, order.note) == (list(lines), supplier_id, note[:200])
        if same:
            return int(order.version)
        _expect(order, "draft")
        if order.version != version:
            raise DraftChanged
        _known_supplier(hot, desk, supplier_id)
        return int(hot.run_last(CHANGE_ORDER, values)[0].version)


def _begin(hot: Hot, desk: Desk, values: dict[str, Any]) -> int:
    _known_supplier(hot, desk, values["supplier"])
    number = ledger.number_for(hot, desk, "C", clock.business_date())
    if not hot.run_last(NEW_ORDER, {**values, "number": number, "at": clock.now()}):
        raise NotFound  # The id is another facility's order.
    return 1


def _known_supplier(hot: Hot, desk: Desk, supplier_id: int) -> None:
    if not hot.run(
        "select 1 from supplier where tenant_id = %(tenant)s and id = %(supplier)s",
        {**desk.keys, "supplier": supplier_id},
    ):
        raise NotFound


@hot_action
def place_order(desk: Desk, order_id: UUID, version: int) -> str:
    """Send an order off (下达): from now on it stands as it is and what it brings is expected. Returns its number.

    Placing it twice is placing it once. Raises OrderNotPlaced with every reason of the gate (首营、证照), DraftChanged.
    """
    with transaction(settings=desk.settings) as hot:
        order = _locked(hot, desk, order_id)
        if order.state == "placed":
            return str(order.number)
        _expect(order, "draft")
        if order.version != version:
            raise DraftChanged
        lines = _lines.decode(order.content)
        _check(hot, desk, order.supplier_id, lines)
        rows = [{"line_no": number, **msgspec.to_builtins(line)} for number, line in enumerate(lines, 1)]
        hot.run_last(PLACE, {**desk.keys, "order": order_id, "lines": _json(rows).decode(), "at": clock.now()})
        return str(order.number)


def _check(hot: Hot, desk: Desk, supplier_id: int, lines: Sequence[rules.OrderLine]) -> None:
    ids = sorted({line.product for line in lines})
    names = {row.id: row.generic_name for row in hot.run(NAMES, {**desk.keys, "ids": ids})}
    problems = rules.order_problems(lines, names)
    problems += suppliers.why_not_buy(hot, desk, supplier_id, ids, clock.business_date())
    if problems:
        raise OrderNotPlaced(problems=Several(problems[:20], between=" "))


@hot_action
def close_order(desk: Desk, order_id: UUID, reason: str) -> str:
    """Expect nothing more of an order (取消、结束): before anything came it is cancelled, afterwards the rest is given up.

    Returns the state it is in now. Raises OrderNotOpen.
    """
    with transaction(settings=desk.settings) as hot:
        order = _locked(hot, desk, order_id)
        _expect(order, "draft", "placed", "partly")
        state = "received" if order.state == "partly" else "cancelled"
        given = reason.strip()[:200] or words("未写原因")
        hot.run_last(CLOSE, {**desk.keys, "order": order_id, "state": state, "reason": given, "at": clock.now()})
        return state


def _locked(hot: Hot, desk: Desk, order_id: UUID) -> Any:
    found = hot.run(LOCK_ORDER, {**desk.keys, "order": order_id})
    if not found:
        raise NotFound
    return found[0]


def _expect(order: Any, *states: str) -> None:
    if order.state not in states:
        raise OrderNotOpen(number=order.number, state=words(rules.ORDER_STATES[order.state]))
