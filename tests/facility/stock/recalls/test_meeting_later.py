"""A recall that came before its product, or before its lot: it waits for both, and holds them as they come."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from app.core import clock
from app.facility.catalog import actions as catalog
from app.facility.catalog import queries as products
from app.facility.counter.errors import CodeNotOnShelf
from app.facility.stock.counts import actions as counts
from app.facility.stock.counts import entering
from app.facility.stock.errors import ReceiptNotTaken
from app.facility.stock.purchasing import deliveries
from app.facility.stock.recalls import actions, queries
from central_sync import contract
from tests.facility.catalog.conftest import take
from tests.facility.stock.recalls.world import an_issue, changes, facts, holds, issue, rows, second_shop
from tests.factories.bridge import pull, tell
from tests.factories.purchase import make_delivery, row
from tests.factories.shop import check_books, desk_of, fill_basket, make_code, make_goods, make_product, one
from tests.factories.supply import approve_products, house_supplier


@pytest.fixture
def national():
    return f"XJ{secrets.token_hex(10).upper()}0"


@pytest.fixture
def heard(facility_app, center_app, pharmacy, desk, national):
    """Let the center call a lot back of which nobody here has heard; returns the body."""

    def make(lots=("K1",), **changes):
        body = an_issue(national, lots, **changes)
        tell(center_app, [pharmacy.code], "recall.issued", body)
        pull(facility_app, center_app, pharmacy)
        return body

    return make


def accept(pharmacy, product, **fields):
    approve_products(pharmacy, product)
    delivery, version = make_delivery(pharmacy, house_supplier(pharmacy), row(product, 1, **fields))
    deliveries.accept_delivery(desk_of(pharmacy, pharmacy.owner), delivery, version)


def test_a_product_added_after_the_news_is_held_on_arrival_and_the_center_is_told(pharmacy, desk, national, heard):
    body = heard()
    product = make_product(pharmacy, national_code=national)

    with pytest.raises(ReceiptNotTaken) as refused:
        accept(pharmacy, product, lot="K1", codes=[make_code()])
    assert "K1 已锁定或召回，请放进待处理区，或拒收" in refused.value.message
    code = make_code()
    accept(pharmacy, product, lot="K1", codes=[code], zone="QUARANTINE")
    accept(pharmacy, product, lot="K2", codes=[fine := make_code()])

    told = facts(pharmacy)[-1]
    assert (told["recall"], told["number"], told["act"], told["origin"]) == (
        body["recall"],
        body["number"],
        "held",
        "center",
    )
    assert [(lot["lot"], lot["zones"]) for lot in told["lots"]] == [("K1", [{"zone": "QUARANTINE", "quantity": 24}])]
    kinds = rows(pharmacy, "select kind from outbox where facility_id = %(f)s order by number desc limit 3")
    assert [row.kind for row in kinds] == ["stock.received", "lot.held", "stock.received"]
    with pytest.raises(CodeNotOnShelf):
        fill_basket(desk, code)
    assert fill_basket(desk, fine)
    held = queries.places_of(body["recall"])
    assert [(place.lot_number, place.hold, place.zone) for place in held] == [("K1", "recalled", "QUARANTINE")]
    check_books(pharmacy)


def test_the_hold_of_a_lot_that_arrived_is_written_down_and_ends_with_the_recall(
    facility_app, center_app, pharmacy, desk, national, heard
):
    body = heard(lots=())
    goods = make_goods(pharmacy, 1, national_code=national, lot_number="K9", zone="QUARANTINE")

    assert changes(pharmacy, goods) == [("", "recalled", "召回中的批号到货", None)]
    closing = {name: body[name] for name in ("recall", "number")} | {
        "closed_at": body["issued_at"],
        "summary": "召回完成",
    }
    tell(center_app, [pharmacy.code], "recall.closed", closing)
    pull(facility_app, center_app, pharmacy)
    assert holds(pharmacy, goods) == [(pharmacy.facility_id, None)]
    assert changes(pharmacy, goods)[-1][:2] == ("recalled", "")
    late = make_goods(pharmacy, 1, national_code=national, lot_number="K8", barcode="6900000000017")
    assert holds(pharmacy, late) == [(pharmacy.facility_id, None)]


def test_a_product_that_comes_with_a_file_is_met_too(pharmacy, desk, national, heard):
    body = heard()
    take(
        pharmacy,
        f"商品编码,通用名,规格,厂家,零售价,单位,条码,医保编码,医保类别\nJ1,来迟片,0.25g*24片,某厂,9.90,盒,,{national},甲类\n",
    )
    product = products.product_by_code("J1").id

    accept(pharmacy, product, lot="K1", zone="QUARANTINE")

    assert [row.hold for row in rows(pharmacy, "select hold from lot where product_id = %(p)s", p=product)] == [
        "recalled"
    ]
    assert facts(pharmacy)[-1]["recall"] == body["recall"]


def test_a_product_that_gets_its_national_code_later_freezes_what_lies_here(pharmacy, desk, national, heard):
    goods = make_goods(pharmacy, 2, lot_number="K1")
    other = make_goods(pharmacy, 2, lot_number="K2", product_id=goods.product_id)
    body = heard()
    actions.acknowledge_recall(desk, body["recall"])
    assert {hold for _, hold in holds(pharmacy, goods)} == {None}
    card = products.get_product(goods.product_id)

    catalog.update_product(goods.product_id, replace(catalog.draft_of(card), national_code=national))

    assert [
        row.hold
        for row in rows(
            pharmacy, "select hold from lot where product_id = %(p)s order by lot_number", p=goods.product_id
        )
    ] == ["recalled", None]
    assert changes(pharmacy, goods)[0][:2] == ("", "recalled")
    with pytest.raises(CodeNotOnShelf):
        fill_basket(desk, goods.codes[0])
    assert fill_basket(desk, other.codes[0])
    seen = one(
        pharmacy,
        "select acknowledged_at from recall_place where facility_id = %(f)s and recall_id = %(r)s",
        r=body["recall"],
    )
    assert seen.acknowledged_at is None  # The recall stands above the pages again.
    told = facts(pharmacy)[-1]
    contract.read("lot.held", 1, msgspec.json.encode(told))
    assert len(facts(pharmacy)) == 2  # That nothing of it was here, and that something is.
    assert (told["recall"], told["number"], told["act"], told["hold"], told["origin"]) == (body["recall"], body["number"], "held", "recalled", "center")  # fmt: skip
    assert [(lot["lot"], lot["quantity"], lot["zones"]) for lot in told["lots"]] == [
        ("K1", 2 * goods.pack_size, [{"zone": "SALEABLE", "quantity": 2 * goods.pack_size}])
    ]
    check_books(pharmacy)


def test_every_shop_tells_the_center_once_of_the_lots_it_met(pharmacy, desk, national, heard):
    goods, other = make_goods(pharmacy, 1, lot_number="K1"), second_shop(pharmacy)
    make_goods(pharmacy, 2, lot_number="K2", product_id=goods.product_id)
    make_goods(other, 3, lot_number="K1", product_id=goods.product_id)
    heard(lots=("K1", "K2"))
    card = products.get_product(goods.product_id)

    catalog.update_product(goods.product_id, replace(catalog.draft_of(card), national_code=national))
    catalog.update_product(goods.product_id, replace(catalog.draft_of(card), national_code=national, spec="改过"))

    here, there = facts(pharmacy)[1:], facts(other)
    assert [[lot["lot"] for lot in told["lots"]] for told in here] == [["K1", "K2"]]
    assert [[(lot["lot"], lot["quantity"]) for lot in told["lots"]] for told in there] == [
        [("K1", 3 * goods.pack_size)]
    ]


def test_a_lot_found_by_a_count_is_told_of_when_a_recall_means_it(pharmacy, desk):
    goods, count = make_goods(pharmacy, 1, lot_number="E1"), uuid4()
    recall, number = issue(desk, goods, lots=("E1", "E2"))
    before = len(facts(pharmacy))
    counts.open_count(desk_of(pharmacy, pharmacy.owner), count, counts.Scope("full"))
    day = clock.business_date() + timedelta(days=300)

    for _ in range(2):
        entering.find_goods(desk, count, goods.product_id, "E2", day, "QUARANTINE")

    told = facts(pharmacy)[before:]
    assert [(each["recall"], each["number"], [lot["lot"] for lot in each["lots"]]) for each in told] == [
        (str(recall), number, ["E2"])
    ]


@pytest.mark.parametrize(
    ("product", "fields", "is_meant"),
    [
        ({"name": "别名", "approval": "国药准字H7"}, {}, True),
        ({"name": "迟到片", "maker": "乙厂"}, {}, True),
        ({"name": "迟到片", "maker": "丙厂"}, {}, False),
        ({"name": "迟到片"}, {}, False),
        ({"name": "迟到片", "maker": "乙厂", "spec": "1g"}, {}, False),
        ({"name": "迟到片", "maker": "乙厂", "national": "XA99"}, {}, False),
    ],
)
def test_later_as_at_once_the_same_things_must_be_the_same(pharmacy, desk, heard, product, fields, is_meant):
    heard(product=product)

    made = make_product(pharmacy, generic_name="迟到片", maker="乙厂", approval_number="国药准字H7", **fields)

    met = one(
        pharmacy, "select count(*) as n from recall_target where tenant_id = %(t)s and product_id = %(p)s", p=made
    ).n
    assert met == (1 if is_meant else 0)


def test_packs_that_a_recall_names_come_in_only_to_be_set_aside(pharmacy, desk, national, heard):
    codes = [make_code(), make_code()]
    body = heard(lots=(), codes=codes[:1])
    product = make_product(pharmacy, national_code=national)

    with pytest.raises(ReceiptNotTaken) as refused:
        accept(pharmacy, product, lot="K1", codes=codes[:1])
    assert f"{codes[0]} 正在召回（{body['number']}）" in refused.value.message
    accept(pharmacy, product, lot="K1", codes=codes[:1], zone="QUARANTINE")
    accept(pharmacy, product, lot="K1", codes=codes[1:])

    told = facts(pharmacy)[-1]
    assert (told["recall"], told["packs"], told["lots"]) == (body["recall"], codes[:1], [])
    with pytest.raises(CodeNotOnShelf):
        fill_basket(desk, codes[0])
    assert fill_basket(desk, codes[1])


def test_a_recall_of_our_own_tells_the_center_of_what_arrives_too(pharmacy, desk):
    goods = make_goods(pharmacy, 1, lot_number="E1")
    recall, number = issue(desk, goods)

    make_goods(pharmacy, 2, lot_number="E1", product_id=goods.product_id, zone="QUARANTINE")

    told = facts(pharmacy)[-1]
    assert (told["recall"], told["number"], told["origin"]) == (str(recall), number, "own")
    assert told["lots"][0]["quantity"] == 3 * goods.pack_size
