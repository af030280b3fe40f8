"""Live stock: what the columns, filters, orders and views say, and what is exported of them."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from python_calamine import load_workbook

from app.core import clock, workbook
from app.facility.stock.shelf import lot_queries, queries, rules
from app.facility.stock.shelf.actions import Place, place_products
from app.facility.stock.shelf.errors import PlaceNotTaken
from app.facility.stock.shelf.rules import Look
from tests.facility.stock.conftest import next_page, text
from tests.factories.people import add_person, browser, post
from tests.factories.shop import desk_of, make_goods, make_product, one, open_shift, sell


def look(at_work, **asked):
    return queries.list_shelf(at_work.facility_id, Look(**asked), 90)


def names(rows):
    return [row.generic_name for row in rows]


def place(at_work, product, shelf="A01", least=None, most=None):
    place_products(desk_of(at_work), [Place(product, shelf, least, most)])


def cost(at_work, goods, price):
    """What a pack of this lot cost, as a receipt with its price would have said."""
    one(
        at_work,
        "update lot set cost_price = %(c)s where tenant_id = %(t)s and product_id = %(p)s returning id",
        c=price,
        p=goods.product_id,
    )


def test_a_row_says_place_expiry_quantity_days_of_supply_and_value(at_work):
    goods = make_goods(at_work, 6, generic_name="布洛芬缓释胶囊")
    cost(at_work, goods, "8.50")
    place(at_work, goods.product_id, "a03-2", least=24 * 20)
    open_shift(desk_of(at_work))
    sell(desk_of(at_work), *goods.codes[:2])

    (row,) = look(at_work)

    assert (row.shelf, row.on_hand, row.free, row.worth_fen) == ("A03-2", 96, 96, 3400)
    assert row.expires_on == clock.business_date() + timedelta(days=400)
    assert row.short
    assert rules.days_of_supply(row.free, row.gone_out) == 60  # Two packs in thirty days; four are left.


def test_stock_out_with_a_minimum_is_on_the_shelf_and_says_so(clerk, at_work):
    place(at_work, make_product(at_work, generic_name="蒙脱石散"), least=240)
    make_product(at_work, generic_name="从未进过的药")

    page = text(clerk.get("/stock?only=short"))

    assert "蒙脱石散" in page
    assert "缺货" in page
    assert '低于下限<b class="stop">1</b>' in page
    assert "从未进过的药" not in text(clerk.get("/stock"))


def test_two_thresholds_of_near_expiry(clerk, at_work):
    make_goods(at_work, 1, generic_name="还有半年", expires_in=150)
    make_goods(at_work, 1, generic_name="还有两月", expires_in=60)
    make_goods(at_work, 1, generic_name="还有两年", expires_in=700)

    page, urgent = text(clerk.get("/stock?only=near")), text(clerk.get("/stock?only=urgent"))

    assert "还有半年" in page
    assert "还有两月" in page
    assert "还有两年" not in page
    assert '近效期<b class="warn">2</b>' in page
    assert '紧急<b class="stop">1</b>' in page
    assert "还有两月" in urgent
    assert "还有半年" not in urgent
    assert "近效期 60 天，紧急" in urgent


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("", ["阿", "布", "陈"]),
        ("expiry", ["布", "陈", "阿"]),
        ("value", ["陈", "阿", "布"]),
        ("days", ["布", "阿", "陈"]),
    ],
)
def test_orders(at_work, order, wanted):
    made = {
        "阿": make_goods(at_work, 4, generic_name="阿", expires_in=900),
        "布": make_goods(at_work, 3, generic_name="布", expires_in=100),
        "陈": make_goods(at_work, 5, generic_name="陈", expires_in=500),
    }
    for name, price in (("阿", "20"), ("布", "1"), ("陈", "30")):
        cost(at_work, made[name], price)
    open_shift(desk_of(at_work))
    sell(desk_of(at_work), made["阿"].codes[0], *made["布"].codes[:2])

    assert names(look(at_work, order=order)) == wanted


@pytest.mark.parametrize("order", rules.ORDERS)
@pytest.mark.parametrize("view", ["", "lots", "codes", "places"])
def test_pages_follow_each_other_without_gap_or_repeat(clerk, at_work, monkeypatch, order, view):
    monkeypatch.setattr(rules, "PAGE", 3)
    for number in range(7):
        goods = make_goods(at_work, 1 + number % 2, generic_name=f"板蓝根颗粒{number % 3}", expires_in=300 + number % 2)
        place(at_work, goods.product_id, f"B{number}")
    readers = {
        "": (queries.list_shelf, queries.following), "lots": (lot_queries.list_lots, lot_queries.after_lots),
        "codes": (lambda f, asked, _u, most: lot_queries.list_codes(f, asked, most), lot_queries.after_codes),
        "places": (lambda f, asked, _u, most: lot_queries.list_places(f, asked, most), lot_queries.after_places),
    }  # fmt: skip
    read, following = readers[view]

    seen, after = [], ""
    while True:
        rows = read(at_work.facility_id, Look(order=order, after=after), 90, 3)
        seen += [
            (row.trace if view == "codes" else getattr(row, "code", "")) + getattr(row, "shelf", "") for row in rows[:3]
        ]
        after = following(rows)
        if not after:
            break

    whole = read(at_work.facility_id, Look(order=order), 90, 500)
    assert seen == [
        (row.trace if view == "codes" else getattr(row, "code", "")) + getattr(row, "shelf", "") for row in whole
    ]
    assert len(set(seen)) == len(seen) == (10 if view == "codes" else 7)


@pytest.mark.parametrize(
    "asked", ["lhqw", "连花", "qingwen", "9876543210987", "43210987", "lot-77", "LOT-77", "ＬＯＴ－７", "P-77"]
)
def test_search_finds_by_everything_printed_on_a_pack(at_work, asked):
    make_goods(at_work, 1, generic_name="连花清瘟颗粒", lot_number="LOT-77", barcode="9876543210987", code="P-77")
    make_goods(at_work, 1, generic_name="板蓝根颗粒")

    assert names(look(at_work, text=asked)) == ["连花清瘟颗粒"]


def test_a_trace_code_finds_its_product(at_work):
    goods = make_goods(at_work, 2)
    make_goods(at_work, 2)

    assert [row.id for row in look(at_work, text=goods.codes[1])] == [goods.product_id]


def test_zone_filter_counts_that_zone_only(clerk, at_work):
    product = make_product(at_work, generic_name="胰岛素")
    make_goods(at_work, 2, product_id=product, zone="COLD")
    make_goods(at_work, 3, product_id=product, zone="QUARANTINE")
    make_goods(at_work, 1, generic_name="板蓝根颗粒")

    (row,) = look(at_work, zone="QUARANTINE")
    page = text(clerk.get("/stock?zone=COLD"))

    assert (row.on_hand, row.free) == (72, 0)
    assert "胰岛素" in page
    assert "板蓝根颗粒" not in page
    assert "1 个品种" in page


def test_counts_are_reckoned_anew_when_something_moves_or_is_placed(at_work):
    goods = make_goods(at_work, 2)
    before = queries.counts(at_work.facility_id, 90)
    make_goods(at_work, 1)
    moved = queries.counts(at_work.facility_id, 90)
    place(at_work, goods.product_id, least=2400)
    placed = queries.counts(at_work.facility_id, 90)

    assert (before.products, moved.products, moved.short, placed.short) == (1, 2, 0, 1)


def test_views_by_lot_place_and_code(clerk, at_work):
    goods = make_goods(at_work, 2, lot_number="240301", generic_name="氯雷他定片")
    place(at_work, goods.product_id, "C02")

    lots, places, codes = (text(clerk.get(f"/stock?view={view}")) for view in ("lots", "places", "codes"))

    assert "240301" in lots
    assert "view=lots&amp;zone=SALEABLE&amp;shelf=C02" in places
    assert all(code in codes for code in goods.codes)
    assert "氯雷他定片" in text(clerk.get("/stock?view=lots&zone=SALEABLE&shelf=C02"))
    assert "没有符合的库存" in text(clerk.get("/stock?view=lots&shelf=Z"))


def test_sold_codes_are_asked_for_by_their_state(clerk, at_work):
    goods = make_goods(at_work, 2)
    open_shift(desk_of(at_work))
    sell(desk_of(at_work), goods.codes[0])

    here, sold = text(clerk.get("/stock?view=codes")), text(clerk.get("/stock?view=codes&state=SOLD"))

    assert goods.codes[0] not in here
    assert goods.codes[1] in here
    assert goods.codes[0] in sold
    assert goods.codes[1] not in sold


def test_the_open_product_shows_its_minimum_and_what_is_missing(clerk, at_work):
    goods = make_goods(at_work, 3)
    place(at_work, goods.product_id, "A03-2", least=24 * 20)

    page = text(clerk.get(f"/stock?product={goods.product_id}"))

    assert "下限 20" in page
    assert "全部 1 条" in page
    assert 'value="A03-2"' in page


# ---- place and limits ------------------------------------------------------------------------------------------------


def test_a_person_sets_place_and_limits_in_packs(clerk, at_work):
    product = make_product(at_work)

    answer = post(clerk, f"/stock/products/{product}/places", {"shelf": "ａ０３－2", "least": "２", "most": "10"})

    assert answer.status_code == 303
    row = one(at_work, "select * from product_shelf where tenant_id = %(t)s and product_id = %(p)s", p=product)
    assert (row.shelf, row.least, row.most) == ("A03-2", 48, 240)


@pytest.mark.parametrize(
    "form",
    [
        {"least": "9", "most": "2"}, {"least": "x"}, {"least": "-1"}, {"least": "二"}, {"most": "99999999"}, {"shelf": "长" * 21}, {"shelf": "a\x07b"},
    ],
)  # fmt: skip
def test_senseless_places_are_refused(clerk, at_work, form):
    product = make_product(at_work)

    assert post(clerk, f"/stock/products/{product}/places", form).status_code == 422
    assert one(at_work, "select 1 from product_shelf where tenant_id = %(t)s") is None


def test_place_of_a_strangers_product_is_not_found(stranger, at_work):
    assert post(stranger, f"/stock/products/{make_product(at_work)}/places", {"shelf": "A"}).status_code == 404


def test_minimum_above_maximum_is_refused_by_the_act_itself(at_work):
    with pytest.raises(PlaceNotTaken):
        place(at_work, make_product(at_work), least=5, most=4)


# ---- Excel -----------------------------------------------------------------------------------------------------------


def sheet(answer):
    assert answer.status_code == 200
    assert answer.mimetype == workbook.EXCEL
    return load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()


@pytest.mark.parametrize("view", ["", "lots", "places", "codes"])
def test_export_holds_what_is_seen(clerk, at_work, view):
    make_goods(at_work, 2, generic_name="连花清瘟颗粒", expires_in=30)
    make_goods(at_work, 2, generic_name="板蓝根颗粒")

    rows = sheet(clerk.get(f"/stock/export?view={view}"))
    near = sheet(clerk.get(f"/stock/export?view={view}&q=lhqw"))

    assert len(rows) == {"": 3, "lots": 3, "places": 2, "codes": 5}[view]
    if view != "places":
        assert {cell for row in near[1:] for cell in row if cell == "板蓝根颗粒"} == set()
        assert len(near) == (3 if view == "codes" else 2)


def test_a_long_export_is_cut_with_a_sentence(clerk, at_work, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    for _ in range(4):
        make_goods(at_work, 1)

    rows = sheet(clerk.get("/stock/export"))

    assert len(rows) == 4
    assert "只导出了前 2 行" in rows[3][0]


# ---- who may, and strange addresses ----------------------------------------------------------------------------------

ADDRESSES = ("/stock?view=lots", "/stock?view=places", "/stock?view=codes", "/stock/export", "/stock/movements", "/stock/movements/export", "/stock/turnover", "/stock/turnover/export")  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES)
def test_stranger_sees_nothing(stranger, at_work, path):
    goods = make_goods(at_work, 2, lot_number="SECRET-1")

    answer = stranger.get(path)

    assert answer.status_code == 200
    body = text(answer) if answer.mimetype == "text/html" else str(sheet(answer))
    assert goods.name not in body
    assert "SECRET-1" not in body
    assert goods.codes[0] not in body


@pytest.mark.parametrize("path", ADDRESSES)
def test_who_has_no_part_in_the_shop_is_refused(facility_app, pharmacy, path):
    keeper = browser(facility_app, pharmacy, add_person(facility_app, pharmacy, "audit_admin"))

    assert keeper.get(path).status_code == 403


@pytest.mark.parametrize("view", ["", "lots", "places", "codes"])
@pytest.mark.parametrize("odd", ["after=~", "after=%00~1", "after=1~2~3~4", "after=9~99999999999999999999", "after=" + "x" * 400, "zone=X", "order=x&after=-1~1", "shelf=%00", "q=%25_%5C", "q=%F0%9F%92%8A"])  # fmt: skip
def test_strange_addresses_are_harmless(clerk, at_work, view, odd):
    make_goods(at_work, 1)

    for order in rules.ORDERS:
        assert clerk.get(f"/stock?view={view}&order={order}&{odd}").status_code == 200


def test_long_list_leads_on(clerk, at_work):
    for number in range(51):
        make_goods(at_work, 1, coded=False, generic_name=f"板蓝根{number:02d}")

    for path in ("/stock?view=lots", "/stock?order=expiry", "/stock/turnover", "/stock/movements"):
        assert "没有更多了" in text(clerk.get(next_page(text(clerk.get(path)))))
