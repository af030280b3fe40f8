"""What asking for a sale writes down: the sale as one JSON object, and for an insured one the message to the center."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from app.core.personal import unseal_bytes
from app.facility.counter import discounts, rules
from app.facility.counter.errors import PrescriptionNotReady, PreviewNeeded
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, machine, messages
from app.facility.till.tenders import Tender, settle_tenders
from app.national import amounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from app.core.tenancy import Desk


def draft_of(
    desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket, picks: Sequence[rules.Pick],
    tenders: Sequence[Tender], seen: bool,
) -> dict[str, Any]:  # fmt: skip
    """What ASK writes down: the sale as one JSON object, and for an insured one the sealed message."""
    insured = loaded.identification_id is not None
    if insured and tenders and not (seen and basket.preview):
        raise PreviewNeeded
    if not insured:
        settle_tenders(basket.total_fen, tenders)
    elif seen and basket.preview:
        settle_tenders(basket.preview["cash_fen"], tenders)
    sale = {
        **keys, "version": loaded.version, "station": desk.station, "terminal": desk.terminal, "shift": loaded.shift_id,
        "paid": "insured" if insured else "self", "total_fen": basket.total_fen, "identification": loaded.identification_id,
        "tendered": list(tenders), "lines": [_line(line, rules.near_end(line, picks, keys["today"])) for line in basket.lines],
        "picks": [{"line_no": pick.line_no, "lot_id": pick.lot_id, "zone": pick.zone, "quantity": pick.quantity} for pick in picks],
        "lots": _lots(picks), "codes": codes_of(basket), "prescriptions": list({line.rx for line in basket.lines if line.rx}),
        "attempt": None, "infno": None, "institution": "", "deadline": None,
    }  # fmt: skip
    draft = {"sale": sale, "given": list(tenders), "message_digest": b"", "sealed": b"", "stored": None}
    if not insured:
        return draft
    stored, institution = _message(desk, keys, loaded, basket, seen)
    sale |= {"attempt": uuid4(), "infno": "2102", "institution": institution, "deadline": machine.deadline(keys["at"])}
    return draft | {
        "stored": stored,
        "sealed": machine.seal(desk.tenant_id, stored),
        "message_digest": hashlib.sha256(stored.content.encode()).digest(),
    }


def _lots(picks: Sequence[rules.Pick]) -> list[dict[str, Any]]:
    """What is taken from each balance, all lines together: each is locked and changed once."""
    sums: dict[tuple[int, str], int] = {}
    for pick in picks:
        sums[pick.lot_id, pick.zone] = sums.get((pick.lot_id, pick.zone), 0) + pick.quantity
    return [{"lot_id": lot_id, "zone": zone, "quantity": quantity} for (lot_id, zone), quantity in sums.items()]


def codes_of(basket: rules.Basket) -> list[dict[str, Any]]:
    """The scanned codes with their lines, as the database functions take them."""
    return [
        {"line_no": line.line_no, "code": code.code, "quantity": code.quantity, "split": line.split}
        for line in basket.lines
        for code in line.codes
    ]


def _message(
    desk: Desk, keys: dict[str, Any], loaded: Any, basket: rules.Basket, seen: bool
) -> tuple[machine.Sealed, str]:
    """The message as it will be sent and kept, and the institution it comes from."""
    person = identify.person_of(desk, loaded, basket.total_fen)
    _same_patient(desk, loaded, person)
    here = desks.institution(desk.tenant_id, desk.facility_id)
    extra: dict[str, Any] = {"operator_terminal": desk.terminal, "credential": person.read_how, "buyer": loaded.buyer}
    if agent := identify.agent_of(desk, loaded):
        extra["agent"] = agent
    if seen and basket.preview:
        shown = basket.preview
        extra["expected"] = amounts.wire_shares(
            amounts.Shares(shown["fund_fen"], shown["account_fen"], shown["mutual_fen"], shown["cash_fen"])
        )
    content = messages.purchase(person, [wire_line(line) for line in basket.lines], keys["at"], extra, codes=True)
    operator = desks.operator_of(desk)
    text = msgspec.json.encode(content).decode()
    return machine.Sealed(here.wire, operator, person.admdvs, loaded.sign_no, person.psn_no, text), here.wire.code


def _same_patient(desk: Desk, loaded: Any, person: messages.Person) -> None:
    """A prescription pays from its own patient's insurance only: names must agree, and the citizen id where it was entered."""
    for row in loaded.prescriptions or []:
        patient = msgspec.json.decode(unseal_bytes(str(desk.tenant_id), bytes.fromhex(row["patient"])))
        if patient["name"].strip() != person.name or (patient.get("certno") and patient["certno"] != person.certno):
            raise PrescriptionNotReady(
                number=row["number"], why="的患者与持卡人不是同一人，不能用这张卡结算；可改自费，或换患者本人的卡"
            )


def wire_line(line: rules.Line) -> messages.Line:
    """A basket line as the center is told it."""
    return messages.Line(
        line_no=line.line_no, national=line.about.national, code=line.about.code, quantity=Decimal(line.sale_units),
        price=line.price, amount_fen=line.amount_fen, scanned_at=line.scanned_at, rx_number=line.rx_number, split=line.split,
        codes=tuple(code.code for code in line.codes),
    )  # fmt: skip


def _line(line: rules.Line, near: date | None) -> dict[str, Any]:
    """A line as the sale keeps it; `near` is there when the customer was told of the near expiry (近效期告知)."""
    more: dict[str, Any] = {"discount": discounts.said_of(line)} if line.discount else {}
    more |= {"near": str(near)} if near else {}
    return {
        "line_no": line.line_no, "product_id": line.about.product_id, "quantity": line.quantity, "split": line.split, "lot_id": line.lot_id,
        "price": f"{line.price:.6f}", "amount_fen": line.amount_fen, "prescription_id": line.rx, "scanned_at": line.scanned_at,
        "described": {"name": line.about.name, "trade": line.about.trade, "spec": line.about.spec, "maker": line.about.maker, "unit": line.about.base_unit if line.split else line.about.pack_unit,
                      "pack_size": line.about.pack_size, "insurance_class": line.about.insurance_class, "selfpay_share": line.about.selfpay_share, "rx_number": line.rx_number, **more},
    }  # fmt: skip
