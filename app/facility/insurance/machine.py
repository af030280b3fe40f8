"""The machine of the dangerous minute (ARCHITECTURE 6). A document room registers how its documents are confirmed and
released; this module asks, and finds out which of the two it is. The request's thread and the recovery worker use the same code.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec
from flask import current_app

from app.core import clock, faults, personal
from app.core.errors import Outage
from app.facility.db import db, hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import messages
from app.facility.organizations import parameters
from app.national import client, envelope
from app.national.errors import CenterSlow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

log = logging.getLogger("sunmed.insurance")

LEASE = timedelta(seconds=30)  # How long one worker may try before another looks at the attempt again.
# Refusals that say nothing about the message itself: the envelope was not accepted, so the outcome is still unknown.
NOT_ABOUT_THE_MESSAGE = frozenset(
    {"MALFORMED_MESSAGE", "UNKNOWN_INSTITUTION", "MESSAGE_CHANGED", "SIGN_ON_MISSING", "NOT_SERVED"}
)

SETTLES = frozenset(
    {"2102", "2207"}
)  # What can be taken back by 2601 when it comes too late; the others only go forward.

Was = Literal["asked", "recovering"]


@dataclass(frozen=True)
class Attempt:
    """One message whose outcome must become known."""

    id: UUID
    tenant_id: int
    facility_id: int
    document_kind: str
    document_id: UUID
    infno: str
    message_id: str
    asked_at: datetime
    body: bytes
    psn_no: str
    given_up: bool = False
    known: Any = field(
        default=None, compare=False, repr=False
    )  # What the asking room still has at hand; a worker reads it again.

    @property
    def settings(self) -> dict[str, str]:
        return {"app.tenant_id": str(self.tenant_id)}


@dataclass(frozen=True)
class Sealed:
    """What is stored of a message, so that the same bytes can be made again."""

    institution: envelope.Institution
    operator: envelope.Operator
    insuplc_admdvs: str
    sign_no: str
    psn_no: str
    content: str

    def body(self, infno: str, message_id: str, at: datetime) -> bytes:
        return desks.compose(
            self.institution,
            self.operator,
            infno,
            message_id,
            at,
            self.content.encode(),
            self.insuplc_admdvs,
            self.sign_no,
        )


class Documents(Protocol):
    """What a document room does with an outcome. Each returns False when somebody else has written it meanwhile."""

    def confirm(self, attempt: Attempt, answer: envelope.Answer, was: Was) -> bool: ...

    def release(self, attempt: Attempt, code: str, why: str, was: Was) -> bool: ...


_rooms: dict[str, Documents] = {}
_forward: set[str] = set()  # Kinds of documents that are never taken back because they come late.

# A part of a document room's statement: writes the outcome only if the attempt is still as we left it.
CLOSE_ATTEMPT = """attempt as (
    update insurance_attempt set state = %(outcome)s, answered_at = %(at)s, answer_code = %(answer_code)s, answer_text = %(answer_text)s
    where tenant_id = %(tenant)s and id = %(attempt)s and state = %(was)s returning document_id
)"""

# A part of a document room's statement: writes the attempt, its message id made from the head's counter.
OPEN_ATTEMPT = """attempt as (
    insert into insurance_attempt (tenant_id, id, facility_id, document_kind, document_id, infno, state, message_id, digest, sealed, asked_at, deadline_at)
    select %(tenant)s, %(attempt)s::uuid, %(facility)s, %(document_kind)s, %(document)s, %(infno)s::text, 'asked',
        %(institution)s || to_char(%(at)s at time zone 'Asia/Shanghai', 'YYYYMMDDHH24MISS') || lpad((head.message_number %% 10000)::text, 4, '0'),
        %(message_digest)s, %(sealed)s, %(at)s, %(deadline)s
    from head where %(infno)s::text is not null
    returning message_id
)"""

TAKE = """
update insurance_attempt set state = 'recovering', tries = tries + 1, next_at = clock_timestamp() + %(lease)s
where tenant_id = %(tenant)s and id = %(id)s and state in ('asked', 'recovering')
    and deadline_at < clock_timestamp() and coalesce(next_at, deadline_at) < clock_timestamp()
returning *
"""
LATER = "update insurance_attempt set next_at = clock_timestamp() + %(pause)s where tenant_id = %(tenant)s and id = %(id)s and state = 'recovering'"
GIVE_UP = "update insurance_attempt set given_up_at = clock_timestamp() where tenant_id = %(tenant)s and document_id = %(document)s and state in ('asked', 'recovering')"


def register(kind: str, room: Documents, *, forward: bool = False) -> None:
    """Say who confirms and releases documents of a kind; `forward`: a late acceptance is good, nobody waits with the goods."""
    _rooms[kind] = room
    if forward:
        _forward.add(kind)


def seal(tenant_id: int, stored: Sealed) -> bytes:
    """A message as it lies in the database."""
    return personal.seal(str(tenant_id), msgspec.json.encode(stored))


def unseal(tenant_id: int, sealed: bytes) -> Sealed:
    """A stored message."""
    return msgspec.json.decode(personal.unseal_bytes(str(tenant_id), sealed), type=Sealed)


def deadline(at: datetime) -> datetime:
    """When the request's thread has certainly stopped waiting: client's and server's time-outs and five seconds."""
    config = current_app.config
    return at + timedelta(seconds=config.get("DEADLINE_SECONDS") or config.get("CENTER_SECONDS", client.SECONDS) + 10)


def ask(attempt: Attempt) -> Literal["confirmed", "released", "unknown", "taken"]:
    """Ask the center once and write the outcome. "unknown": the worker will find out; "taken": it already does."""
    faults.at("ask.committed")
    try:
        answer = _send(attempt)
    except CenterSlow:  # Nothing was sent, so nothing can have happened: the goods are free again at once.
        released = _rooms[attempt.document_kind].release(attempt, "CENTER_SLOW", "医保中心繁忙，请稍候再结算", "asked")
        return "released" if released else "taken"
    except Outage as outage:
        log.warning("attempt %s unknown: %s", attempt.id, outage.reason)
        return "unknown"
    faults.at("ask.answered")
    return _write(attempt, answer, "asked")


def _write(attempt: Attempt, answer: envelope.Answer, was: Was) -> Literal["confirmed", "released", "taken"]:
    room = _rooms[attempt.document_kind]
    if answer.accepted:
        return "confirmed" if room.confirm(attempt, answer, was) else "taken"
    return "released" if room.release(attempt, answer.code, answer.message, was) else "taken"


def _send(attempt: Attempt) -> envelope.Answer:
    here = desks.institution(attempt.tenant_id, attempt.facility_id)
    db.end_reading()
    faults.at("ask.sending")
    answer = desks.national_client().ask(client.Call(attempt.infno, attempt.body, here.wire.code, here.secret))
    if not answer.accepted and answer.code in NOT_ABOUT_THE_MESSAGE:
        raise Outage(f"center: {answer.code} {answer.message}")
    return answer


# ---- recovery ----------------------------------------------------------------------------------------------------


def give_up(tenant_id: int, document_id: UUID) -> None:
    """The clerk no longer wants this settlement: whatever the center says, it will be taken back."""
    with transaction(settings={"app.tenant_id": str(tenant_id)}) as hot:
        hot.run_last(GIVE_UP, {"tenant": tenant_id, "document": document_id})


def recover(tenant_id: int, attempt_id: UUID) -> str:
    """Find out what became of an overdue attempt and write it. Raises Outage when the center still does not say."""
    attempt = _take(tenant_id, attempt_id)
    if attempt is None:
        return "taken"
    faults.at("recover.taken")
    try:
        return _resolve(attempt)
    except Outage:
        _later(attempt)
        raise


def _resolve(attempt: Attempt) -> str:
    if attempt.infno in SETTLES and _too_late(attempt):
        return _take_back(attempt)
    answer = _send(attempt)  # The same id and the same bytes: our center answers what it answered.
    faults.at("recover.answered")
    return _write(attempt, answer, "recovering")


def _too_late(attempt: Attempt) -> bool:
    """An acceptance this late is taken back, because goods and person are gone."""
    within = parameters.of(attempt.tenant_id).minutes("confirm_within")
    late = clock.now() - attempt.asked_at > within and attempt.document_kind not in _forward
    return attempt.given_up or late or not current_app.config.get("CENTER_REPLAYS", True)


def _take_back(attempt: Attempt) -> str:
    """Reverse by 2601 until the center says that it is done, then release."""
    here = desks.institution(attempt.tenant_id, attempt.facility_id)
    content = msgspec.json.encode(messages.reversal(attempt.psn_no, attempt.message_id, attempt.infno))
    with transaction(settings=attempt.settings) as hot:
        number = hot.run_last(desks.NEXT_MESSAGE, {"tenant": attempt.tenant_id, "facility": attempt.facility_id})[
            0
        ].message_number
    at = clock.now()
    body = desks.compose(
        here.wire,
        envelope.Operator("recovery", "recovery"),
        "2601",
        envelope.message_id(here.wire.code, at, number),
        at,
        content,
        "",
        "",
    )
    db.end_reading()
    answer = desks.national_client().ask(client.Call("2601", body, here.wire.code, here.secret))
    faults.at("recover.reversed")
    if not answer.accepted:
        raise Outage(f"2601 refused: {answer.code} {answer.message}")
    released = _rooms[attempt.document_kind].release(attempt, "REVERSED", "超过时限，已向中心冲正", "recovering")
    return "reversed" if released else "taken"


@hot_action
def _take(tenant_id: int, attempt_id: UUID) -> Attempt | None:
    with transaction(settings={"app.tenant_id": str(tenant_id)}) as hot:
        rows = hot.run_last(TAKE, {"tenant": tenant_id, "id": attempt_id, "lease": LEASE})
    return load(rows[0]) if rows else None


def _later(attempt: Attempt) -> None:
    pause = timedelta(seconds=current_app.config.get("RECOVERY_PAUSE_SECONDS", 5))
    with transaction(settings=attempt.settings) as hot:
        hot.run_last(LATER, {"tenant": attempt.tenant_id, "id": attempt.id, "pause": pause})


def load(row: Any) -> Attempt:
    """An attempt from its row; its bytes are made again from what was stored."""
    stored = unseal(row.tenant_id, bytes(row.sealed))
    return Attempt(
        id=row.id, tenant_id=row.tenant_id, facility_id=row.facility_id, document_kind=row.document_kind, document_id=row.document_id,
        infno=row.infno, message_id=row.message_id, asked_at=row.asked_at, body=stored.body(row.infno, row.message_id, row.asked_at),
        psn_no=stored.psn_no, given_up=row.given_up_at is not None,
    )  # fmt: skip


def outcome(attempt: Attempt, was: Was, state: str, answer: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The parameters of CLOSE_ATTEMPT."""
    said = answer or {}
    return {
        "tenant": attempt.tenant_id, "facility": attempt.facility_id, "attempt": attempt.id, "document": attempt.document_id, "was": was,
        "outcome": state, "at": clock.now(), "answer_code": said.get("code", ""), "answer_text": said.get("text", ""),
    }  # fmt: skip
