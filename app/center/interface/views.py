"""The door: `POST /national/<infno>`, or `/national` as a single entry. Bytes in, bytes out, no session.

A facility wing in the same process comes through `door` to the same answers, without a web server's work around them.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request
from psycopg import errors as pg
from sqlalchemy import exc as sqlalchemy_errors
from werkzeug.exceptions import HTTPException

from app.center.fund.actions import keep_refusal
from app.center.fund.errors import MessageChanged, MessageReversed, ReversedBeforeArrival
from app.center.interface import estimating, history, outflow, people, referrals, reminding, reversing, settling, visits
from app.center.interface.asked import Asked, reference
from app.center.interface.errors import FieldsWrong, NotServed
from app.center.registry.errors import UnknownInstitution
from app.center.registry.queries import Institution, find_institution
from app.core import clock, faults, signin
from app.core.errors import Outage, Refusal
from app.national import envelope, fields
from app.national.errors import MalformedMessage
from app.national.signing import profile_c

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flask import Flask

    from app.national.client import Door

log = logging.getLogger(__name__)

blueprint = Blueprint("interface", __name__)
signin.machines_only(blueprint)

HANDLERS: dict[str, Callable[[Asked], bytes]] = {
    "1101": people.answer_person,
    "2101": settling.preview_purchase,
    "2102": settling.settle,
    "2103": reversing.cancel,
    "2201": visits.register,
    "2202": visits.cancel_registration,
    "2203": visits.describe,
    "2204": visits.charge,
    "2205": visits.cancel_charges,
    "2206": settling.preview_batch,
    "2206A": settling.preview_batch,
    "2207": settling.settle_batch,
    "2207A": settling.settle_batch,
    "2208": reversing.cancel_visit_settlement,
    "2601": reversing.take_back,
    "3101": reminding.check_draft,
    "3103": reminding.keep_feedback,
    "5203": reversing.read_settlement,
    "6101": people.exchange_code,
    "9001": people.begin_day,
    "9002": people.end_day,
    "S001": history.read_history,
    "S002": estimating.estimate,
    "S010": outflow.issue,
    "S011": outflow.fetch,
    "S012": outflow.lock,
    "S013": outflow.statuses,
    "S014": outflow.let_go,
    "S015": outflow.make_void,
    "S020": referrals.send,
    "S021": referrals.look,
    "S022": referrals.move,
    "S023": referrals.find,
}
SETTLING = {"2102", "2103", "2207", "2207A", "2208", "2601"}  # Answered once; a refusal is kept as well.
ABOUT_THE_MESSAGE = (MessageChanged, MessageReversed, ReversedBeforeArrival)  # Never kept: the id is another's.
KEPT_SECONDS = 30  # How long an institution's secret is remembered.
MOST_KEPT = 10_000
_BUSY = (
    pg.LockNotAvailable,
    pg.QueryCanceled,
    pg.DeadlockDetected,
    pg.SerializationFailure,
    sqlalchemy_errors.OperationalError,
    sqlalchemy_errors.TimeoutError,
)


@blueprint.post("/national")
@blueprint.post("/national/<infno>")
@blueprint.post("/fsi/api/rsfComIfsService/callService")
def answer(infno: str | None = None) -> Response:
    """Answer a national message; whatever is wrong comes back as an envelope."""
    request.max_content_length = envelope.MOST_BYTES
    try:
        body = request.get_data(cache=False)
    except HTTPException:
        body = b""  # Too large, or broken off; an empty message is refused as unreadable.
    headers = {name.lower(): value for name, value in request.headers}
    status, said = serve(infno, headers, body)
    return Response(said, status=status, mimetype="application/json")


def door(center: Flask) -> Door:
    """The way in for a facility wing of the same process."""

    def ask(infno: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        with center.app_context():
            return serve(infno, headers, body)

    return ask


def serve(infno: str | None, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """Answer the bytes of a message with HTTP status and bytes. 401, 500 and 503 leave the outcome open; 200 says it."""
    arrived = clock.now()
    try:
        return 200, _served(_authenticated(body, headers, infno, arrived))
    except UnknownInstitution as refusal:
        return 401, _refused(refusal, arrived)
    except Refusal as refusal:
        return 200, _refused(refusal, arrived)
    except (Outage, *_BUSY):
        return 503, envelope.answer("", arrived, None, refused="中心繁忙，结果未定。请用同一报文编号重新询问。")
    except Exception:
        log.exception("a national message broke its handler")
        return 500, envelope.answer("", arrived, None, refused="中心内部错误，结果未定。请用同一报文编号重新询问。")


def _served(asked: Asked) -> bytes:
    settling_message = asked.request.infno in SETTLING
    try:
        answer = _handled(asked)
    except ABOUT_THE_MESSAGE:
        raise
    except Refusal as refusal:
        answer = _refused(refusal, asked.at, asked.refmsgid)
        if settling_message:
            answer = keep_refusal(asked.message, answer)
    faults.at("center.answering")
    return answer


def _handled(asked: Asked) -> bytes:
    request_ = asked.request
    handler = HANDLERS.get(request_.infno)
    if handler is None:
        raise NotServed(infno=request_.infno)
    if problems := fields.check(request_.infno, request_.input):
        raise FieldsWrong(why="；".join(problem.sentence for problem in problems[:3]))
    return handler(asked)


def _authenticated(body: bytes, headers: Mapping[str, str], infno: str | None, arrived: datetime) -> Asked:
    """Read the envelope and check who signed it, before anything else is believed."""
    if not 0 < len(body) <= envelope.MOST_BYTES:
        raise MalformedMessage(why="报文过大，或没有收完整")
    faults.at("center.arrived")  # Past a mere look whether the center is there.
    asked = envelope.parse(body)
    key = headers.get(profile_c.KEY, "")
    if key != asked.institution:
        raise UnknownInstitution(why="签名的机构与报文中的机构不一致")
    institution = _institution(key, fresh=False)
    signature = headers.get(profile_c.SIGNATURE, "")
    why = _why_wrong(institution, signature, body, arrived)
    if why and (institution := _institution(key, fresh=True)):
        why = _why_wrong(institution, signature, body, arrived)  # The secret may have been changed a moment ago.
    if why or institution is None:
        raise UnknownInstitution(why=why or "没有登记")
    if infno is not None and infno != asked.infno:
        raise MalformedMessage(why="地址中的交易编号与报文不一致")
    return Asked(asked, institution, arrived, body, reference(institution.district, arrived))


def _why_wrong(institution: Institution | None, signature: str, body: bytes, arrived: datetime) -> str | None:
    if institution is None:
        return "没有登记"
    return profile_c.why_wrong({profile_c.SIGNATURE: signature}, institution.secret, body, arrived)


def _institution(code: str, *, fresh: bool) -> Institution | None:
    kept: dict[str, tuple[float, Institution | None]] = current_app.extensions.setdefault("institutions", {})
    at, known = kept.get(code, (0.0, None))
    age = time.monotonic() - at
    if code in kept and age < (1.0 if fresh else KEPT_SECONDS):
        return known
    if len(kept) >= MOST_KEPT:
        kept.clear()
    found = find_institution(code)
    kept[code] = (time.monotonic(), found)
    return found


def _refused(refusal: Refusal, arrived: datetime, refmsgid: str = "") -> bytes:
    return envelope.answer(refmsgid, arrived, None, refused=refusal.message, code=refusal.code)
