"""Goods kept in the house of the filled pharmacy: held and asked to be released, a lot corrected, drawers, checks, readings."""

from uuid import uuid4

from app.facility.stock.keeping import actions, checks, climate, drawers
from app.facility.stock.keeping.rules import Correction, Line, Paper
from tests.factories.shop import desk_of, make_goods, one


def fill_keeping(made):
    """Let everything happen once that keeping knows; answers the goods it was done with."""
    pharmacy, goods = made.pharmacy, make_goods(made.pharmacy, 2)
    desk, paper, waiting, reading = desk_of(pharmacy), uuid4(), uuid4(), uuid4()
    lot = one(pharmacy, "select id from lot where tenant_id = %(t)s and product_id = %(p)s", p=goods.product_id).id
    out, back = (
        Line(lot, goods.pack_size, *zones, goods.codes[:1])
        for zones in (("SALEABLE", "QUARANTINE"), ("QUARANTINE", "SALEABLE"))
    )
    held = actions.ask_document(desk, paper, Paper("hold", (out,), "包装破损或污染"))
    asked = actions.ask_document(
        desk, waiting, Paper("release", (back,), "复查合格", record={"finding": "外包装擦拭后完好"})
    )
    actions.ask_correction(desk, uuid4(), Correction(lot, "cost_price", "2", "入库时录错"), pharmacy.owner)
    drawers.add_drawer(desk, f"斗{uuid4().hex[:6]}")
    checks.check_goods(desk, uuid4(), lot, "SALEABLE", "ok")
    place = climate.add_place(desk, f"柜{uuid4().hex[:6]}", "cold")
    climate.read_climate(desk, reading, place, 120, 50)
    climate.sign_action(desk, reading, "关紧柜门后复测正常", pharmacy.pharmacist)
    made.ids |= {"document_id": waiting, "posted_id": paper, "lot_id": lot, "place_id": place, "reading_id": reading}
    made.marks += [held.number, asked.number]
    return goods
