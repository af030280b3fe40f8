"""Turns received facts into movements, trace events and alerts, in the transaction that takes them into the inbox."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from app.center.outflow.applying import apply_sales
from app.center.supervision import rules, statements
from central_sync.contract import (
    LotHeld,
    RecallReported,
    RefundedLine,
    SaleRefunded,
    SaleSold,
    SoldLine,
    StockMoved,
    StockReceived,
)
from central_sync.inbox import FactRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from sqlalchemy import Connection

    from central_sync.chain import Fact
    from central_sync.contract import MovedLine, Product
    from central_sync.inbox import Delivery

Row = dict[str, Any]
HANDED = {"dispense": rules.DISPENSED, "take_back": rules.TAKEN_BACK}


class SupervisionHandler:
    """What the inbox calls. Identity checks and closed shifts stay in the stream: no screen of theirs exists yet."""

    def apply(self, connection: Connection, deliveries: Sequence[Delivery]) -> None:
        """Write what the facts of one stream or of many tell of; raise an alert for each pack that was sold twice."""
        batch = Batch()
        for stream, district, facts in deliveries:
            batch.place = {"stream": stream, "district": district}
            for fact, body in facts:
                if batch.claims_any_of(_comes_back_from(body)):
                    _write(connection, batch)  # Sold just before: only what is claimed can be freed.
                    batch = Batch(batch.place)
                batch.add(fact, body)
        if batch.movements or batch.answers:
            _write(connection, batch)

    def orphan(self, connection: Connection, stream: str, district: str, epoch: int, after_number: int) -> None:
        """A restore lost these facts at the facility: keep what they told of, marked, and tell the officers."""
        values = {"stream": stream, "epoch": epoch, "after": after_number}
        for statement in statements.ORPHAN:
            connection.execute(statement, values)
        connection.execute(statements.TELL_OF_REWIND, {**values, "district": district})


handler = SupervisionHandler()


class Batch:
    """The rows that facts become."""

    def __init__(self, place: Row | None = None) -> None:
        self.place: Row = place or {}  # Stream and district of the facts being added.
        self.movements: list[Row] = []
        self.lines: list[Row] = []
        self.events: list[Row] = []
        self.claims: list[Row] = []
        self.returns: list[Row] = []
        self.prescribed: list[Row] = []  # What was sold on out-flow prescriptions.
        self.answers: list[Row] = []  # To recalls of the center, or telling of a facility's own.

    @property
    def codes(self) -> list[str]:
        """The codes of this batch, each once, in order."""
        return sorted({event["code"] for event in self.events})

    def claims_any_of(self, documents: Collection[UUID]) -> bool:
        """Say whether one of these sales or hand-overs is in this batch and claims codes."""
        stream = self.place["stream"]
        return any(claim["stream"] == stream and claim["document"] in documents for claim in self.claims)

    def add(self, fact: Fact, body: Any) -> None:
        """Take one fact's rows. Raises FactRefused when its lines contradict each other."""
        if isinstance(body, StockReceived):
            self._add_received(fact, body)
        elif isinstance(body, StockMoved):
            self._add_moved(fact, body)
        elif isinstance(body, SaleSold):
            self._add_sold(fact, body)
        elif isinstance(body, SaleRefunded):
            self._add_refunded(fact, body)
        elif isinstance(body, (LotHeld, RecallReported)) and body.recall is not None:
            self.answers.append(self.place | _answer(fact, body))

    def _add_received(self, fact: Fact, body: StockReceived) -> None:
        supplier = body.supplier
        told = {"counterpart": supplier.name if supplier else None, "delivery_note": body.delivery_note}
        self.movements.append(self.place | _head(fact, "received", body) | told)
        for place, line in enumerate(body.lines, 1):
            row = _line(fact, place, "received", body, line)
            row |= {
                "produced_on": line.produced_on,
                "zone": line.zone,
                "pack_size": line.pack_size,
                "cost_price": line.cost_price,
            }
            self._add_line(fact, row, line.codes, units=line.pack_size, pack_size=line.pack_size)

    def _add_moved(self, fact: Fact, body: StockMoved) -> None:
        told = {name: getattr(body, name) for name in ("act", "approver", "counterpart", "reason")}
        self.movements.append(self.place | _head(fact, "moved", body) | told)
        for place, line in enumerate(body.lines, 1):
            row = _line(fact, place, "moved", body, line) | {
                name: getattr(line, name)
                for name in ("act", "produced_on", "pack_size", "from_zone", "to_zone", "cost_price")
            }
            self._add_moved_codes(fact, row, line)

    def _add_moved_codes(self, fact: Fact, row: Row, line: MovedLine) -> None:
        """What was handed to a patient is as good as sold; what comes back to the clinic is free again."""
        is_back = line.act == "take_back"
        events = self._add_line(
            fact, row, line.codes, units=line.pack_size, pack_size=line.pack_size, split=line.split, is_back=is_back
        )
        if line.act not in HANDED:
            return
        for event, units in zip(events, _units_of(fact, line), strict=True):
            event |= {"kind": HANDED[line.act], "units": units, "original_document": line.original}
        if is_back:
            self.returns += events
        else:
            self.claims += events

    def _add_sold(self, fact: Fact, body: SaleSold) -> None:
        if sum(line.amount_fen for line in body.lines) != body.total_fen:
            raise FactRefused(fact.number, "明细金额之和与总额不符")
        paid = body.settlement
        head = (
            self.place
            | _head(fact, "sold", body)
            | {"terminal": body.terminal, "paid": body.paid, "total_fen": body.total_fen}
        )
        if paid:
            head |= {
                "setl_id": paid.setl_id, "fund_fen": paid.fund_fen, "account_fen": paid.account_fen,
                "mutual_fen": paid.mutual_fen, "cash_fen": paid.cash_fen,
            }  # fmt: skip
        self.movements.append(head)
        for place, line in enumerate(body.lines, 1):
            row = _line(fact, place, "sold", body, line) | _sold_details(line)
            units = max(1, line.quantity // len(line.codes)) if line.split and line.codes else line.pack_size
            events = self._add_line(fact, row, line.codes, units=units, pack_size=line.pack_size, split=line.split)
            if body.paid == "self":
                self.claims += events
            if line.prescribed:
                self.prescribed.append(self.place | _prescribed(fact, body, line))

    def _add_refunded(self, fact: Fact, body: SaleRefunded) -> None:
        original = {"original_document": body.original.document, "original_receipt": body.original.receipt}
        head = (
            self.place | _head(fact, "refunded", body) | original | {"total_fen": body.total_fen, "reason": body.reason}
        )
        if body.settlement:
            head |= {"reversed_setl_id": body.settlement.reversed_setl_id, "setl_id": body.settlement.new_setl_id}
        self.movements.append(head)
        for place, line in enumerate(body.lines, 1):
            row = _line(fact, place, "refunded", body, line)
            row |= {"amount_fen": line.amount_fen, "original_line": line.original_line, "goods": line.goods}
            units = max(1, line.quantity // max(1, len(line.codes)))
            is_back = line.goods != "kept"
            events = self._add_line(fact, row, line.codes, units=units, pack_size=units, is_back=is_back)
            for event in events:
                event["original_document"] = body.original.document
            if is_back:
                self.returns += events

    def _add_line(  # The pack's units and fate are the caller's to say: they differ by kind.
        self,
        fact: Fact,
        row: Row,
        codes: list[str],
        *,
        units: int,
        pack_size: int,
        split: bool = False,
        is_back: bool = False,
    ) -> list[Row]:
        if len(set(codes)) != len(codes):
            raise FactRefused(fact.number, f"第 {row['line_no']} 行的追溯码有重复")
        self.lines.append(self.place | row | {"code_count": len(codes), "split": split})
        common = self.place | {name: row[name] for name in ("epoch", "number", "line", "kind", "at", "document")}
        shape = {"units": units, "pack_size": pack_size, "split": split, "is_back": is_back}
        events = [common | shape | {"code": code} for code in codes]
        self.events += events
        return events


def _comes_back_from(body: Any) -> Collection[UUID]:
    """The sales or hand-overs that a fact tells goods came back from."""
    if isinstance(body, SaleRefunded):
        return (body.original.document,)
    if isinstance(body, StockMoved):
        return {line.original for line in body.lines if line.original}
    return ()


def _units_of(fact: Fact, line: MovedLine) -> list[int]:
    """How much of each pack of a line went."""
    if line.units and len(line.units) != len(line.codes):
        raise FactRefused(fact.number, f"第 {line.line} 行的追溯码与各盒数量对不上")
    share = max(1, line.quantity // len(line.codes)) if line.split and line.codes else line.pack_size
    return line.units or [share] * len(line.codes)


def _head(fact: Fact, kind: str, body: StockReceived | StockMoved | SaleSold | SaleRefunded) -> Row:
    return {
        "epoch": fact.epoch, "number": fact.number, "kind": kind, "document": body.document,
        "receipt": body.number if isinstance(body, StockMoved) else body.receipt,
        "at": body.at, "operator": body.operator,
    }  # fmt: skip


def _line(
    fact: Fact, place: int, kind: str, body: StockReceived | StockMoved | SaleSold | SaleRefunded, line: Any
) -> Row:
    product: Product = line.product
    return {
        "epoch": fact.epoch, "number": fact.number, "line": place,
        "line_no": line.line, "kind": kind, "at": body.at,
        "document": body.document, "product": product.code, "national": product.national, "barcode": product.barcode,
        "name": product.name, "spec": product.spec, "maker": product.maker, "approval": product.approval, "rx": product.rx,
        "lot": line.lot, "expires_on": None if isinstance(line, RefundedLine) else line.expires_on,
        "quantity": line.quantity,
    }  # fmt: skip


def _prescribed(fact: Fact, body: SaleSold, line: SoldLine) -> Row:
    assert line.prescribed is not None
    return {
        "epoch": fact.epoch, "number": fact.number, "at": body.at, "operator": body.operator, "quantity": line.quantity,
        "prescription": line.prescribed.prescription, "line": line.prescribed.line,
    }  # fmt: skip


def _sold_details(line: SoldLine) -> Row:
    return {
        "pack_size": line.pack_size, "price": line.price, "amount_fen": line.amount_fen, "scanned_at": line.scanned_at,
        "produced_on": line.produced_on,
    }  # fmt: skip


def _answer(fact: Fact, body: LotHeld | RecallReported) -> Row:
    row = {
        "epoch": fact.epoch,
        "number": fact.number,
        "recall_id": body.recall,
        "at": body.at,
        "operator": body.operator,
    }
    if isinstance(body, LotHeld):
        quantity = sum(lot.quantity for lot in body.lots)
        return row | {"kind": body.act, "lots": len(body.lots), "quantity": quantity, "packs": len(body.packs)}
    figures = {name: getattr(body, name) for name in ("held", "sold", "came_back", "returned", "destroyed", "buyers", "reached", "note")}  # fmt: skip
    return row | {"kind": "reported", "lots": 0, "quantity": body.held, "packs": 0, "report": figures}


def _write(connection: Connection, batch: Batch) -> None:
    if batch.answers:
        connection.execute(statements.WRITE_ANSWERS, {"rows": _json(batch.answers)})
    if not batch.movements:
        return
    rows = {"movements": batch.movements, "lines": batch.lines, "codes": batch.codes, "events": batch.events}
    connection.execute(statements.WRITE, {name: _json(each) for name, each in rows.items()})
    if batch.returns:
        connection.execute(statements.RELEASE_CLAIMS, {"rows": _json(batch.returns)})
    if batch.prescribed:
        apply_sales(connection, batch.prescribed)
    if batch.claims:
        connection.execute(statements.CLAIM_CODES, {"rows": _json(batch.claims)})
    judged = sorted({event["code"] for event in batch.events if event["kind"] not in rules.UNJUDGED})
    if judged:
        _judge(connection, judged)


def _judge(connection: Connection, codes: Sequence[str]) -> None:
    """Judge each code by its whole life, so that a late fact may also explain an older alert."""
    lives: dict[str, list[rules.Event]] = defaultdict(list)
    for row in connection.execute(statements.READ_EVENTS, {"codes": _json(codes)}):
        code, *rest = row
        lives[code].append(rules.Event(*rest))
    eventful = [code for code, life in lives.items() if len(life) > 1]
    if not eventful:
        return  # Sold once, as it should be: there is nothing to raise and nothing to explain.
    breaches = _json([_breach_row(code, breach) for code in eventful for breach in rules.judge(lives[code])])
    connection.execute(statements.RAISE_ALERTS, {"rows": breaches})
    connection.execute(statements.CLEAR_ALERTS, {"codes": _json(eventful), "rows": breaches})


def _breach_row(code: str, breach: rules.Breach) -> Row:
    first, second = breach.first, breach.second
    return {
        "kind": breach.kind, "code": code, "first_stream": first.stream, "first_epoch": first.epoch,
        "first_number": first.number, "first_line": first.line, "stream": second.stream, "epoch": second.epoch,
        "number": second.number, "line": second.line,
    }  # fmt: skip


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
