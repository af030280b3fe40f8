"""Another product instead (换药): the dispenser proposes it with a reason, the prescriber consents or declines, the shelf holds it then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock
from app.core.errors import DocumentChanged, NotFound, words
from app.core.personal import mask_name
from app.facility.catalog import queries as catalog
from app.facility.clinic.charging import refund_statements
from app.facility.clinic.charging import rules as bills
from app.facility.clinic.charging import statements as charging
from app.facility.clinic.desk.rules import MEDICINES
from app.facility.clinic.desk.signing import described
from app.facility.clinic.dispensing import rules, statements, substitutes
from app.facility.clinic.dispensing.errors import (
    DeclineIncomplete,
    NotSubstitutable,
    NotThePrescriber,
    SubstitutionIncomplete,
    SubstitutionMovedOn,
    SubstitutionWaits,
)
from app.facility.clinic.dispensing.handing import digest_of, open_sheet
from app.facility.clinic.practice import actions as practice
from app.facility.db import hot_action, transaction
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.catalog.queries import ProductCard
    from app.facility.clinic.dispensing.rules import Line


@hot_action
def propose(
    desk: Desk, swap_id: UUID, order_id: UUID, line_no: int, product_id: int, reason: str, note: str = ""
) -> None:
    """Propose another product of the same drug for what is left of a paid line (换药). Nothing of the line goes until its prescriber has answered.

    Sent again it changes nothing. Raises SubstitutionIncomplete, NotSubstitutable, SubstitutionWaits, NotToDispense, NotPractitioner, NotEligible, DocumentChanged, NotFound.
    """
    note = note.strip()
    if reason not in rules.SWAP_REASONS or len(note) > rules.MOST_NOTE or (reason == "other" and not note):
        raise SubstitutionIncomplete(why=words("要选原因；选「其他」要写明（最多 200 个字）"))
    keys: dict[str, Any] = {
        **desk.keys, "id": swap_id, "order": order_id, "line": line_no, "product": product_id, "reason": reason, "note": note, "at": clock.now(),
    }  # fmt: skip
    keys["digest"] = digest_of(str(order_id), line_no, product_id, reason, note)
    card = catalog.get_products([product_id]).get(product_id)
    with transaction(settings=desk.settings) as hot:
        sheet, lines = open_sheet(hot, keys, words("换药"))
        if known := hot.run(statements.KNOWN_PROPOSAL, keys):
            if bytes(known[0].digest) != keys["digest"]:
                raise DocumentChanged
            return
        practice.check_staff(hot, desk, emergency=sheet.tag == "emergency")
        line = lines.get(line_no)
        if line is None or card is None or not may_change(sheet.kind, line):
            raise SubstitutionIncomplete(why=words("没有选药，或这一行没有要发的了"))
        if line.waiting:
            raise SubstitutionWaits(name=line.name, maker=line.waiting.described["maker"])
        _check(hot, keys, sheet, line, card)
        told = {"instead": line.product_id, "quantity": line.left, "described": as_json(described(card))}
        hot.run_last(statements.PROPOSE, keys | told)


def may_change(kind: str, line: Line) -> bool:
    """Only what is still to be handed over of a packed medicine can be another product; herbs are weighed."""
    return kind in MEDICINES and line.is_goods and line.described["rx_class"] != "HERB" and line.left > 0


def _check(hot: Hot, keys: dict[str, Any], sheet: Any, line: Line, card: ProductCard) -> list[bills.Pick]:
    """The same drug at the same money, and enough of it on the shelf: which lots would go. Raises NotSubstitutable."""
    if card.id == line.product_id:
        raise NotSubstitutable(name=line.name, why=words("发的就是这一种"))
    if why := substitutes.unlike(line, card, insured=sheet.paid == "insured"):
        raise NotSubstitutable(name=line.name, why=why)
    wanted = bills.Line(
        line.line_no,
        sheet.number,
        sheet.kind,
        card.id,
        line.left,
        line.split,
        line.price,
        0,
        line.self_paid,
        described(card),
    )
    [row] = hot.run(charging.SHELF_OF, {**keys, "products": [card.id], "today": clock.business_date()})
    picks = bills.choose([wanted], msgspec.convert(row.shelf, list[bills.Free]))
    for _line, there in bills.short_of([wanted], picks):
        size = 1 if line.split else card.pack_size
        raise NotSubstitutable(name=line.name, why=words("货架上只有 {there} {unit}，要 {wanted}", there=there // size, unit=wanted.unit, wanted=line.left // size))  # fmt: skip
    return picks


@hot_action
def answer(desk: Desk, swap_id: UUID, said: str, note: str = "") -> None:
    """Consent to another product (同意换药) or decline with a reason, as the one who prescribed. From a consent on the shelf holds the substitute.

    Sent again it changes nothing. Raises DeclineIncomplete, NotThePrescriber, SubstitutionMovedOn, NotSubstitutable, NotToDispense, NotPractitioner, NotEligible, NotFound.
    """
    note = note.strip()
    if said not in {"consented", "declined"} or len(note) > rules.MOST_NOTE or (said == "declined" and not note):
        raise DeclineIncomplete
    keys: dict[str, Any] = {**desk.keys, "id": swap_id, "at": clock.now(), "answer": said, "note": note}
    found = _found(desk, keys)
    if _is_known(keys, found):
        return
    card = catalog.get_products([found.product_id])[found.product_id]
    with transaction(settings=desk.settings) as hot:
        sheet, line, swap = _proposal(hot, keys)
        if _is_known(keys, swap):
            return
        if sheet.doctor_id != desk.staff_id or swap.staff_id == desk.staff_id:
            raise NotThePrescriber(doctor=mask_name(sheet.doctor))
        practice.check_practice(practice.rights_of(hot, desk), prescribing=True, emergency=sheet.tag == "emergency")
        if said == "consented":
            _replace(hot, keys, sheet, line, swap, card)
        hot.run_last(statements.ANSWER, keys)


@hot_action
def withdraw(desk: Desk, swap_id: UUID) -> None:
    """Take a proposal back before it is answered (撤回). Raises SubstitutionMovedOn, NotToDispense, NotPractitioner, NotEligible, NotFound."""
    keys: dict[str, Any] = {**desk.keys, "id": swap_id, "at": clock.now(), "answer": "withdrawn", "note": ""}
    if _is_known(keys, _found(desk, keys)):
        return
    with transaction(settings=desk.settings) as hot:
        sheet, _line, swap = _proposal(hot, keys)
        if not _is_known(keys, swap):
            practice.check_staff(hot, desk, emergency=sheet.tag == "emergency")
            hot.run_last(statements.ANSWER, keys)


def _found(desk: Desk, keys: dict[str, Any]) -> Any:
    """The proposal, whose sheet is put into the keys. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(statements.PROPOSAL, keys)
    if not rows:
        raise NotFound
    keys |= {"order": rows[0].order_id, "digest": digest_of(keys["answer"], keys["note"], keys["staff"])}
    return rows[0]


def _proposal(hot: Hot, keys: dict[str, Any]) -> tuple[Any, Line, Any]:
    """The sheet, locked, its line, and the proposal as it stands then. Raises SubstitutionMovedOn."""
    sheet, lines = open_sheet(hot, keys, words("换药"))
    [swap] = hot.run(statements.PROPOSAL, keys)
    line = lines.get(swap.bill_line_no)
    if line is None or swap.bill_id != sheet.bill_id:
        raise SubstitutionMovedOn(name=sheet.number, why=words("这张单退过费，重新收过了"))
    keys |= {"line": line.line_no, "proposer": swap.staff_id}
    return sheet, line, swap


def _is_known(keys: dict[str, Any], swap: Any) -> bool:
    """The same answer of the same person came before. Raises SubstitutionMovedOn when another did."""
    if swap.answer and bytes(swap.digest) != keys["digest"]:
        raise SubstitutionMovedOn(name=swap.name, why=words("已经{answer}了", answer=rules.ANSWERS[swap.answer]))
    return swap.answer is not None


def _replace(hot: Hot, keys: dict[str, Any], sheet: Any, line: Line, swap: Any, card: ProductCard) -> None:
    """Hold the substitute for what is left of the line and free what was held; a lot that went meanwhile is a lost race."""
    if line.left != swap.quantity:
        raise SubstitutionMovedOn(name=line.name, why=words("这一行发过或退过，剩的数量变了，请药师重新提出"))
    if hot.run(refund_statements.PENDING, keys):
        raise SubstitutionMovedOn(name=line.name, why=words("有一笔退费还没有结果"))
    picks = _check(hot, keys, sheet, line, card)
    held = [pick for pick in line.picks if pick.held > 0]
    hot.run(
        statements.LOCK_LOTS, {**keys, "lots": sorted({pick.lot_id for pick in held} | {pick.lot_id for pick in picks})}
    )
    balances = bills.by_balance(picks)
    if len(hot.run(charging.HOLD, {**keys, "balances": as_json(balances)})) < len(balances):
        raise pg.SerializationFailure
    freed = [{"lot_id": pick.lot_id, "zone": pick.zone, "quantity": pick.held} for pick in held]
    hot.run(
        statements.REPLACE, {**keys, "version": held[0].version, "freed": as_json(freed), "picks": as_json(balances)}
    )


def choices(desk: Desk, line: Line, *, insured: bool) -> Sequence[substitutes.Choice]:
    """Products of the same generic name with what the shelf has free of them; those that may go first, why the others may not."""
    keys = {**desk.keys, "name": line.ordered["name"], "product": line.product_id, "today": clock.business_date()}
    with transaction(settings=desk.settings) as hot:
        ids = [row.id for row in hot.run(statements.LIKE, keys)]
        [row] = hot.run_last(charging.SHELF_OF, {**keys, "products": ids})
    free: dict[int, int] = {}
    for one in msgspec.convert(row.shelf, list[bills.Free]):
        if line.split or one.zone != rules.SPLIT:
            free[one.product_id] = free.get(one.product_id, 0) + one.quantity
    made = [_choice(line, card, free.get(card.id, 0), insured=insured) for card in catalog.get_products(ids).values()]
    return sorted(made, key=lambda one: (one.why_not is not None, -one.free, one.code))


def _choice(line: Line, card: ProductCard, free: int, *, insured: bool) -> substitutes.Choice:
    size, unit = (1, card.base_unit) if line.split else (card.pack_size, card.pack_unit)
    why = substitutes.unlike(line, card, insured=insured)
    if why is None and free < line.left:
        why = words("货架上不够")
    return substitutes.Choice(card.id, card.spec, card.maker, card.code, free // size, unit, why)
