"""What the issuing institution does: it issues a prescription, makes it void, asks how its own ones stand.

Each act is done once however often it is asked: a prescription is known by the institution's own document.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from app.center.db import transaction
from app.center.fund.answering import NOTHING, tried
from app.center.fund.visiting import check_doctors
from app.center.outflow import papers, rules, statements
from app.center.outflow.errors import (
    NotForThisKind,
    PrescriptionChanged,
    PrescriptionLocked,
    PrescriptionNotAcceptable,
    PrescriptionOver,
    UnknownPrescription,
)
from app.core import personal
from app.core.clock import business_date, local
from app.core.errors import words
from app.national import rx_code

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from app.center.fund.documents import Message
    from app.center.outflow.papers import Paper
    from app.core.hot import Hot

PHARMACY = "pharmacy"


@dataclass(frozen=True, slots=True)
class Issued:
    """What the clinic prints."""

    number: str
    code: str
    valid_until: date
    state: str


def keys_of(message: Message) -> dict[str, Any]:
    """Who asks, and when."""
    return {
        "institution": message.institution, "district": message.district, "operator": message.operator,
        "operator_name": message.operator_name or message.operator, "now": message.arrived_at, "today": business_date(message.arrived_at),
        "hour_ago": message.arrived_at - rules.AN_HOUR, "parameters": list(rules.PARAMETERS),
    }  # fmt: skip


def issue(message: Message, kind: str, paper: Paper) -> Issued:
    """Keep a signed and reviewed prescription and give it its code (外配处方上传). The same once more gets the same code.

    Raises NotForThisKind, PrescriptionNotAcceptable, PrescriptionChanged, DoctorNotEligible.
    """
    if kind == PHARMACY:
        raise NotForThisKind(why="外配处方由诊所、医院开具，药店只能取方")
    if why := rules.problem(paper.doctor, paper.reviewer, paper.lines, paper.signed_at, paper.reviewed_at):
        raise PrescriptionNotAcceptable(why=why)

    def act() -> Issued:
        keys = keys_of(message) | {"document": paper.document}
        with transaction("interface", NOTHING) as hot:
            limits, known = hot.run_all([(statements.LIMITS, keys), (statements.BY_DOCUMENT, keys)])
            if known:
                return _again(known[0], paper, message)
            check_doctors(hot, message.institution, [paper.doctor], keys["today"])
            most = rules.limit(limits[0].told, "outflow_valid_days")
            return _made(hot, keys, paper, _valid_until(paper, keys["today"], most))

    return tried(act)


def _again(row: Any, paper: Paper, message: Message) -> Issued:
    if bytes(row.digest) != paper.digest:
        raise PrescriptionChanged
    code = personal.unseal(papers.CENTER, bytes(row.code_sealed))
    return Issued(row.number, code, row.valid_until, rules.state_of(row, message.arrived_at))


def _valid_until(paper: Paper, today: date, most: int) -> date:
    if not business_date(paper.signed_at) <= today <= paper.valid_until:
        raise PrescriptionNotAcceptable(why=words("处方有效至 {day}，已过期，或开具日期不对", day=paper.valid_until))
    return min(paper.valid_until, business_date(paper.signed_at) + timedelta(days=most))


def _made(hot: Hot, keys: dict[str, Any], paper: Paper, valid_until: date) -> Issued:
    if valid_until < keys["today"]:
        raise PrescriptionNotAcceptable(why=words("处方最多到 {day} 有效，已过期", day=valid_until))
    code, told = rx_code.make(), msgspec.to_builtins(paper, builtin_types=(object,))
    values = {name: getattr(paper, name) for name in ("rxno", "department", "doctor", "doctor_name", "reviewer", "reviewer_name", "signed_at", "reviewed_at")}  # fmt: skip
    made = hot.run_last(
        statements.ISSUE,
        {
            **keys, **values, "lookup": personal.lookup(code), "code_sealed": personal.seal(papers.CENTER, code), "digest": paper.digest,
            "patient_sealed": papers.seal(paper.patient), "patient_shown": personal.mask_name(paper.patient.name), "valid_until": valid_until,
            "lines": msgspec.json.encode(told["lines"]).decode(),
        },
    )  # fmt: skip
    if not made:  # Its twin was first; it is asked again and gets the twin's answer.
        from psycopg import errors as pg

        raise pg.SerializationFailure
    return Issued(made[0].number, code, made[0].valid_until, "REVIEWED")


def make_void(message: Message, document: UUID, reason: str) -> papers.Seen:
    """Make a prescription void while no pharmacy has it (作废); what was handed over stays handed over.

    Raises UnknownPrescription, PrescriptionLocked, PrescriptionOver.
    """

    def act() -> papers.Seen:
        keys = keys_of(message) | {"document": document, "reason": reason[:200]}
        with transaction("interface", NOTHING) as hot:
            found = hot.run(statements.BY_DOCUMENT_LOCKED, keys)
            if not found:
                raise UnknownPrescription
            row, state = found[0], rules.state_of(found[0], message.arrived_at)
            if state == "LOCKED":
                raise PrescriptionLocked(until=f"{local(row.frees_at):%m-%d %H:%M}")
            if state == "CLOSED":
                raise PrescriptionOver(why=words("已取完药"))
            keys |= {"id": row.id, "ids": [row.id]}
            if state != "VOID":
                hot.run(statements.VOID, keys)
            lines = hot.run(statements.LINES, keys)
        return papers.Seen(row, lines, papers.unseal(row.patient_sealed), "VOID")

    return tried(act)


def look_at_own(message: Message, documents: Sequence[UUID]) -> list[papers.Seen]:
    """How an institution's own prescriptions stand (外配处方状态查询); those of others are left out."""
    keys = keys_of(message) | {"documents": list(documents)}
    with transaction("interface", NOTHING) as hot:
        rows = hot.run(statements.OWN, keys)
        lines = hot.run(statements.LINES, {"ids": [row.id for row in rows]}) if rows else []
    of: dict[int, list[Any]] = {}
    for line in lines:
        of.setdefault(line.prescription_id, []).append(line)
    return [
        papers.Seen(row, of.get(row.id, []), papers.unseal(row.patient_sealed), rules.state_of(row, message.arrived_at))
        for row in rows
    ]
