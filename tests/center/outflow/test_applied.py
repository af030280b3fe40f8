"""Sales on out-flow prescriptions, told by the facts of the sales: counted once, closed when all is had, late ones kept."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from app.center.supervision.handler import handler
from app.core import clock
from central_sync import chain, contract, inbox, wire
from central_sync.chain import Fact, Head
from tests.center.outflow.papers import fetch, issue, lock, paper, states, void
from tests.center.supervision.world import refunded, sold


@pytest.fixture(scope="module")
def engine(database_urls):
    made = create_engine(database_urls["center"]["inbox"])
    yield made
    made.dispose()


class Stream:
    """The stream of a pharmacy that the center knows."""

    def __init__(self, engine, shop):
        self.engine, self.shop, self.head, self.batches = engine, shop, Head(1, 0, chain.genesis(shop.code)), []

    def tell(self, *facts):
        made = []
        for kind, body in facts:
            data = contract.compose(kind, body)["body"].encode()
            number = self.head.number + 1
            self.head = Head(1, number, chain.link(self.head.hash, self.shop.code, 1, number, kind, 1, data))
            made.append(Fact(1, number, kind, 1, data, self.head.hash))
        self.batches.append(made)
        return self.send(made)

    def send(self, facts):
        with self.engine.begin() as connection:
            inbox.open_stream(connection, self.shop.code, self.shop.district)
            batch = wire.Batch(self.shop.code, 1, wire.to_wire(facts), None)
            return inbox.receive(connection, self.shop.code, batch, handler)


def sale(number, *lines):
    """A sale of these (line, quantity) of a prescription."""
    kind, body = sold(clock.now(), receipt=f"S-{uuid4().hex[:8]}")
    [first] = body["lines"]
    rows = [
        first | {"line": n, "quantity": quantity, "amount_fen": 4280 if n == 1 else 0, "prescribed": {"prescription": number, "line": line}}
        for n, (line, quantity) in enumerate(lines, 1)
    ]  # fmt: skip
    return kind, body | {"lines": rows}


def head(owner_sql, number):
    [row] = owner_sql(
        "select state, lock_institution, overrun, (select array_agg(dispensed order by line_no) from eprescription_line l where l.prescription_id = p.id) from eprescription p where number = %s",
        number,
    )
    return row


def test_all_is_had_and_it_is_closed(engine, clinic, shop, owner_sql):
    sent = paper()
    told = clinic.ask("S010", sent).output["data"]
    lock(shop, told["rx_trace_code"])

    answer = Stream(engine, shop).tell(sale(told["rx_no"], (1, 14), (2, 7)))

    assert answer.outcome == "ok"
    assert head(owner_sql, told["rx_no"]) == ("CLOSED", None, False, [14, 7])
    assert lock(shop, told["rx_trace_code"]).code == "PRESCRIPTION_OVER"
    assert void(clinic, sent["data"]["rx_docm_id"]).code == "PRESCRIPTION_OVER"
    standing = states(clinic, sent["data"]["rx_docm_id"])[sent["data"]["rx_docm_id"]]
    assert standing["rxdetail"] == [{"rx_detl_sn": "1", "cnt": "14"}, {"rx_detl_sn": "2", "cnt": "7"}]


def test_a_fact_that_comes_twice_counts_once(engine, clinic, shop, owner_sql):
    told = issue(clinic)
    lock(shop, told["rx_trace_code"])
    stream = Stream(engine, shop)

    stream.tell(sale(told["rx_no"], (1, 7)))
    stream.send(stream.batches[0])

    assert head(owner_sql, told["rx_no"])[3] == [7, 0]


def test_the_rest_may_be_had_elsewhere(engine, clinic, shop, other_shop, owner_sql):
    told = issue(clinic)
    lock(shop, told["rx_trace_code"])

    Stream(engine, shop).tell(sale(told["rx_no"], (1, 7)))

    assert head(owner_sql, told["rx_no"]) == ("DISPENSED", None, False, [7, 0])
    seen = lock(other_shop, told["rx_trace_code"])
    assert [row["left_cnt"] for row in seen.output["rxdetail"]] == ["7", "7"]
    Stream(engine, other_shop).tell(sale(told["rx_no"], (1, 7), (2, 7)))
    assert head(owner_sql, told["rx_no"]) == ("CLOSED", None, False, [14, 7])


def test_a_sale_of_a_lapsed_lock_counts_and_leaves_the_newer_lock(engine, clinic, shop, other_shop, owner_sql):
    told = issue(clinic)
    lock(shop, told["rx_trace_code"])
    shop.ask("S014", {"data": {"rx_no": told["rx_no"], "lock_sn": "1"}})
    lock(other_shop, told["rx_trace_code"])

    Stream(engine, shop).tell(sale(told["rx_no"], (1, 14)))
    assert head(owner_sql, told["rx_no"]) == ("LOCKED", other_shop.code, False, [14, 0])
    Stream(engine, other_shop).tell(sale(told["rx_no"], (1, 14), (2, 7)))

    assert head(owner_sql, told["rx_no"]) == ("CLOSED", None, True, [28, 7])


def test_void_stays_void_and_an_unknown_number_stops_nothing(engine, clinic, shop, owner_sql):
    sent = paper()
    told = clinic.ask("S010", sent).output["data"]
    void(clinic, sent["data"]["rx_docm_id"])

    answer = Stream(engine, shop).tell(
        sale(told["rx_no"], (1, 14)), sale("W9999999999", (1, 1)), sale(told["rx_no"], (9, 1))
    )

    assert (answer.outcome, answer.number) == ("ok", 3)
    assert head(owner_sql, told["rx_no"])[:1] == ("VOID",)
    assert head(owner_sql, told["rx_no"])[3] == [14, 0]


def test_goods_that_come_back_open_nothing(engine, clinic, shop, owner_sql):
    told = issue(clinic)
    lock(shop, told["rx_trace_code"])
    sold_ = sale(told["rx_no"], (1, 14), (2, 7))

    Stream(engine, shop).tell(sold_, refunded(clock.now(), sold_))

    assert head(owner_sql, told["rx_no"])[0] == "CLOSED"
    assert fetch(shop, told["rx_trace_code"]).output["data"]["rx_stas"] == "CLOSED"


def test_what_was_counted_and_its_fact_go_together(engine, clinic, shop, owner_sql):
    told = issue(clinic)
    stream = Stream(engine, shop)
    with engine.connect() as connection:
        inbox.open_stream(connection, shop.code, shop.district)
        kind, body = sale(told["rx_no"], (1, 14))
        data = contract.compose(kind, body)["body"].encode()
        link = chain.link(stream.head.hash, shop.code, 1, 1, kind, 1, data)
        inbox.receive(
            connection,
            shop.code,
            wire.Batch(shop.code, 1, wire.to_wire([Fact(1, 1, kind, 1, data, link)]), None),
            handler,
        )
        connection.execute(text("rollback"))

    assert head(owner_sql, told["rx_no"])[3] == [0, 0]
