"""Changing prices: alone or with the owner beside, now or later, by hand, by percentage or from a file; all or nothing."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import xlsxwriter

from app.core import clock
from app.core.errors import DocumentChanged
from app.facility.catalog import queries as catalog
from app.facility.stock.shelf import labels, price_rules, prices
from app.facility.stock.shelf.errors import PriceChangeNeedsOwner, PriceChangeNotTaken
from app.facility.stock.shelf.price_rules import NewPrice
from tests.facility.stock.conftest import text
from tests.factories.people import PASSWORD, post
from tests.factories.shop import desk_of, make_goods, make_product, one

NEW = Decimal("15.00")


def change(at_work, *changed, by=None, change_id=None, **more):
    return prices.change_prices(
        desk_of(at_work, by or at_work.owner),
        change_id or uuid4(),
        list(changed),
        more.pop("reason", "进价上涨"),
        **more,
    )


def price_of(product):
    return catalog.get_product(product).pack_price


@pytest.mark.parametrize(
    ("price", "percent", "step", "wanted"),
    [("12.50", "10", "0.1", "13.8"), ("12.50", "-3.5", "0.01", "12.06"), ("0.30", "-90", "0.1", "0.1"), ("9.90", "5", "0.5", "10.5"), ("0.05", "1", "1", "0.05")],
)  # fmt: skip
def test_a_percentage_rounds_half_up_and_never_to_nothing(price, percent, step, wanted):
    assert price_rules.changed(Decimal(price), Decimal(percent), Decimal(step)) == Decimal(wanted)


def test_the_owner_changes_a_price_and_the_paper_says_before_and_after(at_work, owner):
    product, paper = make_product(at_work, generic_name="连花清瘟颗粒"), uuid4()

    number = change(at_work, NewPrice(product, NEW, seen=Decimal("12.50")), change_id=paper)

    assert price_of(product) == NEW
    page = text(owner.get(f"/stock/prices/{paper}"))
    assert number in page
    assert "12.50" in page
    assert "15.00" in page
    assert number in catalog.price_history(product)[0].reason


def test_the_same_paper_twice_is_one_and_with_other_content_refused(at_work):
    product, paper = make_product(at_work), uuid4()

    assert change(at_work, NewPrice(product, NEW), change_id=paper) == change(at_work, NewPrice(product, NEW), change_id=paper)  # fmt: skip
    with pytest.raises(DocumentChanged):
        change(at_work, NewPrice(product, Decimal(16)), change_id=paper)
    assert len(catalog.price_history(product)) == 2


def test_a_later_moment_changes_nothing_before_it(at_work):
    product = make_product(at_work)
    tomorrow = clock.now() + timedelta(days=1)

    change(at_work, NewPrice(product, NEW), from_at=tomorrow)

    assert price_of(product) == Decimal("12.50")
    assert catalog.current_price(product, tomorrow + timedelta(minutes=1))[0] == NEW


def test_one_wrong_line_changes_no_price(at_work):
    good, bad = make_product(at_work), make_product(at_work)

    with pytest.raises(PriceChangeNotTaken):
        change(at_work, NewPrice(good, NEW), NewPrice(bad, Decimal("12.50")))

    assert price_of(good) == Decimal("12.50")


@pytest.mark.parametrize(
    ("wrong", "more"),
    [
        ({"pack_price": Decimal(0)}, {}), ({"pack_price": Decimal(-1)}, {}), ({"pack_price": Decimal("9999999999")}, {}), ({"seen": Decimal(11)}, {}),
        ({"split_price": Decimal(-1)}, {}), ({}, {"reason": " "}), ({}, {"reason": "长" * 201}), ({}, {"from_at": clock.now() - timedelta(hours=1)}),
        ({"product_id": 999_999_999}, {}),
    ],
)  # fmt: skip
def test_senseless_changes_are_refused(at_work, wrong, more):
    line = {"product_id": make_product(at_work), "pack_price": NEW} | wrong

    with pytest.raises(PriceChangeNotTaken):
        change(at_work, NewPrice(**line), **more)


def test_nobody_but_the_owner_changes_prices_alone(at_work):
    product = make_product(at_work)

    for by, approver in ((at_work.clerk, None), (at_work.clerk, at_work.pharmacist), (at_work.owner, at_work.owner)):
        with pytest.raises(PriceChangeNeedsOwner):
            change(at_work, NewPrice(product, NEW), by=by, approver_id=approver)
    change(at_work, NewPrice(product, NEW), by=at_work.clerk, approver_id=at_work.owner)

    assert price_of(product) == NEW


# ---- the page --------------------------------------------------------------------------------------------------------


def form(product, **more):
    return {"document": str(uuid4()), "product": str(product), "pack": "15", "split": "", "seen": "12.5", "reason": "促销", "step": "confirm"} | more  # fmt: skip


def test_the_owner_confirms_on_the_page(owner, at_work):
    product = make_product(at_work)

    answer = post(owner, "/stock/prices/new", form(product))

    assert answer.status_code == 303
    assert "促销" in text(owner.get(answer.location))
    assert "促销" in text(owner.get("/stock/prices"))
    assert price_of(product) == NEW


def test_only_the_price_of_a_single_unit_may_change(owner, at_work):
    product = make_product(at_work, pack_size=24, split_allowed=True)

    assert post(owner, "/stock/prices/new", form(product, pack="")).status_code == 422
    assert post(owner, "/stock/prices/new", form(product, pack="", split="0.6")).status_code == 303

    row = one(at_work, "select pack_price, split_price from product_price where tenant_id = %(t)s and product_id = %(p)s order by from_at desc limit 1", p=product)  # fmt: skip
    assert (row.pack_price, row.split_price) == (Decimal("12.5"), Decimal("0.6"))
    again = post(owner, "/stock/prices/new", form(product, pack="", split="0.6"))
    assert again.status_code == 422
    assert "新价和现价一样" in text(again)


def test_a_clerk_needs_the_owner_beside_them(clerk, at_work):
    product = make_product(at_work)

    alone = post(clerk, "/stock/prices/new", form(product))
    wrong = post(clerk, "/stock/prices/new", form(product, approver="001", approver_password="no"))
    other = post(clerk, "/stock/prices/new", form(product, approver="003", approver_password=PASSWORD))
    right = post(clerk, "/stock/prices/new", form(product, approver="001", approver_password=PASSWORD))

    assert [answer.status_code for answer in (alone, wrong, other, right)] == [422, 422, 422, 303]
    assert 'value="15"' in text(alone)
    assert "王店长 同意" in text(clerk.get(right.location))


def test_lines_are_gathered_by_hand_and_by_percentage(owner, at_work):
    first = make_product(at_work, generic_name="连花清瘟颗粒", ceiling_price=Decimal("13.00"))
    make_product(at_work, generic_name="板蓝根颗粒")

    found = post(owner, "/stock/prices/new", {"q": "lhqw", "step": "add"})
    many = post(owner, "/stock/prices/new", {"q": "颗粒", "step": "add"})
    raised = post(owner, "/stock/prices/new", {"step": "percent", "percent": "10%", "round": "0.1", "among": "颗粒"})

    assert f'name="product" value="{first}"' in text(found)
    assert 'name="pick"' in text(many)
    assert text(raised).count('value="13.8"') == 2
    assert "高于限价 13.00" in text(raised)
    assert price_of(first) == Decimal("12.50")


@pytest.mark.parametrize(
    "wrong",
    [{"percent": "x"}, {"percent": "-100"}, {"percent": "9999"}, {"percent": "NaN"}, {"percent": "5", "among": ""}],
)
def test_senseless_percentages_are_refused(owner, at_work, wrong):
    assert post(owner, "/stock/prices/new", {"step": "percent", "among": "药", **wrong}).status_code == 422


def book(*rows):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as made:
        sheet = made.add_worksheet()
        for number, row in enumerate([("商品编码", "条码", "零售价"), *rows]):
            sheet.write_row(number, 0, row)
    file.seek(0)
    return file


def upload(owner, *rows):
    return post(owner, "/stock/prices/new", {"step": "file", "file": (book(*rows), "调价.xlsx")})


def test_prices_come_from_a_file_all_or_none(owner, at_work):
    first, second = make_product(at_work, code="A-1"), make_product(at_work, barcode="6900000000017")

    good = upload(owner, ("A-1", "", 14.5), ("", "6900000000017", 16))
    bad = upload(owner, ("A-1", "", 14.5), ("A-9", "", 16), ("A-1", "", "十元"))

    assert 'value="14.5"' in text(good)
    assert f'name="product" value="{second}"' in text(good)
    assert bad.status_code == 422
    assert "A-9" in text(bad)
    assert f'name="product" value="{first}"' not in text(bad)


def test_a_file_without_prices_is_refused(owner, at_work):
    answer = post(owner, "/stock/prices/new", {"step": "file", "file": (io.BytesIO(b"a,b\n1,2\n"), "x.csv")})

    assert answer.status_code == 422
    assert post(owner, "/stock/prices/new", {"step": "file"}).status_code == 422


def test_a_line_can_be_removed(owner, at_work):
    product = make_product(at_work)

    page = text(post(owner, "/stock/prices/new", {**form(product), "step": "", "drop": str(product)}))

    assert f'name="product" value="{product}"' not in page


def test_a_strangers_price_change_is_not_found(stranger, at_work):
    product, paper = make_product(at_work), uuid4()
    change(at_work, NewPrice(product, NEW), change_id=paper)

    assert stranger.get(f"/stock/prices/{paper}").status_code == 404
    assert "进价上涨" not in text(stranger.get("/stock/prices"))
    assert post(stranger, "/stock/prices/new", form(product)).status_code == 422


# ---- labels follow ---------------------------------------------------------------------------------------------------


def test_a_changed_price_puts_the_label_on_the_list_until_it_is_printed(owner, at_work):
    goods = make_goods(at_work, 1, generic_name="连花清瘟颗粒")
    make_goods(at_work, 1)
    desk = desk_of(at_work)

    def due():
        assert labels.count_due(at_work.facility_id) == len(labels.list_due(at_work.facility_id, "changed"))
        return [row.id for row in labels.list_due(at_work.facility_id, "changed")]

    assert due() == []
    assert len(labels.list_due(at_work.facility_id, "never")) == 2
    labels.print_labels(desk, uuid4(), "shelf", "60x40", [labels.Label(goods.product_id)])
    assert due() == []
    change(at_work, NewPrice(goods.product_id, NEW))
    assert due() == [goods.product_id]
    assert '待换<b class="warn">1</b>' in text(owner.get("/stock/labels"))
    labels.print_labels(
        desk,
        uuid4(),
        "near",
        "60x40",
        [labels.Label(goods.product_id, lot_id=labels.list_lots(at_work.facility_id, goods.product_id)[0].id)],
    )
    assert due() == [goods.product_id]
    labels.print_labels(desk, uuid4(), "shelf", "60x40", [labels.Label(goods.product_id)])
    assert due() == []
    assert one(at_work, "select count(*) as n from label_print where tenant_id = %(t)s").n == 3


def test_a_shop_that_never_printed_a_label_here_changes_them_too(owner, at_work):
    goods = make_goods(at_work, 1)
    make_goods(at_work, 1)
    change(at_work, NewPrice(goods.product_id, NEW))

    assert [row.id for row in labels.list_due(at_work.facility_id, "changed")] == [goods.product_id]
    assert labels.count_due(at_work.facility_id) == 1
    labels.print_labels(desk_of(at_work), uuid4(), "shelf", "60x40", [labels.Label(goods.product_id)])
    assert labels.count_due(at_work.facility_id) == 0


def test_the_new_price_of_what_was_added_is_typed_at_once(owner, at_work):
    product = make_product(at_work, generic_name="连花清瘟颗粒")

    page = text(post(owner, "/stock/prices/new", {"step": "add", "q": "lhqw"}))

    assert f'name="product" value="{product}"' in page
    assert re.search(r'name="pack"[^>]* autofocus', page)
    assert 'value="add" formnovalidate' in page  # Another product may be added before the first has its price.
