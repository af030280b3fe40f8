"""A delivery from the van to the shelf: kept while unpacked, checked against order and note, accepted once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.stock import receiving
from app.facility.stock.errors import CodeAlreadyKnown, NotAnOpening, ReceiptNotTaken
from app.facility.stock.purchasing import deliveries, orders, queries, rules
from app.facility.stock.purchasing.errors import DeliveryClosed, DraftChanged, NotAccepted
from app.facility.stock.purchasing.rules import OrderLine
from app.facility.stock.rules import ReceiptLine
from tests.facility.stock.purchasing.conftest import value
from tests.factories.purchase import approved_product as make_approved
from tests.factories.purchase import make_delivery, make_order, row
from tests.factories.shop import check_books, desk_of, make_code, make_goods, make_product, one
from tests.factories.supply import add_supplier

COLD = {"transport": "box", "temperature_out": "4.5", "temperature_in": "5", "minutes": "90"}


def stock(pharmacy, product):
    """{zone: base units} of a product."""
    return {
        found.zone: found.n
        for found in [
            one(pharmacy, "select zone, sum(on_hand)::bigint as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s and zone = %(z)s group by zone", p=product, z=zone)
            for zone in ("SALEABLE", "COLD", "CONTROLLED", "QUARANTINE", "REJECT")
        ]
        if found
    }  # fmt: skip


def test_an_accepted_delivery_lies_on_the_shelf_is_owed_and_told(at_work, supplier, desk):
    product, codes = make_approved(at_work), [make_code(), make_code()]
    order = make_order(at_work, supplier, OrderLine(product, 3))
    delivery, version = make_delivery(at_work, supplier, row(product, 2, codes=codes), order=order, invoice="INV-7")

    number = deliveries.accept_delivery(desk, delivery, version)

    assert number.startswith("R")
    assert stock(at_work, product) == {"SALEABLE": 48}
    assert (
        value(at_work, "select kind from stock_movement where tenant_id = %(t)s and document_id = %(d)s", d=delivery)
        == "PI"
    )
    assert value(at_work, "select balance_fen from supplier_account where tenant_id = %(t)s") == 1_700
    assert queries.get_order(at_work.facility_id, order)[0].state == "partly"
    assert value(at_work, "select count(*) from trace_code where tenant_id = %(t)s and state = 'IN_STOCK'") == 2
    fact = value(
        at_work, "select convert_from(body, 'UTF8') from outbox where tenant_id = %(t)s and kind = 'stock.received'"
    )
    for told in ("SH0001", "INV-7", "8.500000", "试药医药公司", "91330212MA"):
        assert told in fact
    check_books(at_work)


def test_the_rest_of_an_order_makes_it_complete(at_work, supplier, desk):
    product = make_approved(at_work)
    order = make_order(at_work, supplier, OrderLine(product, 3))
    for lot, packs in (("A1", 2), ("A2", 1)):
        delivery, version = make_delivery(at_work, supplier, row(product, packs, lot=lot), order=order)
        deliveries.accept_delivery(desk, delivery, version)

    assert queries.get_order(at_work.facility_id, order)[0].state == "received"
    assert value(at_work, "select received_packs from purchase_order_line where tenant_id = %(t)s") == 3


def test_an_order_that_got_a_part_is_closed_as_received(at_work, supplier, desk):
    product = make_approved(at_work)
    order = make_order(at_work, supplier, OrderLine(product, 3))
    delivery, version = make_delivery(at_work, supplier, row(product, 1), order=order)
    deliveries.accept_delivery(desk, delivery, version)

    assert orders.close_order(desk, order, "余下缺货") == "received"


def test_accepting_twice_takes_in_once(at_work, supplier, desk):
    product = make_approved(at_work)
    delivery, version = make_delivery(at_work, supplier, row(product, 2))

    assert deliveries.accept_delivery(desk, delivery, version) == deliveries.accept_delivery(desk, delivery, version)
    assert stock(at_work, product) == {"SALEABLE": 48}
    with pytest.raises(DeliveryClosed):
        deliveries.save_delivery(desk, delivery, version, rules.Draft())
    with pytest.raises(DeliveryClosed):
        deliveries.abandon_delivery(desk, delivery)


def test_a_draft_changed_elsewhere_is_neither_saved_nor_accepted(at_work, supplier, desk):
    delivery, version = make_delivery(at_work, supplier, row(make_approved(at_work), 2))

    with pytest.raises(DraftChanged):
        deliveries.save_delivery(desk, delivery, version - 1, rules.Draft())
    with pytest.raises(DraftChanged):
        deliveries.accept_delivery(desk, delivery, version - 1)


def test_a_delivery_opened_from_an_order_expects_its_lines(at_work, supplier, desk):
    product, delivery = make_approved(at_work, generic_name="板蓝根颗粒"), uuid4()
    order = make_order(at_work, supplier, OrderLine(product, 3))

    deliveries.open_delivery(desk, delivery, supplier, order)
    deliveries.open_delivery(desk, delivery, supplier, order)

    draft, _version = deliveries.get_draft(desk, delivery)
    [expected] = draft.rows
    assert (expected.product, expected.arrived, expected.lot) == (product, "3", "")
    assert "板蓝根颗粒" in expected.name


def test_rejected_packs_come_in_only_when_they_stay(at_work, supplier, desk):
    product = make_approved(at_work)
    delivery, version = make_delivery(
        at_work,
        supplier,
        row(product, 5, rejected="2", reason="破损"),
        row(product, 3, lot="B2", rejected="1", reason="破损", kept=True),
    )

    deliveries.accept_delivery(desk, delivery, version)

    assert stock(at_work, product) == {"SALEABLE": 5 * 24, "REJECT": 24}
    assert value(at_work, "select balance_fen from supplier_account where tenant_id = %(t)s") == 5 * 850
    kept = value(at_work, "select record::text from delivery where tenant_id = %(t)s and id = %(d)s", d=delivery)
    assert '"arrived": 8' in kept
    assert '"accepted": 5' in kept


def test_a_delivery_rejected_as_a_whole_leaves_its_record_only(at_work, supplier, desk):
    product = make_approved(at_work)
    delivery, version = make_delivery(at_work, supplier, row(product, 2, rejected="2", reason="温度超限"))

    assert deliveries.accept_delivery(desk, delivery, version) == ""

    assert stock(at_work, product) == {}
    assert queries.get_delivery(at_work.facility_id, delivery).state == "accepted"
    assert deliveries.accept_delivery(desk, delivery, version) == ""


def test_cold_goods_are_put_away_cold_with_the_record_of_their_journey(at_work, supplier, desk):
    product = make_approved(at_work, storage="COLD", generic_name="胰岛素")
    for head, fields, said in (
        ({}, {}, "运输方式"),
        (COLD | {"temperature_in": ""}, {}, "温度"),
        (COLD, {"zone": "SALEABLE"}, "冷藏区"),
        (COLD | {"temperature_in": "12"}, {}, "2–8"),
    ):
        delivery, version = make_delivery(at_work, supplier, row(product, 1, **fields), **head)
        with pytest.raises(NotAccepted) as refused:
            deliveries.accept_delivery(desk, delivery, version)
        assert said in refused.value.message

    delivery, version = make_delivery(at_work, supplier, row(product, 1), **COLD)
    deliveries.accept_delivery(desk, delivery, version)
    doubtful, version = make_delivery(
        at_work, supplier, row(product, 1, lot="W1", zone="QUARANTINE"), **COLD | {"temperature_in": "12"}
    )
    deliveries.accept_delivery(desk, doubtful, version)

    assert stock(at_work, product) == {"COLD": 24, "QUARANTINE": 24}


def test_special_drugs_are_accepted_by_two_and_locked_away(at_work, supplier, desk):
    product = make_approved(at_work, special_class="PSYCHOTROPIC_2", rx_class="RX")
    delivery, version = make_delivery(at_work, supplier, row(product, 1))
    with pytest.raises(NotAccepted, match="not_accepted"):
        deliveries.accept_delivery(desk, delivery, version)

    deliveries.accept_delivery(desk, delivery, version, at_work.pharmacist)

    assert stock(at_work, product) == {"CONTROLLED": 24}
    assert queries.get_delivery(at_work.facility_id, delivery).second == "赵药师"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lot": ""}, "批号"),
        ({"arrived": "0"}, "到货数量"),
        ({"arrived": "两盒"}, "到货数量"),
        ({"rejected": "3"}, "拒收"),
        ({"rejected": "1"}, "写明原因"),
        ({"expires_on": "202013"}, "效期"),
        ({"expires_on": "20200101"}, "已过效期"),
        ({"produced_on": "x"}, "生产日期"),
        ({"cost": "-1"}, "进价"),
        ({"zone": "SPLIT"}, "库区"),
        ({"product": 99999999}, "不在目录"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_comes_in(at_work, supplier, desk, changes, said):
    product = changes.get("product") or make_approved(at_work)
    fields = {name: typed for name, typed in changes.items() if name != "product"}
    delivery, version = make_delivery(at_work, supplier, row(product, 2, **fields))

    with pytest.raises((NotAccepted, ReceiptNotTaken)) as refused:
        deliveries.accept_delivery(desk, delivery, version)

    assert said in refused.value.message
    assert value(at_work, "select count(*) from stock_receipt where tenant_id = %(t)s") == 0
    assert queries.get_delivery(at_work.facility_id, delivery).state == "draft"


def test_traced_goods_without_one_code_need_a_word_of_why(at_work, supplier, desk):
    product = make_approved(at_work)
    silent = make_delivery(at_work, supplier, row(product, 2), note=" ")
    told = make_delivery(at_work, supplier, row(product, 2, lot="OLD1"), note="2025 年前的老包装")
    untraced = make_delivery(at_work, supplier, row(make_approved(at_work, trace_required=False), 2), note="")

    with pytest.raises(NotAccepted) as refused:
        deliveries.accept_delivery(desk, *silent)

    assert "一个追溯码也没有扫" in refused.value.message
    assert deliveries.accept_delivery(desk, *told)
    assert deliveries.accept_delivery(desk, *untraced)


def test_herbs_need_their_origin_and_a_note_its_number(at_work, supplier, desk):
    herb = make_approved(at_work, rx_class="HERB", trace_required=False)
    delivery, version = make_delivery(at_work, supplier, row(herb, 1), note_number="")
    with pytest.raises(NotAccepted) as refused:
        deliveries.accept_delivery(desk, delivery, version)

    assert "产地" in refused.value.message
    assert "随货同行单号" in refused.value.message


def test_the_gate_stands_before_the_shelf(at_work, desk, supplier):
    unknown, nobody = make_product(at_work), add_supplier(at_work)
    for whom, product in ((supplier, unknown), (nobody, make_approved(at_work))):
        delivery, version = make_delivery(at_work, whom, row(product, 1))
        with pytest.raises(NotAccepted) as refused:
            deliveries.accept_delivery(desk, delivery, version)
        assert "首营" in refused.value.message
    with pytest.raises(NotAccepted):
        deliveries.receive_purchase(desk, uuid4(), supplier, [line(unknown)])


def test_a_code_that_was_here_before_stops_the_whole_delivery(at_work, supplier, desk):
    goods, product = make_goods(at_work, 1), make_approved(at_work)
    delivery, version = make_delivery(
        at_work,
        supplier,
        row(product, 1, lot="A", codes=[make_code()]),
        row(product, 1, lot="B", codes=[goods.codes[0]]),
    )

    with pytest.raises(CodeAlreadyKnown):
        deliveries.accept_delivery(desk, delivery, version)

    assert stock(at_work, product) == {}
    check_books(at_work)


def line(product, lot="L1", packs=1, **fields) -> ReceiptLine:
    return ReceiptLine(product, lot, clock.business_date() + timedelta(days=300), packs, **fields)


def test_opening_stock_is_for_products_that_have_not_moved(at_work, supplier, desk):
    product = make_approved(at_work)
    receiving.open_stock(desk, uuid4(), [line(product, "L1"), line(product, "L2")])
    for again in ("L1", "L2"):
        with pytest.raises(NotAnOpening):
            receiving.open_stock(desk, uuid4(), [line(product, again)])
    deliveries.receive_purchase(desk, uuid4(), supplier, [line(product, "L3")])

    with pytest.raises(NotAnOpening):
        receiving.open_stock(desk, uuid4(), [line(product, "L4")])

    assert value(at_work, "select count(*) from stock_movement where tenant_id = %(t)s and kind = 'AD'") == 2


def test_opening_stock_past_its_day_comes_in_only_set_aside(at_work, desk):
    product, yesterday = make_product(at_work), clock.business_date() - timedelta(days=1)
    with pytest.raises(ReceiptNotTaken):
        receiving.open_stock(desk, uuid4(), [ReceiptLine(product, "OLD", yesterday, 1)])

    receiving.open_stock(desk, uuid4(), [ReceiptLine(product, "OLD", yesterday, 1, "REJECT")])

    assert stock(at_work, product) == {"REJECT": 24}


def test_a_lot_lies_in_one_selling_zone_and_keeps_its_first_cost(at_work, supplier, desk):
    product = make_approved(at_work)
    deliveries.receive_purchase(desk, uuid4(), supplier, [line(product, cost_price=Decimal("8.5"))])
    with pytest.raises(ReceiptNotTaken) as refused:
        deliveries.receive_purchase(desk, uuid4(), supplier, [line(product, zone="CONTROLLED")])
    deliveries.receive_purchase(desk, uuid4(), supplier, [line(product, cost_price=Decimal("9.5"))])

    assert "放在一起" in refused.value.message
    assert str(value(at_work, "select cost_price from lot where tenant_id = %(t)s")) == "8.500000"


def test_a_purchase_of_twenty_lots_takes_few_statements(at_work, supplier, desk):
    products = [make_approved(at_work) for _ in range(4)]
    lines = [line(products[n % 4], f"N{n}", codes=(make_code(),), cost_price=Decimal("8.5")) for n in range(20)]
    deliveries.receive_purchase(desk, uuid4(), supplier, lines[:1])

    with statements() as ran:
        deliveries.receive_purchase(
            desk, uuid4(), supplier, [line(products[0], f"M{n}", codes=(make_code(),)) for n in range(20)]
        )

    assert len(ran) == 11, ran


def test_a_stranger_finds_no_delivery(facility_app, at_work, supplier):
    from app.core.errors import NotFound
    from tests.factories.people import make_pharmacy

    delivery, version = make_delivery(at_work, supplier, row(make_approved(at_work), 1))
    other = make_pharmacy(facility_app, name="三号药店")
    with other.acting():
        theirs = desk_of(other, other.owner)
        with pytest.raises(NotFound):
            deliveries.accept_delivery(theirs, delivery, version)
        with pytest.raises(NotFound):
            deliveries.save_delivery(theirs, delivery, version, rules.Draft())
        with pytest.raises(NotFound):
            deliveries.open_delivery(theirs, uuid4(), supplier)
