"""Herb drawers (药斗): which product stands in which, filled with one lot at a time, cleaned before the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core import clock
from app.core.errors import words
from app.facility.db import hot_action, transaction
from app.facility.stock.keeping import rules, statements
from app.facility.stock.keeping.errors import DrawerKnown, DrawerNotReady
from app.facility.stock.keeping.rules import CLEANED, EMPTIED, Paper

if TYPE_CHECKING:
    from app.core.hot import Hot
    from app.core.tenancy import Desk


@hot_action
def add_drawer(desk: Desk, name: str, product_id: int | None = None) -> None:
    """Name a drawer of the cabinet and, if it is known, the herb that stands in it. Raises DrawerKnown, DrawerNotReady."""
    name = name.strip()
    if not 1 <= len(name) <= 20 or "\x00" in name:
        raise DrawerNotReady(why="药斗的名字要有 1 到 20 个字")
    with transaction(settings=desk.settings) as hot:
        keys = {**desk.keys, "drawer": name, "product": product_id, "at": clock.now()}
        if not hot.run(statements.ADD_DRAWER, keys):
            raise DrawerKnown(name=name)


def work(hot: Hot, desk: Desk, paper: Paper) -> None:
    """Check that a herb goes into its own clean drawer (or is lost from it), and write down what the drawer holds now."""
    line, name = paper.lines[0], paper.record["drawer"]
    herb = hot.run(statements.HERB, {**desk.keys, "lot": line.lot_id})
    drawer = hot.run(statements.LOCK_DRAWER, {**desk.keys, "drawer": name})
    if not drawer:
        raise DrawerNotReady(why=words("没有叫「{name}」的药斗，请先登记", name=name))
    if not herb or herb[0].rx_class != "HERB":
        raise DrawerNotReady(why="只有中药饮片装斗")
    if drawer[0].product_id not in {None, herb[0].product_id}:
        raise DrawerNotReady(why=words("「{name}」不是 {herb} 的药斗，请核对斗名", name=name, herb=herb[0].name))
    filling = paper.act == "fill_drawer"
    _check_lot(drawer[0].lot_id, line.lot_id, paper, filling=filling)
    emptied = not filling and paper.record.get("emptied") == EMPTIED
    cleaned = emptied or (filling and paper.record.get("cleaned") == CLEANED)
    keys = {
        **desk.keys, "drawer": name, "product": herb[0].product_id, "lot": None if emptied else line.lot_id,
        "cleaned_on": clock.business_date() if cleaned else None, "at": clock.now(),
    }  # fmt: skip
    hot.run(statements.FILL_DRAWER, keys)


def _check_lot(stands: int | None, comes: int, paper: Paper, *, filling: bool) -> None:
    if filling and stands not in {None, comes} and paper.record.get("cleaned") != CLEANED:
        raise DrawerNotReady(why="斗里是另一个批号，要先清斗，并选「已清斗」")
    if not filling and stands not in {None, comes}:
        raise DrawerNotReady(why="这个批号不在这个药斗里")
    assert paper.act in rules.FIELDS
