"""The officer's screens: what they say, how many statements they cost, and that a stranger gets 404."""

from __future__ import annotations

import re
import secrets
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.core.hot import statements
from tests.center.supervision.world import (
    ELSEWHERE,
    HERE,
    MORNING,
    moved,
    new_code,
    received,
    refunded,
    sold,
    words_of,
)
from tests.factories import people


def test_a_forged_fact_shows_as_broken_proof(sign_in, center_owner, new_institution):
    shop, code = new_institution(), new_code()
    shop.tell(received(MORNING, code), sold(shop.moment(), code))
    with center_owner.begin() as connection:
        connection.execute(
            text("update inbox_fact set body = body || ' '::bytea where stream = :s and number = 2"), {"s": shop.stream}
        )

    passport, stream = (words_of(sign_in().get(f"/{page}")) for page in (f"passport/{code}", f"streams/{shop.stream}"))

    assert "1 条哈希不符" in passport
    assert "这条流不完整。" in stream


def test_a_missing_fact_shows_on_the_stream(sign_in, center_owner, new_institution):
    shop = new_institution()
    shop.tell(*[("shift.closed", shift()) for _ in range(3)])
    with center_owner.begin() as connection:
        connection.execute(text("delete from inbox_fact where stream = :s and number = 2"), {"s": shop.stream})

    said = words_of(sign_in().get(f"/streams/{shop.stream}"))

    assert "应有 1 到 3 共 3 条，实有 2 条。" in said


def shift():
    return {
        "document": uuid4(), "at": MORNING, "operator": "刘*", "terminal": "1", "opened_at": MORNING, "counted_fen": 0,
        "expected_fen": 0, "difference_fen": 0, "reason": None,
    }  # fmt: skip


def addresses(shop, code, lot, document):
    return [
        f"/passport/{code}", f"/passport/{code}/evidence", f"/lots/{lot}", f"/products/{shop.stream}/A001",
        f"/sales/{document}", f"/streams/{shop.stream}",
    ]  # fmt: skip


def test_a_stranger_gets_404_on_each_screen(sign_in, new_institution):
    shop, code, lot = new_institution(), new_code(), "L" + secrets.token_hex(4)
    sale = sold(shop.moment(), code, lot=lot)
    shop.tell(received(MORNING, code, lot=lot), sale)
    ours, stranger = sign_in(HERE), sign_in(ELSEWHERE)

    for address in addresses(shop, code, lot, sale[1]["document"]):
        assert ours.get(address).status_code == 200, address
        assert stranger.get(address).status_code == 404, address
    for address in ("/streams", "/alerts", "/supervision", f"/search?q={shop.stream}", f"/search?q={lot}"):
        answer = stranger.get(address)
        assert answer.status_code == 200
        assert f"/{shop.stream}" not in answer.get_data(as_text=True)
        assert f"/{lot}" not in answer.get_data(as_text=True)


def test_nobody_looks_without_signing_in(center_app, new_institution):
    shop, code = new_institution(), new_code()
    shop.tell(sold(shop.moment(), code))

    for address in (*addresses(shop, code, "GM1973", uuid4()), "/streams", "/alerts", "/supervision", "/search?q=1"):
        assert people.center_client(center_app).get(address).status_code == 303


@pytest.mark.parametrize("role", ["security_admin", "audit_admin"])
def test_administrations_of_security_and_audit_do_not_look_at_business(sign_in, role):
    client = sign_in(HERE, role)

    assert {client.get(address).status_code for address in ("/supervision", "/alerts", "/streams", "/passport/1")} == {
        403
    }


def test_lot_adds_up_by_facility(sign_in, new_institution):
    one, two, lot = new_institution(HERE, "一号药店"), new_institution(HERE, "二号药店"), "L" + secrets.token_hex(4)
    one.tell(received(MORNING, lot=lot, quantity=70), sold(one.moment(), lot=lot, quantity=14))
    two.tell(sold(two.moment(), lot=lot, quantity=7))

    said = words_of(sign_in().get(f"/lots/{lot}"))

    assert "10 2 0 0 8" in said  # Packs: received, sold, returned, moved, what should be there.
    assert "−1 卖多于进" in said


def test_what_was_destroyed_leaves_the_equation_and_says_who_confirmed_it(sign_in, new_institution):
    shop = new_institution()
    paper = moved(shop.moment(), "destroy", "DM", from_zone="REJECT", quantity=14, reason="包装破损")
    shop.tell(received(MORNING, quantity=70), paper)

    client = sign_in()

    assert "± 调拨盘点报损 盒 −2 = 应存 盒 8" in words_of(client.get(f"/products/{shop.stream}/A001"))
    said = words_of(client.get(f"/sales/{paper[1]['document']}"))
    assert "报损销毁" in said
    assert "复核 王*" in said
    assert "原因 包装破损" in said


def test_product_shows_its_equation(sign_in, new_institution):
    shop = new_institution()
    sale = sold(shop.moment(), quantity=21)
    shop.tell(
        received(MORNING, quantity=70),
        sale,
        refunded(shop.moment(), sale, quantity=7),
        sold(shop.moment(), quantity=3, split=True),
    )

    said = words_of(sign_in().get(f"/products/{shop.stream}/A001"))

    assert "验收 盒 10 − 销售 盒 3 + 3 + 退回 盒 1 ± 调拨盘点报损 盒 0 = 应存 盒 7 + 4" in said


def test_sale_shows_lines_money_refund_and_proof(sign_in, new_institution):
    shop, code = new_institution(), new_code()
    sale = sold(shop.moment(), code, insured=True, receipt="S26-0821-0093")
    back = refunded(shop.moment(), sale, code, receipt="R26-0822-0001")
    shop.tell(sale, back)
    client = sign_in()

    said = words_of(client.get(f"/sales/{sale[1]['document']}"))
    of_refund = words_of(client.get(f"/sales/{back[1]['document']}"))

    assert "统筹 30.82" in said
    assert "R26-0822-0001" in said
    assert code in said
    assert "顾客退货" in of_refund
    assert "S26-0821-0093" in of_refund


def test_stream_is_proved_from_1_to_n(sign_in, new_institution):
    shop = new_institution()
    shop.tell(*[("shift.closed", shift()) for _ in range(60)])
    client = sign_in()

    first = words_of(client.get(f"/streams/{shop.stream}"))
    second = words_of(client.get(f"/streams/{shop.stream}?before=11"))

    assert "编号 1 到 60 一条不缺。" in first
    assert "#60" in first
    assert "#11 " in first
    assert "#10 " not in first
    assert "#10 " in second
    assert "#1 " in second


def test_a_set_aside_stream_says_where_and_why(sign_in, new_institution):
    shop = new_institution()
    wrong = sold(shop.moment())
    wrong[1]["total_fen"] = 1
    shop.tell(wrong)
    client = sign_in()

    assert "应用停在 #1。 明细金额之和与总额不符" in words_of(client.get(f"/streams/{shop.stream}"))
    assert shop.stream in words_of(client.get("/streams?state=aside"))


def test_streams_and_alerts_and_overview_list_what_is_there(sign_in, twice_sold):
    _first, _second, code, _lot = twice_sold
    client = sign_in()

    assert "同一盒卖了两次" in words_of(client.get("/alerts"))
    assert code in client.get("/alerts").get_data(as_text=True)
    assert "待核查预警" in words_of(client.get("/supervision"))
    assert client.get(f"/streams?after={chr(32)}").status_code == 200


def test_long_lists_go_on_by_key(sign_in, new_institution):
    shop, lot = new_institution(), "L" + secrets.token_hex(4)
    shop.tell(*[sold(shop.moment(1), lot=lot, receipt=f"S-{n}") for n in range(120)])
    client, seen, address = sign_in(), [], f"/lots/{lot}"

    while address:
        page = client.get(address).get_data(as_text=True)
        seen += re.findall(r">S-(\d+)<", page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        address = found[1].replace("&amp;", "&").removeprefix("/center") if found else None

    assert seen == [str(n) for n in range(119, -1, -1)]


def test_empty_district_says_what_the_rooms_are_for(sign_in):
    client = sign_in("4501")

    assert "还没有机构报来单据" in words_of(client.get("/supervision"))
    assert "还没有机构接通数据流" in words_of(client.get("/streams"))
    assert "没有待核查的预警" in words_of(client.get("/alerts"))


@pytest.mark.parametrize("address", [
    "/passport/%00", "/passport/" + "9" * 500, "/passport/x", "/lots/x", "/lots/%00", "/products/x/y", "/products/x/%00/%00",
    f"/sales/{UUID(int=5)}", "/sales/x", "/streams/x", "/streams/%00",
])  # fmt: skip
def test_what_does_not_exist_is_not_found(sign_in, address):
    assert sign_in().get(address).status_code == 404


@pytest.mark.parametrize("address", [
    "/search", "/search?q=%00", "/search?q=%25", "/search?q='", "/search?q=%5C", "/streams?state=x&after=%27", "/alerts?before=x",
    "/alerts?before=-1", "/alerts?before=99999999999999999999", "/alerts?show=all",
])  # fmt: skip
def test_odd_addresses_do_no_harm(sign_in, address):
    assert sign_in().get(address).status_code == 200


def test_a_scanned_code_opens_its_passport(sign_in):
    answer = sign_in().get("/search?q=83904 21776 53308 11274")

    assert answer.status_code == 303
    assert answer.location.endswith("/passport/83904217765330811274")


def test_typed_words_find_things(sign_in, new_institution):
    shop, lot = new_institution(HERE, "寻找药店" + secrets.token_hex(2)), "L" + secrets.token_hex(4)
    shop.tell(received(MORNING, lot=lot, receipt="P-" + lot))
    client = sign_in()

    assert shop.stream in words_of(client.get("/search", query_string={"q": shop.name}))
    assert "采购验收" in words_of(client.get("/search", query_string={"q": "P-" + lot}))
    assert "1 家机构" in words_of(client.get("/search", query_string={"q": lot}))


# Statements of each screen; one more is who is asking, believed for a second.
BUDGETS = {
    "passport": 5,
    "lots": 3,
    "products": 4,
    "sales": 5,
    "streams": 4,
    "list_streams": 3,
    "alerts": 3,
    "supervision": 5,
}


def test_screens_keep_their_budget_of_statements(sign_in, twice_sold):
    first, _second, code, lot = twice_sold
    with_document = f"/lots/{lot}"
    client = sign_in()
    page = client.get(with_document).get_data(as_text=True)
    document = re.search(r"/sales/([0-9a-f-]{36})", page)[1]
    asked = {
        "passport": f"/passport/{code}", "lots": with_document, "products": f"/products/{first.stream}/A001",
        "sales": f"/sales/{document}", "streams": f"/streams/{first.stream}", "list_streams": "/streams", "alerts": "/alerts",
        "supervision": "/supervision",
    }  # fmt: skip

    ran_by = {}
    for name, address in asked.items():
        with statements() as ran:
            assert client.get(address).status_code == 200
        ran_by[name] = len(ran)

    assert {name: count for name, count in ran_by.items() if count > BUDGETS[name]} == {}


def test_an_alert_of_two_districts_is_listed_once_for_the_city(sign_in, new_institution):
    here, there, code = new_institution(HERE), new_institution(ELSEWHERE), new_code()
    here.tell(sold(here.moment(), code))
    there.tell(sold(there.moment(60), code))

    for district in (HERE, ELSEWHERE, "3302"):
        assert sign_in(district).get("/alerts").get_data(as_text=True).count(f"/passport/{code}") == 1
