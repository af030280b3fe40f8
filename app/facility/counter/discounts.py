"""Discounts (优惠): one line's price lowered, or the whole bill's; for insured and self-paid alike, one price for all.

The unit price is lowered to six places and the line's amount is computed from it, so price × quantity is what the center is
told. Above the site's `discount_percent` another person confirms. What was given stays with the sale, line by line.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from app.core.money import allocate
from app.facility.counter import baskets
from app.facility.counter.errors import DiscountNeedsApproval, DiscountRefused, EmptyBasket, StaleBasket
from app.facility.counter.rules import Discount
from app.facility.db import action
from app.facility.organizations import parameters
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.counter.rules import Basket, Line

SIX_PLACES = Decimal("0.000001")
MOST_REASON = 100
KEEP = """
insert into sale_discount (tenant_id, sale_id, line_no, facility_id, list_price, price, list_fen, amount_fen, reason, staff_id, approver_id, sold_on, at)
select %(tenant)s, %(document)s, l.line_no, %(facility)s, l.list_price, l.price, l.list_fen, l.amount_fen, l.reason, l.staff_id, l.approver_id,
    %(today)s, %(at)s
from jsonb_to_recordset(%(lines)s::jsonb) as l(line_no int, list_price numeric, price numeric, list_fen bigint, amount_fen bigint, reason text,
    staff_id bigint, approver_id bigint)
on conflict do nothing
"""


@action
def give_discount(
    desk: Desk, basket_id: UUID, line_no: int | None, how: str, value: Decimal, reason: str, approver_id: int | None = None
) -> None:  # fmt: skip
    """Lower the price of one line, or of every line when `line_no` is None (整单优惠).

    `how` is percent (value 5: five percent off) or price: the agreed unit price of the line, the agreed total of the bill, in
    yuan. Raises DiscountRefused, DiscountNeedsApproval, EmptyBasket, StaleBasket.
    """
    plain = reason.strip()
    if not 0 < len(plain) <= MOST_REASON:
        raise DiscountRefused(why="没有填理由，或超过 100 个字")

    approver = None if approver_id == desk.staff_id else approver_id

    def change(basket: Basket) -> None:
        lines = _lines_of(basket, line_no)
        prices = _percent_off(lines, value) if how == "percent" else _agreed(lines, value, whole=line_no is None)
        for line, price in zip(lines, prices, strict=True):
            if line_no is None and price == line.list_price:  # A cent off the bill leaves most lines as they are.
                line.discount = None
                continue
            _check_lower(line, price)
            line.discount = Discount(f"{price:.6f}", desk.staff_id, plain, approver)
        _check_permission(desk, lines, approver)

    baskets.edit(desk, basket_id, None, change)


@action
def take_discount_back(desk: Desk, basket_id: UUID, line_no: int | None) -> None:
    """Sell a line, or all lines, at the listed price again."""

    def change(basket: Basket) -> None:
        for line in _lines_of(basket, line_no):
            line.discount = None

    baskets.edit(desk, basket_id, None, change)


def _lines_of(basket: Basket, line_no: int | None) -> list[Line]:
    if not basket.lines:
        raise EmptyBasket
    lines = [line for line in basket.lines if (line.list_price > 0 if line_no is None else line.line_no == line_no)]
    if not lines:
        raise StaleBasket
    return lines


def _percent_off(lines: Sequence[Line], percent: Decimal) -> list[Decimal]:
    if not 0 < percent < 100:
        raise DiscountRefused(why="百分比要大于 0、小于 100")
    return [(line.list_price * (100 - percent) / 100).quantize(SIX_PLACES, ROUND_HALF_UP) for line in lines]


def _agreed(lines: Sequence[Line], yuan: Decimal, *, whole: bool) -> list[Decimal]:
    """The agreed unit price of one line; or the agreed total shared out by what the lines cost."""
    if not 0 < yuan < 10**8:
        raise DiscountRefused(why="议定的价格要大于 0")
    if not whole:
        return [yuan.quantize(SIX_PLACES, ROUND_HALF_UP)]
    listed = [line.amount_fen + line.off_fen for line in lines]
    wanted_fen = int((yuan * 100).to_integral_value(ROUND_HALF_UP))
    if wanted_fen >= sum(listed):
        raise DiscountRefused(why="议定的总价不低于原来的合计")
    shares = allocate(wanted_fen, listed)
    return [
        (Decimal(share) / 100 / line.sale_units).quantize(SIX_PLACES, ROUND_HALF_UP)
        for line, share in zip(lines, shares, strict=True)
    ]


def _check_lower(line: Line, price: Decimal) -> None:
    if not 0 < price < line.list_price:
        raise DiscountRefused(why="优惠价要大于 0、低于原价")


def _check_permission(desk: Desk, lines: Sequence[Line], approver_id: int | None) -> None:
    most = parameters.of(desk.tenant_id).count("discount_percent")
    percent = max((percent_of(line) for line in lines if line.discount), default=Decimal(0))
    if percent > most and approver_id is None:
        raise DiscountNeedsApproval(percent=f"{percent:g}", most=most)


def percent_of(line: Line) -> Decimal:
    """How many percent a line's price is lowered, two places."""
    return ((1 - line.price / line.list_price) * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


def keep(hot: Hot, keys: dict[str, Any], basket: Basket) -> None:
    """Write down what was given with the sale; an undiscounted basket costs nothing."""
    lines = [
        {"line_no": line.line_no, "list_price": f"{line.list_price:.6f}", "price": f"{line.price:.6f}", "list_fen": line.amount_fen + line.off_fen,
         "amount_fen": line.amount_fen, "reason": given.reason, "staff_id": given.staff_id, "approver_id": given.approver_id}
        for line in basket.lines if (given := line.discount)
    ]  # fmt: skip
    if lines:
        hot.run(KEEP, {**keys, "lines": as_json(lines)})


def said_of(line: Line) -> dict[str, Any] | None:
    """What the receipt says of a discounted line."""
    return {"list_price": f"{line.list_price:.6f}", "off_fen": line.off_fen} if line.discount else None
