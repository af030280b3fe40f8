"""While goods are counted blind, those who count read nothing of the book on the shelf's pages; the owner does, and the counter sells."""

from __future__ import annotations

import pytest

from app.core.hot import statements
from app.facility.stock.counts import actions
from app.facility.stock.counts.actions import Scope
from tests.facility.stock.conftest import text
from tests.facility.stock.counts.world import barcode, cells
from tests.factories.shop import make_goods, plain, sell


def pages(goods):
    return [
        f"/stock?q={goods.name}",
        f"/stock?product={goods.product_id}",
        f"/stock?view=lots&q={goods.name}",
        f"/stock/products/{goods.product_id}/movements",
        f"/stock/movements?product={goods.product_id}",
        f"/stock/turnover?q={goods.name}",
    ]


def books(goods):
    return [f"/stock/export?q={goods.name}", f"/stock/export?view=lots&q={goods.name}", f"/stock/turnover/export?q={goods.name}"]  # fmt: skip


@pytest.fixture
def goods(pharmacy, desk):
    """1717 packs, of which one was sold."""
    goods = plain(pharmacy, 1717, pack_size=1, split_allowed=False)
    sell(desk, barcode(pharmacy, goods))
    return goods


def reads(client, where):
    """Whether a page or file says how many are left."""
    answer = client.get(where)
    assert answer.status_code == 200, where
    return "1,716" in text(answer) if answer.mimetype == "text/html" else "1716" in cells(answer.data)


@pytest.mark.parametrize("person", ["clerk", "pharmacist"])
def test_whoever_counts_does_not_read_the_book(request, goods, desk, open_count, person):
    client = request.getfixturevalue(person)
    assert all(reads(client, where) for where in [*pages(goods), *books(goods)])

    count = open_count()

    for where in [*pages(goods), *books(goods)]:
        assert not reads(client, where), where
    for where in pages(goods):
        assert "盘点中" in text(client.get(where)), where
    assert "正在盲盘" in text(client.get("/stock"))
    actions.withdraw_count(count.leader, count.id)
    assert all(reads(client, where) for where in [*pages(goods), *books(goods)])


def test_the_owner_reads_on_and_the_counter_sells_on(owner, pharmacy, goods, desk, open_count):
    open_count()

    assert all(reads(owner, where) for where in pages(goods))
    assert "盘点中" not in text(owner.get("/stock"))
    assert sell(desk, barcode(pharmacy, goods))


def test_other_products_and_open_counts_hide_nothing(clerk, pharmacy, goods, open_count):
    other = plain(pharmacy, 3)
    open_count(Scope("product", products=(other.product_id,)))
    assert reads(clerk, pages(goods)[0])
    assert "盘点中" in text(clerk.get(f"/stock?q={other.name}"))
    assert "盘点中" not in text(clerk.get(f"/stock?q={goods.name}"))


def test_a_count_that_is_not_blind_hides_nothing(clerk, goods, open_count):
    open_count(blind=False)

    assert all(reads(clerk, where) for where in pages(goods))


def test_packs_are_not_listed_one_by_one_meanwhile(clerk, pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 3)
    where = f"/stock?view=codes&q={goods.name}"
    assert goods.codes[0] in text(clerk.get(where))

    open_count()

    assert not any(code in text(clerk.get(where)) for code in goods.codes)


def test_it_costs_one_statement_and_only_while_goods_are_counted_blind(clerk, owner, goods, open_count):
    def asked(client):
        client.get("/stock")
        with statements() as ran:
            client.get(f"/stock?product={goods.product_id}")
        return len([statement for statement in ran if "count_line" in statement])

    assert asked(clerk) == 0
    open_count()
    assert asked(clerk) == 1
    assert asked(owner) == 0
