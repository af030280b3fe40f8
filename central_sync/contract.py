"""The contract of facts: which kinds there are, and what each body holds (事实契约). Checked where written and where read.

`contract.json` is this module as JSON Schema, for people and for other systems; a test keeps the two equal
(`python -m central_sync contract` writes it). Bodies are UTF-8 JSON without personal data: moments are ISO 8601 in UTC,
quantities count base units (a tablet), money is whole fen.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LINES = 500
MOST_CODES = 20_000

Moment = Annotated[datetime, Meta(tz=True)]
Fen = Annotated[int, Meta(ge=0, le=10**14)]
Difference = Annotated[int, Meta(ge=-(10**14), le=10**14)]
Units = Annotated[int, Meta(ge=1, le=10**12)]
LineNumber = Annotated[int, Meta(ge=1, le=100_000)]
ReceiptNumber = Annotated[str, Meta(min_length=1, max_length=60)]
Name = Annotated[str, Meta(max_length=400)]
Code = Annotated[str, Meta(min_length=1, max_length=100)]
TraceCodes = Annotated[list[Annotated[str, Meta(min_length=1, max_length=80)]], Meta(max_length=MOST_CODES)]


class _Body(Struct, forbid_unknown_fields=True):
    """A body says what it says and nothing more, so that nothing personal slips in."""


class Product(_Body):
    """What was moved; `code` is the facility's own, `national` the national drug code (国家医保代码)."""

    code: Code
    name: Name
    national: str | None = None
    barcode: str | None = None
    spec: Name | None = None
    maker: Name | None = None
    approval: str | None = None
    rx: str | None = None


Price = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")]


class Supplier(_Body):
    """Who delivered, and under which licence (供应商)."""

    name: Name
    licence: Name | None = None


class ReceivedLine(_Body):
    line: LineNumber
    product: Product
    lot: Name
    quantity: Units
    pack_size: Units
    produced_on: date | None = None
    expires_on: date | None = None
    zone: str | None = None
    cost_price: Price | None = None
    codes: TraceCodes = []


class StockReceived(_Body):
    """Goods came in and are on the shelf (采购验收); without a supplier it is the opening stock (期初)."""

    document: UUID
    receipt: ReceiptNumber
    at: Moment
    operator: Name
    lines: Annotated[list[ReceivedLine], Meta(min_length=1, max_length=MOST_LINES)]
    supplier: Supplier | None = None
    delivery_note: Name | None = None
    invoice: Name | None = None


class PassedOver(_Body):
    """A lot that expires sooner stayed on the shelf at a hand-over (未先进先出), and why."""

    lot: Name
    expires_on: date
    reason: Name


class InsteadOf(_Body):
    """What was prescribed where another product of the same drug went out (换药): who proposed it, and the prescriber who consented."""

    product: Product
    reason: Name
    proposed_by: Name
    consented_by: Name


class MovedLine(_Body):
    """So many base units of a lot from a zone to a zone; no zone is outside the house. `kind` is the ledger's code (DOMAIN 3.4)."""

    line: LineNumber
    act: Name
    kind: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
    product: Product
    lot: Name
    quantity: Units
    pack_size: Units
    split: bool
    produced_on: date | None = None
    expires_on: date | None = None
    from_zone: str | None = None
    to_zone: str | None = None
    cost_price: Price | None = None
    codes: TraceCodes = []
    units: Annotated[
        list[Units], Meta(max_length=MOST_CODES)
    ] = []  # Of each code's pack, where not all of them are whole.
    original: UUID | None = None  # The hand-over that the line comes back from (退药).
    passed_over: PassedOver | None = None
    instead_of: InsteadOf | None = None


class StockMoved(_Body):
    """Goods changed their place or left the house otherwise than by sale (库存变动): transfer, hold, loss, count, return to supplier."""

    document: UUID
    number: ReceiptNumber
    act: Name
    at: Moment
    operator: Name
    lines: Annotated[list[MovedLine], Meta(min_length=1, max_length=MOST_LINES)]
    approver: Name | None = None
    reason: Name | None = None
    counterpart: Name | None = None


class SaleSettlement(_Body):
    """How insurance money paid: pooled fund, own account, mutual account, cash."""

    setl_id: Code
    msgid: Code | None
    fund_fen: Fen
    account_fen: Fen
    mutual_fen: Fen
    cash_fen: Fen


class Prescribed(_Body):
    """Which line of which out-flow prescription of the center was sold (外配处方)."""

    prescription: ReceiptNumber
    line: LineNumber


class SoldLine(_Body):
    line: LineNumber
    product: Product
    lot: Name
    quantity: Units
    pack_size: Units
    split: bool
    price: Price
    amount_fen: Fen
    produced_on: date | None = None
    expires_on: date | None = None
    scanned_at: Moment | None = None
    codes: TraceCodes = []
    prescribed: Prescribed | None = None


class SaleSold(_Body):
    """Goods were sold and paid (销售)."""

    document: UUID
    receipt: ReceiptNumber
    at: Moment
    operator: Name
    terminal: Name | None
    paid: Literal["insured", "self"]
    total_fen: Fen
    settlement: SaleSettlement | None
    lines: Annotated[list[SoldLine], Meta(min_length=1, max_length=MOST_LINES)]


class Original(_Body):
    document: UUID
    receipt: ReceiptNumber


class RefundSettlement(_Body):
    """The settlement that was reversed, and the one in its place when only part was given back."""

    reversed_setl_id: Code
    new_setl_id: Code | None = None


class RefundedLine(_Body):
    line: LineNumber
    original_line: LineNumber
    product: Product
    lot: Name
    quantity: Units
    amount_fen: Fen
    goods: Literal["kept", "quarantine", "shelf"]
    codes: TraceCodes = []


class SaleRefunded(_Body):
    """Money went back, and perhaps goods (退货): `kept` means that the goods stay with the buyer."""

    document: UUID
    receipt: ReceiptNumber
    original: Original
    at: Moment
    operator: Name
    reason: Name
    total_fen: Fen
    settlement: RefundSettlement | None
    lines: Annotated[list[RefundedLine], Meta(min_length=1, max_length=MOST_LINES)]


class BilledLine(_Body):
    """A line of a signed sheet as it was charged; `order` is the sheet's number."""

    line: LineNumber
    order: ReceiptNumber
    kind: Literal["WESTERN", "HERB", "INFUSION", "TREATMENT", "TEST", "FEE"]
    product: Product
    quantity: Units
    pack_size: Units
    split: bool
    price: Price
    amount_fen: Fen
    self_paid: bool


class BillSettled(_Body):
    """A visit's sheets were paid (门诊收费); what is dispensed of them is told later."""

    document: UUID
    receipt: ReceiptNumber
    visit: ReceiptNumber
    at: Moment
    operator: Name
    terminal: Name | None
    paid: Literal["insured", "self"]
    total_fen: Fen
    settlement: SaleSettlement | None
    lines: Annotated[list[BilledLine], Meta(min_length=1, max_length=MOST_LINES)]


class RefundedBillLine(_Body):
    """So much of a bill's line was given back."""

    line: LineNumber
    quantity: Units
    amount_fen: Fen


class BillRefunded(_Body):
    """A bill was given back (门诊退费): the lines that are named, or all of it."""

    document: UUID
    receipt: ReceiptNumber
    original: Original
    at: Moment
    operator: Name
    reason: Name
    total_fen: Fen
    settlement: RefundSettlement | None
    lines: Annotated[list[RefundedBillLine], Meta(max_length=MOST_LINES)] | None = None


class Signal(_Body):
    code: Code
    weight: int


class IdentityDecided(_Body):
    """A card holder was checked before a sale (身份核验); who it was stays out of the stream."""

    document: UUID
    at: Moment
    operator: Name
    terminal: Name | None
    score: Annotated[int, Meta(ge=0, le=1000)]
    signals: Annotated[list[Signal], Meta(max_length=100)]
    decision: Name
    reason_code: str | None = None


class ShiftClosed(_Body):
    """A till was counted and closed (交班)."""

    document: UUID
    at: Moment
    operator: Name
    terminal: Name | None
    opened_at: Moment
    counted_fen: Difference
    expected_fen: Difference
    difference_fen: Difference
    reason: Name | None = None


class SheetReviewed(_Body):
    """A pharmacist looked at a sheet of medicines before it was charged (审方), or a doctor let it through in an emergency."""

    document: UUID
    order: ReceiptNumber
    visit: ReceiptNumber
    kind: Literal["WESTERN", "HERB", "INFUSION"]
    at: Moment
    operator: Name
    result: Literal["PASS", "PASS_WITH_NOTE", "RETURN", "REFUSE", "EMERGENCY"]
    concerns: Annotated[list[Code], Meta(max_length=20)]
    late: bool


class ZoneStock(_Body):
    zone: Code
    quantity: Units


class HeldLot(_Body):
    """A lot that was frozen or freed, and where how much of it lay at that moment."""

    product: Product
    lot: Name
    pack_size: Units
    quantity: Annotated[int, Meta(ge=0, le=10**12)]
    expires_on: date | None = None
    zones: Annotated[list[ZoneStock], Meta(max_length=20)] = []


class LotHeld(_Body):
    """Lots may not be sold any more, or may again (批号冻结, 解除). Without lots: nothing of what was recalled is here."""

    document: UUID
    number: ReceiptNumber
    at: Moment
    operator: Name
    act: Literal["held", "released"]
    hold: Literal["frozen", "recalled"]
    reason: Name
    recall: UUID | None
    origin: Literal["own", "center"] | None
    lots: Annotated[list[HeldLot], Meta(max_length=MOST_LINES)]
    packs: TraceCodes = []


class RecallReported(_Body):
    """What became of recalled goods at a facility, in base units, and how many buyers were reached (召回情况报告)."""

    recall: UUID
    number: ReceiptNumber
    at: Moment
    operator: Name
    held: Annotated[int, Meta(ge=0, le=10**12)]
    sold: Annotated[int, Meta(ge=0, le=10**12)]
    came_back: Annotated[int, Meta(ge=0, le=10**12)]
    returned: Annotated[int, Meta(ge=0, le=10**12)]
    destroyed: Annotated[int, Meta(ge=0, le=10**12)]
    buyers: Annotated[int, Meta(ge=0, le=10**9)]
    reached: Annotated[int, Meta(ge=0, le=10**9)]
    note: Annotated[str, Meta(max_length=2000)]


Body = (
    StockReceived | StockMoved | SaleSold | SaleRefunded | BillSettled | BillRefunded | SheetReviewed | IdentityDecided | ShiftClosed | LotHeld | RecallReported
)  # fmt: skip

KINDS: dict[tuple[str, int], type[Struct]] = {
    ("stock.received", 1): StockReceived,
    ("stock.moved", 1): StockMoved,
    ("sale.sold", 1): SaleSold,
    ("sale.refunded", 1): SaleRefunded,
    ("identity.checked", 1): IdentityDecided,
    ("identity.overridden", 1): IdentityDecided,
    ("identity.blocked", 1): IdentityDecided,
    ("shift.closed", 1): ShiftClosed,
    ("lot.held", 1): LotHeld,
    ("recall.reported", 1): RecallReported,
    ("bill.settled", 1): BillSettled,
    ("bill.refunded", 1): BillRefunded,
    ("sheet.reviewed", 1): SheetReviewed,
}

_decoders = {key: msgspec.json.Decoder(body) for key, body in KINDS.items()}


class OutsideContract(Exception):
    """A fact's kind is unknown, or its body is not what the contract says."""


def read(kind: str, version: int, body: bytes) -> Any:
    """Read a body as its struct. Raises OutsideContract."""
    decoder = _decoders.get((kind, version))
    if decoder is None:
        raise OutsideContract(f"unknown kind {kind} version {version}")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise OutsideContract(f"{kind} {version}: {failure}") from failure


def compose(kind: str, body: Mapping[str, Any], version: int = 1) -> dict[str, Any]:
    """Check a body and return the fact as `append_facts` takes it. Raises OutsideContract.

    The body may hold dates, moments and UUIDs as Python values; they are written as the contract says.
    """
    text = msgspec.json.encode(body)
    read(kind, version, text)
    return {"kind": kind, "version": version, "body": text.decode()}


def as_json_schema(
    kinds: Mapping[tuple[str, int], type[Struct]] = KINDS, title: str = "Sunmed facts"
) -> dict[str, Any]:
    """Return the contract of facts, or of other kinds, as JSON Schema."""
    bodies = sorted(set(kinds.values()), key=lambda body: body.__name__)
    schemas, components = msgspec.json.schema_components(bodies)
    names = dict(zip(bodies, schemas, strict=True))
    return {
        "title": f"{title}: kinds, versions and bodies",
        "kinds": [{"kind": kind, "version": version, "body": names[body]} for (kind, version), body in kinds.items()],
        "$defs": dict(sorted(components.items())),
    }
