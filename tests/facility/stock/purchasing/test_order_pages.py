"""Orders and proposals at their pages: what is low is ordered in one act, the gate speaks in place, what is placed stands."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.catalog.importer import reader
from app.facility.stock.purchasing import orders, queries
from app.facility.stock.purchasing.rules import OrderLine
from app.facility.stock.shelf.actions import Place, place_products
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.purchasing.conftest import value
from tests.factories.people import post
from tests.factories.purchase import approved_product as make_approved
from tests.factories.purchase import make_delivery, make_order, row
from tests.factories.shop import make_goods, make_product
from tests.factories.supply import add_supplier

ORDERS, PROPOSALS = "/stock/orders", "/stock/proposals"


def sent(**fields):
    return {"document": str(uuid4())} | fields


def typed(supplier, product, packs="5", price="8.50", **fields):
    """An order with one line, as its form sends it."""
    line = {"product": str(product), "product_name": "阿莫西林胶囊 · 盒", "packs": packs, "price": price}
    return sent(supplier=str(supplier), version="0", **line, **fields)


def wanted(product, packs="3", **fields):
    """One row of the proposals, ticked."""
    shelf = {"shelf": "", "least": "", "most": "", "was": "||"}
    return sent(tick=str(product), id=str(product), name="药", packs=packs, price="", **shelf | fields)


def state(pharmacy):
    return value(pharmacy, "select state from purchase_order where tenant_id = %(t)s order by made_at desc limit 1")


# ---- proposals -----------------------------------------------------------------------------------------------------


def test_what_is_low_is_ticked_and_becomes_one_order(clerk, pharmacy, at_work, supplier, desk):
    goods = make_approved(at_work, generic_name="板蓝根颗粒")
    place_products(desk, [Place(goods, "A-1", 48, 240)])

    page = text(clerk.get(PROPOSALS))
    assert "板蓝根颗粒" in page
    assert "缺货" in page
    assert 'name="packs" value="10"' in page
    answer = post(clerk, f"{PROPOSALS}/orders", wanted(goods, "12", supplier=str(supplier), shelf="B-2", least="3", most="10"))  # fmt: skip

    assert answer.status_code == 303
    head, [line] = queries.get_order(pharmacy.facility_id, answer.location.rpartition("/")[2])
    assert (head.state, head.supplier_id, line.product_id, line.packs) == ("draft", supplier, goods, 12)
    kept = value(pharmacy, "select shelf || least || '-' || most from product_shelf where tenant_id = %(t)s and product_id = %(p)s", p=goods)  # fmt: skip
    assert kept == "B-272-240"


def test_nothing_ticked_or_no_supplier_is_said_and_what_was_typed_stays(clerk, at_work, desk):
    goods = make_approved(at_work)
    place_products(desk, [Place(goods, "A-1", 48, 240)])

    answer = post(clerk, f"{PROPOSALS}/orders", wanted(goods, "七", shelf="Z-9"))

    assert answer.status_code == 422
    assert "请选择供应商" in text(answer)
    assert "请填 1 到" in text(answer)
    assert 'value="Z-9"' in text(answer)


def test_limits_change_in_their_rows_all_or_none(clerk, pharmacy, at_work):
    good, other = make_product(at_work), make_product(at_work, generic_name="布洛芬")
    rows = {"id": [str(good), str(other)], "name": ["药", "布洛芬"], "packs": ["", ""], "price": ["", ""], "was": ["||", "||"]}  # fmt: skip

    bad = post(clerk, f"{PROPOSALS}/shelves", rows | {"shelf": ["a1", "a2"], "least": ["1", "9"], "most": ["5", "3"]})
    assert bad.status_code == 422
    assert "下限大于上限" in text(bad)
    count = "select count(*) from product_shelf where tenant_id = %(t)s"
    assert value(pharmacy, count) == 0
    good_one = post(clerk, f"{PROPOSALS}/shelves", rows | {"shelf": ["a1", ""], "least": ["1", ""], "most": ["5", ""]})

    assert good_one.status_code == 303
    assert value(pharmacy, count) == 1
    assert value(pharmacy, "select shelf from product_shelf where tenant_id = %(t)s") == "A1"


def test_places_and_limits_go_out_and_come_back_by_excel(clerk, pharmacy, at_work, desk):
    product = make_product(at_work, code="XL001", generic_name="阿司匹林")
    place_products(desk, [Place(product, "C-1", 24, 48)])
    file = clerk.get(f"{PROPOSALS}/shelves/file")
    rows = reader.read_table("x.xlsx", file.get_data()).rows
    assert rows[1][0] == "XL001"
    assert rows[1][-3:] == ["C-1", "1", "2"]

    changed = "商品编码,货位,下限,上限\nXL001,d-7,2,\n"
    answer = post(clerk, f"{PROPOSALS}/shelves/files", {"file": (BytesIO(changed.encode()), "货位.csv")})

    assert answer.status_code == 303
    kept = value(pharmacy, "select shelf || least || coalesce(most::text, '-') from product_shelf where tenant_id = %(t)s")  # fmt: skip
    assert kept == "D-748-"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("商品编码,货位,下限,上限\nNO1,A,1,2\n", "目录里没有这个商品"),
        ("商品编码,货位,下限,上限\nXL002,A,半,2\n", "请填整数"),
        ("商品编码,货位,下限,上限\nXL002,A,1,2\nXL002,B,1,2\n", "写了两行"),
        ("商品编码,货位\nXL002,A\n", "缺少"),
        ("随便,什么\n1,2\n", "没有找到表头"),
        ("", "文件是空的"),
    ],
)
def test_a_file_that_does_not_fit_sets_nothing(clerk, pharmacy, at_work, content, said):
    make_product(at_work, code="XL002")

    answer = post(clerk, f"{PROPOSALS}/shelves/files", {"file": (BytesIO(content.encode()), "货位.csv")})

    assert answer.status_code in {409, 413, 415, 422}
    assert said in text(answer)
    assert value(pharmacy, "select count(*) from product_shelf where tenant_id = %(t)s") == 0


# ---- orders --------------------------------------------------------------------------------------------------------


def test_an_order_is_written_placed_printed_and_closed(clerk, pharmacy, at_work, supplier):
    goods = make_approved(at_work, generic_name="阿莫西林胶囊")
    form = typed(supplier, goods, note="上午送")

    answer = post(clerk, ORDERS, form | {"then": "save"})
    assert "草稿" in text(clerk.get(answer.location))
    assert post(clerk, ORDERS, form | {"then": "place", "version": "1"}).status_code == 303
    page = text(clerk.get(answer.location))
    assert "已下单" in page
    assert "42.50" in page
    number = value(pharmacy, "select number from purchase_order where tenant_id = %(t)s")
    printed = text(clerk.get(f"{answer.location}/print"))
    assert number in printed
    assert "<svg" in printed
    assert "上午送" in printed
    assert post(clerk, f"{answer.location}/closings", {"reason": "缺货"}).status_code == 303
    assert state(pharmacy) == "cancelled"
    again = post(clerk, f"{answer.location}/closings", {"reason": "缺货"})
    assert again.status_code == 409
    assert "已取消" in text(again)


def test_placing_twice_is_placing_once(clerk, pharmacy, at_work, supplier):
    form = typed(supplier, make_approved(at_work)) | {"then": "place"}

    assert [post(clerk, ORDERS, form).status_code for _ in range(2)] == [303, 303]
    assert value(pharmacy, "select count(*) from purchase_order where tenant_id = %(t)s") == 1


def test_the_gate_speaks_in_the_line_and_the_draft_stays(clerk, pharmacy, at_work, supplier):
    new = make_product(at_work, generic_name="没审过的药")

    answer = post(clerk, ORDERS, typed(supplier, new) | {"then": "place"})

    assert answer.status_code == 422
    assert "rline oline bad" in text(answer)
    assert text(answer).count("没有通过首营审批的商品") >= 2
    assert "现在还不能下达" in text(answer)
    assert state(pharmacy) == "draft"
    fixed = typed(supplier, make_approved(at_work)) | {"then": "place", "version": "1"}
    fixed["document"] = text(answer).partition('name="document" value="')[2].partition('"')[0]
    assert post(clerk, ORDERS, fixed).status_code == 303
    assert state(pharmacy) == "placed"


def test_a_supplier_that_is_not_approved_is_said_beside_the_order(clerk, at_work):
    answer = post(clerk, ORDERS, typed(add_supplier(at_work), make_approved(at_work)) | {"then": "place"})

    assert answer.status_code == 422
    assert "还没有通过首营审批。请先送审" in text(answer)


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"packs": "0"}, "数量请填"), ({"packs": "三"}, "数量请填"), ({"price": "贵"}, "单价请写"), ({"supplier": ""}, "请选择供应商"), ({"product": "x"}, "不完整")],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_line_and_kept_on_the_screen(clerk, pharmacy, at_work, supplier, fields, said):  # fmt: skip
    answer = post(clerk, ORDERS, typed(supplier, make_approved(at_work), note="别丢") | fields)

    assert answer.status_code == 422
    assert said in text(answer)
    assert "别丢" in text(answer)
    assert state(pharmacy) is None


def test_two_windows_on_one_draft_do_not_overwrite_each_other(clerk, at_work, supplier):
    form = typed(supplier, make_approved(at_work))
    post(clerk, ORDERS, form)
    post(clerk, ORDERS, form | {"packs": "6", "version": "1"})

    answer = post(clerk, ORDERS, form | {"packs": "7", "version": "1"})

    assert answer.status_code == 409
    assert "请刷新页面" in text(answer)


def test_a_product_from_the_shelf_goes_on_the_draft_of_its_supplier(clerk, at_work, supplier):
    first, second = make_approved(at_work, generic_name="头一个"), make_approved(at_work, generic_name="再一个")
    fresh = text(clerk.get(f"{ORDERS}/new?product={first}"))
    assert "已加到新采购单" in fresh
    post(clerk, ORDERS, typed(supplier, first))

    page = text(clerk.get(f"{ORDERS}/new?product={second}"))

    assert "再一个 已加到这张草稿" in page
    assert page.count("data-line") == 3  # Two products and the blank one.
    assert text(clerk.get(f"{ORDERS}/new?product={second}&apart=1")).count("data-line") == 2
    assert clerk.get(f"{ORDERS}/new?product=99999999").status_code == 404


def test_a_line_brings_the_last_price_and_what_is_proposed(clerk, at_work, supplier, desk):
    from app.facility.stock.purchasing import deliveries

    goods = make_approved(at_work)
    delivery, version = make_delivery(at_work, supplier, row(goods, 2, cost="7.25"))
    deliveries.accept_delivery(desk, delivery, version)
    place_products(desk, [Place(goods, "A", 24 * 5, 24 * 10)])

    assert clerk.get(f"{ORDERS}/prices?product={goods}").get_json() == {"price": "7.25", "packs": "8"}


def test_what_came_of_an_order_stands_beside_it(clerk, at_work, supplier, desk):
    from app.facility.stock.purchasing import deliveries

    goods = make_approved(at_work)
    order = make_order(at_work, supplier, OrderLine(goods, 5, Decimal("8.50")))
    delivery, version = make_delivery(at_work, supplier, row(goods, 2), order=order)
    deliveries.accept_delivery(desk, delivery, version)

    page = text(clerk.get(f"{ORDERS}/{order}"))

    assert "部分到货" in page
    assert "还差 3" in page
    assert "剩下的不要了" in page


def test_lists_end_and_go_on(clerk, at_work, supplier):
    goods = make_approved(at_work)
    for _ in range(51):
        orders.save_order(_desk(at_work), uuid4(), supplier, [OrderLine(goods, 1)])

    page = text(clerk.get(f"{ORDERS}?state=draft&supplier={supplier}"))
    assert page.count("data-number") == 50
    assert text(clerk.get(next_page(page))).count("data-number") == 1
    assert "没有符合条件的采购单" in text(clerk.get(f"{ORDERS}?state=placed"))


def _desk(pharmacy):
    from tests.factories.shop import desk_of

    return desk_of(pharmacy, pharmacy.owner)


@pytest.mark.parametrize(("address", "most"), [(ORDERS, 8), (PROPOSALS, 9), (f"{PROPOSALS}?all=1", 9), (f"{ORDERS}/new", 8)])  # fmt: skip
def test_pages_ask_the_database_seldom(clerk, at_work, supplier, address, most):
    for number in range(4):
        make_goods(at_work, 1, generic_name=f"药{number}")
        make_order(at_work, supplier, OrderLine(make_approved(at_work), 1))
    clerk.get(address)

    with statements() as ran:
        assert clerk.get(address).status_code == 200

    assert len(ran) <= most, ran


def test_a_stranger_finds_no_order(clerk, stranger, at_work, supplier):
    goods = make_approved(at_work, generic_name="自家药")
    order = make_order(at_work, supplier, OrderLine(goods, 5))

    for address in (f"{ORDERS}/{order}", f"{ORDERS}/{order}/print", f"{ORDERS}/new?product={goods}", f"{ORDERS}/prices?product={goods}"):  # fmt: skip
        assert stranger.get(address).status_code == 404
    assert post(stranger, f"{ORDERS}/{order}/closings", {"reason": "x"}).status_code == 404
    assert post(stranger, ORDERS, typed(supplier, goods)).status_code == 404
    assert "自家药" not in text(stranger.get(f"{PROPOSALS}?all=1"))
    assert text(stranger.get(ORDERS)).count("data-number") == 0


@pytest.mark.parametrize("address", [ORDERS, f"{ORDERS}?before=x&state=y&supplier=z", f"{ORDERS}/new", PROPOSALS, f"{PROPOSALS}?q=%25_%00&after=x~y", f"{ORDERS}/prices?product=x"])  # fmt: skip
def test_addresses_with_nonsense_answer_calmly(clerk, address):
    assert clerk.get(address).status_code in {200, 404}
