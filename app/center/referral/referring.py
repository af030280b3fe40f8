"""What the two institutions do with a referral: send it, read it, take it on, decline, answer, withdraw. Each is done once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.center.db import transaction
from app.center.fund.answering import NOTHING, tried
from app.center.fund.visiting import check_doctors
from app.center.referral import rules
from app.center.referral.errors import ReferralChanged, ReferralMovedOn, ReferralNotAcceptable, UnknownReferral
from app.core import personal
from app.core.clock import business_date
from app.core.errors import words
from central_sync import news_contract

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.center.fund.documents import Message
    from app.center.referral.rules import Paper, Patient

CENTER = "center"
LAST = 2**62
MOST_INSTITUTIONS = 20

_HEAD = "select r.*, r.institution_name as institution from referral r"
BY_DOCUMENT = f"{_HEAD} where r.institution_code = %(institution)s and r.document = %(document)s"
BY_NUMBER = f"{_HEAD} where r.number = %(number)s and %(institution)s in (r.institution_code, r.target_code) for no key update of r"
LISTS = {
    "out": f"{_HEAD} where r.institution_code = %(institution)s and r.id < %(before)s order by r.id desc limit %(most)s",
    "in": f"{_HEAD} where r.target_code = %(institution)s and r.state <> 'WITHDRAWN' and r.id < %(before)s order by r.id desc limit %(most)s",
}
TARGET = """
select i.code, i.name, i.kind, i.district, i.agreement_from, i.agreement_until, i.suspended_until from institution i where i.code = %(target)s
"""
# Who may be sent somebody, those of the own district first.
OTHERS = """
select i.code, i.name, i.district = %(district)s as near from institution i
where i.kind <> 'pharmacy' and i.code <> %(institution)s and i.agreement_from <= %(today)s and i.agreement_until >= %(today)s
    and (i.suspended_until is null or i.suspended_until < %(today)s)
    and (position(lower(%(asked)s) in lower(i.name)) > 0 or starts_with(i.code, upper(%(asked)s)))
order by i.district <> %(district)s, i.name, i.code limit %(most)s
"""
TELL = "select number from publish_news(array[%(stream)s], 'referral.moved', 1, %(body)s::bytea)"
LIMIT = """
select value from parameter where scope in ('*', %(institution)s) and name = 'referral_valid_days' and valid_from <= %(today)s
    and (valid_until is null or valid_until >= %(today)s) order by scope = '*' limit 1
"""
SEND = """
with made as (
    insert into referral (institution_code, institution_name, target_code, target_name, district, target_district, document, digest, patient_sealed, patient_shown, urgent,
        department, doctor, doctor_name, sent_at, valid_until, changed_at)
    select %(institution)s, s.name, %(target)s, %(target_name)s, %(district)s, %(target_district)s, %(document)s, %(digest)s, %(patient_sealed)s, %(patient_shown)s,
        %(urgent)s, %(department)s, %(doctor)s, %(doctor_name)s, %(now)s, %(valid_until)s, %(now)s from institution s where s.code = %(institution)s
    on conflict (institution_code, document) do nothing returning id, number
), event as (
    insert into referral_event (referral_id, district, target_district, kind, institution_code, operator, at)
    select id, %(district)s, %(target_district)s, 'SENT', %(institution)s, %(doctor_name)s, %(now)s from made
)
select number from made
"""
MOVE = """
with moved as (
    update referral set state = %(state)s, answer_sealed = coalesce(%(answer)s::bytea, answer_sealed), changed_at = %(now)s where id = %(id)s returning id, district, target_district
)
insert into referral_event (referral_id, district, target_district, kind, institution_code, operator, at)
select id, district, target_district, %(state)s, %(institution)s, %(operator_name)s, %(now)s from moved
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A referral as one of the two sees it."""

    row: Any
    patient: Patient
    state: str
    answer: str
    whole: bool  # Whether the asking institution may know whole who it is.


def send(message: Message, paper: Paper) -> Seen:
    """Keep a referral for the other institution (转诊单上传). The same once more is the same referral.

    Raises ReferralNotAcceptable, ReferralChanged, DoctorNotEligible.
    """

    def act() -> Seen:
        keys = _keys(message) | {"document": paper.document, "target": paper.target}
        with transaction("interface", NOTHING) as hot:
            known, targets, limit = hot.run_all([(BY_DOCUMENT, keys), (TARGET, keys), (LIMIT, keys)])
            if known:
                if bytes(known[0].digest) != paper.digest:
                    raise ReferralChanged
                return _seen(known[0], message)
            most = int(limit[0].value) if limit else rules.VALID_DAYS
            if why := rules.problem(paper, message.institution, targets[0] if targets else None, keys["today"], most):
                raise ReferralNotAcceptable(why=why)
            check_doctors(hot, message.institution, [paper.doctor], keys["today"])
            target = {"target_name": targets[0].name, "target_district": targets[0].district}
            if not hot.run(SEND, keys | _values(paper) | target):
                raise pg.SerializationFailure  # Its twin was first; it is asked again and gets the twin's answer.
            [row] = hot.run(BY_DOCUMENT, keys)
            hot.run_last(TELL, _news(row, by_sender=True))
        return _seen(row, message)

    return tried(act)


def move(message: Message, number: str, act: str, said: str) -> Seen:
    """Take a referral on, decline it, answer it or withdraw it (接收、谢绝、回复、撤回); done already, it stays as it is.

    Raises UnknownReferral, ReferralMovedOn, ReferralNotAcceptable.
    """
    if act not in rules.ACTS or len(said) > rules.MOST_TEXT:
        raise ReferralNotAcceptable(why=words("要说明接收、谢绝、回复或撤回，最多 {n} 个字", n=rules.MOST_TEXT))
    sources, state, by_sender, speaks, called = rules.ACTS[act]
    if speaks and not said:
        raise ReferralNotAcceptable(why=words("{act}要写明情况", act=words(called)))

    def do() -> Seen:
        keys = _keys(message) | {"number": number}
        with transaction("interface", NOTHING) as hot:
            rows = hot.run(BY_NUMBER, keys)
            if not rows or (rows[0].institution_code == message.institution) != by_sender:
                raise UnknownReferral
            seen = _seen(rows[0], message)
            if seen.state == state:
                return seen
            if seen.state not in sources:
                raise ReferralMovedOn(state=words(rules.STATES[seen.state]), act=words(called))
            answer = personal.seal(CENTER, said) if said else None
            hot.run(MOVE, keys | {"id": rows[0].id, "state": state, "answer": answer})
            [row] = hot.run(BY_NUMBER, keys)
            hot.run_last(TELL, _news(row, by_sender=by_sender))
        return _seen(row, message)

    return tried(do)


def look(message: Message, direction: str, before: int | None = None) -> list[Seen]:
    """Referrals to the asking institution (in) or by it (out), newest first, 50 at a time. Raises ReferralNotAcceptable."""
    if direction not in LISTS:
        raise ReferralNotAcceptable(why=words("要说明查转入还是转出"))
    keys = _keys(message) | {"before": before or LAST, "most": rules.MOST_ROWS}
    with transaction("interface", NOTHING) as hot:
        rows: Sequence[Any] = hot.run_last(LISTS[direction], keys)
    return [_seen(row, message) for row in rows]


def find_institutions(message: Message, asked: str) -> Sequence[Any]:
    """Whom a patient may be sent to, by part of the name or the beginning of the code, 20 at most."""
    keys = _keys(message) | {"asked": asked, "most": MOST_INSTITUTIONS}
    with transaction("interface", NOTHING) as hot:
        rows: Sequence[Any] = hot.run_last(OTHERS, keys)
    return rows


def _news(row: Any, *, by_sender: bool) -> dict[str, Any]:
    """What the other one of the two is told, without anything of the patient; the news' head is the last lock."""
    stream, other = (row.target_code, row.institution) if by_sender else (row.institution_code, row.target_name)
    body = {
        "referral": row.number, "moved_at": row.changed_at.isoformat(), "direction": "in" if by_sender else "out", "other": other, "state": row.state,
        "urgent": row.urgent,
    }  # fmt: skip
    return {"stream": stream, "body": news_contract.compose("referral.moved", body)}


def _keys(message: Message) -> dict[str, Any]:
    return {
        "institution": message.institution, "district": message.district, "operator_name": message.operator_name or message.operator,
        "now": message.arrived_at, "today": business_date(message.arrived_at),
    }  # fmt: skip


def _values(paper: Paper) -> dict[str, Any]:
    return {
        "digest": paper.digest, "patient_sealed": personal.seal(CENTER, msgspec.json.encode(paper.patient)),
        "patient_shown": personal.mask_name(paper.patient.name), "urgent": paper.urgent, "department": paper.department, "doctor": paper.doctor,
        "doctor_name": paper.doctor_name, "valid_until": paper.valid_until,
    }  # fmt: skip


def _seen(row: Any, message: Message) -> Seen:
    patient = msgspec.json.decode(personal.unseal_bytes(CENTER, bytes(row.patient_sealed)), type=rules.Patient)
    answer = personal.unseal(CENTER, bytes(row.answer_sealed)) if row.answer_sealed else ""
    whole = row.institution_code == message.institution or row.state in {"ACCEPTED", "CLOSED"}
    return Seen(row, patient, rules.state_of(row, message.arrived_at), answer, whole)
