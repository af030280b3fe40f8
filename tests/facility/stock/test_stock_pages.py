"""The stock room's pages: empty, filled, long, refused, and closed to strangers."""

from __future__ import annotations

import io
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.hot import statements
from tests.facility.stock.conftest import next_page, text
from tests.factories.people import add_person, browser, post
from tests.factories.shop import desk_of, make_code, make_goods, make_product, on_hand, one, open_shift, sell


def later(days: int) -> str:
    return str(clock.business_date() + timedelta(days=days))


def receipt(pharmacy):
    return one(
        pharmacy, "select id, number from stock_receipt where tenant_id = %(t)s order by received_at desc limit 1"
    )


def sent(goods, /, **changes):
    """A receipt of one line as the page sends it."""
    line = {
        "product": str(goods), "product_name": "试药胶囊 · 0.25g×24粒 · 试药厂 · 盒", "lot": "240301", "produced_on": "", "expires_on": later(400),
        "packs": "2", "cost": "8.5", "zone": "SALEABLE", "codes": f"{make_code()} {make_code()}",
    }  # fmt: skip
    return {"document": str(uuid4()), "note": "早班", **line, **changes}


# ---- the shelf -------------------------------------------------------------------------------------------------------


def test_empty_shelf_says_what_it_is_for(clerk):
    page = clerk.get("/stock")

    assert page.status_code == 200
    assert "货架还是空的" in text(page)
    assert "/stock/deliveries/new" in text(page)


def test_shelf_shows_what_is_there_and_what_can_be_sold(clerk, at_work):
    make_goods(at_work, 3, generic_name="板蓝根颗粒")
    make_goods(at_work, 4, generic_name="复方丹参滴丸", zone="QUARANTINE")

    page = text(clerk.get("/stock"))

    assert "板蓝根颗粒" in page
    assert "不可售" in page


def test_filters_agree_with_their_counts(clerk, at_work):
    both = make_product(at_work, generic_name="氯雷他定片")
    make_goods(at_work, 2, product_id=both, expires_in=5)
    make_goods(at_work, 2, product_id=both, expires_in=0, lot_number="OLD")
    make_goods(at_work, 2, generic_name="板蓝根颗粒", expires_in=900)

    page, near, past = (text(clerk.get(f"/stock{query}")) for query in ("", "?only=near", "?only=past"))

    assert '近效期<b class="warn">1</b>' in page
    assert near.count('class="b nm"') == 1
    assert '过期 / 冻结<b class="">0</b>' in page
    assert "好消息" in past


def test_expired_and_near_lots_of_one_product_are_in_both_lists(clerk, at_work, monkeypatch):
    product = make_product(at_work, generic_name="氯雷他定片")
    make_goods(at_work, 2, product_id=product, expires_in=0)
    make_goods(at_work, 2, product_id=product, expires_in=30)
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "business_date", lambda _at=None: (tomorrow + timedelta(hours=8)).date())

    for only in ("near", "past"):
        page = text(clerk.get(f"/stock?only={only}"))
        assert '近效期<b class="warn">1</b>' in page
        assert '过期 / 冻结<b class="stop">1</b>' in page
        assert "氯雷他定片" in page
    assert "已过期 1 天，已锁" in page


@pytest.mark.parametrize("asked", ["blg", "板蓝", "BLG", "ｂｌｇ", "qr-0", "69"])
def test_shelf_is_searched_by_name_initials_barcode_and_lot(clerk, at_work, asked):
    make_goods(at_work, 1, generic_name="板蓝根颗粒", lot_number="QR-01")

    assert "板蓝根颗粒" in text(clerk.get("/stock", query_string={"q": asked}))


def test_search_for_nothing_there_says_so(clerk, at_work):
    make_goods(at_work, 1)

    assert "没有符合的库存" in text(clerk.get("/stock?q=100%25_"))


def test_open_product_shows_lots_codes_and_ledger(clerk, at_work):
    goods = make_goods(at_work, 3, lot_number="240301")
    desk = desk_of(at_work)
    open_shift(desk)
    sold = sell(desk, goods.codes[0])

    page = text(clerk.get(f"/stock?product={goods.product_id}"))

    assert "240301" in page
    assert '<td class="n ok">2/2</td>' in page
    assert sold.receipt in page
    assert receipt(at_work).number in page


def test_long_shelf_has_pages_and_few_statements(clerk, at_work):
    for number in range(60):
        make_goods(at_work, 1, generic_name=f"板蓝根颗粒{number:02d}")

    with statements() as first:
        clerk.get("/stock")
    with statements() as ran:
        page = text(clerk.get("/stock"))

    assert page.count('class="b nm"') == 50
    assert len([one for one in first if "lot_balance" in one]) == 2  # The rows, and the counts of the filter.
    assert len([one for one in ran if "lot_balance" in one]) == 1  # Nothing moved since: the counts are kept.
    second = text(clerk.get(next_page(page)))
    assert second.count('class="b nm"') == 10
    assert "没有更多了" in second


@pytest.mark.parametrize(
    "query",
    [
        "after=%C2%B2~%C2%B2",
        "after=a%00~1",
        "after=~",
        "q=%00",
        "only=x",
        "product=%C2%B2",
        "product=99999999999999999999",
        "product=-1",
    ],
)
def test_strange_addresses_are_harmless(clerk, at_work, query):
    make_goods(at_work, 1)

    assert clerk.get(f"/stock?{query}").status_code == 200


def test_stranger_sees_nothing_of_the_shelf(stranger, at_work):
    goods = make_goods(at_work, 2)
    seen = receipt(at_work)

    assert goods.name not in text(stranger.get("/stock"))
    assert stranger.get(f"/stock?product={goods.product_id}").status_code == 404
    assert stranger.get(f"/stock/products/{goods.product_id}/movements").status_code == 404
    assert stranger.get(f"/stock/receipts/{seen.id}").status_code == 404
    assert seen.number not in text(stranger.get("/stock/receipts"))
    assert stranger.get(f"/stock/codes/{goods.codes[0]}").status_code == 404
    assert "data-product" not in text(stranger.get(f"/stock/products?q={goods.name}"))


@pytest.mark.parametrize(
    "path", ["/stock", "/stock/receipts", "/stock/receipts/new", "/stock/products?q=a", "/stock/codes/1"]
)
def test_who_has_no_part_in_the_shop_is_refused(facility_app, pharmacy, path):
    keeper = browser(facility_app, pharmacy, add_person(facility_app, pharmacy, "audit_admin"))

    assert keeper.get(path).status_code == 403
    assert facility_app.test_client().get(path).status_code in {302, 303, 401}


# ---- ledger, receipts, codes -----------------------------------------------------------------------------------------


def test_ledger_is_paged_newest_first(clerk, at_work):
    product = make_product(at_work)
    for _ in range(60):
        make_goods(at_work, 1, product_id=product, coded=False)

    page = text(clerk.get(f"/stock/products/{product}/movements"))
    second = text(clerk.get(next_page(page)))

    assert page.count('data-label="该批结存"') == 50
    assert second.count('data-label="该批结存"') == 10
    assert not set(numbers(page)) & set(numbers(second))


def numbers(page):
    import re

    return re.findall(r"R\d\d-\d{4}-\d{4}", page)


def test_ledger_without_movements_leads_to_a_receipt(clerk, at_work):
    assert "这里还没有进出" in text(clerk.get(f"/stock/products/{make_product(at_work)}/movements"))


def test_receipts_are_listed_and_paged(clerk, at_work):
    assert "还没有入库单" in text(clerk.get("/stock/receipts"))
    product = make_product(at_work)
    for _ in range(60):
        make_goods(at_work, 1, product_id=product, coded=False)

    page = text(clerk.get("/stock/receipts"))

    assert page.count('class="b nm"') == 50
    assert text(clerk.get(next_page(page))).count('class="b nm"') == 10
    for odd in ("x", "2026-01-01_x", "2026-01-01T00:00:00_" + str(uuid4())):
        assert clerk.get("/stock/receipts", query_string={"before": odd}).status_code == 200


def test_receipt_shows_its_lines(clerk, at_work):
    goods = make_goods(at_work, 3)

    page = text(clerk.get(f"/stock/receipts/{receipt(at_work).id}"))

    assert goods.name in page
    assert goods.lot_number in page
    assert "3/3" in page
    assert clerk.get(f"/stock/receipts/{uuid4()}").status_code == 404


def test_life_of_a_code_goes_from_shelf_to_customer(clerk, at_work):
    goods = make_goods(at_work, 1)
    desk = desk_of(at_work)
    open_shift(desk)
    sold = sell(desk, goods.codes[0])

    page = text(clerk.get(f"/stock/codes/{goods.codes[0]}"))

    assert page.index("入库</b>") < page.index("销售</b>")
    assert sold.receipt in page
    assert "已售出" in page
    assert clerk.get("/stock/codes/nothing-of-ours").status_code == 404


# ---- taking goods in -------------------------------------------------------------------------------------------------


def test_receipt_is_taken_and_shown(clerk, at_work):
    product = make_product(at_work)
    form = sent(product, expires_on="202912", produced_on="2026-01-05")

    answer = post(clerk, "/stock/receipts/new", form)

    assert answer.status_code == 303
    page = text(clerk.get(answer.location))
    assert "2029-12-31" in page
    assert "早班" in page
    assert "2/2" in page


def test_receipt_sent_twice_is_taken_once(clerk, at_work):
    product = make_product(at_work)
    form = sent(product)

    assert [post(clerk, "/stock/receipts/new", form).status_code for _ in range(2)] == [303, 303]
    row = one(
        at_work,
        "select sum(on_hand)::bigint as n from lot_balance where tenant_id = %(t)s and product_id = %(p)s",
        p=product,
    )
    assert row.n == 48


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lot": ""}, "的批号没有填"),
        ({"packs": "0", "codes": ""}, "的数量要在"),
        ({"packs": "²"}, "数量没有填对"),
        ({"packs": "-1"}, "数量没有填对"),
        ({"packs": "3"}, "只扫了 2 个追溯码"),
        ({"packs": "1"}, "多于 1 盒"),
        ({"codes": "83000000000000000001 坏码"}, "认不出"),
        ({"expires_on": "202013"}, "效期请写成"),
        ({"expires_on": "202700"}, "效期请写成"),
        ({"expires_on": "000005"}, "效期请写成"),
        ({"expires_on": ""}, "效期请写成"),
        ({"expires_on": "20200101"}, "已过效期"),
        ({"produced_on": "99999999"}, "生产日期请写成"),
        ({"cost": "abc"}, "进价请写"),
        ({"cost": "NaN"}, "进价请写"),
        ({"zone": "SPLIT"}, "不能直接放进这个库区"),
        ({"product": "99999999"}, "没有这个药品"),
        ({"product": ""}, "药品没有填对"),
    ],
)
def test_refused_receipt_keeps_what_was_typed(clerk, at_work, changes, said):
    form = sent(make_product(at_work), **changes)

    answer = post(clerk, "/stock/receipts/new", form)

    page = text(answer)
    assert answer.status_code == 422
    assert said in page
    assert 'class="rline bad"' in page
    for kept in ("早班", form["document"], form["product_name"].split(" · ")[0]):
        assert kept in page
    for name in ("lot", "packs", "cost", "codes"):
        assert f'name="{name}" value="{form[name]}"' in page
    assert receipt(at_work) is None


def test_receipt_without_lines_or_id_is_refused(clerk, at_work):
    assert "还没有明细" in text(post(clerk, "/stock/receipts/new", {"document": str(uuid4())}))
    assert post(clerk, "/stock/receipts/new", sent(1, document="1")).status_code == 422


def test_too_many_lines_are_said_not_cut_off(clerk, at_work):
    product = make_product(at_work, trace_required=False)
    line = sent(product, codes="")
    many = {name: [value] * 501 for name, value in line.items() if name not in {"document", "note"}}

    answer = post(clerk, "/stock/receipts/new", {"document": str(uuid4()), **many})

    assert answer.status_code == 422
    assert "最多 500 行" in text(answer)


def test_known_code_is_refused_and_nothing_is_taken(clerk, at_work):
    goods = make_goods(at_work, 1)

    answer = post(clerk, "/stock/receipts/new", sent(goods.product_id, packs="1", codes=goods.codes[0]))

    assert answer.status_code == 409
    assert goods.codes[0] in text(answer)
    assert on_hand(at_work, goods) == (24, 0)


def test_product_is_found_for_a_line(clerk, at_work):
    product = make_product(at_work, generic_name="板蓝根颗粒", barcode="6901234567892")

    for asked in ("blg", "6901234567892"):
        assert f'data-product="{product}"' in text(clerk.get("/stock/products", query_string={"q": asked}))
    assert "没有找到" in text(clerk.get("/stock/products?q=zzzz"))
    assert text(clerk.get("/stock/products?q=")).count("<li") == 0


def read_file(client, content: bytes, name: str):
    return post(
        client,
        "/stock/receipts/code-files",
        {"file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
        headers={"Accept": "application/json"},
    )


def test_codes_are_read_from_a_file(clerk):
    codes = [make_code(), make_code()]

    answer = read_file(clerk, f"箱,{codes[0]}\n盒,{codes[1]}\n盒,{codes[1]}\n".encode("gbk"), "码.csv")

    assert answer.get_json() == {"codes": codes}


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "a.txt"), (b"none", "a.csv"), (b"PK\x03\x04", "a.xlsx"), (bytes(range(256)) * 40, "a.xls")],
)
def test_file_without_codes_is_refused_with_a_sentence(clerk, content, name):
    answer = read_file(clerk, content, name)

    assert answer.status_code == 422
    assert "追溯码文件" in answer.get_json()["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/stock",
        "/stock?product={product}",
        "/stock/products/{product}/movements",
        "/stock/receipts",
        "/stock/receipts/{receipt}",
        "/stock/receipts/new",
        "/stock/codes/{code}",
    ],
)
def test_pages_speak_english(clerk, at_work, path):
    goods = make_goods(at_work, 1)
    clerk.set_cookie("lang", "en")

    page = clerk.get(path.format(product=goods.product_id, receipt=receipt(at_work).id, code=goods.codes[0]))

    assert page.status_code == 200
    assert 'lang="en"' in text(page)
    for chinese in ("库存", "入库", "批号", "追溯码"):
        assert chinese not in text(page)
