"""What is being scanned and not yet sent or received: kept on the server with every scan, so that no crash of a browser loses it.

A draft's content: {"to": facility, "note": text, "lines": [{"lot", "zone", "to_zone", "quantity", "codes"}]} before sending and
for moves; {"lines": {line number: {"quantity", "zone", "reason", "codes"}}} while receiving. Quantities count base units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core import clock
from app.core.errors import words
from app.facility.db import hot_action, transaction
from app.facility.stock.ledger import as_json
from app.facility.stock.rulebook import STATE_WORDS
from app.facility.stock.transfers import queries, rules, statements
from app.facility.stock.transfers.errors import CodeNotOnTheWay, DraftGone, NotWithThisTransfer, ScanNotTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk

Content = dict[str, Any]
MOVABLE = ("SALEABLE", "COLD", "CONTROLLED", "RECEIVING")
TAKES = {"send": rules.LEAVES, "move": MOVABLE}


def empty(kind: str) -> Content:
    """A draft in which nothing was scanned yet."""
    return {"lines": {}, "note": ""} if kind == "receive" else {"to": None, "note": "", "lines": []}


@hot_action
def change(desk: Desk, draft_id: UUID, kind: str, edit: Callable[[Content], None]) -> Content:
    """Change a draft under its lock; the first change makes it. Raises DraftGone, what `edit` refuses."""
    keys = {**desk.keys, "document": draft_id, "kind": kind, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        content = _locked(hot, desk, keys, kind)
        edit(content)
        if not hot.run_last(statements.SAVE_DRAFT, {**keys, "content": as_json(content)}):
            raise DraftGone
    return content


def _locked(hot: Hot, desk: Desk, keys: Mapping[str, Any], kind: str) -> Content:
    rows = hot.run(statements.LOCK_DRAFT, keys)
    if rows and (rows[0].state != "open" or rows[0].facility_id != desk.facility_id):
        raise DraftGone
    return dict(rows[0].content) if rows else empty(kind)


@hot_action
def drop(desk: Desk, draft_id: UUID, kind: str) -> None:
    """Throw a draft away. Raises DraftGone when there is no open one."""
    keys = {**desk.keys, "document": draft_id, "kind": kind, "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run_last(statements.DROP_DRAFT, keys):
            raise DraftGone


# ---- before sending, and moves ----


def enter(desk: Desk, draft_id: UUID, kind: str, text: str) -> list[Any]:
    """Take a scan or a typed entry into a draft: a trace code, or `#lot:zone` out of the list.

    Returns lots to choose from when a text fits several, else an empty list: then the draft has it. Raises ScanNotTaken.
    """
    plain = text.strip()[:100]
    if plain.startswith("#"):
        lot, _sep, zone = plain[1:].partition(":")
        _add(desk, draft_id, kind, _id(lot), zone)
        return []
    if pack := queries.find_pack(desk.facility_id, plain):
        _add_pack(desk, draft_id, kind, pack)
        return []
    found = queries.find_places(desk.facility_id, plain, TAKES[kind])
    if not found:
        raise ScanNotTaken(
            why=words("本店可动的库存里没有「{text}」。可换品名中的字、拼音首字母、条码或批号再试", text=plain[:40])
        )
    if len(found) == 1:
        _add(desk, draft_id, kind, found[0].lot_id, found[0].zone)
        return []
    return found


def _add(desk: Desk, draft_id: UUID, kind: str, lot_id: int, zone: str) -> None:
    place = queries.lots_on_shelf(desk.facility_id, [lot_id]).get((lot_id, zone))
    if place is None or zone not in TAKES[kind]:
        raise ScanNotTaken(why=words("本店没有这个批号，或这个库区的货不能动"))

    def edit(content: Content) -> None:
        line = _line(content, lot_id, zone)
        if not place.codes:
            step = 1 if zone == "SPLIT" else place.pack_size
            line["quantity"] = min(line["quantity"] + step, max(place.free, step))

    change(desk, draft_id, kind, edit)


def _add_pack(desk: Desk, draft_id: UUID, kind: str, pack: Any) -> None:
    if pack.state not in ("IN_STOCK", "SPLIT_OPEN", "FROZEN") or pack.zone not in TAKES[kind] or pack.reserved:
        raise ScanNotTaken(
            why=words(
                "追溯码 …{tail}（{name}）现在是「{state}」，不能动",
                tail=pack.code[-6:],
                name=pack.generic_name,
                state=words(STATE_WORDS[pack.state]),
            )
        )

    def edit(content: Content) -> None:
        if any(pack.code in line["codes"] for line in content["lines"]):
            raise ScanNotTaken(why=words("追溯码 …{tail} 已经扫过了", tail=pack.code[-6:]))
        line = _line(content, pack.lot_id, pack.zone)
        line["codes"].append(pack.code)
        line["quantity"] += int(pack.remaining)

    change(desk, draft_id, kind, edit)


def _line(content: Content, lot_id: int, zone: str) -> dict[str, Any]:
    """The draft's line of this lot and zone, the last one scanned on top."""
    known = next((line for line in content["lines"] if (line["lot"], line["zone"]) == (lot_id, zone)), None)
    if known is None:
        if len(content["lines"]) >= rules.MOST_LINES:
            raise ScanNotTaken(why=words("一张单最多 {most} 行，请分成几张", most=rules.MOST_LINES))
        known = {"lot": lot_id, "zone": zone, "quantity": 0, "codes": []}
    content["lines"] = [known, *(line for line in content["lines"] if line is not known)]
    return known


def remove(desk: Desk, draft_id: UUID, kind: str, lot_id: int, zone: str) -> None:
    """Take a line out of a draft."""

    def edit(content: Content) -> None:
        content["lines"] = [line for line in content["lines"] if (line["lot"], line["zone"]) != (lot_id, zone)]

    change(desk, draft_id, kind, edit)


def write(
    desk: Desk, draft_id: UUID, kind: str, to: int | None, note: str, quantities: Mapping[tuple[int, str], int]
) -> Content:
    """Keep what was typed: where to, the note, and the quantities of lines whose packs carry no codes."""

    def edit(content: Content) -> None:
        content["to"], content["note"] = to, note[: rules.MOST_NOTE]
        for line in content["lines"]:
            line["quantity"] = quantities.get((line["lot"], line["zone"]), line["quantity"])

    return change(desk, draft_id, kind, edit)


# ---- while receiving ----


def arrive(desk: Desk, transfer_id: UUID, text: str, number: str, lines: list[Any]) -> None:
    """Take a scan at the receiving end: a code of this transfer, or a barcode of a product that came without codes.

    Raises NotWithThisTransfer, CodeNotOnTheWay, ScanNotTaken.
    """
    plain = text.strip()[:100]
    coded = next((line for line in lines if plain in line.codes), None)
    if coded is not None:
        _arrive_code(desk, transfer_id, coded, plain)
        return
    loose = next(
        (
            line
            for line in lines
            if plain in {line.barcode, line.lot_number, f"#{line.line_no}"} and line.in_codes < line.quantity
        ),
        None,
    )
    if loose is None:
        if len(plain) == 20 and plain.isdigit():
            raise NotWithThisTransfer(codes=plain, number=number)
        raise ScanNotTaken(why=words("「{text}」不在这张调拨单上；有追溯码的请扫追溯码", text=plain[:40]))

    def edit(content: Content) -> None:
        told = _told(content, loose)
        step = loose.pack_size if loose.from_zone != "SPLIT" else 1
        told["quantity"] = min(told["quantity"] + step, loose.quantity)

    change(desk, transfer_id, "receive", edit)


def _arrive_code(desk: Desk, transfer_id: UUID, line: Any, code: str) -> None:
    if line.codes[code]["state"] != "sent":
        raise CodeNotOnTheWay(tail=code[-6:])

    def edit(content: Content) -> None:
        told = _told(content, line)
        if code in told["codes"]:
            raise ScanNotTaken(why=words("追溯码 …{tail} 已经扫过了", tail=code[-6:]))
        told["codes"].append(code)
        told["quantity"] = min(told["quantity"] + int(line.codes[code]["quantity"]), line.quantity)

    change(desk, transfer_id, "receive", edit)


def _told(content: Content, line: Any) -> dict[str, Any]:
    told: dict[str, Any] = content["lines"].setdefault(
        str(line.line_no), {"quantity": 0, "zone": "", "reason": "", "codes": []}
    )
    return told


def write_arrival(desk: Desk, transfer_id: UUID, note: str, typed: Mapping[int, Mapping[str, Any]]) -> Content:
    """Keep what was typed while receiving: quantities without codes, zones, reasons."""

    def edit(content: Content) -> None:
        content["note"] = note[: rules.MOST_NOTE]
        for line_no, values in typed.items():
            told = content["lines"].setdefault(str(line_no), {"quantity": 0, "zone": "", "reason": "", "codes": []})
            told.update(values)

    return change(desk, transfer_id, "receive", edit)


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
