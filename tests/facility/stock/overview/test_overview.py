"""The owner's page says what needs them, in few statements, to the owner only."""

from __future__ import annotations

from app.core.hot import statements
from app.facility.stock.purchasing import deliveries
from app.facility.stock.shelf.actions import Place, place_products
from app.facility.till import shifts
from tests.facility.stock.conftest import text
from tests.facility.stock.counts.conftest import Count
from tests.factories.purchase import make_delivery, row
from tests.factories.shop import desk_of, make_goods, make_product, one, open_shift, plain, sell
from tests.factories.supply import approve_products, make_supplier

MOST_STATEMENTS = 12


def cost(at_work, goods, price):
    one(at_work, "update lot set cost_price = %(c)s where tenant_id = %(t)s and product_id = %(p)s returning id", c=price, p=goods.product_id)  # fmt: skip


def test_an_empty_shop_says_that_all_is_well(owner, at_work):
    page = text(owner.get("/overview"))

    assert "没有差异。" in page
    assert "近 30 天还没有销售。" in page
    assert 'href="/overview" aria-current="page"' in page


def test_the_bar_says_how_the_stream_is_as_on_every_page(owner, at_work):
    bar = [
        text(owner.get(page)).partition('id="stream"')[2].partition("</span>")[2][:60]
        for page in ("/overview", "/stock")
    ]

    assert bar[0] == bar[1]
    assert bar[0].strip()


def test_figures_are_what_happened(owner, at_work):
    goods = make_goods(at_work, 4, generic_name="连花清瘟颗粒", expires_in=60)
    cost(at_work, goods, "8.50")
    cost(at_work, later := make_goods(at_work, 2, expires_in=150), "10")
    place_products(desk_of(at_work), [Place(make_product(at_work), "A1", 24, None)])
    desk = desk_of(at_work)
    open_shift(desk)
    sell(desk, goods.codes[0])
    shifts.close_shift(desk, 11_000, "少收了钱")

    page = text(owner.get("/overview"))

    assert '<b class="">12.50</b>' in page  # Today's takings.
    assert "25.50" in page  # Three packs within the urgent days.
    assert "20.00" in page  # Two within the warning days.
    assert '<b class="stop">1</b>' in page  # Out of stock.
    assert "交班现金" in page
    assert "-2.50" in page
    assert "连花清瘟颗粒" in page
    assert later.name


def test_what_counts_found_waits_for_approval_and_is_posted(owner, at_work, pharmacy):
    assert "本月没有盘点" in text(owner.get("/overview"))
    short, over = plain(at_work, 5), plain(at_work, 3)
    cost(at_work, short, "8.50")
    cost(at_work, over, "2")
    count = Count(pharmacy)
    count.enter(short, 3)
    count.enter(over, 4)
    count.close()
    count.explain(short)
    count.explain(over)

    waiting = text(owner.get("/overview"))
    count.approve()
    approved = text(owner.get("/overview"))

    assert "1 张待审批 · 2 行 -15.00" in waiting
    assert "/stock/counts?only=going" in waiting
    assert "盈 2.00 · 亏 17.00" in approved
    assert '<b class="stop">-15.00</b>' in approved
    assert "/stock/counts?only=done" in approved
    assert f"/stock/counts/{count.id}/differences" in approved
    assert "没有差异。" not in approved


def test_a_delivery_that_differed_stands_among_the_differences(owner, at_work):
    supplier, product = make_supplier(at_work, name="少送公司"), make_product(at_work)
    approve_products(at_work, product)
    delivery, version = make_delivery(at_work, supplier, row(product, 5, rejected="1", reason="外盒破损"))
    deliveries.accept_delivery(desk_of(at_work, at_work.owner), delivery, version)

    page = text(owner.get("/overview"))

    assert f"/stock/deliveries/{delivery}" in page
    assert "少送公司" in page


def test_the_page_asks_few_questions_however_much_there_is(owner, at_work):
    for _ in range(3):
        make_goods(at_work, 1)
    owner.get("/overview")

    with statements() as ran:
        owner.get("/overview")

    assert len(ran) <= MOST_STATEMENTS, ran


def test_only_the_owner_sees_it(clerk, pharmacist, at_work):
    assert clerk.get("/overview").status_code == 403
    assert pharmacist.get("/overview").status_code == 403


def test_a_stranger_sees_their_own(stranger, at_work):
    make_goods(at_work, 1, generic_name="连花清瘟颗粒", expires_in=10)

    assert "连花清瘟颗粒" not in text(stranger.get("/overview"))


def test_it_speaks_english(owner, at_work):
    owner.set_cookie("lang", "en")

    assert "Takings today" in text(owner.get("/overview"))
