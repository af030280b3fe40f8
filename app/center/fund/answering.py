"""A settling message is answered once: the same bytes get the stored answer, others are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from psycopg import errors as pg

from app.center.db import transaction
from app.center.fund import statements
from app.center.fund.errors import MessageChanged, MessageReversed, ReversedBeforeArrival
from app.center.registry.errors import UnknownPerson
from app.core import personal
from app.core.clock import business_date

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.center.fund.documents import Message
    from app.core.hot import Hot

T = TypeVar("T")

NOTHING: dict[str, str] = {}  # No officer's district: the interface serves every institution.
TRIES = 3
RACES = {"code_claim_holder", "ecert_use_pkey"}  # Another message took the code or the token after we looked.


class YearNotOpen(Exception):
    """The person's year has no counters yet; they are opened and the act is run again."""


def keep_refusal(message: Message, answer: bytes) -> bytes:
    """Keep a refusal as the answer of its message; if a twin was answered meanwhile, give the twin's answer."""
    with transaction("interface", NOTHING) as hot:
        kept = hot.run(statements.KEEP_ANSWER, head_of(message) | {"answer": sealed(answer), "state": "refused"})
        return answer if kept else stored(hot, message)


def again(message: Message, psn_no: str, insutype: str, act: Callable[[], bytes]) -> bytes:
    """Run an act; open the person's year first if that is what is missing."""
    try:
        return tried(act)
    except YearNotOpen:
        year = str(business_date(message.arrived_at).year)
        with transaction("interface", NOTHING) as hot:
            hot.run(statements.OPEN_YEAR, {"psn_no": psn_no, "insutype": insutype, "year": year})
    try:
        return tried(act)
    except YearNotOpen:
        raise UnknownPerson from None


def tried(act: Callable[[], T]) -> T:
    """Run an act again when it lost a race for a code, a token or a lock."""
    for turn in range(1, TRIES + 1):
        try:
            return act()
        except (pg.DeadlockDetected, pg.SerializationFailure):
            if turn == TRIES:
                raise
        except pg.UniqueViolation as failure:
            if turn == TRIES or failure.diag.constraint_name not in RACES:
                raise
    raise AssertionError


def stored(hot: Hot, message: Message) -> bytes:
    """The answer this message got before."""
    [known] = hot.run(statements.STORED, {"institution": message.institution, "msgid": message.msgid})
    if known.state == "tombstone":
        raise ReversedBeforeArrival
    if bytes(known.digest) != message.digest or known.infno != message.infno:
        raise MessageChanged(msgid=message.msgid)
    if known.state == "reversed":
        raise MessageReversed
    assert known.answer is not None
    return personal.unseal_bytes("center", bytes(known.answer))


def sealed(answer: bytes) -> bytes:
    """An answer as it is kept for replay: it names the person, so it lies there encrypted."""
    return personal.seal("center", answer)


def head_of(message: Message) -> dict[str, Any]:
    return {
        "institution": message.institution,
        "msgid": message.msgid,
        "district": message.district,
        "infno": message.infno,
        "digest": message.digest,
        "now": message.arrived_at,
    }
