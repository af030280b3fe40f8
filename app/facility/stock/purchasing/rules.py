"""What to order, where goods are put away, and what keeps a delivery from being accepted. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.errors import words
from app.facility.stock import typed
from app.facility.stock.rules import MOST_CODES_PER_LINE, ReceiptLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

VELOCITY_DAYS = 30
LEAD_DAYS = 7  # Supply for fewer days than this is running low.
COVER_DAYS = 30  # Where no upper limit is set, order for this many days.
MOST_LINES = 200
MOST_PACKS = 100_000
ORDER_STATES = {
    "draft": "草稿",
    "placed": "已下单",
    "partly": "部分到货",
    "received": "已到齐",
    "cancelled": "已取消",
}
COLD_STORAGE = ("COLD", "FROZEN")
TRANSPORTS = {"truck": "冷藏车", "box": "保温箱", "incubator": "冷藏箱", "other": "其他"}
COLDEST, WARMEST = Decimal(2), Decimal(8)
MOST_MINUTES = 7 * 24 * 60
# Special drugs lie behind two locks, and two people accept them (GSP article 106; narcotics rules).
CONTROLLED_CLASSES = ("NARCOTIC", "PSYCHOTROPIC_1", "PSYCHOTROPIC_2", "TOXIC")
PUT_AWAY = ("SALEABLE", "COLD", "CONTROLLED", "QUARANTINE", "RECEIVING")
REASONS = ("破损", "批号或效期不符", "近效期", "数量不符", "温度超限", "包装或标签不符", "无随货同行单", "其他")


class OrderLine(msgspec.Struct, frozen=True):
    """One product of an order: packs, and the price a pack agreed with the supplier."""

    product: int
    packs: int
    price: Decimal | None = None


class Row(msgspec.Struct):
    """One lot as it was typed while the van was unpacked. Texts as typed; they are read when the delivery is accepted."""

    product: int
    name: str = ""
    lot: str = ""
    produced_on: str = ""
    expires_on: str = ""
    arrived: str = ""
    rejected: str = ""
    reason: str = ""
    kept: bool = False
    cost: str = ""
    zone: str = ""
    approval: str = ""
    maker: str = ""
    origin: str = ""
    noted: str = ""
    codes: list[str] = []


class Draft(msgspec.Struct):
    """A delivery as it stands on the screen."""

    rows: list[Row] = []
    note_number: str = ""
    invoice: str = ""
    note: str = ""
    arrived_at: str = ""
    transport: str = ""
    temperature_out: str = ""
    temperature_in: str = ""
    minutes: str = ""


@dataclass(frozen=True)
class Goods:
    """What acceptance must know of a product."""

    name: str
    pack_size: int
    storage: str
    special_class: str | None
    rx: str
    approval: str
    maker: str
    trace_required: bool = False

    @property
    def home(self) -> str:
        """Where it is put away when it is accepted."""
        if self.special_class in CONTROLLED_CLASSES:
            return "CONTROLLED"
        return "COLD" if self.storage in COLD_STORAGE else "SALEABLE"


@dataclass(frozen=True)
class Lot:
    """One line of an acceptance, read."""

    product_id: int
    lot_number: str
    produced_on: date | None
    expires_on: date
    arrived: int
    accepted: int
    rejected: int
    reason: str
    kept: bool
    zone: str
    cost_price: Decimal | None
    approval: str
    maker: str
    origin: str
    codes: tuple[str, ...]


def proposed_packs(have: int, least: int | None, most: int | None, sold: int, pack_size: int) -> int:
    """Say how many packs to order: up to the upper limit, else for thirty days as they were sold. All in base units.

    `have` counts what is free and what is on order; nothing is proposed while it lasts.
    """
    low = max(least or 0, -(-sold * LEAD_DAYS // VELOCITY_DAYS))
    if have >= low:
        return 0
    target = most if most is not None else max(-(-sold * COVER_DAYS // VELOCITY_DAYS), least or 0)
    return max(-(-(target - have) // pack_size), 0)


def days_of_supply(have: int, sold: int) -> int | None:
    """How many days the stock lasts at the pace of the last thirty days; None when nothing was sold."""
    return have * VELOCITY_DAYS // sold if sold > 0 else None


def order_problems(lines: Sequence[OrderLine], names: Mapping[int, str]) -> list[str]:
    """Say what keeps an order from being placed."""
    found: list[str] = [] if lines else [words("还没有明细，请先加药品。")]
    if len(lines) > MOST_LINES:
        found.append(words("一张采购单最多 {n} 行，请分成几张。", n=MOST_LINES))
    if len({line.product for line in lines}) < len(lines):
        found.append(words("同一药品有两行，请合并。"))
    for number, line in enumerate(lines, 1):
        name = names.get(line.product)
        if name is None:
            found.append(words("第 {n} 行的药品不在目录里或已停用。", n=number))
        elif not 0 < line.packs <= MOST_PACKS:
            found.append(words("{name} 的数量要在 1 到 {most} 之间。", name=name, most=MOST_PACKS))
    return found


# ---- acceptance ----------------------------------------------------------------------------------------------------


def read(draft: Draft, goods: Mapping[int, Goods]) -> tuple[list[Lot], list[str]]:
    """Read a draft as it would be accepted: the lots, and everything that keeps it from being accepted."""
    lots: list[Lot] = []
    problems: list[str] = []
    for number, row in enumerate(draft.rows, 1):
        about = goods.get(row.product)
        if about is None:
            problems.append(words("第 {n} 行：药品不在目录里或已停用。", n=number))
            continue
        found = list(_row_problems(row, about))
        problems += [words("第 {n} 行：{text}", n=number, text=text) for text in found]
        if not found:
            lots.append(_lot(row, about))
    if not draft.rows:
        problems.append(words("还没有明细。请扫药盒条码，或从采购单、文件带入。"))
    if any(goods[row.product].storage in COLD_STORAGE for row in draft.rows if row.product in goods):
        problems += list(_cold_problems(draft))
        if is_warm(draft) and any(_goes_cold(row, goods[row.product]) for row in draft.rows if row.product in goods):
            problems.append(words("途中温度超出 2–8 ℃：冷链药品不能直接上架，请放待处理区由质量负责人决定，或拒收。"))
    if not draft.note_number.strip():
        problems.append(words("没有填随货同行单号。"))
    if not draft.note.strip():
        problems += _codeless(draft, goods)
    return lots, problems


def _codeless(draft: Draft, goods: Mapping[int, Goods]) -> Iterator[str]:
    """Traced drugs of which not one code was scanned (应扫尽扫): without a word of why they do not go onto the shelf."""
    for row in draft.rows:
        about = goods.get(row.product)
        taken = (typed.whole(row.arrived) or 0) > (typed.whole(row.rejected or "0") or 0)
        if about and about.trace_required and taken and not row.codes:
            yield words("{name} 一个追溯码也没有扫。请扫码；确实没有码的，在备注里写明原因。", name=about.name)


def _row_problems(row: Row, about: Goods) -> Iterator[str]:
    arrived, rejected = typed.whole(row.arrived), typed.whole(row.rejected or "0")
    if not arrived or arrived > MOST_PACKS or rejected is None or rejected > arrived:
        yield words("{name} 的到货数量和拒收数量请填整数，拒收不超过到货。", name=about.name)
        return
    if rejected and not row.reason.strip():
        yield words("{name} 拒收 {n} 件，请写明原因。", name=about.name, n=rejected)
    if not typed.plain(row.lot):
        yield words("{name} 没有填批号。", name=about.name)
    if typed.day(row.expires_on) is None:
        yield words("{name} 的效期请写成 2027-05-31 或 202705。", name=about.name)
    if row.produced_on.strip() and typed.day(row.produced_on) is None:
        yield words("{name} 的生产日期请写成 2025-05-31 或 202505。", name=about.name)
    if row.cost.strip() and typed.price(row.cost) is None:
        yield words("{name} 的进价不对，请写每盒多少元。", name=about.name)
    if about.rx == "HERB" and not row.origin.strip():
        yield words("{name} 是中药饮片，请填产地。", name=about.name)
    yield from _zone_problems(row, about, arrived - rejected)


def _zone_problems(row: Row, about: Goods, accepted: int) -> Iterator[str]:
    zone = row.zone or about.home
    if zone not in PUT_AWAY:
        yield words("{name} 不能放进这个库区。", name=about.name)
    elif accepted and about.home == "COLD" and zone not in ("COLD", "QUARANTINE"):
        yield words("{name} 须冷藏，请放冷藏区；温度有疑问的放待处理区。", name=about.name)
    elif accepted and about.home == "CONTROLLED" and zone not in ("CONTROLLED", "QUARANTINE"):
        yield words("{name} 属特殊管理药品，须放专柜。", name=about.name)
    if len(row.codes) > MOST_CODES_PER_LINE:
        yield words("{name} 的追溯码太多，请分成几行。", name=about.name)


def _cold_problems(draft: Draft) -> Iterator[str]:
    if draft.transport not in TRANSPORTS:
        yield words("有冷链药品：请选运输方式。")
    if typed.whole(draft.minutes) is None or int(typed.whole(draft.minutes) or 0) > MOST_MINUTES:
        yield words("有冷链药品：请填在途多少分钟。")
    if temperature(draft.temperature_out) is None or temperature(draft.temperature_in) is None:
        yield words("有冷链药品：请填启运和到货时的温度（℃）。")


def _goes_cold(row: Row, about: Goods) -> bool:
    return (
        about.home == "COLD"
        and (row.zone or "COLD") == "COLD"
        and typed.plain(row.rejected) != typed.plain(row.arrived)
    )


def temperature(text: str) -> Decimal | None:
    """Degrees Celsius with one place, as a thermometer shows them; None when it is none."""
    bare = typed.plain(text).rstrip("℃°C")
    sign = -1 if bare.startswith("-") else 1
    found = typed.price(bare.lstrip("-"))
    return None if found is None or found > 60 or found != round(found, 1) else sign * found


def is_warm(draft: Draft) -> bool:
    """Say whether the journey of cold goods left 2 to 8 degrees."""
    readings = [temperature(draft.temperature_out), temperature(draft.temperature_in)]
    return any(reading is not None and not COLDEST <= reading <= WARMEST for reading in readings)


def _lot(row: Row, about: Goods) -> Lot:
    arrived, rejected = typed.whole(row.arrived) or 0, typed.whole(row.rejected or "0") or 0
    expires_on = typed.day(row.expires_on)
    assert expires_on is not None
    return Lot(
        row.product, typed.plain(row.lot), typed.day(row.produced_on), expires_on, arrived, arrived - rejected, rejected,
        row.reason.strip()[:200], row.kept and rejected > 0, row.zone or about.home, typed.price(row.cost) if row.cost.strip() else None,
        (row.approval.strip() or about.approval)[:100], (row.maker.strip() or about.maker)[:300], row.origin.strip()[:100], tuple(row.codes),
    )  # fmt: skip


def receipt_lines(lots: Iterable[Lot]) -> list[ReceiptLine]:
    """What goes into the house: accepted packs into their zone; rejected packs that stay here into the reject zone, without codes."""
    lines = []
    for lot in lots:
        shared: dict[str, Any] = {
            "product_id": lot.product_id, "lot_number": lot.lot_number, "expires_on": lot.expires_on, "produced_on": lot.produced_on,
            "cost_price": lot.cost_price,
        }  # fmt: skip
        if lot.accepted:
            lines.append(ReceiptLine(packs=lot.accepted, zone=lot.zone, codes=lot.codes, **shared))
        if lot.kept:
            lines.append(ReceiptLine(packs=lot.rejected, zone="REJECT", **shared))
    return lines


def needs_second(lots: Iterable[Lot], goods: Mapping[int, Goods]) -> bool:
    """Say whether a second inspector must confirm: special drugs are accepted by two."""
    return any(goods[lot.product_id].special_class in CONTROLLED_CLASSES for lot in lots)


@dataclass(frozen=True)
class Difference:
    """A product of which something else came than was ordered or noted, in packs; None: not named there."""

    product_id: int
    name: str
    ordered: int | None
    noted: int | None
    arrived: int
    accepted: int


def differences(
    lots: Sequence[Lot], noted: Mapping[int, int], ordered: Mapping[int, int], names: Mapping[int, str]
) -> list[Difference]:
    """Hold what arrived against the order and the note, product by product; only what differs or was rejected."""
    found = []
    for product_id in dict.fromkeys([*(lot.product_id for lot in lots), *ordered, *noted]):
        mine = [lot for lot in lots if lot.product_id == product_id]
        arrived, accepted = sum(lot.arrived for lot in mine), sum(lot.accepted for lot in mine)
        line = Difference(
            product_id, names.get(product_id, ""), ordered.get(product_id), noted.get(product_id), arrived, accepted
        )
        against = [count for count in (line.ordered, line.noted) if count is not None]
        unasked = bool(ordered) and line.ordered is None
        if unasked or accepted < arrived or any(count != arrived for count in against):
            found.append(line)
    return found


def arrival(text: str) -> datetime | None:
    """The moment the van came, as the browser's field gives it (local time, no zone)."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
