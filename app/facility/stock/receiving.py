"""How goods come into the house: lots found or made, ledger, codes and paper written together (入库).

`take_in` is what every receipt shares; the purchase with its supplier stands in the room of purchasing, the opening balance
(期初) here. Whoever calls sends the fact last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, Several, words
from app.facility.db import hot_action, transaction
from app.facility.stock import events, queries, recalled, rules, statements
from app.facility.stock.errors import CodeAlreadyKnown, NotAnOpening, ReceiptNotTaken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

_json = msgspec.json.Encoder(decimal_format="string").encode
KINDS = {"purchase": "PI", "opening": "AD"}


@dataclass(frozen=True, slots=True)
class Paper:
    """What a receipt says beside its lines. `licence` is the supplier's business licence, for the center."""

    kind: str = "purchase"
    supplier_id: int | None = None
    supplier: str = ""
    licence: str = ""
    note: str = ""
    delivery_id: UUID | None = None
    note_number: str = ""
    invoice: str = ""
    second_id: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A receipt that was written: its number, the lot of each line, and the fact that is still to be sent."""

    number: str
    lots: tuple[int, ...]
    facts: str


@hot_action
def open_stock(desk: Desk, receipt_id: UUID, lines: Sequence[rules.ReceiptLine], note: str = "") -> str:
    """Take in what lay on the shelf before the first day with Sunmed (期初入库, movement AD); returns the receipt's number.

    Once a product: as soon as it has moved, only a purchase or a count brings more. Sending the same receipt again returns
    its number. Raises NotAnOpening, ReceiptNotTaken (all problems at once), CodeAlreadyKnown, DocumentChanged.
    """
    paper = Paper("opening", note=note)
    digest = digest_of(lines, paper)
    with transaction(settings=desk.settings) as hot:
        if number := known_number(hot, desk, receipt_id, digest):
            return number
        products = queries.receiving_facts(hot, desk, [line.product_id for line in lines])
        taken = take_in(hot, desk, receipt_id, digest, lines, paper, products)
        hot.run_last(statements.APPEND, {**desk.keys, "facts": taken.facts})
        return taken.number


def digest_of(lines: Sequence[rules.ReceiptLine], paper: Paper) -> bytes:
    """What a receipt says, in short: the same id with another digest is refused."""
    return hashlib.sha256(_json([list(lines), paper])).digest()


def known_number(hot: Hot, desk: Desk, receipt_id: UUID, digest: bytes) -> str:
    """The number of a receipt that was taken before; empty when it is new. Raises DocumentChanged."""
    known = hot.run(statements.KNOWN_RECEIPT, {**desk.keys, "document": receipt_id})
    if known and bytes(known[0].digest) != digest:
        raise DocumentChanged
    return str(known[0].number) if known else ""


def take_in(
    hot: Hot,
    desk: Desk,
    receipt_id: UUID,
    digest: bytes,
    lines: Sequence[rules.ReceiptLine],
    paper: Paper,
    products: Mapping[int, Any],
) -> Taken:
    """Write a whole receipt: lots, ledger, codes, paper; the number from the head. The fact is left to the caller, to be last.

    Raises ReceiptNotTaken (all problems at once), CodeAlreadyKnown.
    """
    _check(lines, products, paper)
    at = clock.now()
    keys: dict[str, Any] = {**desk.keys, "document": receipt_id, "at": at, "today": clock.business_date()}
    given = [code for line in lines for code in line.codes]
    found = hot.run(statements.MAKE_LOTS, {**keys, "lines": _text(lines), "given": given})
    packs = recalled.packs_of(found[0].recalled_packs)
    lots = {(row.product_id, row.lot_number, row.expires_on): row for row in found}
    _check_lots(lines, lots, products, {pack.code: pack.number for pack in packs})
    if paper.kind == "opening":
        _check_opening(hot, desk, lines, found)
    rows = [_row(number, line, lots, products, paper) for number, line in enumerate(lines, 1)]
    codes = [code for line, row in zip(lines, rows, strict=True) for code in _codes(line, row, products)]
    number = _write(hot, {**keys, "digest": digest, **_columns(paper)}, paper, rows, codes)
    told = [_fact_line(line, row, products) for line, row in zip(lines, rows, strict=True)]
    held = recalled.facts(hot, desk, at, [row.id for row in found if row.hold == "recalled"], packs)
    facts = events.stock_received(receipt_id, number, at, desk.operator, told, **_story(paper), then=held)
    return Taken(number, tuple(row["lot_id"] for row in rows), facts)


def _write(hot: Hot, keys: Mapping[str, Any], paper: Paper, rows: list[Any], codes: list[Any]) -> str:
    batch: list[tuple[str, Mapping[str, Any]]] = [(statements.POST, {**keys, "rows": _text(rows)})]
    if codes:
        batch.append((statements.BEGIN_CODES, {**keys, "kind": KINDS[paper.kind], "codes": _text(codes)}))
    batch.append((statements.WRITE_RECEIPT, {**keys, "lines": _text(rows)}))
    try:
        answers = hot.run_all(batch)
    except pg.UniqueViolation as twin:
        raise pg.SerializationFailure from twin  # The same receipt arrived twice at once: start again and find it.
    if codes and (known := sorted(row.code for row in answers[1])):
        raise CodeAlreadyKnown(codes="、".join(known[:5]))
    return str(answers[-1][0].number)


def _check(lines: Sequence[rules.ReceiptLine], products: Mapping[int, Any], paper: Paper) -> None:
    known = {
        key: rules.Product(row.name, row.pack_size, row.trace_required, row.storage) for key, row in products.items()
    }
    if problems := rules.problems_of(lines, known, clock.business_date(), opening=paper.kind == "opening"):
        raise ReceiptNotTaken(problems=Several(problems[:20], between=" "))


def _check_lots(
    lines: Sequence[rules.ReceiptLine], lots: Mapping[Any, Any], products: Mapping[int, Any], named: Mapping[str, str]
) -> None:
    """A lot that is held, or a pack that a recall names, comes in only to be set aside; whole packs of one lot lie in one zone."""
    problems = []
    for number, line in enumerate(lines, 1):
        lot = lots[line.product_id, line.lot_number, line.expires_on]
        facts = {"n": number, "name": products[line.product_id].name, "lot": line.lot_number}
        if lot.hold and line.zone in rules.SELLABLE_ZONES:
            problems.append(words("第 {n} 行：{name} {lot} 已锁定或召回，请放进待处理区，或拒收。", **facts))
        elif line.zone in rules.SELLABLE_ZONES and (packs := [code for code in line.codes if code in named]):
            said = {"codes": "、".join(packs[:5]), "number": named[packs[0]]}
            problems.append(
                words(
                    "第 {n} 行：{name} 的 {codes} 正在召回（{number}），请分一行放进待处理区，或拒收。", **facts, **said
                )
            )
        elif lot.home and line.zone in rules.SELLABLE_ZONES and lot.home != line.zone:
            problems.append(words("第 {n} 行：{name} {lot} 已有货在另一个库区，同一批号请放在一起。", **facts))
    if problems:
        raise ReceiptNotTaken(problems=Several(problems[:20], between=" "))


def _check_opening(hot: Hot, desk: Desk, lines: Sequence[rules.ReceiptLine], found: Sequence[Any]) -> None:
    keys = {**desk.keys, "ids": sorted({line.product_id for line in lines}), "lots": [row.id for row in found]}
    if moved := hot.run(statements.MOVED, keys):
        raise NotAnOpening(names=Several([row.name for row in moved[:5]]), n=len(moved))


def _row(
    number: int, line: rules.ReceiptLine, lots: Mapping[Any, Any], products: Mapping[int, Any], paper: Paper
) -> dict[str, Any]:
    return {
        "line_no": number,
        "lot_id": lots[line.product_id, line.lot_number, line.expires_on].id,
        "zone": line.zone,
        "kind": KINDS[paper.kind],
        "quantity": line.packs * products[line.product_id].pack_size,
        "cost_price": line.cost_price,
        "code_count": len(line.codes),
    }


def _codes(line: rules.ReceiptLine, row: Mapping[str, Any], products: Mapping[int, Any]) -> list[dict[str, Any]]:
    size = products[line.product_id].pack_size
    shared = {"product_id": line.product_id, "lot_id": row["lot_id"], "line_no": row["line_no"]}
    return [{**shared, "code": code, "pack_size": size, "zone": line.zone} for code in line.codes]


def _columns(paper: Paper) -> dict[str, Any]:
    return {
        "receipt_kind": paper.kind, "supplier_id": paper.supplier_id, "supplier": paper.supplier, "note": paper.note,
        "delivery": paper.delivery_id, "note_number": paper.note_number, "invoice": paper.invoice, "second": paper.second_id,
    }  # fmt: skip


def _story(paper: Paper) -> dict[str, Any]:
    supplier = {"name": paper.supplier, "licence": paper.licence} if paper.supplier else None
    return {"supplier": supplier, "delivery_note": paper.note_number or None, "invoice": paper.invoice or None}


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


def _text(value: object) -> str:
    return _json(value).decode()
