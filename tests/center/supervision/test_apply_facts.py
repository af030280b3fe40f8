"""Facts become movements, events and alerts, in the transaction that takes them."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from central_sync.wire import Opening
from tests.center.supervision.world import MORNING, PACK, alerts_of, new_code, received, refunded, sold


def rows(owner, table, stream):
    with owner.connect() as connection:
        return connection.execute(text(f"select * from {table} where stream = :s order by number"), {"s": stream}).all()


def test_a_pack_bought_and_sold_leaves_its_trace(center_owner, new_institution):
    shop, code = new_institution(), new_code()

    answer = shop.tell(received(MORNING, code), sold(shop.moment(), code, insured=True))

    assert (answer.outcome, answer.number) == ("ok", 2)
    bought, sale = rows(center_owner, "movement", shop.stream)
    assert (bought.kind, bought.receipt, bought.district) == ("received", "P-0398", "330212")
    assert (sale.kind, sale.paid, sale.total_fen, sale.fund_fen) == ("sold", "insured", 4280, 3082)
    lines = rows(center_owner, "movement_line", shop.stream)
    assert [(line.kind, line.quantity, line.lot, line.code_count) for line in lines] == [
        ("received", PACK, "GM1973", 1), ("sold", PACK, "GM1973", 1),
    ]  # fmt: skip
    assert [event.kind for event in rows(center_owner, "trace_event", shop.stream)] == ["received", "sold"]
    assert alerts_of(center_owner, code) == []


def test_a_pack_sold_twice_at_one_facility_raises_one_alert(center_owner, new_institution):
    shop, code = new_institution(), new_code()

    shop.tell(sold(shop.moment(), code), sold(shop.moment(), code, receipt="S-2"))

    [alert] = alerts_of(center_owner, code)
    assert (alert.kind, alert.stream, alert.number, alert.cleared) == ("trace.duplicate", shop.stream, 2, False)
    assert alert.facts["second"]["receipt"] == "S-2"


def test_a_pack_sold_in_two_districts_alerts_both(center_owner, new_institution):
    here, there, code = new_institution("330212"), new_institution("330203", "九号药店"), new_code()

    here.tell(sold(here.moment(), code, insured=True))
    there.tell(sold(there.moment(60), code))

    alerts = alerts_of(center_owner, code)
    assert sorted(alert.district for alert in alerts) == ["330203", "330212"]
    assert alerts[0].facts["first"]["name"] == "一号药店"
    assert alerts[0].facts["second"]["name"] == "九号药店"


def test_the_alert_is_in_the_transaction_of_the_fact(center_owner, inbox_engine, new_institution):
    from app.center.supervision.handler import handler
    from central_sync import inbox

    shop, code = new_institution(), new_code()
    shop.tell(sold(shop.moment(), code))
    facts = [shop.chained(*sold(shop.moment(), code))]
    with inbox_engine.connect() as connection:
        inbox.receive(connection, shop.stream, shop.batch(facts), handler)
        connection.rollback()

    assert alerts_of(center_owner, code) == []
    shop.deliver(facts)
    assert len(alerts_of(center_owner, code)) == 1


def test_a_returned_pack_may_be_sold_again(center_owner, new_institution):
    here, there, code = new_institution(), new_institution(), new_code()
    sale = sold(here.moment(), code)

    here.tell(sale, refunded(here.moment(), sale, code))
    there.tell(sold(there.moment(60), code))

    assert alerts_of(center_owner, code) == []


def test_money_back_without_goods_does_not_free_the_pack(center_owner, new_institution):
    shop, code = new_institution(), new_code()
    sale = sold(shop.moment(), code)

    shop.tell(sale, refunded(shop.moment(), sale, code, goods="kept"), sold(shop.moment(), code))

    assert len(alerts_of(center_owner, code)) == 1


def test_a_return_told_late_clears_the_alert(center_owner, new_institution):
    here, there, code = new_institution(), new_institution(), new_code()
    sale = sold(here.moment(), code)
    back_at = here.moment(5)
    here.tell(sale)
    there.tell(sold(there.moment(60), code))
    assert [alert.cleared for alert in alerts_of(center_owner, code)] == [False]

    here.tell(refunded(back_at, sale, code))

    assert [alert.cleared for alert in alerts_of(center_owner, code)] == [True]


def test_parts_of_a_split_pack_are_no_duplicate_until_it_is_used_up(center_owner, new_institution):
    shop, code = new_institution(), new_code()

    shop.tell(
        sold(shop.moment(), code, split=True, quantity=3),
        sold(shop.moment(), code, split=True, quantity=4),
    )
    assert alerts_of(center_owner, code) == []
    shop.tell(sold(shop.moment(), code, split=True, quantity=1))

    assert [alert.kind for alert in alerts_of(center_owner, code)] == ["trace.oversplit"]


def test_self_paid_codes_are_claimed_and_freed_on_return(center_owner, new_institution):
    here, there, code = new_institution(), new_institution(), new_code()
    sale = sold(here.moment(), code)
    here.tell(sale)
    there.tell(sold(there.moment(60), code))

    def claims():
        with center_owner.connect() as connection:
            found = connection.execute(
                text(
                    "select institution_code, holds, duplicate, released_at is not null as free from code_claim where code = :c order by id"
                ),
                {"c": code},
            )
            return [tuple(row) for row in found]

    assert claims() == [(here.stream, True, False, False), (there.stream, False, True, False)]
    here.tell(refunded(here.moment(), sale, code))
    assert claims()[0] == (here.stream, True, False, True)


def test_a_pack_sold_and_returned_in_one_batch_is_free_again(center_owner, new_institution):
    shop, code = new_institution(), new_code()
    facts = []
    for _ in range(2):
        sale = sold(shop.moment(), code)
        facts += [sale, refunded(shop.moment(), sale, code)]
    shop.tell(*facts, sold(shop.moment(), code))

    with center_owner.connect() as connection:
        found = connection.execute(
            text(
                "select holds, duplicate, released_at is not null as free from code_claim where code = :c order by id"
            ),
            {"c": code},
        )
        claims = [tuple(row) for row in found]
    assert claims == [(True, False, True), (True, False, True), (True, False, False)]
    assert alerts_of(center_owner, code) == []


def test_insured_codes_are_not_claimed_a_second_time(center_owner, new_institution):
    shop, code = new_institution(), new_code()

    shop.tell(sold(shop.moment(), code, insured=True))

    with center_owner.connect() as connection:
        assert connection.scalar(text("select count(*) from code_claim where code = :c"), {"c": code}) == 0


def test_two_facilities_selling_the_same_packs_at_once_are_both_seen(center_owner, new_institution):
    here, there = new_institution(), new_institution()
    codes = [new_code() for _ in range(20)]

    def sell(shop, ordered):
        shop.tell(*(sold(shop.moment(1), code) for code in ordered))

    shops = [
        threading.Thread(target=sell, args=(here, codes)),
        threading.Thread(target=sell, args=(there, codes[::-1])),
    ]
    for shop in shops:
        shop.start()
    for shop in shops:
        shop.join()

    assert [len(alerts_of(center_owner, code)) for code in codes] == [1] * 20


@pytest.mark.parametrize("twist", ["sum", "codes"])
def test_a_fact_that_contradicts_itself_is_set_aside(center_owner, new_institution, twist):
    shop, code = new_institution(), new_code()
    wrong = sold(shop.moment(), code)
    if twist == "sum":
        wrong[1]["total_fen"] = 1
    else:
        wrong[1]["lines"][0]["codes"] = [code, code]

    answer = shop.tell(received(MORNING, code), wrong, sold(shop.moment(), new_code()))

    assert (answer.outcome, answer.number) == ("ok", 3)
    with center_owner.connect() as connection:
        row = connection.execute(text("select * from inbox_stream where stream = :s"), {"s": shop.stream}).one()
    assert (row.number, row.applied_number, row.set_aside_number) == (3, 1, 2)
    assert len(rows(center_owner, "movement", shop.stream)) == 1


def test_facts_of_other_kinds_pass(new_institution):
    shop = new_institution()
    checked = {
        "document": "6b6f4c1e-0000-4000-8000-000000000001", "at": MORNING, "operator": "刘*", "terminal": "1", "score": 15,
        "signals": [{"code": "card_number_typed", "weight": 10}], "decision": "passed", "reason_code": None,
    }  # fmt: skip

    assert shop.tell(("identity.checked", checked), ("identity.blocked", checked)).number == 2


def test_facts_lost_by_a_restore_stay_marked_and_are_told(center_owner, new_institution):
    shop, code = new_institution(), new_code()
    shop.tell(received(MORNING, code))
    common = shop.head
    shop.tell(sold(shop.moment(), code))
    shop.head = type(common)(2, common.number, common.hash)

    fact = shop.chained(*sold(shop.moment(), new_code()))
    answer = shop.deliver([fact], Opening(2, common.number, common.hash))

    assert (answer.outcome, answer.epoch, answer.number) == ("ok", 2, 2)
    assert [(m.epoch, m.number, m.orphaned) for m in rows(center_owner, "movement", shop.stream)] == [
        (1, 1, False), (1, 2, True), (2, 2, False),
    ]  # fmt: skip
    with center_owner.connect() as connection:
        told = connection.execute(text("select kind, facts from alert where stream = :s"), {"s": shop.stream}).one()
    assert (told.kind, told.facts["facts"]) == ("stream.rewound", 1)


def test_a_line_taken_from_two_lots_is_two_places(center_owner, new_institution):
    shop, code, other = new_institution(), new_code(), new_code()
    kind, body = sold(shop.moment(), code)
    body["lines"].append({**body["lines"][0], "lot": "GM1974", "amount_fen": 0, "codes": [other]})
    shop.tell((kind, body))

    lines = rows(center_owner, "movement_line", shop.stream)
    assert [(line.line, line.line_no, line.lot) for line in lines] == [(1, 1, "GM1973"), (2, 1, "GM1974")]
    assert [(event.line, event.code) for event in rows(center_owner, "trace_event", shop.stream)] == [
        (1, code),
        (2, other),
    ]
