"""What may be sent, what may arrive, and how a difference may be settled. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.core.errors import words
from app.facility.stock.rulebook import SELLING, SPLIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

MOST_LINES = 200
MOST_CODES = 5_000
MOST_NOTE = 200
LEAVES = (*SELLING, SPLIT)
REASONS = {"missing": "未到", "broken": "破损拒收", "wrong": "货不对", "refused": "拒收"}
OUTCOMES = {"found": "后来找到，收入本店", "back": "退回发货方", "lost": "确认丢失"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One line to be sent: so many base units of a lot out of a zone, with the codes scanned."""

    lot_id: int
    zone: str
    quantity: int
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """What arrived of one line. `zone` is where it is put; `reason` says why something is missing."""

    line_no: int
    quantity: int
    zone: str = ""
    codes: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """What a line sent, and what its lot is like at the receiver."""

    line_no: int
    name: str
    lot_number: str
    pack_size: int
    base_unit: str
    quantity: int
    in_codes: int
    from_zone: str
    expires_on: date
    hold: str | None
    codes: Mapping[str, int]


def problems_of_sending(lines: Sequence[Sent], packs: Mapping[int, int]) -> list[str]:
    """Say what keeps a transfer from being sent; empty when nothing does. `packs` is the pack size of each lot."""
    found = []
    if not lines:
        found.append(words("还没有明细。请扫药盒上的条码或追溯码。"))
    if len(lines) > MOST_LINES:
        found.append(words("一张调拨单最多 {most} 行，请分成几张。", most=MOST_LINES))
    if sum(len(line.codes) for line in lines) > MOST_CODES:
        found.append(words("一张调拨单最多 {most} 个追溯码，请分成几张。", most=MOST_CODES))
    if len({(line.lot_id, line.zone) for line in lines}) < len(lines):
        found.append(words("同一批号写了两行，请合成一行。"))
    return found + [text for number, line in enumerate(lines, 1) for text in _sending(number, line, packs)]


def _sending(number: int, line: Sent, packs: Mapping[int, int]) -> Iterable[str]:
    size = packs.get(line.lot_id)
    if size is None or line.zone not in LEAVES:
        yield words("第 {n} 行：本店没有这个批号，或这个库区的货不能调拨。", n=number)
    elif line.quantity < 1 or line.quantity > 10**12:
        yield words("第 {n} 行：数量没有填对，请填大于 0 的整数。", n=number)
    elif line.zone != SPLIT and line.quantity % size:
        yield words("第 {n} 行：整盒的货要按盒调拨。", n=number)


def problems_of_arrival(arrived: Mapping[int, Arrived], lines: Sequence[OnTheWay], today: date) -> list[str]:
    """Say what keeps a transfer from being received as told; empty when nothing does."""
    return [text for line in lines for text in _arriving(arrived.get(line.line_no), line, today)]


def _arriving(told: Arrived | None, line: OnTheWay, today: date) -> Iterable[str]:
    name = {"name": line.name, "lot": line.lot_number}
    if told is None:
        yield words("{name} {lot}：没有说明到了多少。", **name)
        return
    if not 0 <= told.quantity <= line.quantity:
        yield words("{name} {lot}：到货不能多于发出。多出的请放在一边，由发货方另开调拨单。", **name)
        return
    scanned = sum(line.codes.get(code, 0) for code in told.codes)
    if not 0 <= told.quantity - scanned <= line.quantity - line.in_codes:
        yield words("{name} {lot}：有追溯码的要逐盒扫码，现在扫了 {n} 个。", n=len(told.codes), **name)
    if line.from_zone != SPLIT and told.quantity % line.pack_size:
        yield words("{name} {lot}：整盒的货要按盒收。", **name)
    if told.quantity < line.quantity and told.reason not in REASONS:
        yield words("{name} {lot}：少了，请选原因。", **name)
    if told.quantity and told.zone not in zones_to_arrive(line.from_zone, line.hold, expired=line.expires_on < today):
        yield words(
            "{name} {lot}：不能放进这个库区。锁定、召回、过期的只能进待处理区，拆零的只能进拆零区或待处理区。", **name
        )


def zones_to_arrive(from_zone: str, hold: str | None, *, expired: bool) -> tuple[str, ...]:
    """Where goods from this zone may be put at the receiver, the likeliest first."""
    if hold or expired:
        return ("QUARANTINE",)
    if from_zone == SPLIT:
        return (SPLIT, "QUARANTINE")
    return (from_zone, *(zone for zone in SELLING if zone != from_zone), "QUARANTINE")


def strange_codes(arrived: Iterable[Arrived], lines: Sequence[OnTheWay]) -> list[str]:
    """Codes that were scanned and not sent with this transfer, or scanned into another line than they were sent in."""
    known = {line.line_no: line.codes for line in lines}
    return sorted(code for told in arrived for code in told.codes if code not in known.get(told.line_no, {}))
