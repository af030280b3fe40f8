"""2201-2205 as acts: a visit is registered, described, charged line by line, and taken back while nothing is settled (门诊就诊).

Each act is done once however often it is asked: a registration is known by the institution's own number, a batch by its
lines, a diagnosis by its code. What was settled is not touched.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from app.center.db import transaction
from app.center.fund import visit_statements as statements
from app.center.fund.answering import NOTHING, tried
from app.center.fund.documents import MOST_LINES, Item, PurchaseLine
from app.center.fund.errors import LineNotAcceptable
from app.center.fund.rules import Line, LineSplit, split_line
from app.center.fund.settling import check_lines, item_of, new_id, person_of
from app.center.fund.visit_errors import (
    BatchChanged,
    DoctorNotEligible,
    LinesSettled,
    UnknownBatch,
    UnknownVisit,
    VisitCancelled,
    VisitNumberTaken,
    VisitSettled,
)
from app.core.clock import business_date

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from decimal import Decimal

    from app.center.fund.documents import Message
    from app.core.hot import Hot

MOST_DIAGNOSES = 50
MOST_DAYS = 100
ALL_BATCHES = "0000"
EMERGENCY = "13"  # med_type 13, 1301: an emergency is treated whoever is on duty.
_json = msgspec.json.Encoder(decimal_format="string").encode


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration as the institution sends it (挂号)."""

    psn_no: str
    insutype: str
    number: str
    begun_at: datetime
    department: str
    department_name: str
    caty: str
    doctor: str
    doctor_name: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A diagnosis; sent again as not valid it is void (诊断)."""

    kind: str
    code: str
    position: int
    name: str
    department: str
    doctor: str
    doctor_name: str
    diagnosed_at: datetime
    valid: bool


@dataclass(frozen=True, slots=True)
class Description:
    """What a visit was for (就诊信息)."""

    med_type: str
    disease: str
    disease_name: str
    condition: bytes | None  # Sealed.
    seen_at: datetime
    diagnoses: tuple[Diagnosis, ...]


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """A charged line of a visit: the purchase of it, and how it is taken (费用明细)."""

    batch: str
    bought: PurchaseLine
    occurred_at: datetime
    department: str
    department_name: str
    doctor: str
    doctor_name: str
    dose: str = ""
    frequency: str = ""
    route: str = ""
    days: Decimal | None = None
    performing_department: str = ""
    performer: str = ""


@dataclass(frozen=True, slots=True)
class Charged:
    """What the catalog makes of a line on its own."""

    line: ChargeLine
    item: Item
    ceiling: Decimal | None
    split: LineSplit
    restricted: bool


def register_visit(message: Message, new: Registration) -> str:
    """Register a visit and return its id (门诊挂号). The same registration again gives the same id.

    Raises VisitNumberTaken, VisitCancelled, DoctorNotEligible.
    """

    def act() -> str:
        today = business_date(message.arrived_at)
        with transaction("interface", NOTHING) as hot:
            check_doctors(hot, message.institution, [new.doctor] if new.doctor else [], today)
            made = hot.run(statements.REGISTER, _registration(message, new))
            if made:
                return str(made[0].mdtrt_id)
            [known] = hot.run(statements.BY_NUMBER, {"institution": message.institution, "number": new.number})
        same = (known.psn_no, known.insutype, known.department, known.doctor, known.begun_at)
        if same != (new.psn_no, new.insutype, new.department, new.doctor, new.begun_at):
            raise VisitNumberTaken(number=new.number)
        if known.state == "cancelled":
            raise VisitCancelled
        return str(known.mdtrt_id)

    return tried(act)


def cancel_visit(message: Message, mdtrt_id: str, psn_no: str, number: str) -> None:
    """Cancel a registration together with its unsettled lines (挂号撤销); refused while a settlement stands."""

    def act() -> None:
        with transaction("interface", NOTHING) as hot:
            visit = _locked(hot, message, mdtrt_id, psn_no, cancelled_too=True)
            if visit.number != number:
                raise UnknownVisit
            if visit.settlements:
                raise VisitSettled
            hot.run_last(statements.CANCEL, {"mdtrt_id": mdtrt_id, "now": message.arrived_at})

    tried(act)


def describe_visit(message: Message, mdtrt_id: str, psn_no: str, told: Description) -> None:
    """Say what a visit is for, and with which diagnoses (就诊信息上传). The latest description holds."""
    assert len(told.diagnoses) <= MOST_DIAGNOSES

    def act() -> None:
        with transaction("interface", NOTHING) as hot:
            _locked(hot, message, mdtrt_id, psn_no)
            hot.run_last(
                statements.DESCRIBE,
                {
                    "mdtrt_id": mdtrt_id,
                    "district": message.district,
                    "med_type": told.med_type,
                    "disease": told.disease,
                    "disease_name": told.disease_name,
                    "condition": told.condition,
                    "seen_at": told.seen_at,
                    "diagnoses": _json(told.diagnoses).decode(),
                },
            )

    tried(act)


def charge_lines(message: Message, mdtrt_id: str, psn_no: str, lines: Sequence[ChargeLine]) -> list[Charged]:
    """Take the lines of whole batches and say what the catalog makes of each (费用明细上传).

    A batch that was taken with the same lines gives the same again; with other lines BatchChanged is raised.
    """
    assert 0 < len(lines) <= MOST_LINES
    check_lines([line.bought for line in lines])

    def act() -> list[Charged]:
        today = business_date(message.arrived_at)
        with transaction("interface", NOTHING) as hot:
            visit = _locked(hot, message, mdtrt_id, psn_no)
            if not visit.med_type.startswith(EMERGENCY):
                check_doctors(hot, message.institution, sorted({line.doctor for line in lines}), today)
            [facts] = hot.run(statements.CHARGE_FACTS, _charge_questions(mdtrt_id, psn_no, lines, today))
            person = person_of(psn_no, facts.person, today)
            charged = [
                _charged(line, item_of(told := facts.items.get(line.bought.code), person), told) for line in lines
            ]
            if fresh := _fresh(charged, facts.standing):
                rows = _json([_row(each) for each in fresh]).decode()
                hot.run_last(statements.UPLOAD, _keys(message, mdtrt_id) | {"psn_no": psn_no, "lines": rows})
        return charged

    return tried(act)


def cancel_lines(message: Message, mdtrt_id: str, psn_no: str, batch: str) -> None:
    """Take back the unsettled lines of a batch, or with "0000" of the whole visit (费用明细撤销). Twice does it once."""

    def act() -> None:
        with transaction("interface", NOTHING) as hot:
            _locked(hot, message, mdtrt_id, psn_no, cancelled_too=True)
            ask = {"mdtrt_id": mdtrt_id, "batch": batch, "now": message.arrived_at}
            states = {row.state for row in hot.run(statements.BATCH_STATES, ask)}
            if "settled" in states and batch != ALL_BATCHES:
                raise LinesSettled(batch=batch)
            if not states and batch != ALL_BATCHES:
                raise UnknownBatch(batch=batch)
            hot.run_last(statements.CANCEL_LINES, ask)

    tried(act)


def _locked(hot: Hot, message: Message, mdtrt_id: str, psn_no: str, *, cancelled_too: bool = False) -> Any:
    """Find a visit of this institution and person and lock it against everybody who changes it."""
    found = hot.run(statements.LOCK, {"mdtrt_id": mdtrt_id, "institution": message.institution})
    if not found or found[0].psn_no != psn_no:
        raise UnknownVisit
    if found[0].state == "cancelled" and not cancelled_too:
        raise VisitCancelled
    return found[0]


def check_doctors(hot: Hot, institution: str, doctors: list[str], today: date) -> None:
    """Refuse doctors whose eligibility has not begun, is over or is suspended. Raises DoctorNotEligible."""
    barred = hot.run(statements.BARRED, {"institution": institution, "doctors": doctors, "today": today})
    if not barred:
        return
    row = barred[0]
    if row.suspended_until is not None and row.suspended_until >= today:
        raise DoctorNotEligible(name=row.name, why=f"已暂停至 {row.suspended_until}")
    raise DoctorNotEligible(name=row.name, why="尚未生效" if row.eligible_from > today else "已到期")


def _registration(message: Message, new: Registration) -> dict[str, Any]:
    return {
        "mdtrt_id": new_id(message.district, message.arrived_at),
        "institution": message.institution,
        "district": message.district,
        "operator": message.operator,
        "now": message.arrived_at,
        **{name: getattr(new, name) for name in Registration.__dataclass_fields__},
    }


def _keys(message: Message, mdtrt_id: str) -> dict[str, Any]:
    return {
        "mdtrt_id": mdtrt_id,
        "institution": message.institution,
        "district": message.district,
        "now": message.arrived_at,
    }


def _charge_questions(mdtrt_id: str, psn_no: str, lines: Sequence[ChargeLine], today: date) -> dict[str, Any]:
    return {
        "mdtrt_id": mdtrt_id,
        "psn_no": psn_no,
        "today": today,
        "items": sorted({line.bought.code for line in lines}),
        "batches": sorted({line.batch for line in lines}),
        "numbers": sorted({line.bought.number for line in lines}),
    }


def _charged(line: ChargeLine, item: Item, told: Any) -> Charged:
    bought = line.bought
    split = split_line(Line(bought.price, bought.quantity, item.grade, item.selfpay, item.ceiling))
    return Charged(line, item, item.ceiling, split, bool(told and told["restriction"]))


def _fresh(charged: Sequence[Charged], standing: Sequence[Any]) -> list[Charged]:
    """The lines of batches that have not come before. Raises BatchChanged for one that came with other lines."""
    sent: dict[str, dict[str, str]] = {}
    for each in charged:
        sent.setdefault(each.line.batch, {})[each.line.bought.number] = digest_of(each.line).hex()
    known: dict[str, dict[str, str]] = {}
    for row in standing:
        known.setdefault(row["batch"], {})[row["number"]] = row["digest"]
    for batch, lines in sent.items():
        if batch in known and known[batch] != lines:
            raise BatchChanged(batch=batch)
        elsewhere = {number for other, rows in known.items() if other != batch for number in rows}
        if taken := elsewhere & lines.keys():
            raise LineNotAcceptable(line=min(taken), why="明细流水号在本次就诊中已用过")
    return [each for each in charged if each.line.batch not in known]


def digest_of(line: ChargeLine) -> bytes:
    """What a line says, so that the same line is known again; 1.0 and 1.00 are the same number."""
    bought = line.bought
    numbers = [f"{number.normalize():f}" for number in (bought.price, bought.quantity, line.days) if number is not None]
    return hashlib.sha256(_json([_words(line), numbers])).digest()


def _words(line: ChargeLine) -> list[str]:
    bought = line.bought
    return [
        bought.number, bought.code, bought.own_code, str(bought.amount_fen), bought.rxno, line.dose, line.frequency, line.route,
        line.occurred_at.isoformat(), line.department, line.doctor, line.performing_department, line.performer,
    ]  # fmt: skip


def days_of(line: ChargeLine) -> int | None:
    """For how many days a line lasts (周期天数), begun days counted whole."""
    return None if line.days is None or line.days <= 0 else min(MOST_DAYS, math.ceil(line.days))


def _row(each: Charged) -> dict[str, Any]:
    line, bought, days = each.line, each.line.bought, days_of(each.line)
    last = None if days is None else business_date(line.occurred_at) + timedelta(days=days - 1)
    return {
        "batch": line.batch,
        "number": bought.number,
        "code": bought.code,
        "own_code": bought.own_code,
        "name": each.item.name,
        "price": bought.price,
        "quantity": bought.quantity,
        "amount_fen": bought.amount_fen,
        "rxno": bought.rxno,
        "dose": line.dose,
        "frequency": line.frequency,
        "route": line.route,
        "days": days,
        "occurred_at": line.occurred_at,
        "supply_until": last,
        "department": line.department,
        "department_name": line.department_name,
        "doctor": line.doctor,
        "doctor_name": line.doctor_name,
        "performing_department": line.performing_department,
        "performer": line.performer,
        "digest": f"\\x{digest_of(line).hex()}",
    }
