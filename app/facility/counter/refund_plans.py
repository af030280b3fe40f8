"""Work a refund out against what was sold and what already came back: which lots, which codes, how much money, who must agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock
from app.core.errors import NotFound
from app.core.money import fen
from app.facility.counter import refund_statements, rules
from app.facility.counter.errors import ApprovalNeeded, RefundNotPossible, RefundTooMuch
from app.facility.organizations import parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk

REASONS = ("quality", "recall", "dispensing_error", "billing_error", "not_handed_over")
GOODS = ("kept", "quarantine", "shelf")


@dataclass(frozen=True)
class Back:
    """How much of one sold line comes back, in sale units (packs, or single units of a split line)."""

    line_no: int
    units: int
    goods: str = "kept"


@dataclass(frozen=True)
class Plan:
    """A refund worked out against what was sold and what already came back."""

    sale: Any
    basket: rules.Basket
    rows: list[dict[str, Any]]
    codes: list[dict[str, Any]]
    refund_fen: int
    left: dict[int, int]  # Line -> base units that stay sold.
    whole: bool


def plan_refund(hot: Hot, keys: dict[str, Any], back: Sequence[Back], reason: str) -> Plan:
    """Lock the sale and work out what comes back. Raises NotFound, RefundNotPossible, RefundTooMuch."""
    sold = hot.run(refund_statements.LOCK_SALE, keys)
    if not sold:
        raise NotFound
    sale = sold[0]
    if sale.state != "settled":
        raise RefundNotPossible(why="它还没有结算，或没有结算成功")
    if reason not in REASONS or any(
        line.goods not in GOODS or (line.goods == "shelf") != (reason == "not_handed_over") for line in back
    ):
        raise RefundNotPossible(why="退货原因与货品去向不符：没有交给顾客的才能放回货架，其余的进待处理区或由顾客留用")
    basket = msgspec.json.decode(sale.content, type=rules.Basket)
    taken = {row.line_no: row for row in hot.run(refund_statements.REFUNDED, keys)}
    picks, codes = hot.run_all([(refund_statements.PICKS_LEFT, keys), (refund_statements.CODES_LEFT, keys)])
    wanted = {line.line_no: line.units for line in back if line.units}
    goods = {line.line_no: line.goods for line in back}
    if not wanted:
        raise RefundNotPossible(why="没有选择要退的品种和数量")
    rows: list[dict[str, Any]] = []
    left: dict[int, int] = {}
    for line in basket.lines:
        before = taken[line.line_no].quantity if line.line_no in taken else 0
        units = wanted.pop(line.line_no, 0) * (1 if line.split else line.about.pack_size)
        left[line.line_no] = line.quantity - before - units
        rows += _rows_of(line, units, before, taken.get(line.line_no), picks)
    for row in rows:
        row["goods"] = goods[row["line_no"]]
    if wanted:
        raise RefundNotPossible(why="选择的行不在这张单里")
    if sale.setl_id and sale.settled_at.astimezone(clock.CHINA).year != keys["today"].year and any(left.values()):
        raise RefundNotPossible(why="跨年的医保单只能整单退，请联系医保中心办理")
    chosen = [
        {"code": row.code, "line_no": row.line_no, "quantity": row.quantity, "goods": goods[row.line_no]}
        for row in _chosen_codes(rows, codes, basket)
    ]
    return Plan(sale, basket, rows, chosen, sum(row["amount_fen"] for row in rows), left, whole=not any(left.values()))


def _rows_of(line: rules.Line, units: int, before: int, taken: Any, picks: Sequence[Any]) -> list[dict[str, Any]]:
    """One row per lot the line was taken from; the amount stands on the first. What stays sold always costs price × quantity."""
    if units == 0:
        return []
    size = 1 if line.split else line.about.pack_size
    if units < 0 or before + units > line.quantity:
        raise RefundTooMuch(
            name=line.about.name,
            sold=line.quantity // size,
            returned=before // size,
            left=(line.quantity - before) // size,
        )
    stays_fen = fen(
        line.price, (line.quantity - before - units) // size
    )  # What the center is told of the rest, to the fen.
    amount = line.amount_fen - int(taken.amount_fen if taken else 0) - stays_fen
    rows: list[dict[str, Any]] = []
    rest = units
    for pick in picks:
        if pick.line_no == line.line_no and rest and pick.quantity:
            part = min(rest, pick.quantity)
            rows.append({"line_no": line.line_no, "lot_id": pick.lot_id, "zone": pick.zone, "quantity": part, "amount_fen": 0 if rows else amount,
                         "lot_number": pick.lot_number, "expires_on": str(pick.expires_on)})  # fmt: skip
            rest -= part
    assert rest == 0, "more comes back than left"
    return rows


def _chosen_codes(rows: Sequence[dict[str, Any]], codes: Sequence[Any], basket: rules.Basket) -> list[Any]:
    """The codes that come back: of the returned lots, as many packs as come back."""
    chosen = []
    for row in rows:
        line = basket.line(row["line_no"])
        assert line is not None
        packs = 1 if line.split else row["quantity"] // line.about.pack_size
        chosen += [code for code in codes if code.line_no == row["line_no"] and code.lot_id == row["lot_id"]][:packs]
    return chosen


def check_approval(plan: Plan, desk: Desk, today: Any, approver_id: int | None) -> None:
    """A later day than the site allows alone, or part of a card sale, needs a second person (DOMAIN 1.7)."""
    late = (today - plan.sale.sold_on).days > parameters.of(desk.tenant_id).days("refund_alone_days")
    if not late and (plan.sale.paid == "self" or plan.whole):
        return
    if approver_id is None or approver_id == desk.staff_id:
        raise ApprovalNeeded(why="非当日的退货" if late else "医保单部分退货会重新结算")
