"""What settles, reverses and takes back. Each is one transaction of role center_interface; answers are kept as bytes.

A message is answered once. Asked again with the same bytes it gets the stored answer; with others it is refused.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.center.db import transaction
from app.center.fund import statements
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
from app.center.fund.errors import (
    AlreadyReversed,
    MessageChanged,
    MessageReversed,
    NotReversible,
    ReversedBeforeArrival,
    UnknownSettlement,
    YearClosed,
)
from app.center.fund.rules import allocate_to_lines
from app.center.fund.settling import draft_of, new_id
from app.center.registry.errors import UnknownPerson
from app.core import faults, personal
from app.core.clock import CHINA, business_date

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.center.fund.documents import Judge, Writer
    from app.center.fund.rules import Split
    from app.core.hot import Hot

__all__ = [
    "MOST_CODES", "MOST_LINES", "Credential", "Draft", "Message", "Purchase", "PurchaseLine", "TraceCode",
    "keep_refusal", "preview_settlement", "reverse_settlement", "settle_purchase", "withdraw_message",
]  # fmt: skip

NOTHING: dict[str, str] = {}  # No officer's district: the interface serves every institution.
TRIES = 3
RACES = {"code_claim_holder", "ecert_use_pkey"}  # Another message took the code or the token after we looked.
_json = msgspec.json.Encoder(decimal_format="string").encode


class _YearNotOpen(Exception):
    pass


class _LostRace(Exception):
    pass


def preview_settlement(message: Message, purchase: Purchase, judge: Judge) -> Draft:
    """Split a purchase without writing anything (预结算)."""
    with transaction("interface", NOTHING) as hot:
        [facts] = hot.run(statements.READ_ONLY, _questions(message, purchase))
    if facts.held is None:
        raise UnknownPerson
    return draft_of(message, purchase, facts, judge, trial=True)


def settle_purchase(message: Message, purchase: Purchase, judge: Judge, write: Writer) -> bytes:
    """Settle a purchase: adjudicate under lock, charge funds and accounts, claim the codes, keep the answer (结算).

    Two statements: one reads and locks, one writes and commits. Sending the same message again gives the same answer.
    """
    return _again(message, purchase.psn_no, purchase.insutype, lambda: _settle(message, purchase, judge, write))


def _settle(message: Message, purchase: Purchase, judge: Judge, write: Writer) -> bytes:
    with transaction("interface", NOTHING) as hot:
        [facts] = hot.run(statements.READ_AND_LOCK, _questions(message, purchase))
        if not facts.arrived:
            return _stored(hot, message)
        if facts.held is None:
            raise _YearNotOpen
        faults.at("center.read")
        draft = draft_of(message, purchase, facts, judge)
        answer = write(draft)
        hot.run_last(statements.WRITE_SETTLEMENT, _rows(message, draft, answer))
    faults.at("center.written")
    return answer


def reverse_settlement(
    message: Message, setl_id: str, mdtrt_id: str, psn_no: str, write: Callable[[Any, str], bytes]
) -> bytes:
    """Reverse a whole settlement: negative copy, counters and account go back, codes are free again (撤销).

    `write` gets the original row and the reversal's id. Refused: unknown, reversed before, or of another year.
    """

    def act() -> bytes:
        with transaction("interface", NOTHING) as hot:
            if not hot.run(statements.ARRIVE, _head(message)):
                return _stored(hot, message)
            original = _locked(hot, message, setl_id)
            if (
                original is None
                or (original.mdtrt_id, original.psn_no) != (mdtrt_id, psn_no)
                or original.reverses_setl_id
            ):
                raise UnknownSettlement
            if original.reversed_by:
                raise AlreadyReversed
            if original.year != business_date(message.arrived_at).year:
                raise YearClosed(year=original.year)
            return _write_reversal(hot, message, original, write)

    return _tried(act)


def withdraw_message(message: Message, omsgid: str, oinfno: str, psn_no: str, done: Callable[[], bytes]) -> bytes:
    """Take back a message whose outcome is unknown (冲正): reverse what it settled, or see to it that it never will.

    Repeating it changes nothing more. A message that has not come is refused when it comes.
    """

    def act() -> bytes:
        with transaction("interface", NOTHING) as hot:
            if not hot.run(statements.ARRIVE, _head(message)):
                return _stored(hot, message)
            buried = hot.run(statements.TOMBSTONE, _head(message) | {"omsgid": omsgid, "oinfno": oinfno})
            known = (
                None if buried else hot.run(statements.STORED, {"institution": message.institution, "msgid": omsgid})[0]
            )
            if known is not None and known.infno != oinfno:
                raise NotReversible(why="原交易编号与原报文不符")
            if known is not None and known.state == "accepted":
                original = _locked(hot, message, known.setl_id)
                assert original is not None
                if original.psn_no != psn_no:
                    raise NotReversible(why="原报文不属于该人员")
                if not original.reversed_by:
                    return _write_reversal(hot, message, original, lambda _original, _setl_id: done(), withdraws=omsgid)
            answer = done()
            hot.run_last(statements.ANSWER, _head(message) | {"answer": _sealed(answer)})
        return answer

    return _tried(act)


def keep_refusal(message: Message, answer: bytes) -> bytes:
    """Keep a refusal as the answer of its message; if a twin was answered meanwhile, give the twin's answer."""
    with transaction("interface", NOTHING) as hot:
        kept = hot.run(statements.KEEP_ANSWER, _head(message) | {"answer": _sealed(answer), "state": "refused"})
        return answer if kept else _stored(hot, message)


def _again(message: Message, psn_no: str, insutype: str, act: Callable[[], bytes]) -> bytes:
    """Run an act; open the person's year first if that is what is missing."""
    try:
        return _tried(act)
    except _YearNotOpen:
        year = str(business_date(message.arrived_at).year)
        with transaction("interface", NOTHING) as hot:
            hot.run(statements.OPEN_YEAR, {"psn_no": psn_no, "insutype": insutype, "year": year})
    try:
        return _tried(act)
    except _YearNotOpen:
        raise UnknownPerson from None


def _tried(act: Callable[[], bytes]) -> bytes:
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


def _stored(hot: Hot, message: Message) -> bytes:
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


def _sealed(answer: bytes) -> bytes:
    """An answer as it is kept for replay: it names the person, so it lies there encrypted."""
    return personal.seal("center", answer)


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
            "answer": _sealed(answer),
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


def _head(message: Message) -> dict[str, Any]:
    return {
        "institution": message.institution,
        "msgid": message.msgid,
        "district": message.district,
        "infno": message.infno,
        "digest": message.digest,
        "now": message.arrived_at,
    }


def _questions(message: Message, purchase: Purchase) -> dict[str, Any]:
    """What the reading statement asks with. Numbers go as text, so that the statement is prepared once."""
    at = message.arrived_at
    local = at.astimezone(CHINA)
    return _head(message) | {
        "psn_no": purchase.psn_no,
        "insutype": purchase.insutype,
        "year": str(local.year),
        "today": local.date(),
        "midnight": local.replace(hour=0, minute=0, second=0, microsecond=0),
        "day_ago": at - timedelta(days=1),
        "five_minutes_ago": at - timedelta(minutes=5),
        "items": [line.code for line in purchase.lines],
        "codes": [trace.code for line in purchase.lines for trace in line.codes],
        "token": purchase.credential.lookup if purchase.credential.kind == "01" else None,
        "replaces": purchase.replaces,
        "terminal": purchase.terminal,
        "operator": message.operator,
        "agent": purchase.agent,
    }


def _rows(message: Message, draft: Draft, answer: bytes) -> dict[str, Any]:
    """Everything the writing statement needs."""
    credential = draft.purchase.credential
    token = credential.lookup if credential.kind == "01" and not draft.purchase.replaces else None
    return {
        "answer": _sealed(answer),
        "settlement": _text(_settlement(message, draft)),
        "entries": _text(_entries(draft)),
        "claims": _text(draft.claims),
        "token": token,
        "lines": _text(_lines(draft)),
    }


def _settlement(message: Message, draft: Draft) -> dict[str, Any]:
    """The settlement's row, column by column."""
    purchase, terms, split = draft.purchase, draft.terms, draft.split
    day = business_date(draft.at)
    return _amounts(split) | {
        "setl_id": draft.setl_id,
        "mdtrt_id": draft.mdtrt_id,
        "institution_code": message.institution,
        "district": message.district,
        "msgid": message.msgid,
        "infno": message.infno,
        "replaces_setl_id": purchase.replaces or None,
        "psn_no": purchase.psn_no,
        "insutype": purchase.insutype,
        "year": day.year,
        "person_class": terms.person_class,
        "psn_type": terms.psn_type,
        "civil_servant": terms.civil_servant,
        "cert_type": purchase.credential.kind,
        "med_type": purchase.med_type,
        "disease": purchase.disease,
        "operator": message.operator,
        "operator_name": message.operator_name,
        "terminal": purchase.terminal,
        "credential": purchase.credential.read or "",
        "agent_lookup": _hex(purchase.agent),
        "agent_sealed": _hex(purchase.agent_sealed),
        "settled_at": draft.at,
        "settled_on": day,
        "policy_on": terms.policy_on,
        "policy_id": terms.policy.id or None,
        "ratio": split.ratio,
        "balance_fen": draft.balance_fen,
        "snapshot": _snapshot(draft),
        "identity": draft.identity,
    }


def _amounts(split: Split) -> dict[str, int]:
    funds = {f"{fund}_fen": paid for fund, paid in split.funds.items()}
    return funds | {name: getattr(split, name) for name in statements.AMOUNTS if name not in funds}


def _hex(value: bytes | None) -> str | None:
    """Bytes as a JSON row carries them."""
    return None if value is None else f"\\x{value.hex()}"


def _snapshot(draft: Draft) -> dict[str, Any]:
    """Every figure the document was made with, so that it comes out the same in ten years."""
    return draft.terms.as_json() | {
        "counters": draft.counters,
        "accounts": draft.accounts,
        "use_own": draft.purchase.use_own,
        "use_mutual": draft.purchase.use_mutual,
        "override": draft.purchase.override,
    }


def _entries(draft: Draft) -> list[dict[str, Any]]:
    split, before = draft.split, draft.accounts
    pots = (
        ("current", split.current_fen, before.current_fen),
        ("prior", split.prior_fen, before.prior_fen),
        ("mutual", split.mutual_fen, before.mutual_fen),
    )
    return [{"pot": pot, "amount": -paid, "balance": held - paid} for pot, paid, held in pots if paid]


def _lines(draft: Draft) -> list[dict[str, Any]]:
    shares = allocate_to_lines(draft.lines, draft.split)
    return [
        {
            "position": position,
            "number": sent.number,
            "code": sent.code,
            "own_code": sent.own_code,
            "name": item.name,
            "price": line.price,
            "quantity": line.quantity,
            "grade": line.grade,
            "selfpay": line.selfpay,
            "ceiling": line.ceiling,
            "pooled": line.pooled,
            "rxno": sent.rxno,
            "amount_fen": split.amount_fen,
            "full_fen": split.full_fen,
            "over_fen": split.over_fen,
            "pre_fen": split.pre_fen,
            "inscope_fen": split.inscope_fen,
            "fund_fen": fund,
            "deductible_fen": deductible,
        }
        for position, (sent, item, line, split, (fund, deductible)) in enumerate(
            zip(draft.purchase.lines, draft.items, draft.lines, draft.split.lines, shares, strict=True), start=1
        )
    ]


def _text(value: object) -> str:
    return _json(value).decode()
