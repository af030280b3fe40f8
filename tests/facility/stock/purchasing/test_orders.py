"""Orders and shelves: what is low is proposed, what is ordered passes the gate, what is placed stands."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from app.core.errors import NotFound
from app.facility.stock.purchasing import orders, queries, rules
from app.facility.stock.purchasing.errors import DraftChanged, OrderNotOpen, OrderNotPlaced
from app.facility.stock.purchasing.rules import OrderLine
from app.facility.stock.shelf.actions import Place, place_products
from app.facility.stock.shelf.errors import PlaceNotTaken
from tests.facility.stock.purchasing.conftest import value
from tests.factories.purchase import approved_product as make_approved
from tests.factories.purchase import make_order
from tests.factories.shop import desk_of, make_goods, make_product, open_shift, sell
from tests.factories.supply import add_supplier


@pytest.mark.parametrize(
    ("have", "least", "most", "sold", "packs"),
    [
        (100, 100, 200, 0, 0),  # At the limit nothing is low.
        (99, 100, 200, 0, 5),  # 101 units short of the upper limit, 24 a pack.
        (0, None, None, 0, 0),  # Never sold and no limit: nobody asked for it.
        (10, None, None, 60, 3),  # Two a day: ten last five days; thirty days are sixty.
        (14, None, None, 60, 0),  # Seven days are left.
        (0, 10, None, 0, 1),
        (0, 48, 24, 0, 1),
    ],
)
def test_proposals_go_by_limits_and_by_the_pace_of_sales(have, least, most, sold, packs):
    assert rules.proposed_packs(have, least, most, sold, 24) == packs


def test_days_of_supply_are_said_only_where_something_was_sold():
    assert rules.days_of_supply(10, 60) == 5
    assert rules.days_of_supply(10, 0) is None


def test_what_runs_low_is_proposed_and_what_is_on_order_counts(at_work, supplier, desk):
    goods = make_goods(at_work, 3, generic_name="板蓝根颗粒")
    make_goods(at_work, 3, generic_name="维生素片")
    till = desk_of(at_work)
    open_shift(till)
    sell(till, goods.codes[0], goods.codes[1])
    place_products(desk, [Place(goods.product_id, "A-1", 48, 240)])

    [found] = queries.list_proposals(at_work.facility_id)

    assert (found.id, found.shelf, found.free, found.sold, found.coming) == (goods.product_id, "A-1", 24, 48, 0)
    make_order(at_work, supplier, OrderLine(goods.product_id, 2))
    assert queries.list_proposals(at_work.facility_id) == []
    assert len(queries.list_proposals(at_work.facility_id, everything=True)) == 2


@pytest.mark.parametrize(("least", "most"), [(5, 4), (-1, None), (None, 2**60)])
def test_limits_that_do_not_fit_are_refused(at_work, desk, least, most):
    with pytest.raises(PlaceNotTaken):
        place_products(desk, [Place(make_product(at_work), "A", least, most)])


def test_a_draft_is_saved_again_and_again_and_then_placed(at_work, supplier, desk):
    product, order = make_approved(at_work), uuid4()

    first = orders.save_order(desk, order, supplier, [OrderLine(product, 2, Decimal("8.50"))])
    same = orders.save_order(desk, order, supplier, [OrderLine(product, 2, Decimal("8.50"))])
    second = orders.save_order(desk, order, supplier, [OrderLine(product, 3)], "加急", first)
    number = orders.place_order(desk, order, second)

    assert (first, same, second) == (1, 1, 2)
    assert number.startswith("C")
    assert orders.place_order(desk, order, second) == number
    head, [line] = queries.get_order(at_work.facility_id, order)
    assert (head.state, head.note, line.packs, line.price) == ("placed", "加急", 3, None)


def test_two_people_do_not_overwrite_each_other(at_work, supplier, desk):
    product, order = make_approved(at_work), uuid4()
    orders.save_order(desk, order, supplier, [OrderLine(product, 2)])
    orders.save_order(desk, order, supplier, [OrderLine(product, 3)], version=1)

    with pytest.raises(DraftChanged):
        orders.save_order(desk, order, supplier, [OrderLine(product, 4)], version=1)
    with pytest.raises(DraftChanged):
        orders.place_order(desk, order, 1)


def test_the_gate_keeps_an_order_from_being_placed_and_says_why(at_work, desk):
    product, order, nobody = make_product(at_work, generic_name="没有首营的药"), uuid4(), add_supplier(at_work)
    orders.save_order(desk, order, nobody, [OrderLine(product, 2)])

    with pytest.raises(OrderNotPlaced) as refused:
        orders.place_order(desk, order, 1)

    assert "首营" in refused.value.message
    assert "没有首营的药" in refused.value.message
    assert queries.get_order(at_work.facility_id, order)[0].state == "draft"


@pytest.mark.parametrize("packs", [0, -3, 10**6])
def test_strange_quantities_are_refused(at_work, supplier, desk, packs):
    order = uuid4()
    orders.save_order(desk, order, supplier, [OrderLine(make_approved(at_work), packs)])

    with pytest.raises(OrderNotPlaced, match="order_not_placed"):
        orders.place_order(desk, order, 1)


def test_an_empty_order_is_not_placed(supplier, desk):
    order = uuid4()
    orders.save_order(desk, order, supplier, [])

    with pytest.raises(OrderNotPlaced):
        orders.place_order(desk, order, 1)


def test_a_placed_order_is_cancelled_and_then_stands(at_work, supplier, desk):
    order = make_order(at_work, supplier, OrderLine(make_approved(at_work), 2))

    assert orders.close_order(desk, order, "供应商缺货") == "cancelled"
    with pytest.raises(OrderNotOpen):
        orders.close_order(desk, order, "")
    with pytest.raises(OrderNotOpen):
        orders.save_order(desk, order, supplier, [], version=1)


def test_nobody_elses_supplier_or_order_is_found(facility_app, at_work, supplier):
    from tests.factories.people import make_pharmacy

    other = make_pharmacy(facility_app, name="三号药店")
    order = make_order(at_work, supplier, OrderLine(make_approved(at_work), 2))
    with other.acting():
        theirs = desk_of(other, other.owner)
        with pytest.raises(NotFound):
            orders.save_order(theirs, uuid4(), supplier, [])
        with pytest.raises(NotFound):
            orders.place_order(theirs, order, 1)
        with pytest.raises(NotFound):
            queries.get_order(other.facility_id, order)
    assert (
        value(at_work, "select state from purchase_order where tenant_id = %(t)s and id = %(o)s", o=order) == "placed"
    )
