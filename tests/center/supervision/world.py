"""Institutions of made-up districts that tell the center facts, signed or straight into the inbox."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import text

from app.center.supervision.handler import handler
from app.core import personal
from central_sync import chain, contract, inbox, wire
from central_sync.chain import Fact, Head

HERE, ELSEWHERE = "330212", "330203"
MORNING = datetime(2026, 11, 12, 1, 0, tzinfo=UTC)
PRODUCT = {
    "code": "A001", "national": "XC10AAA001", "barcode": "6901234567892", "name": "阿托伐他汀钙片", "spec": "20mg×7片",
    "maker": "某制药有限公司", "approval": "国药准字H20051408",
}  # fmt: skip
PACK = 7


def new_code() -> str:
    """A trace code nobody has."""
    return "8" + f"{secrets.randbelow(10**19):019d}"


def words_of(answer) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())


class Institution:
    """An institution that the center has registered, and the stream it sends."""

    def __init__(self, owner, inbox_engine, district, name="一号药店", stream=None):
        self.stream = stream or "H" + secrets.token_hex(6).upper()[:11]
        self.district, self.name = district, name
        self.secret = secrets.token_bytes(32)
        self.engine = inbox_engine
        self.head = Head(1, 0, chain.genesis(self.stream))
        self.clock = MORNING
        with owner.begin() as connection:
            connection.execute(
                text("""
                    insert into institution (code, district, name, kind, benefit_class, secret_sealed, agreement_from, agreement_until)
                    values (:code, :district, :name, 'pharmacy', 'pharmacy', :secret, '2025-01-01', '2030-12-31')
                """),
                {
                    "code": self.stream, "district": district, "name": name,
                    "secret": personal.seal("center", self.secret),
                },
            )  # fmt: skip

    def chained(self, kind, body) -> Fact:
        """The next fact of the stream."""
        made = contract.compose(kind, body)
        data = made["body"].encode()
        number = self.head.number + 1
        link = chain.link(self.head.hash, self.stream, self.head.epoch, number, kind, 1, data)
        self.head = Head(self.head.epoch, number, link)
        return Fact(self.head.epoch, number, kind, 1, data, link)

    def tell(self, *facts) -> wire.Answer:
        """Let the center receive facts, each a kind and a body."""
        return self.deliver([self.chained(kind, body) for kind, body in facts])

    def batch(self, facts, opening=None) -> wire.Batch:
        return wire.Batch(self.stream, self.head.epoch, wire.to_wire(facts), opening)

    def deliver(self, facts, opening=None) -> wire.Answer:
        with self.engine.begin() as connection:
            inbox.open_stream(connection, self.stream, self.district)
            return inbox.receive(connection, self.stream, self.batch(facts, opening), handler)

    def moment(self, minutes=10):
        self.clock += timedelta(minutes=minutes)
        return self.clock


def received(at, *codes, lot="GM1973", product=PRODUCT, quantity=None, receipt="P-0398"):
    return "stock.received", {
        "document": uuid4(), "receipt": receipt, "at": at, "operator": "刘*",
        "lines": [{
            "line": 1, "product": product, "lot": lot, "produced_on": "2026-02-01", "expires_on": "2028-01-31",
            "quantity": quantity or PACK * max(1, len(codes)), "pack_size": PACK, "zone": "常温", "codes": list(codes),
        }],
    }  # fmt: skip


def sold(
    at,
    *codes,
    insured=False,
    lot="GM1973",
    split=False,
    quantity=None,
    receipt="S26-0821-0093",
    product=PRODUCT,
    setl_id=None,
):
    settlement = {
        "setl_id": setl_id or secrets.token_hex(8), "msgid": secrets.token_hex(8), "fund_fen": 3082, "account_fen": 898,
        "mutual_fen": 0, "cash_fen": 300,
    }  # fmt: skip
    return "sale.sold", {
        "document": uuid4(), "receipt": receipt, "at": at, "operator": "刘*", "terminal": "1",
        "paid": "insured" if insured else "self", "total_fen": 4280, "settlement": settlement if insured else None,
        "lines": [{
            "line": 1, "product": product, "lot": lot, "expires_on": "2028-01-31", "quantity": quantity or PACK * max(1, len(codes)),
            "pack_size": PACK, "split": split, "price": "42.800000", "amount_fen": 4280,
            "scanned_at": at - timedelta(seconds=41), "codes": list(codes),
        }],
    }  # fmt: skip


def moved(
    at,
    act,
    kind,
    *codes,
    from_zone=None,
    to_zone=None,
    counterpart=None,
    reason=None,
    quantity=None,
    lot="GM1973",
    **more,
):
    return "stock.moved", {
        "document": uuid4(), "number": f"K26-{secrets.token_hex(4)}", "act": act, "at": at, "operator": "刘*", "approver": "王*",
        "reason": reason, "counterpart": counterpart,
        "lines": [{
            "line": 1, "act": act, "kind": kind, "product": PRODUCT, "lot": lot, "produced_on": "2026-02-01", "expires_on": "2028-01-31",
            "quantity": quantity or PACK * max(1, len(codes)), "pack_size": PACK, "split": False, "from_zone": from_zone,
            "to_zone": to_zone, "cost_price": "30.500000", "codes": list(codes), **more,
        }],
    }  # fmt: skip


def dispensed(at, *codes, **more):
    """Packs, or units of opened ones, handed to a patient at a clinic."""
    return moved(at, "dispense", "SA", *codes, from_zone="SPLIT" if more.get("split") else "SALEABLE", **more)


def taken_back(at, handing, *codes, **more):
    """Packs that come back from a hand-over."""
    return moved(at, "take_back", "SR", *codes, to_zone="QUARANTINE", original=handing[1]["document"], **more)


def refunded(at, sale, *codes, goods="quarantine", quantity=None, receipt="R26-0822-0001"):
    original = sale[1]
    line = original["lines"][0]
    settlement = original["settlement"]
    return "sale.refunded", {
        "document": uuid4(), "receipt": receipt, "original": {"document": original["document"], "receipt": original["receipt"]},
        "at": at, "operator": "刘*", "reason": "顾客退货", "total_fen": 4280,
        "settlement": {"reversed_setl_id": settlement["setl_id"], "new_setl_id": None} if settlement else None,
        "lines": [{
            "line": 1, "original_line": 1, "product": line["product"], "lot": line["lot"],
            "quantity": quantity or line["quantity"], "amount_fen": 4280, "goods": goods, "codes": list(codes),
        }],
    }  # fmt: skip


def alerts_of(owner, code):
    with owner.connect() as connection:
        rows = connection.execute(
            text(
                "select kind, district, stream, number, cleared_at is not null as cleared, facts from alert where code = :c order by id"
            ),
            {"c": code},
        )
        return rows.all()
