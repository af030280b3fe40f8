"""The pages of recalls: empty, filled, refused, long, in English, closed to strangers; and the banner above every page."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.stock.recalls import actions
from tests.facility.stock.conftest import text
from tests.facility.stock.recalls.world import an_issue, holds, issue, one_lot, second_shop
from tests.factories.bridge import pull, tell
from tests.factories.city import make_insured_pharmacy
from tests.factories.people import browser, post
from tests.factories.shop import desk_of, make_goods, one, sell

pytestmark = pytest.mark.usefixtures("desk")
PAGE = "/stock/recalls"


def test_empty_pages_say_what_they_are_for(pharmacist):
    assert "没有召回" in text(pharmacist.get(PAGE))
    assert "召回哪个批号" in text(pharmacist.get(f"{PAGE}/new"))
    assert "全部门店都没有进过这个批号" in text(pharmacist.get(f"{PAGE}/new?entry=NOPE"))
    assert "没有锁定的批号" in text(pharmacist.get(f"{PAGE}/holds"))
    assert "本店没有批号" in text(pharmacist.get(f"{PAGE}/holds?entry=NOPE"))


def test_a_recall_is_started_from_a_lot_or_a_scanned_box(pharmacist, pharmacy):
    goods = make_goods(pharmacy, 3, lot_number="PG01")
    other = second_shop(pharmacy)
    make_goods(other, 2, lot_number="PG01", product_id=goods.product_id)

    for entry in ("PG01", goods.codes[0]):
        page = text(pharmacist.get(f"{PAGE}/new?entry={entry}"))
        assert goods.name in page
        assert "PG01" in page
    document = uuid4()
    sent = {
        "document": document,
        "product": goods.product_id,
        "lot": "PG01",
        "entry": "PG01",
        "level": "1",
        "reason": "厂家通知",
        "instructions": "",
        "codes": "",
    }
    answer = post(pharmacist, PAGE, sent)

    assert (answer.status_code, answer.location) == (303, f"{PAGE}/{document}")
    assert {hold for _, hold in holds(pharmacy, goods)} == {"recalled"}
    page = text(pharmacist.get(answer.location))
    assert "二号药店" in page
    assert "厂家通知" in page
    assert "还有 2" in page
    assert "PG01" in text(pharmacist.get(PAGE))
    refused = post(pharmacist, PAGE, {**sent, "document": uuid4(), "reason": ""})
    assert refused.status_code == 422
    assert "召回原因" in text(refused)
    assert post(pharmacist, PAGE, {**sent, "product": "x"}).status_code == 422


def test_the_call_list_is_worked_off_and_reported(pharmacist, clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 3)
    sold = sell(desk, goods.codes[0])
    recall, _ = issue(desk, goods)
    where = f"{PAGE}/{recall}"

    page = text(clerk.get(where))
    assert sold.receipt in page
    assert "自费，未登记" in page
    answer = post(clerk, f"{where}/calls", {"buyer": sold.sale_id, "outcome": "coming", "note": "下午来"})
    assert answer.status_code == 303
    assert "下午来" in text(clerk.get(where))
    assert post(clerk, f"{where}/calls", {"buyer": "x", "outcome": "coming"}).status_code == 422
    assert post(clerk, f"{where}/calls", {"buyer": sold.sale_id, "outcome": "x"}).status_code == 422
    assert post(clerk, f"{where}/calls", {"buyer": uuid4(), "outcome": "coming"}).status_code == 404
    assert post(pharmacist, f"{where}/reports", {"note": ""}).status_code == 422
    assert post(pharmacist, f"{where}/reports", {"note": "已下架"}).status_code == 303
    assert "已上报" in text(pharmacist.get(where))
    assert post(clerk, f"{where}/reports", {"note": "已下架"}).status_code == 403
    assert post(pharmacist, f"{where}/closings", {"summary": ""}).status_code == 422
    assert post(pharmacist, f"{where}/closings", {"summary": "复检合格"}).status_code == 303
    assert "已结束" in text(pharmacist.get(where))


def test_a_recall_of_the_center_stands_above_every_page_until_somebody_has_seen_it(
    facility_app, center_app, clerk, pharmacy
):
    national = f"XA{uuid4().hex[:18].upper()}"
    make_goods(pharmacy, 1, national_code=national, lot_number="BN1")
    body = an_issue(national, ["BN1"])
    tell(center_app, [pharmacy.code], "recall.issued", body)

    pull(facility_app, center_app, pharmacy)

    for address in ("/stock", "/counter", "/catalog/products", PAGE):
        page = text(clerk.get(address))
        assert 'class="alarm"' in page, address
        assert body["number"] in page
    assert post(clerk, f"{PAGE}/{body['recall']}/acknowledgements", {}).status_code == 303
    assert 'class="alarm"' not in text(clerk.get("/stock"))


def test_a_lot_is_locked_by_the_clerk_and_released_by_the_pharmacist(clerk, pharmacist, pharmacy):
    goods = make_goods(pharmacy, 2, lot_number="HD1")
    lot = one_lot(pharmacy, goods)

    assert "HD1" in text(clerk.get(f"{PAGE}/holds?entry=HD1"))
    assert post(clerk, f"{PAGE}/holds", {"document": uuid4(), "lot": lot, "reason": "变色"}).status_code == 303
    assert "要由另一人解除" in text(clerk.get(f"{PAGE}/holds"))
    assert post(clerk, f"{PAGE}/releases", {"document": uuid4(), "lot": lot, "reason": "好了"}).status_code == 403
    assert post(pharmacist, f"{PAGE}/releases", {"document": uuid4(), "lot": lot, "reason": ""}).status_code == 422
    assert (
        post(pharmacist, f"{PAGE}/releases", {"document": uuid4(), "lot": lot, "reason": "复检合格"}).status_code == 303
    )
    assert holds(pharmacy, goods) == [(pharmacy.facility_id, None)]
    assert post(clerk, f"{PAGE}/holds", {"document": "x", "lot": lot, "reason": "变色"}).status_code == 422
    assert post(clerk, f"{PAGE}/holds", {"document": uuid4(), "lot": 10**15, "reason": "变色"}).status_code == 404


def test_english_pages_speak_english(pharmacist, pharmacy, desk):
    goods = make_goods(pharmacy, 2, lot_number="EN1")
    sell(desk, goods.codes[0])
    recall, _ = issue(desk, goods)
    pharmacist.set_cookie("lang", "en")

    for address, word in (
        (PAGE, "Start a recall"), (f"{PAGE}/new?entry=EN1", "Freeze in every shop"), (f"{PAGE}/{recall}", "Where the goods are"), (f"{PAGE}/holds", "Quality locks"),
    ):  # fmt: skip
        assert word in text(pharmacist.get(address)), address


def test_long_lists_come_a_page_at_a_time(pharmacist, pharmacy, desk, monkeypatch):
    from app.facility.stock.recalls import queries

    monkeypatch.setattr(queries, "PAGE", 2)
    goods = make_goods(pharmacy, 4)
    for code in goods.codes[:3]:
        sell(desk, code)
    recalls = [issue(desk, goods)[0] for _ in range(3)]
    for _ in range(3):
        actions.hold_lot(desk, uuid4(), one_lot(pharmacy, make_goods(pharmacy, 1)), "看看")

    for address in (PAGE, f"{PAGE}/{recalls[0]}", f"{PAGE}/holds"):
        page = text(pharmacist.get(address))
        assert "before=" in page, address
        following = page.split("before=")[1].split('"')[0].replace("&amp;", "&")
        assert pharmacist.get(f"{address}?before={following}").status_code == 200
    assert pharmacist.get(f"{PAGE}?before=nonsense").status_code == 200


def test_a_stranger_finds_nothing(facility_app, center_app, pharmacy, desk):
    goods = make_goods(pharmacy, 2, lot_number="ST1")
    sold = sell(desk, goods.codes[0])
    recall, _ = issue(desk, goods)
    stranger = make_insured_pharmacy(facility_app, center_app, name="三号药店")
    client = browser(facility_app, stranger, stranger.owner)

    assert client.get(f"{PAGE}/{recall}").status_code == 404
    assert goods.name not in text(client.get(f"{PAGE}/new?entry=ST1"))
    for what, form in (
        ("acknowledgements", {}),
        ("calls", {"buyer": sold.sale_id, "outcome": "coming"}),
        ("reports", {"note": "x"}),
        ("closings", {"summary": "x"}),
    ):
        assert post(client, f"{PAGE}/{recall}/{what}", form).status_code == 404


def test_the_lists_ask_few_questions(pharmacist, pharmacy, desk):
    goods = make_goods(pharmacy, 4)
    for code in goods.codes[:3]:
        sell(desk, code)
    recall, _ = issue(desk, goods)
    pharmacist.get(PAGE)

    for address, most in ((PAGE, 7), (f"{PAGE}/{recall}", 9), (f"{PAGE}/holds", 6)):
        with statements() as ran:
            pharmacist.get(address)
        assert len(ran) <= most, (address, len(ran))


def test_the_desk_of_another_shop_sees_the_same_recall(pharmacy, desk):
    goods = make_goods(pharmacy, 1)
    other = second_shop(pharmacy)
    recall, _ = issue(desk, goods)

    assert (
        one(other, "select count(*) as n from recall_place where recall_id = %(r)s and facility_id = %(f)s", r=recall).n
        == 1
    )
    actions.acknowledge_recall(desk_of(other, pharmacy.owner), recall)
