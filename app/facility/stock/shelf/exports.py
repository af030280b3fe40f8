"""The columns of what is exported from the shelf's screens."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.core import workbook
from app.core.money import fen_to_yuan
from app.facility.stock.shelf import ledger, lot_queries, queries, rules
from app.facility.stock.shelf.blind import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask.typing import ResponseReturnValue

    from app.facility.stock.shelf.blind import Veil
    from app.facility.stock.shelf.ledger import Span
    from app.facility.stock.shelf.rules import Look

LEDGER_CHUNK = 2_000


def veiled(rows: Sequence[Any], look: Look, veil: Veil) -> list[Any]:
    """The rows of a view of the shelf as whoever is under the veil may read them."""
    if look.view == "places":
        return [row if veil.lifted or not veil.products else bare(row) for row in rows]
    if look.view == "codes":
        return veil.without(rows)
    return veil.over(rows, "product_id" if look.view == "lots" else "id")


def shelf(facility_id: int, look: Look, urgent_days: int, veil: Veil) -> ResponseReturnValue:
    """The shelf as it is looked at: by product, lot, place or code."""
    makers = {"": _products, "lots": _lots, "places": _places, "codes": _codes}
    heads, rows = makers[look.view](facility_id, look, urgent_days, veil)
    return workbook.send(_("库存") + _(rules.VIEWS[look.view]), heads, rows)


def _products(facility_id: int, look: Look, urgent_days: int, veil: Veil) -> tuple[list[str], Iterable[list[Any]]]:
    heads = [_("编码"), _("品名"), _("商品名"), _("规格"), _("生产企业"), _("条码"), _("货位"), _("最近效期"), _("在库 最小单位"), _("可售 最小单位"), _("最小单位"), _("每包装数量"), _("下限"), _("可用 天"), _("金额 元")]  # fmt: skip
    rows = veiled(queries.list_shelf(facility_id, look, urgent_days, workbook.MOST_ROWS), look, veil)
    return heads, (
        [row.code, row.generic_name, row.trade_name, row.spec, row.maker, row.barcode, row.shelf, row.expires_on, row.on_hand, row.free, row.base_unit,
         row.pack_size, row.least, rules.days_of_supply(row.free, row.gone_out or 0), _yuan(row.worth_fen)]
        for row in rows
    )  # fmt: skip


def _lots(facility_id: int, look: Look, urgent_days: int, veil: Veil) -> tuple[list[str], Iterable[list[Any]]]:
    heads = [_("编码"), _("品名"), _("规格"), _("生产企业"), _("批号"), _("生产日期"), _("效期"), _("库区"), _("货位"), _("在库 最小单位"), _("占用"), _("最小单位"), _("金额 元")]  # fmt: skip
    rows = veiled(lot_queries.list_lots(facility_id, look, urgent_days, workbook.MOST_ROWS), look, veil)
    return heads, (
        [row.code, row.generic_name, row.spec, row.maker, row.lot_number, row.produced_on, row.expires_on, _(rules.ZONES[row.zone]), row.shelf, row.on_hand,
         row.reserved, row.base_unit, _yuan(row.worth_fen)]
        for row in rows
    )  # fmt: skip


def _places(facility_id: int, look: Look, _urgent_days: int, veil: Veil) -> tuple[list[str], Iterable[list[Any]]]:
    heads = [_("库区"), _("货位"), _("品种"), _("批号"), _("近效期"), _("过期 / 冻结"), _("金额 元")]
    rows = veiled(lot_queries.list_places(facility_id, look, workbook.MOST_ROWS), look, veil)
    return heads, (
        [_(rules.ZONES[row.zone]), row.shelf, row.products, row.lots, row.near, row.past, _yuan(row.worth_fen)] for row in rows
    )  # fmt: skip


def _codes(facility_id: int, look: Look, _urgent_days: int, veil: Veil) -> tuple[list[str], Iterable[list[Any]]]:
    heads = [_("追溯码"), _("状态"), _("品名"), _("规格"), _("批号"), _("效期"), _("库区"), _("货位"), _("盒内还有"), _("最小单位")]  # fmt: skip
    rows = veiled(lot_queries.list_codes(facility_id, look, workbook.MOST_ROWS), look, veil)
    return heads, (
        [row.trace, _(rules.CODE_STATES[row.state]), row.generic_name, row.spec, row.lot_number, row.expires_on, _(rules.ZONES[row.zone]), row.shelf,
         row.remaining, row.base_unit]
        for row in rows
    )  # fmt: skip


def movements(facility_id: int, span: Span, veil: Veil) -> ResponseReturnValue:
    """The ledger of the days asked for."""
    heads = [_("时间"), _("事由"), _("单据"), _("编码"), _("品名"), _("规格"), _("批号"), _("库区"), _("数量 最小单位"), _("该批结存"), _("最小单位"), _("经手人")]  # fmt: skip
    rows = (
        [row.moved_at, _(rules.ACTS.get(row.act or "") or rules.KINDS.get(row.kind, row.kind)), row.number, row.code, row.generic_name, row.spec, row.lot_number, _(rules.ZONES[row.zone]), row.quantity, None if row.product_id in veil.products else row.balance,
         row.base_unit, row.staff]
        for row in ledger.walk(facility_id, span, workbook.MOST_ROWS + 1, LEDGER_CHUNK)
    )  # fmt: skip
    return workbook.send(_("流水"), heads, rows)


def turnover(facility_id: int, days: int, order: str, text: str, veil: Veil) -> ResponseReturnValue:
    """How the products turned over, as the page shows it."""
    heads = [_("编码"), _("品名"), _("规格"), _("生产企业"), _("售出 最小单位"), _("进货 最小单位"), _("在库 最小单位"), _("最小单位"), _("可用 天"), _("金额 元")]  # fmt: skip
    found = veil.over(ledger.turnover(facility_id, days, order, text, most=workbook.MOST_ROWS))
    rows = (
        [row.code, row.generic_name, row.spec, row.maker, row.gone, row.came, row.on_hand, row.base_unit, row.days if row.gone > 0 else None, _yuan(row.worth_fen)]
        for row in found
    )  # fmt: skip
    return workbook.send(_("周转"), heads, rows)


def _yuan(amount_fen: int | None) -> Decimal | None:
    return None if amount_fen is None else Decimal(fen_to_yuan(amount_fen))
