"""Labels: what stands on them, that a scanner reads them, and that a print is written down once."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core.errors import DocumentChanged, NotFound
from app.facility.catalog import queries
from app.facility.catalog.errors import BarcodeTaken
from app.facility.catalog.house_codes import house_code, product_of
from app.facility.counter import baskets
from app.facility.db import action, run
from app.facility.stock import actions as stock
from app.facility.stock.shelf import labels
from app.facility.stock.shelf.errors import LabelsNotPrinted
from app.facility.stock.shelf.labels import Label
from tests.facility.stock.conftest import text
from tests.factories.people import make_pharmacy, post
from tests.factories.shop import desk_of, make_goods, make_product, open_shift
from tests.scanning import decode


def printed(clerk, **form):
    answer = post(clerk, "/stock/labels/prints", {"document": str(uuid4()), "kind": "shelf", "size": "60x40", **form})
    assert answer.status_code == 303, text(answer)
    return text(clerk.get(answer.location))


def drawings(page):
    return [decode(svg) for svg in re.findall(r"<svg[^>]*class=\"(?:barcode|qr)\".*?</svg>", page, re.DOTALL)]


def test_a_shelf_label_says_everything_and_scans(clerk, at_work):
    product = make_product(
        at_work,
        generic_name="布洛芬缓释胶囊",
        trade_name="芬必得",
        code="BLF-1",
        barcode="6901234567892",
        insurance_class="B",
        split_price=Decimal("0.60"),
    )

    page = printed(clerk, product=str(product))

    for said in (
        "布洛芬缓释胶囊",
        "芬必得",
        "0.25g×24粒",
        "试药厂",
        "¥12.50",
        "拆零 0.60",
        "医保乙类",
        "6901234567892",
    ):
        assert said in page
    assert "label-60x40" in page
    assert set(drawings(page)) == {"6901234567892", "BLF-1"}


def test_a_product_without_barcode_carries_one_of_ours_that_names_it_everywhere(clerk, at_work):
    goods = make_goods(at_work, 3, barcode=None, code="P-7", generic_name="白芷散")
    make_product(at_work, barcode=None, code="P-71")

    bars, qr = drawings(printed(clerk, product=str(goods.product_id), size="40x30"))

    assert qr == "P-7"
    assert bars == house_code(goods.product_id)
    assert bars[:2] == "28"
    assert queries.product_by_barcode(bars).id == goods.product_id
    assert [card.id for card in queries.find_products(bars)] == [goods.product_id]
    assert "白芷散" in text(clerk.get("/stock", query_string={"q": bars}))
    desk, basket = desk_of(at_work), uuid4()
    open_shift(desk)
    baskets.enter(desk, basket, bars, "scan")
    assert [line.about.product_id for line in baskets.get_basket(desk, basket).content.lines] == [goods.product_id]


def test_a_number_of_ours_that_stands_on_a_pack_means_the_pack(clerk, at_work):
    plain = make_product(at_work, barcode=None, code="P-8")
    other = make_product(at_work, barcode=house_code(plain + 1_000_000))
    action(run)("update product set barcode = :code where id = :id", code=house_code(plain), id=other)

    assert drawings(printed(clerk, product=str(plain))) == ["P-8", "P-8"]
    assert queries.product_by_barcode(house_code(plain)).id == other


def test_nobody_gives_a_product_the_number_of_another_of_ours(at_work):
    plain = make_product(at_work, barcode=None)

    with pytest.raises(BarcodeTaken):
        make_product(at_work, barcode=house_code(plain))


def test_a_stranger_s_number_of_ours_names_nothing(facility_app, at_work):
    other = make_pharmacy(facility_app, name="三号药店")
    with other.acting():
        theirs = make_product(other, barcode=None)

    assert queries.product_by_barcode(house_code(theirs)) is None
    assert queries.own_code(house_code(theirs)) == house_code(theirs)
    assert product_of("2812345") is None


def test_a_split_label_says_what_the_law_asks(clerk, at_work):
    goods = make_goods(at_work, 2, lot_number="240301")
    stock.open_pack(desk_of(at_work), goods.product_id)
    lot = labels.list_lots(at_work.facility_id, goods.product_id)[0]

    page = printed(
        clerk,
        kind="split",
        product=str(goods.product_id),
        lot=str(lot.id),
        quantity="6",
        directions="一日三次，一次两粒",
    )

    for said in (goods.name, "0.25g×24粒", "6 粒", "一日三次，一次两粒", "240301", str(lot.expires_on), "一号药店"):
        assert said in page
    assert lot.zone == "SPLIT"


def test_a_near_expiry_tag_says_the_day(clerk, at_work):
    goods = make_goods(at_work, 1, expires_in=30)
    lot = labels.list_lots(at_work.facility_id, goods.product_id)[0]

    page = printed(clerk, kind="near", product=str(goods.product_id), lot=str(lot.id), copies="2")

    assert page.count(str(lot.expires_on)) == 2


def test_several_products_print_at_once_in_their_copies(clerk, at_work):
    made = [str(make_product(at_work)) for _ in range(3)]

    page = printed(clerk, product=made, copies="2")

    assert page.count('class="label-one shelf"') == 6


def test_a_print_is_written_once(at_work):
    product, print_id = make_product(at_work), uuid4()
    desk = desk_of(at_work)

    for _ in range(2):
        labels.print_labels(desk, print_id, "shelf", "60x40", [Label(product)])
    with pytest.raises(DocumentChanged):
        labels.print_labels(desk, print_id, "shelf", "60x40", [Label(product, 2)])

    assert len(labels.get_print(at_work.facility_id, print_id)) == 1


@pytest.mark.parametrize(
    ("kind", "size", "label"),
    [
        ("x", "60x40", {}), ("shelf", "1x1", {}), ("shelf", "60x40", {"copies": 0}), ("shelf", "60x40", {"copies": 100}), ("split", "60x40", {"quantity": 5}),
        ("near", "60x40", {}), ("split", "60x40", {"lot_id": 1}), ("split", "60x40", {"lot_id": 1, "quantity": 1, "directions": "长" * 101}),
    ],
)  # fmt: skip
def test_senseless_labels_are_refused(at_work, kind, size, label):
    with pytest.raises(LabelsNotPrinted):
        labels.print_labels(desk_of(at_work), uuid4(), kind, size, [Label(make_product(at_work), **label)])


def test_nothing_chosen_prints_nothing(clerk, at_work):
    make_goods(at_work, 1, generic_name="待印片")
    answer = post(clerk, "/stock/labels/prints", {"document": str(uuid4()), "which": "never", "copies": "3"})

    assert answer.status_code == 422
    page = text(answer)
    assert "标签没有打印：还没有选商品。" in page
    assert "待印片" in page, "the list that was looked at stands there still"
    assert 'name="copies" value="3"' in page
    assert post(clerk, "/stock/labels/prints", {"document": "x", "product": "1"}).status_code == 422


def test_what_is_wrong_with_a_split_label_is_said_beside_what_was_typed(clerk, at_work):
    goods = make_goods(at_work, 1)
    lot = labels.list_lots(at_work.facility_id, goods.product_id)[0].id
    form = {
        "document": str(uuid4()),
        "kind": "split",
        "product": str(goods.product_id),
        "lot": str(lot),
        "quantity": "0",
    }

    answer = post(clerk, "/stock/labels/prints", {**form, "directions": "一日三次，一次两粒"})

    assert answer.status_code == 422
    assert "标签没有打印：请写装了多少。" in text(answer)
    assert "一日三次，一次两粒" in text(answer)


def test_one_product_that_was_looked_for_stands_ticked(clerk, at_work):
    for name in ("独活寄生丸", "独一味片"):
        make_goods(at_work, 1, generic_name=name)

    assert " checked" in text(clerk.get("/stock/labels?which=never&q=独活"))
    assert " checked" not in text(clerk.get("/stock/labels?which=never&q=独"))


def test_a_stranger_prints_and_sees_nothing_of_it(stranger, at_work):
    goods, print_id = make_goods(at_work, 1), uuid4()
    labels.print_labels(desk_of(at_work), print_id, "shelf", "60x40", [Label(goods.product_id)])

    assert stranger.get(f"/stock/labels/prints/{print_id}").status_code == 404
    assert stranger.get(f"/stock/labels/new?product={goods.product_id}").status_code == 404
    assert goods.name not in text(stranger.get("/stock/labels?which=all"))
    assert (
        post(stranger, "/stock/labels/prints", {"document": str(uuid4()), "product": str(goods.product_id)}).status_code
        == 404
    )


def test_a_lot_of_another_product_is_not_printed(at_work):
    lot = labels.list_lots(at_work.facility_id, make_goods(at_work, 1).product_id)[0].id

    with pytest.raises(NotFound):
        labels.print_labels(desk_of(at_work), uuid4(), "near", "60x40", [Label(make_product(at_work), lot_id=lot)])


@pytest.mark.parametrize(
    "path",
    [
        "/stock/labels",
        "/stock/labels?which=never",
        "/stock/labels?which=all",
        "/stock/labels?which=x&q=%00&after=~",
        "/stock/labels/new?product={product}",
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_of_labels_open_in_both_languages(clerk, at_work, path, language):
    clerk.set_cookie("lang", language)
    product = make_goods(at_work, 1).product_id

    page = clerk.get(path.format(product=product))

    assert page.status_code == 200
    assert ("标签" in text(page)) is (language == "zh")
