"""While goods are counted blind, no other page of the stock room says how many there are, nor an order, a filter or an address."""

from __future__ import annotations

import re
from urllib.parse import unquote
from uuid import uuid4

import pytest

from app.core import clock
from app.facility.db import hot_action, transaction
from app.facility.stock import actions as stock
from app.facility.stock.counts import actions
from app.facility.stock.errors import NotEnoughInZone
from app.facility.stock.keeping import checks
from app.facility.stock.ledger import Move
from app.facility.stock.ledger import post as post_moves
from app.facility.stock.recalls.actions import hold_lot, issue_recall, report_recall
from app.facility.stock.recalls.rules import Wanted
from app.facility.stock.rulebook import ACTS
from app.facility.stock.shelf import ledger, lot_queries, queries, rules
from app.facility.stock.shelf.actions import Place, place_products
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.counts.world import barcode
from tests.factories.people import post
from tests.factories.shop import desk_of, make_goods, one, plain, sell

PACKS = 1717
SAID = re.compile(r"(?<![\d:])1,?717(?!\d)")
PAGES = {
    "near its end": "/stock/keeping/expiry",
    "due for a check": "/stock/keeping?only=all",
    "one place to check": "/stock/keeping?only=all&open={lot}:SALEABLE",
    "checks made": "/stock/keeping/checks",
    "a new recall": "/stock/recalls/new?entry={number}",
    "recalls": "/stock/recalls",
    "a recall": "/stock/recalls/{recall}",
    "lots on hold": "/stock/recalls/holds",
    "a paper's choices": "/stock/papers/places?act=reject&q={name}",
    "a paper's line": "/stock/papers/lines?place={lot}:SALEABLE",
    "a paper of all that lies there": "/stock/papers/new?act=reject&place={lot}:SALEABLE",
    "a correction": "/stock/papers/corrections/new?lot={lot}",
    "a transfer's choices": "/stock/transfers/goods?q={name}",
    "a transfer's draft": "/stock/transfers/drafts/{draft}",
    "what to buy": "/stock/proposals?all=1&q={name}",
}
RECALLED = ("recalls", "a recall", "lots on hold")
"""Pages of a lot that may not be sold; the others show one that may."""


def lot_of(pharmacy, goods):
    return one(pharmacy, "select id from lot where tenant_id = %(t)s and lot_number = %(l)s", l=goods.lot_number).id


@pytest.fixture
def addresses(pharmacy, desk, pharmacist):
    """Each page's address, of goods that stand on all of them."""
    sound, bad = (plain(pharmacy, PACKS, pack_size=1, split_allowed=False, expires_in=20) for _ in range(2))
    found, recall, draft = {}, uuid4(), uuid4()
    boss = desk_of(pharmacy, pharmacy.owner)
    checks.check_goods(desk, uuid4(), lot_of(pharmacy, sound), "SALEABLE", "ok")
    hold_lot(boss, uuid4(), lot_of(pharmacy, bad), "变色")
    issue_recall(boss, recall, Wanted(bad.product_id, (bad.lot_number,), 1, "有异物"))
    report_recall(boss, recall, "已下架")
    post(pharmacist, f"/stock/transfers/drafts/{draft}/entries", {"kind": "send", "text": f"#{lot_of(pharmacy, sound)}:SALEABLE"})  # fmt: skip
    for name, page in PAGES.items():
        goods = bad if name in RECALLED else sound
        found[name] = page.format(
            lot=lot_of(pharmacy, goods), number=goods.lot_number, name=goods.name, recall=recall, draft=draft
        )
    return found


def shown(client, where):
    answer = client.get(where)
    assert answer.status_code == 200, where
    return text(answer)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_says_how_many_while_they_are_counted_blind(pharmacist, owner, addresses, open_count, page):
    where = addresses[page]
    assert SAID.search(shown(pharmacist, where)), where

    count = open_count()

    assert not SAID.search(shown(pharmacist, where)), where
    assert SAID.search(shown(owner, where)), where
    actions.withdraw_count(count.leader, count.id)
    assert SAID.search(shown(pharmacist, where)), where


def test_the_sum_of_what_nears_its_end_is_not_said_either(pharmacist, addresses, open_count):
    assert "按进价" in shown(pharmacist, addresses["near its end"])

    open_count()

    assert "按进价" not in shown(pharmacist, addresses["near its end"])


def test_opened_packs_are_neither_counted_nor_named(clerk, pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 2, pack_size=10)
    stock.open_pack(desk, goods.product_id, goods.codes[0])
    assert goods.codes[0][-6:] in shown(clerk, "/stock/keeping/splits")

    open_count()

    page = shown(clerk, "/stock/keeping/splits")
    assert goods.codes[0][-6:] not in page
    assert "盘点中" in page


def test_a_draft_does_not_say_that_more_is_sent_than_there_is(pharmacist, pharmacy, desk, open_count):
    goods, draft = plain(pharmacy, 5), uuid4()
    where = f"/stock/transfers/drafts/{draft}"
    post(pharmacist, f"{where}/entries", {"kind": "send", "text": f"#{lot_of(pharmacy, goods)}:SALEABLE"})
    typed = {"kind": "send", "place": f"{lot_of(pharmacy, goods)}:SALEABLE", "packs": "6"}
    assert "数量超过可动的库存" in text(post(pharmacist, f"{where}/content", typed))

    open_count()

    assert "数量超过可动的库存" not in shown(pharmacist, where)


def test_a_refusal_does_not_say_how_many_are_free(pharmacy, desk, open_count):
    goods, boss = plain(pharmacy, PACKS, pack_size=1, split_allowed=False), desk_of(pharmacy, pharmacy.owner)
    goods_lot = lot_of(pharmacy, goods)

    def refused(who):
        with pytest.raises(NotEnoughInZone) as refusal:
            move(who, goods_lot, 2000)
        return str(refusal.value.message)

    assert SAID.search(refused(desk))

    open_count()

    assert not SAID.search(refused(desk))
    assert "2000" in refused(desk)
    assert SAID.search(refused(boss))


def test_the_counter_sells_on_and_does_not_say_how_many_there_are(clerk, owner, pharmacy, desk, open_count):
    goods = plain(pharmacy, PACKS, pack_size=1, split_allowed=False)
    found = f"/counter/products?q={goods.name}"
    assert SAID.search(shown(clerk, found))

    open_count()

    assert not SAID.search(shown(clerk, found))
    assert "盘点中" in shown(clerk, found)
    assert SAID.search(shown(owner, found))


@hot_action
def move(who, lot, quantity):
    with transaction(settings=who.settings) as hot:
        post_moves(hot, who, ACTS["reject"], uuid4(), clock.now(), [Move(1, lot, quantity, "SALEABLE", "REJECT")])


@pytest.mark.parametrize(
    ("where", "listed"),
    [
        ("/stock?order=value", queries.list_shelf),
        ("/stock?order=days", queries.list_shelf),
        ("/stock?view=lots&order=value", lot_queries.list_lots),
        ("/stock?view=lots&order=days", lot_queries.list_lots),
        ("/stock/turnover", ledger.turnover),
        ("/stock/turnover?order=value", ledger.turnover),
    ],
)
def test_the_address_of_the_next_page_does_not_carry_the_figure(
    clerk, pharmacy, desk, open_count, monkeypatch, where, listed
):
    monkeypatch.setattr(rules, "PAGE", 1)
    defaults = [1 if default == 50 else default for default in listed.__defaults__]
    monkeypatch.setattr(listed, "__defaults__", tuple(defaults))
    for _ in range(2):
        goods = plain(pharmacy, PACKS, pack_size=1, split_allowed=False)
        one(pharmacy, "update lot set cost_price = 2 where tenant_id = %(t)s and lot_number = %(l)s returning id", l=goods.lot_number)  # fmt: skip
        sell(desk, barcode(pharmacy, goods))
    told = figure(next_page(shown(clerk, where)))
    assert told.lstrip("-").isdigit()

    open_count()

    following = next_page(shown(clerk, where))
    assert figure(following) != told
    assert not re.search(r"order=(value|days|slow|fast)", following)


def figure(address):
    """What the address of a next page carries of its last row."""
    return unquote(re.search(r"after=([^&]*)", address)[1]).partition("~")[0]


def test_no_filter_tells_which_run_low(clerk, owner, pharmacy, desk, open_count):
    low, enough = plain(pharmacy, 3), plain(pharmacy, 30)
    place_products(desk, [Place(goods.product_id, "", 100, 200) for goods in (low, enough)])
    assert enough.name not in shown(clerk, "/stock?only=short")

    open_count()

    page = shown(clerk, "/stock?only=short")
    assert low.name in page
    assert enough.name in page
    assert "低于下限" not in page
    assert enough.name not in shown(owner, "/stock?only=short")
