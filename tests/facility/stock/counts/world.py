"""Goods to count, what a page sends of them, and what the center was told."""

from __future__ import annotations

import io
import json
from uuid import uuid4

from python_calamine import CalamineWorkbook

from app.core import clock
from app.facility.db import hot_action, transaction
from app.facility.stock import ledger, rulebook
from app.facility.stock.ledger import Move, Story
from tests.factories.shop import one


def barcode(pharmacy, goods):
    return one(
        pharmacy, "select barcode from product where tenant_id = %(t)s and id = %(p)s", p=goods.product_id
    ).barcode


def last_fact(pharmacy):
    return json.loads(
        one(
            pharmacy,
            "select convert_from(body, 'UTF8') as body from outbox where tenant_id = %(t)s and kind = 'stock.moved' order by number desc limit 1",
        ).body
    )


@hot_action
def correct(desk, goods, lot_id, units, act="correct_in"):
    """The book is put right: no goods move."""
    zones = ("", "SALEABLE") if act == "correct_in" else ("SALEABLE", "")
    with transaction(settings=desk.settings) as hot:
        ledger.post(
            hot, desk, rulebook.ACTS[act], uuid4(), clock.now(), [Move(1, lot_id, units, *zones)], Story("抄错")
        )


def at(count, what=""):
    return f"/stock/counts/{count.id}{what}"


def entry(count, goods, packs, place="货架", **more):
    return {
        "document": str(uuid4()),
        "line": str(count.line(goods).line_no),
        "packs": str(packs),
        "units": "",
        "place": place,
        "codes": "",
    } | more


def cells(content):
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    return " ".join(str(cell) for row in sheet.to_python() for cell in row)
