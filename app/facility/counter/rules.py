"""The basket: what a scan, a key or a prescription does to it. Plain values in, plain values out; no database, no web."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import msgspec

from app.core.errors import words
from app.core.money import fen
from app.facility.counter import special_rules as special
from app.facility.counter.errors import (
    CodeScannedTwice,
    CodesMissing,
    EmptyBasket,
    NeedsPrescription,
    NoPharmacist,
    PriceMissing,
    TooMany,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_LINES = 50
MOST_PACKS = 999
PHARMACIST_CLASSES = frozenset({"RX", "OTC_A"})  # Not sold while no pharmacist is on duty (GSP; DOMAIN 3.5).
TENDERS = ("cash", "bank", "wechat", "alipay")


class About(msgspec.Struct, frozen=True):
    """What the counter shows and the facts say of a product, as of the scan."""

    product_id: int
    code: str
    national: str
    barcode: str
    name: str
    trade: str
    spec: str
    maker: str
    approval: str
    pack_size: int
    pack_unit: str
    base_unit: str
    rx_class: str
    insurance_class: str
    selfpay_share: str
    trace_required: bool
    split_allowed: bool
    pack_price: str
    split_price: str = ""
    expiry_warning_days: int | None = None  # None in a basket from before it was kept.
    special_class: str = ""


class Discount(msgspec.Struct, frozen=True):
    """A price agreed below the listed one (优惠): the lowered unit price at six places, who gave it, who confirmed it, why."""

    price: str
    staff_id: int
    reason: str
    approver_id: int | None = None


class Code(msgspec.Struct):
    """A scanned trace code and how many base units of its pack this line takes."""

    code: str
    quantity: int


class RxHead(msgspec.Struct, frozen=True):
    """Who wrote a prescription, when, and who passed it."""

    prescriber: str
    issued_on: date
    reviewer: str
    outflow: str = ""  # The center's number, when it came through the center.


class Line(msgspec.Struct):
    """One line: quantity in base units; price per pack, or per unit when split. The lot is pinned by a scan or by F3."""

    line_no: int
    about: About
    quantity: int
    scanned_at: datetime
    split: bool = False
    lot_id: int | None = None
    lot_number: str = ""
    expires_on: date | None = None
    coded: bool = False  # The lot's packs carry codes, so each has to be scanned.
    codes: list[Code] = msgspec.field(default_factory=list)
    rx: str | None = None
    rx_number: str = ""
    rx_head: RxHead | None = None
    rx_line: int | None = None  # Its line on the center's prescription.
    discount: Discount | None = None

    @property
    def sale_units(self) -> int:
        return self.quantity if self.split else self.quantity // self.about.pack_size

    @property
    def price(self) -> Decimal:
        return Decimal(self.discount.price) if self.discount else self.list_price

    @property
    def list_price(self) -> Decimal:
        return unit_price(self.about, split=self.split)

    @property
    def amount_fen(self) -> int:
        return fen(self.price, self.sale_units)

    @property
    def off_fen(self) -> int:
        return fen(self.list_price, self.sale_units) - self.amount_fen if self.discount else 0

    @property
    def codes_need(self) -> int:
        if not (self.about.trace_required and self.coded):
            return 0
        return 1 if self.split else self.sale_units

    @property
    def codes_missing(self) -> int:
        return max(0, self.codes_need - len(self.codes))


class Basket(msgspec.Struct):
    """The open list on one station."""

    lines: list[Line] = msgspec.field(default_factory=list)
    identification: str | None = None
    preview: dict | None = None  # type: ignore[type-arg]
    selected: int = 0
    label: str = ""
    buyer: str | None = None  # The check of who buys what must be registered (实名登记).
    buyer_shown: str = ""  # Masked.

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    def line(self, line_no: int) -> Line | None:
        return next((line for line in self.lines if line.line_no == line_no), None)


class Lot(msgspec.Struct, frozen=True):
    """The lot a scan or the shelf offers."""

    lot_id: int
    lot_number: str
    expires_on: date
    coded: bool


class Free(msgspec.Struct, frozen=True, array_like=True):
    """What one lot has free in one zone, as the shelf stands now."""

    product_id: int
    lot_id: int
    zone: str
    quantity: int
    lot_number: str
    expires_on: date
    produced_on: date | None = None


class Pick(msgspec.Struct, frozen=True):
    """What one line takes from one lot in one zone, in base units."""

    line_no: int
    lot_id: int
    zone: str
    quantity: int
    lot_number: str
    expires_on: date
    produced_on: date | None = None


def choose_lots(lines: Iterable[Line], shelf: Sequence[Free]) -> list[Pick]:
    """Choose what each line takes: a scanned line its own lot, the others soonest to expire first (先到期先出).

    Whole packs leave the selling zones, single units the split zone. The shelf comes in order of expiry. Scanned lots are
    served first; lines of one product take one after the other, so two never count the same pack twice. A line that
    cannot be covered gets what there is; the caller sees that its picks do not add up.
    """
    left = {(free.lot_id, free.zone): free.quantity for free in shelf}
    picks: list[Pick] = []
    for line in sorted(lines, key=lambda line: (line.lot_id is None, line.line_no)):
        fitting = [
            free for free in shelf if free.product_id == line.about.product_id and (free.zone == "SPLIT") == line.split
        ]
        if line.lot_id is not None:
            own = (free for free in fitting if free.lot_id == line.lot_id)
            fitting = sorted(own, key=lambda free: -left[free.lot_id, free.zone])[:1]
        wanted = line.quantity
        for free in fitting:
            taken = min(wanted, left[free.lot_id, free.zone])
            if taken > 0:
                left[free.lot_id, free.zone] -= taken
                wanted -= taken
                picks.append(
                    Pick(
                        line.line_no, free.lot_id, free.zone, taken, free.lot_number, free.expires_on, free.produced_on
                    )
                )
    return sorted(picks, key=lambda pick: pick.line_no)


def near_end(line: Line, picks: Iterable[Pick], today: date) -> date | None:
    """The soonest expiry a line takes, when it lies within the product's warning days; the customer is told of it (近效期)."""
    ends = [pick.expires_on for pick in picks if pick.line_no == line.line_no]
    days = line.about.expiry_warning_days
    return min(ends) if ends and days is not None and min(ends) <= today + timedelta(days=days) else None


def unit_price(about: About, *, split: bool) -> Decimal:
    """Price of a pack, or of a single unit: its own split price, else the pack's share at six places (DOMAIN 1.6 rule 2)."""
    if not about.pack_price:
        raise PriceMissing(name=about.name)
    if not split:
        return Decimal(about.pack_price)
    if about.split_price:
        return Decimal(about.split_price)
    return (Decimal(about.pack_price) / about.pack_size).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def add_pack(basket: Basket, about: About, lot: Lot | None, at: datetime, code: str | None = None) -> Line:
    """Put one pack into the basket, or attach a code to a line that waits for it; returns the line it became part of."""
    if code and any(code == known.code for line in basket.lines for known in line.codes):
        raise CodeScannedTwice(tail=code[-6:])
    unit_price(about, split=False)
    waiting = _waiting_line(basket, about, lot) if code else None
    if waiting:
        line = _pin(basket, waiting, lot) if lot else waiting
    else:
        line = _more_of(basket, about, lot, at, coded_scan=bool(code))
    if code:
        line.codes.append(Code(code, about.pack_size))
    basket.selected = line.line_no
    return line


def _waiting_line(basket: Basket, about: About, lot: Lot | None) -> Line | None:
    """A line of this product that still misses codes: of the same lot first, then of no lot yet, then of another."""
    missing = [
        line
        for line in basket.lines
        if line.about.product_id == about.product_id and not line.split and line.sale_units > len(line.codes)
    ]
    ranked = sorted(missing, key=lambda line: 0 if lot and line.lot_id == lot.lot_id else 1 if not line.codes else 2)
    return ranked[0] if ranked else None


def _pin(basket: Basket, line: Line, lot: Lot) -> Line:
    """Give a line the scanned lot; where it already has codes of another lot, one pack moves to a line of its own."""
    if line.lot_id == lot.lot_id or not line.codes:
        _set_lot(line, lot)
        return line
    line.quantity -= line.about.pack_size
    moved = _append(basket, line.about, lot, line.scanned_at, prescribed=line.rx is not None)
    moved.rx, moved.rx_number, moved.rx_head, moved.rx_line, moved.discount = (
        line.rx,
        line.rx_number,
        line.rx_head,
        line.rx_line,
        line.discount,
    )
    return moved


def _more_of(basket: Basket, about: About, lot: Lot | None, at: datetime, *, coded_scan: bool) -> Line:
    special.check_may_enter(about.name, about.special_class, prescribed=False)
    if about.rx_class == "RX":
        raise NeedsPrescription(name=about.name)
    for line in basket.lines:
        same_lot = lot is not None and line.lot_id == lot.lot_id if coded_scan else not line.codes or line.coded
        if line.about.product_id == about.product_id and not line.split and line.rx is None and same_lot:
            set_quantity(line, line.sale_units + 1)
            return line
    return _append(basket, about, lot, at)


def _append(basket: Basket, about: About, lot: Lot | None, at: datetime, *, prescribed: bool = False) -> Line:
    special.check_may_enter(about.name, about.special_class, prescribed=prescribed)
    if len(basket.lines) >= MOST_LINES:
        raise TooMany(what="一张单的品种", most=MOST_LINES)
    number = max((line.line_no for line in basket.lines), default=0) + 1
    line = Line(line_no=number, about=about, quantity=about.pack_size, scanned_at=at)
    if lot:
        _set_lot(line, lot)
    basket.lines.append(line)
    return line


def _set_lot(line: Line, lot: Lot) -> None:
    line.lot_id, line.lot_number, line.expires_on, line.coded = lot.lot_id, lot.lot_number, lot.expires_on, lot.coded


def show_lot(line: Line, lot: Lot | None) -> None:
    """Show the lot that first-to-expire would take, without pinning it."""
    if lot and line.lot_id is None:
        line.lot_number, line.expires_on, line.coded = lot.lot_number, lot.expires_on, lot.coded


def change_lot(line: Line, lot: Lot) -> None:
    """Pin another lot (F3); codes of the former lot fall out."""
    if line.lot_id != lot.lot_id:
        line.codes = []
    _set_lot(line, lot)


def may_sell(about: About, sale_units: int, *, split: bool) -> None:
    """So many packs, or single units of one pack, on a line? Raises TooMany."""
    most = about.pack_size if split else MOST_PACKS
    if not 1 <= sale_units <= most:
        raise TooMany(what=words("{name} 的数量", name=about.name), most=most)


def set_quantity(line: Line, sale_units: int) -> None:
    """Set packs (or single units when split); surplus codes fall out, the last scanned first. Raises TooMany."""
    may_sell(line.about, sale_units, split=line.split)
    line.quantity = sale_units if line.split else sale_units * line.about.pack_size
    if line.split:
        line.codes = [Code(code.code, line.quantity) for code in line.codes]
    else:
        del line.codes[sale_units:]


def make_split(line: Line, lot: Lot, codes: list[Code]) -> None:
    """Turn a line into single units of an opened pack (拆零), one unit to begin with."""
    line.split, line.quantity, line.discount = True, 1, None  # A price agreed for a pack says nothing of a single unit.
    _set_lot(line, lot)
    line.codes = codes


def add_prescription(
    basket: Basket,
    rx: str,
    number: str,
    head: RxHead,
    wanted: Iterable[tuple[About, Lot | None, int, int | None]],
    at: datetime,
) -> None:
    """Put a reviewed prescription's lines into the basket; its quantities are the prescriber's (base units)."""
    for about, lot, quantity, rx_line in wanted:
        line = _append(basket, about, None, at, prescribed=True)
        line.quantity, line.rx, line.rx_number, line.rx_head, line.rx_line = quantity, rx, number, head, rx_line
        show_lot(line, lot)
        basket.selected = line.line_no


def guarded(basket: Basket) -> list[str]:
    """The drugs of a basket that are sold only with a pharmacist on duty."""
    return [line.about.name for line in basket.lines if line.about.rx_class in PHARMACIST_CLASSES]


def check_ready(basket: Basket, *, pharmacist: bool) -> None:
    """Refuse what may not be sold as it stands: nothing in it, codes missing, no pharmacist for what needs one."""
    if not basket.lines:
        raise EmptyBasket
    if (names := guarded(basket)) and not pharmacist:
        raise NoPharmacist(names="、".join(names[:5]))
    for line in basket.lines:
        if line.about.rx_class == "RX" and not line.rx:
            raise NeedsPrescription(name=line.about.name)
        special.check_may_enter(line.about.name, line.about.special_class, prescribed=line.rx is not None)
    if missing := [f"{line.about.name} 还差 {line.codes_missing} 个" for line in basket.lines if line.codes_missing]:
        raise CodesMissing(lines="；".join(missing[:5]))
