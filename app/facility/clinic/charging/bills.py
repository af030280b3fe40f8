"""A bill is opened over signed sheets, its payer chosen, the split shown; or it is cancelled and its sheets are free again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound, Outage, words
from app.core.money import allocate, price_of
from app.core.personal import mask_name
from app.facility.clinic.charging import rules, statements, wire
from app.facility.clinic.charging.errors import (
    BillChanged,
    BillMovedOn,
    BillNotInsured,
    NothingToCharge,
    SheetNotChargeable,
    SheetOnAnotherBill,
)
from app.facility.clinic.errors import SheetSentOut
from app.facility.clinic.packages import actions as offers
from app.facility.clinic.packages.errors import PackageNotFitting
from app.facility.clinic.packages.rules import fit
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, messages
from app.facility.insurance.errors import RefusedByCenter
from app.facility.stock import ledger
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from app.core.errors import Words
    from app.core.hot import Hot
    from app.core.tenancy import Desk


@hot_action
def open_bill(
    desk: Desk, bill_id: UUID, visit_id: UUID, sheets: Sequence[UUID], *, insured: bool = False, packages: Sequence[int] = ()
) -> str:  # fmt: skip
    """Put signed sheets of one visit on a bill (开收费单), some lines at a package's price; returns its number. They are this bill's from now on.

    Sent again it changes nothing. Raises NothingToCharge, SheetOnAnotherBill, SheetNotChargeable, PackageNotFitting, BillNotInsured, DocumentChanged.
    """
    offered = {one.id: one for one in offers.list_offered()} if packages else {}
    wanted = sorted({str(sheet) for sheet in sheets})
    digest = hashlib.sha256(msgspec.json.encode([str(visit_id), wanted, insured, sorted(packages)])).digest()
    at, today = clock.now(), clock.business_date()
    keys = {**desk.keys, "bill": bill_id, "visit": visit_id, "sheets": wanted, "at": at}
    with transaction(settings=desk.settings) as hot:
        known, visits = hot.run_all([(statements.KNOWN, keys), (statements.VISIT, keys)])
        if known:
            if bytes(known[0].opened_digest) != digest:
                raise DocumentChanged
            return str(known[0].number)
        if not visits:
            raise NotFound
        _check_insured(visits[0], insured=insured)
        _check_sheets(hot.run(statements.LOCK_SHEETS, _arrays(keys)), wanted, today)
        lines = _lines(hot.run(statements.SHEET_LINES, _arrays(keys)), [offered.get(one) for one in sorted(packages)])
        number = ledger.number_for(hot, desk, "F", today)
        hot.run_last(
            statements.OPEN,
            {
                **_arrays(keys), "number": number, "patient": visits[0].patient_id, "paid": "insured" if insured else "self",
                "total_fen": sum(line["amount_fen"] for line in lines), "digest": digest, "lines": as_json(lines),
                "identification": visits[0].identification_id if insured else None,
            },
        )  # fmt: skip
    return number


def _arrays(keys: dict[str, Any]) -> dict[str, Any]:
    from uuid import UUID

    return {**keys, "sheets": [UUID(sheet) for sheet in keys["sheets"]]}


def _check_insured(visit: Any, *, insured: bool) -> None:
    if insured and not (visit.mdtrt_id and visit.identification_id):
        raise BillNotInsured(why="这次就诊没有在医保中心登记")


def _check_sheets(found: Sequence[Any], wanted: Sequence[str], today: Any) -> None:
    if not wanted or len(found) != len(wanted):
        raise NothingToCharge
    taken = [row for row in found if row.bill_id is not None]
    if taken:
        raise SheetOnAnotherBill(
            sheets="、".join(row.number for row in taken), bill=taken[0].bill, cashier=mask_name(taken[0].cashier)
        )
    if out := [row.number for row in found if row.state == "OUT"]:
        raise SheetSentOut(number="、".join(out))
    wrong = [row.number for row in found if row.state != "PASSED" or row.valid_until < today]
    if wrong:
        raise SheetNotChargeable(sheets="、".join(wrong))


def _lines(rows: Sequence[Any], packages: Sequence[Any]) -> list[dict[str, Any]]:
    """What is signed, line by line; the lines of a package stand together at the end, each at its share of the price."""
    if not 1 <= len(rows) <= rules.MOST_LINES:
        raise NothingToCharge
    taken: dict[int, dict[str, Any]] = {}
    for package in packages:
        places = fit(package, rows, taken) if package else None
        if places is None:
            raise PackageNotFitting(name=package.name if package else "")
        for at, part in zip(places, allocate(package.price_fen, [rows[at].amount_fen for at in places]), strict=True):
            taken[at] = {"package_id": package.id, "amount_fen": part, "price": str(price_of(part, rows[at].quantity))}
    order = [at for at in range(len(rows)) if at not in taken] + list(taken)
    return [
        {
            "line_no": n, "order_id": str(row.order_id), "order_line_no": row.line_no, "product_id": row.product_id, "quantity": row.quantity,
            "split": row.split, "price": str(row.price), "amount_fen": row.amount_fen, "self_paid": row.self_paid, "described": row.described,
            "package_id": None, **taken.get(at, {}),
        }
        for n, (at, row) in enumerate(((at, rows[at]) for at in order), 1)
    ]  # fmt: skip


# ---- who pays ------------------------------------------------------------------------------------------------------


@hot_action
def pay_by(desk: Desk, bill_id: UUID, identification_id: UUID | None) -> int:
    """Let insurance pay by this reading of the visit's own card, or the patient alone (None, 改为自费); returns the version.

    Raises BillNotInsured when the visit is not registered at the center or the card is somebody else's.
    """
    with transaction(settings=desk.settings) as hot:
        bill = locked(hot, desk, bill_id, words("换支付方式"))
        if identification_id is not None:
            _same_person(hot, desk, bill, identification_id)
        paid = "insured" if identification_id else "self"
        keys = {**desk.keys, "bill": bill_id, "paid": paid, "identification": identification_id}
        return int(hot.run_last(statements.PAY_BY, keys)[0].version)


def _same_person(hot: Hot, desk: Desk, bill: Any, identification_id: UUID) -> None:
    if not (bill.mdtrt_id and bill.visit_identification):
        raise BillNotInsured(why="这次就诊没有在医保中心登记")
    ids = list({identification_id, bill.visit_identification})
    found = hot.run(statements.PERSON, {**desk.keys, "ids": ids})
    if len(found) != len(ids) or len({bytes(row.person_hash) for row in found}) != 1:
        raise BillNotInsured(why="刷的不是这位患者挂号时的医保凭证")


def locked(hot: Hot, desk: Desk, bill_id: UUID, act: Words, version: int | None = None) -> Any:
    """An open bill of this facility, locked. Raises NotFound, BillMovedOn, BillChanged."""
    rows = hot.run(statements.LOCK, {**desk.keys, "bill": bill_id, "station": desk.station})
    if not rows:
        raise NotFound
    if rows[0].state != "open":
        raise BillMovedOn(number=rows[0].number, state=rules.STATES[rows[0].state], act=act)
    if version is not None and rows[0].version != version:
        raise BillChanged(number=rows[0].number)
    return rows[0]


def lines_of(rows: Sequence[Any]) -> list[rules.Line]:
    """The lines of a bill from their rows."""
    return [msgspec.convert(row._asdict(), rules.Line) for row in rows]


# ---- the split -----------------------------------------------------------------------------------------------------


def preview_bill(desk: Desk, bill_id: UUID, *, account: bool = True) -> messages.Split:
    """Tell the center what was found and charged, and ask who would pay what (2203, 2204, 2206); the answer stays with the bill.

    Each of the three may be asked again. Raises RefusedByCenter, IdentificationExpired, BillNotInsured, BillChanged, Outage.
    """
    with transaction(settings=desk.settings) as hot:
        bill = locked(hot, desk, bill_id, words("预结算"))
        keys = {**desk.keys, "bill": bill_id, "visit": bill.visit_id, "version": bill.visit_version}
        asked = [
            (statements.LINES, keys),
            (statements.DOCTORS, keys),
            (statements.DIAGNOSES, keys),
            (statements.LEFT_THERE, keys),
        ]
        rows, doctors, diagnoses, left = hot.run_all(asked, last=True)
    if bill.paid != "insured" or not bill.mdtrt_id:
        raise BillNotInsured(why="这张单是自费")
    person = identify.person_read(desk, bill)
    for old in left:
        take_back(desk, bill, person.psn_no, old)
    _upload(desk, bill, person, lines_of(rows), doctors, diagnoses)
    return _ask_split(desk, bill, person, account=account)


def _upload(
    desk: Desk, bill: Any, person: messages.Person, lines: Sequence[rules.Line], doctors: Sequence[Any], diagnoses: Sequence[Any]
) -> None:  # fmt: skip
    by_order = {row.order_id: row for row in doctors}
    _done(desk, bill, person, "2203", wire.description(bill, person.psn_no, diagnoses, doctors[0]))
    faults.at("bill.described")
    with transaction(
        settings=desk.settings
    ) as hot:  # Noted before it is sent: what may lie there is taken back some day.
        if not hot.run_last(statements.UPLOADED, {**desk.keys, "bill": bill.id, "at": clock.now()}):
            raise BillChanged(number=bill.number)
    faults.at("bill.uploading")
    _done(desk, bill, person, "2204", wire.charges(bill, person.psn_no, lines, by_order))
    faults.at("bill.uploaded")


def _ask_split(desk: Desk, bill: Any, person: messages.Person, *, account: bool) -> messages.Split:
    output = _done(
        desk, bill, person, "2206", wire.settlement(bill, person, extra_of(desk, bill, person), account=account)
    )
    split = messages.read_split(output)
    assert split.total_fen == bill.total_fen, "the center added up differently"
    if split.identity:
        identify.note_score(desk, bill.identification_id, split.identity)
    kept = as_json({**money_of(split), "account": account})
    with transaction(settings=desk.settings) as hot:
        keys = {**desk.keys, "bill": bill.id, "version": bill.version, "preview": kept}
        if not hot.run_last(statements.KEEP_PREVIEW, keys):
            raise BillChanged(number=bill.number)
    faults.at("bill.previewed")
    return split


def extra_of(desk: Desk, bill: Any, person: messages.Person) -> dict[str, Any]:
    """What a settling message says besides."""
    extra: dict[str, Any] = {"operator_terminal": desk.terminal, "credential": person.read_how, "buyer": bill.buyer}
    if agent := identify.agent_of(desk, bill):
        extra["agent"] = agent
    return extra


def money_of(split: messages.Split) -> dict[str, Any]:
    """The split as it stays on the bill."""
    kept: dict[str, Any] = msgspec.to_builtins(split)
    kept.pop("identity", None)
    return {**kept, "fund_fen": split.fund_fen}


def _done(desk: Desk, bill: Any, person: messages.Person, infno: str, content: dict[str, Any]) -> dict[str, Any]:
    answer = desks.ask_once(desk, infno, content, insuplc_admdvs=person.admdvs, sign_no=bill.sign_no or "")
    if not answer.accepted:
        raise RefusedByCenter(why=answer.message)
    return dict(answer.output or {})


def take_back(desk: Desk, bill: Any, psn_no: str, old: Any) -> bool:
    """Take a batch back that nothing came of (2205); False while the center does not say. It is tried again at the next bill."""
    try:
        answer = desks.ask_once(desk, "2205", wire.batch(bill, psn_no, old.batch), sign_no=bill.sign_no or "")
    except Outage:
        return False
    if not answer.accepted and answer.code != "UNKNOWN_BATCH":
        return False
    with transaction(settings=desk.settings) as hot:
        hot.run_last(statements.TAKEN_BACK, {**desk.keys, "bill": old.id, "batch": old.batch, "at": clock.now()})
    return True


# ---- not after all -------------------------------------------------------------------------------------------------


def cancel_bill(desk: Desk, bill_id: UUID, version: int) -> None:
    """Cancel an open bill (取消收费单): its sheets are free again; what was uploaded of it is taken back.

    Raises BillMovedOn, BillChanged, NotFound.
    """
    bill = _cancel(desk, bill_id, version)
    if bill.uploaded_at is not None and bill.sealed:
        clear(desk, bill)


def clear(desk: Desk, bill: Any) -> None:
    """Take back what lies at the center of this visit and came to nothing; what it does not answer now goes with the next bill."""
    with transaction(settings=desk.settings) as hot:
        left = hot.run_last(statements.LEFT_THERE, {**desk.keys, "visit": bill.visit_id})
    psn_no = sealed_person(desk.tenant_id, bill).psn_no if left else ""
    for old in left:
        take_back(desk, bill, psn_no, old)


def sealed_person(tenant_id: int, bill: Any) -> messages.Person:
    """The insured person of a bill, however long ago the card was read."""
    from app.core.personal import unseal_bytes

    return msgspec.json.decode(unseal_bytes(str(tenant_id), bytes(bill.sealed)), type=messages.Person)


@hot_action
def _cancel(desk: Desk, bill_id: UUID, version: int) -> Any:
    with transaction(settings=desk.settings) as hot:
        bill = locked(hot, desk, bill_id, words("取消"), version)
        hot.run_last(statements.CANCEL, {**desk.keys, "bill": bill_id, "at": clock.now(), "taken_back": False})
    return bill
