"""Herb drawers (药斗): filled by two, one lot at a time, emptied by weight."""

import pytest

from app.core import clock
from app.facility.stock.keeping import drawers
from app.facility.stock.keeping.errors import (
    DrawerKnown,
    DrawerNotReady,
)
from app.facility.stock.keeping.rules import Line
from tests.facility.stock.keeping.conftest import ask, facts, lot_of, packs_in
from tests.factories.shop import check_books, make_goods, make_product, one, plain


def herb(pharmacy, **more):
    product = more.pop("product_id", None) or make_product(
        pharmacy,
        rx_class="HERB",
        generic_name="甘草片",
        pack_unit="千克",
        base_unit="0.01克",
        pack_size=100_000,
        trace_required=False,
    )
    return make_goods(pharmacy, 2, coded=False, product_id=product, **more)


def fill(desk, pharmacy, goods, second, quantity=50_000, **record):
    told = {"drawer": "A-1 甘草", "cleaned": "已清斗", "matched": "斗名与实物一致"} | record
    return ask(
        desk, "fill_drawer", Line(lot_of(pharmacy, goods), quantity, "SALEABLE", "SPLIT"), second=second, record=told
    )


def test_a_drawer_is_filled_by_two_and_remembers_its_lot(pharmacy, desk, druggist):
    goods = herb(pharmacy)
    drawers.add_drawer(desk, "A-1 甘草", goods.product_id)
    with pytest.raises(DrawerKnown):
        drawers.add_drawer(desk, "A-1 甘草")

    answer = fill(desk, pharmacy, goods, druggist.staff_id)

    assert answer.state == "posted"
    drawer = one(pharmacy, "select * from herb_drawer where tenant_id = %(t)s")
    assert (drawer.lot_id, drawer.cleaned_on) == (lot_of(pharmacy, goods), clock.business_date())
    assert facts(pharmacy)[-1]["lines"][0]["kind"] == "HB"
    check_books(pharmacy)


def test_a_new_lot_needs_a_clean_drawer_and_the_right_name(pharmacy, desk, druggist):
    goods = herb(pharmacy)
    drawers.add_drawer(desk, "A-1 甘草", goods.product_id)
    fill(desk, pharmacy, goods, druggist.staff_id)
    other, wrong = herb(pharmacy, product_id=goods.product_id), herb(pharmacy)

    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, other, druggist.staff_id, cleaned="同一批号，未清斗")
    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, wrong, druggist.staff_id)
    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, goods, druggist.staff_id, drawer="B-9")
    assert fill(desk, pharmacy, goods, druggist.staff_id, cleaned="同一批号，未清斗").state == "posted"
    assert fill(desk, pharmacy, other, druggist.staff_id).state == "posted"


def test_only_herbs_go_into_drawers(pharmacy, desk, druggist):
    goods = plain(pharmacy, 4)
    drawers.add_drawer(desk, "A-1 甘草")

    with pytest.raises(DrawerNotReady):
        fill(desk, pharmacy, goods, druggist.staff_id, quantity=goods.pack_size)


def test_an_emptied_drawer_holds_nothing(pharmacy, desk, druggist):
    goods = herb(pharmacy)
    drawers.add_drawer(desk, "A-1 甘草", goods.product_id)
    fill(desk, pharmacy, goods, druggist.staff_id)
    line = Line(lot_of(pharmacy, goods), 50_000, "SPLIT")

    ask(desk, "drawer_loss", line, second=druggist.staff_id, record={"drawer": "A-1 甘草", "emptied": "斗已清空"})

    assert one(pharmacy, "select lot_id from herb_drawer where tenant_id = %(t)s").lot_id is None
    assert packs_in(pharmacy, goods, "SPLIT") == 0
    check_books(pharmacy)


@pytest.mark.parametrize("name", ["", " ", "长" * 21, "a\x00b"])
def test_a_drawer_has_a_short_name(desk, name):
    with pytest.raises(DrawerNotReady):
        drawers.add_drawer(desk, name)
