"""What people do at the shelf: take goods in, and open a pack for single units. Everything posts through `post_movements`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, Several
from app.facility.db import hot_action, transaction
from app.facility.stock import events, ledger, queries, rulebook, rules, statements
from app.facility.stock.errors import (
    CodeAlreadyKnown,
    CodesDoNotFit,
    NotEnoughInZone,
    NothingToSplit,
    ReceiptNotTaken,
    SplitNotAllowed,
)
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk

_json = msgspec.json.Encoder(decimal_format="string").encode


@hot_action
def receive_stock(
    desk: Desk, receipt_id: UUID, lines: Sequence[rules.ReceiptLine], supplier: str = "", note: str = ""
) -> str:
    """Take goods in and put them on the shelf (入库, movement PI); returns the receipt's number.

    Lots are found or made, every pack's code gets its life begun, and the center is told in the same transaction. Sending
    the same receipt again returns its number and changes nothing. Raises ReceiptNotTaken (all problems at once),
    CodeAlreadyKnown, DocumentChanged.
    """
    digest = hashlib.sha256(_json([list(lines), supplier, note])).digest()
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_RECEIPT, {**desk.keys, "document": receipt_id}):
            return _same_or_refuse(known[0], digest)
        products = queries.receiving_facts(hot, desk, [line.product_id for line in lines])
        _check(lines, products)
        return _take(hot, desk, receipt_id, digest, list(lines), products, supplier, note)


def _take(
    hot: Hot,
    desk: Desk,
    receipt_id: UUID,
    digest: bytes,
    lines: list[rules.ReceiptLine],
    products: Mapping[int, Any],
    supplier: str,
    note: str,
) -> str:
    at, today = clock.now(), clock.business_date()
    keys = {**desk.keys, "document": receipt_id, "at": at}
    lots = {
        (row.product_id, row.lot_number, row.expires_on): row.id
        for row in hot.run(statements.MAKE_LOTS, {**keys, "lines": as_json(lines)})
    }
    rows = [_row(number, line, lots, products) for number, line in enumerate(lines, 1)]
    codes = [
        {"code": code, "product_id": line.product_id, "lot_id": row["lot_id"], "line_no": row["line_no"], "zone": line.zone,
         "pack_size": products[line.product_id].pack_size, "quantity": products[line.product_id].pack_size}
        for line, row in zip(lines, rows, strict=True) for code in line.codes
    ]  # fmt: skip
    batch: list[tuple[str, dict[str, Any]]] = [(statements.POST, {**keys, "rows": as_json(rows)})]
    if codes:
        batch += [(statements.MAKE_CODES, {**keys, "codes": as_json(codes)})]
    made = hot.run_all(batch)
    if codes:
        _all_new(codes, made[1])
        hot.run(statements.EVENTS, {**keys, "kind": "PI", "codes": as_json(codes)})
    try:
        number: str = hot.run(
            statements.WRITE_RECEIPT,
            {**keys, "today": today, "digest": digest, "supplier": supplier, "note": note, "lines": as_json(rows)},
        )[0].number
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # The same receipt arrived twice at once: start again and find it.
    facts = events.stock_received(
        receipt_id,
        number,
        at,
        desk.operator,
        [_fact_line(line, row, products) for line, row in zip(lines, rows, strict=True)],
    )
    hot.run_last(statements.APPEND, {**keys, "facts": facts})
    return number


@hot_action
def open_pack(desk: Desk, product_id: int, code: str | None = None) -> int:
    """Open one whole pack so that single units can be sold from it (拆零, movement SP); returns the lot opened.

    The pack of the scanned code, else of the lot soonest to expire; a pack with a code keeps its code and what is left in
    it. Raises SplitNotAllowed, NothingToSplit.
    """
    with transaction(settings=desk.settings) as hot:
        keys = {**desk.keys, "product": product_id, "code": code, "today": clock.business_date()}
        pack = hot.run(statements.PACK_TO_OPEN, keys)
        if not pack or not pack[0].split_allowed:
            raise SplitNotAllowed(name=pack[0].name if pack else "")
        found = pack[0]
        if found.lot_id is None:
            raise NothingToSplit(name=found.name)
        _open(hot, desk, found, code)
        return int(found.lot_id)


def _open(hot: Hot, desk: Desk, pack: Any, scanned: str | None) -> None:
    at = clock.now()
    document = uuid5(UUID(int=desk.tenant_id), f"split:{pack.lot_id}:{at.timestamp()}")
    codes = (str(pack.code),) if pack.code else ()
    move = ledger.Move(1, pack.lot_id, pack.pack_size, pack.zone, rulebook.SPLIT, codes)
    try:
        ledger.post(hot, desk, rulebook.ACTS["split"], document, at, [move])
    except (CodesDoNotFit, NotEnoughInZone) as taken:
        if scanned:
            raise
        raise pg.SerializationFailure from taken  # Another till took this very pack: choose again.


def _check(lines: Sequence[rules.ReceiptLine], products: Mapping[int, Any]) -> None:
    known = {key: rules.Product(row.name, row.pack_size, row.trace_required) for key, row in products.items()}
    if problems := rules.problems_of(lines, known, clock.business_date()):
        raise ReceiptNotTaken(problems=Several(problems[:20], between=" "))


def _row(number: int, line: rules.ReceiptLine, lots: Mapping[Any, int], products: Mapping[int, Any]) -> dict[str, Any]:
    return {
        "line_no": number,
        "lot_id": lots[line.product_id, line.lot_number, line.expires_on],
        "zone": line.zone,
        "kind": "PI",
        "quantity": line.packs * products[line.product_id].pack_size,
        "cost_price": line.cost_price,
        "code_count": len(line.codes),
    }


def _fact_line(line: rules.ReceiptLine, row: Mapping[str, Any], products: Mapping[int, Any]) -> dict[str, Any]:
    product = products[line.product_id]
    return {
        "line": row["line_no"],
        "product": events.product_of(product._asdict()),
        "lot": line.lot_number,
        "produced_on": line.produced_on,
        "expires_on": line.expires_on,
        "quantity": row["quantity"],
        "pack_size": product.pack_size,
        "zone": line.zone,
        "cost_price": None if line.cost_price is None else f"{line.cost_price:.6f}",
        "codes": list(line.codes),
    }


def _all_new(codes: Sequence[Mapping[str, Any]], made: Sequence[Any]) -> None:
    new = {row.code for row in made}
    if known := sorted(row["code"] for row in codes if row["code"] not in new):
        raise CodeAlreadyKnown(codes="、".join(known[:5]))


def _same_or_refuse(known: Any, digest: bytes) -> str:
    if bytes(known.digest) != digest:
        raise DocumentChanged
    return str(known.number)
