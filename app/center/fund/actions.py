"""What settles, reverses and takes back. Each is one transaction of role center_interface; answers are kept as bytes.

A message is answered once. Asked again with the same bytes it gets the stored answer; with others it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import transaction
from app.center.fund import statements
from app.center.fund.answering import NOTHING, YearNotOpen, again, head_of, keep_refusal, sealed, stored, tried
from app.center.fund.documents import (
    MOST_CODES,
    MOST_LINES,
    Credential,
    Draft,
    Message,
    Purchase,
    PurchaseLine,
    TraceCode,
)
from app.center.fund.errors import AlreadyReversed, NotReversible, UnknownSettlement, YearClosed
from app.center.fund.rows import questions, rows_of
from app.center.fund.settling import draft_of, new_id
from app.center.registry.errors import UnknownPerson
from app.core import faults
from app.core.clock import business_date

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from app.center.fund.documents import Judge, Writer
    from app.core.hot import Hot

__all__ = [
    "MOST_CODES", "MOST_LINES", "Credential", "Draft", "Message", "Purchase", "PurchaseLine", "TraceCode",
    "keep_refusal", "preview_settlement", "reverse_settlement", "settle_purchase", "withdraw_message",
]  # fmt: skip


def preview_settlement(message: Message, purchase: Purchase, judge: Judge) -> Draft:
    """Split a purchase without writing anything (预结算)."""
    with transaction("interface", NOTHING) as hot:
        [facts] = hot.run(statements.READ_ONLY, questions(message, purchase))
    if facts.held is None:
        raise UnknownPerson
    return draft_of(message, purchase, facts, judge, trial=True)


def settle_purchase(message: Message, purchase: Purchase, judge: Judge, write: Writer) -> bytes:
    """Settle a purchase: adjudicate under lock, charge funds and accounts, claim the codes, keep the answer (结算).

    Two statements: one reads and locks, one writes and commits. Sending the same message again gives the same answer.
    """
    return again(message, purchase.psn_no, purchase.insutype, lambda: _settle(message, purchase, judge, write))


def _settle(message: Message, purchase: Purchase, judge: Judge, write: Writer) -> bytes:
    with transaction("interface", NOTHING) as hot:
        [facts] = hot.run(statements.READ_AND_LOCK, questions(message, purchase))
        if not facts.arrived:
            return stored(hot, message)
        if facts.held is None:
            raise YearNotOpen
        faults.at("center.read")
        draft = draft_of(message, purchase, facts, judge)
        answer = write(draft)
        hot.run_last(statements.WRITE_SETTLEMENT, rows_of(message, draft, answer))
    faults.at("center.written")
    return answer


def reverse_settlement(
    message: Message,
    setl_id: str,
    mdtrt_id: str,
    psn_no: str,
    write: Callable[[Any, str], bytes],
    made_by: Collection[str] = ("2102",),
) -> bytes:
    """Reverse a whole settlement: negative copy, counters and account go back, codes and a visit's lines are free again (撤销).

    `write` gets the original row and the reversal's id. Refused: unknown, not made by one of the transactions named,
    reversed before, or of another year.
    """

    def act() -> bytes:
        with transaction("interface", NOTHING) as hot:
            if not hot.run(statements.ARRIVE, head_of(message)):
                return stored(hot, message)
            original = _locked(hot, message, setl_id)
            if (
                original is None
                or (original.mdtrt_id, original.psn_no) != (mdtrt_id, psn_no)
                or original.reverses_setl_id
                or original.infno not in made_by
            ):
                raise UnknownSettlement
            if original.reversed_by:
                raise AlreadyReversed
            if original.year != business_date(message.arrived_at).year:
                raise YearClosed(year=original.year)
            return _write_reversal(hot, message, original, write)

    return tried(act)


def withdraw_message(message: Message, omsgid: str, oinfno: str, psn_no: str, done: Callable[[], bytes]) -> bytes:
    """Take back a message whose outcome is unknown (冲正): reverse what it settled, or see to it that it never will.

    Repeating it changes nothing more. A message that has not come is refused when it comes.
    """

    def act() -> bytes:
        with transaction("interface", NOTHING) as hot:
            if not hot.run(statements.ARRIVE, head_of(message)):
                return stored(hot, message)
            buried = hot.run(statements.TOMBSTONE, head_of(message) | {"omsgid": omsgid, "oinfno": oinfno})
            known = (
                None if buried else hot.run(statements.STORED, {"institution": message.institution, "msgid": omsgid})[0]
            )
            if known is not None and known.infno.removesuffix("A") != oinfno:  # 2207A is taken back as 2207.
                raise NotReversible(why="原交易编号与原报文不符")
            if known is not None and known.state == "accepted":
                original = _locked(hot, message, known.setl_id)
                assert original is not None
                if original.psn_no != psn_no:
                    raise NotReversible(why="原报文不属于该人员")
                if not original.reversed_by:
                    return _write_reversal(hot, message, original, lambda _original, _setl_id: done(), withdraws=omsgid)
            answer = done()
            hot.run_last(statements.ANSWER, head_of(message) | {"answer": sealed(answer)})
        return answer

    return tried(act)


def _locked(hot: Hot, message: Message, setl_id: str) -> Any:
    """Find a settlement of this institution, lock its person, and read it again under the lock."""
    ask = {"setl_id": setl_id, "institution": message.institution}
    found = hot.run(statements.SETTLEMENT, ask)
    if not found:
        return None
    row = found[0]
    hot.run(statements.LOCK_PERSON, {"psn_no": row.psn_no, "insutype": row.insutype, "year": str(row.year)})
    return hot.run(statements.SETTLEMENT, ask)[0]


def _write_reversal(
    hot: Hot, message: Message, original: Any, write: Callable[[Any, str], bytes], *, withdraws: str | None = None
) -> bytes:
    setl_id = new_id(message.district, message.arrived_at)
    [held] = hot.run(
        statements.LOCK_PERSON, {"psn_no": original.psn_no, "insutype": original.insutype, "year": str(original.year)}
    )
    balance = held.current_fen + held.prior_fen + original.current_fen + original.prior_fen
    answer = write(original._replace(balance_fen=balance), setl_id)
    hot.run_last(
        statements.WRITE_REVERSAL,
        {
            "answer": sealed(answer),
            "setl_id": setl_id,
            "original": original.setl_id,
            "institution_code": message.institution,
            "msgid": message.msgid,
            "infno": message.infno,
            "withdraws": withdraws,
            "operator": message.operator,
            "operator_name": message.operator_name,
            "settled_at": message.arrived_at,
            "settled_on": business_date(message.arrived_at),
            "balance_fen": str(balance),
        },
    )
    return answer
