"""What becomes of a refund: given back by the request that asked or by the recovery worker, leg by leg, or refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from app.core import faults
from app.core.personal import mask_name
from app.facility.clinic.charging import bills, events, sheets, wire
from app.facility.clinic.charging import refund_statements as stated
from app.facility.clinic.charging.refund_plans import Plan
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import machine, messages
from app.facility.stock.ledger import as_json
from app.facility.till.giving_back import cash_back, give_back, shares_of
from app.facility.till.tenders import Tender
from app.national import envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.national.envelope import Answer


# ---- money ---------------------------------------------------------------------------------------------------------


def changes_of(paid: Sequence[Any], shares: Mapping[str, int], own_fen: int) -> list[Tender]:
    """What goes back to each, as tenders below nothing."""
    return give_back([Tender(row.kind, row.amount_fen) for row in paid], shares, own_fen)


def finish_self(hot: Hot, desk: Desk, params: dict[str, Any], plan: Plan, paid: Sequence[Any]) -> None:
    """What the patient paid alone is given back in the transaction that asked for it."""
    changes = changes_of(paid, {}, plan.rest_fen)
    [row], lines = hot.run_all([(stated.AS_ASKED, params), (stated.GOING_BACK, params)])
    facts = _fact(row, lines, params["at"], desk.operator, None)
    rest_fen = (
        plan.rest_fen if row.resettled else None
    )  # Insurance had paid once: it says so as long as something stays.
    written = params | _written(changes, None, rest_fen, row) | {"facts": facts}
    _give(hot, written)


def _written(changes: Sequence[Tender], split: messages.Split | None, rest_fen: int | None, row: Any) -> dict[str, Any]:
    money = bills.money_of(split) if split else _self_paid(rest_fen) if rest_fen is not None else None
    left = [one for one in (row.batch, row.rest_batch) if one] if row.reversed_setl_id else []
    return {
        "bill": row.bill_id, "cash_fen": cash_back(changes), "tenders": as_json(changes), "new_setl_id": split.setl_id if split else None,
        "money": as_json(money) if money is not None else None, "batch": row.rest_batch if split else None, "left": left,
    }  # fmt: skip


def _self_paid(rest_fen: int) -> dict[str, int]:
    return {"total_fen": rest_fen, "fund_fen": 0, "account_fen": 0, "mutual_fen": 0, "cash_fen": rest_fen}


def _give(hot: Hot, written: dict[str, Any]) -> bool:
    done, standing = hot.run_all([(stated.GIVE_BACK, written), (stated.STANDING, written)])
    hot.run_all([(stated.SHEETS, {**written, "sheets": _sheets(standing)}), (stated.TELL, written)], last=True)
    return bool(done)


def _sheets(standing: Sequence[Any]) -> str:
    return as_json(sheets.changed([msgspec.convert(row._asdict(), sheets.Standing) for row in standing]))


def _fact(row: Any, lines: Sequence[Any], at: datetime, operator: str, settlement: dict[str, Any] | None) -> str:
    body = {
        "document": str(row.id), "receipt": row.number, "original": {"document": str(row.bill_id), "receipt": row.bill_number}, "at": at.isoformat(),
        "operator": operator, "reason": row.reason, "total_fen": row.refund_fen, "settlement": settlement,
        "lines": [{"line": line.line_no, "quantity": line.quantity, "amount_fen": line.amount_fen} for line in lines],
    }  # fmt: skip
    return events.bill_refunded(body)


# ---- messages ------------------------------------------------------------------------------------------------------


def extra_of(terminal: str, person: messages.Person, replaces: str) -> dict[str, Any]:
    """What the new settlement of what stays says besides: the old terms hold."""
    return {"operator_terminal": terminal, "credential": person.read_how, "replaces_setl_id": replaces}


def message(
    tenant_id: int, facility_id: int, operator: Any, person: messages.Person, content: dict[str, Any], infno: str, at: datetime, sign_no: str
) -> dict[str, Any]:  # fmt: skip
    """The parameters of an attempt of a refund."""
    here = desks.institution(tenant_id, facility_id)
    stored = machine.Sealed(
        here.wire, operator, person.admdvs, sign_no, person.psn_no, msgspec.json.encode(content).decode()
    )
    return {
        "attempt": uuid4(), "document_kind": "bill_refund", "infno": infno, "institution": here.wire.code, "sealed": machine.seal(tenant_id, stored),
        "message_digest": hashlib.sha256(stored.content.encode()).digest(), "deadline": machine.deadline(at), "at": at, "_stored": stored,
    }  # fmt: skip


def attempt_of(
    tenant_id: int, facility_id: int, refund_id: UUID, asked: Mapping[str, Any], row: Any
) -> machine.Attempt:
    """The attempt that was written, ready to be sent."""
    stored: machine.Sealed = asked["_stored"]
    return machine.Attempt(
        id=asked["attempt"], tenant_id=tenant_id, facility_id=facility_id, document_kind="bill_refund", document_id=refund_id, infno=asked["infno"],
        message_id=row.message_id, asked_at=asked["at"], body=stored.body(asked["infno"], row.message_id, asked["at"]), psn_no=stored.psn_no,
    )  # fmt: skip


def _rest_message(attempt: machine.Attempt, row: Any, at: datetime) -> dict[str, Any]:
    """2207 for what stays: the batch that was uploaded before, with the four amounts its split gave."""
    person = bills.sealed_person(attempt.tenant_id, row)
    extra = extra_of(row.terminal, person, row.reversed_setl_id)
    content = wire.settlement(
        row, person, extra, account=bool(row.preview.get("account", True)), shown=row.preview, rest=(row.rest_batch, row.rest_fen)
    )  # fmt: skip
    number, _, name = str(row.who).partition(" ")
    operator = envelope.Operator(number[:30], mask_name(name))
    return message(attempt.tenant_id, attempt.facility_id, operator, person, content, "2207", at, row.sign_no or "")


# ---- the machine ---------------------------------------------------------------------------------------------------


class Refunds:
    """How the machine confirms and releases the legs of a refund."""

    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """2208 was done: a whole refund is complete, a part goes on to its new settlement. 2207 was done: complete."""
        faults.at("bill_refund.confirming")
        written, rest = _confirm(attempt, answer, was)
        faults.at("bill_refund.confirmed")
        if rest:
            machine.ask(rest)  # Its attempt is stored already: if we end here, the recovery worker goes on.
        return written

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """Refused. Before the cancel nothing happened; after it the patient pays what stays: the settlement is gone."""
        faults.at("bill_refund.releasing")
        with transaction(settings=attempt.settings) as hot:
            keys = machine.outcome(attempt, was, "refused", {"code": code, "text": why[:500]})
            keys |= {"refund": attempt.document_id}
            if not hot.run(stated.CLOSE, keys):
                return False
            if attempt.infno == "2208":
                return _stays(hot, keys)
            return _finish(hot, keys, None)


def _stays(hot: Hot, keys: dict[str, Any]) -> bool:
    """Nothing went back: what was to go is held again, and a sheet that ended meanwhile goes on."""
    [row] = hot.run(stated.AS_ASKED, keys)
    keys |= {"bill": row.bill_id}
    _refused, standing = hot.run_all([(stated.REFUSED, keys), (stated.STANDING, keys)])
    hot.run_last(stated.SHEETS, {**keys, "sheets": _sheets(standing)})
    return True


@hot_action
def _confirm(attempt: machine.Attempt, answer: Answer, was: machine.Was) -> tuple[bool, machine.Attempt | None]:
    with transaction(settings=attempt.settings) as hot:
        keys = {**machine.outcome(attempt, was, "accepted"), "refund": attempt.document_id}
        if not hot.run(stated.CLOSE, keys):
            return False, None
        [row] = hot.run(stated.AS_ASKED, keys)
        if attempt.infno == "2208" and not row.whole:
            return True, _go_on(hot, attempt, keys, row)
        split = messages.read_split(answer.output) if attempt.infno == "2207" else None
        return _finish(hot, keys, split), None


def _go_on(hot: Hot, attempt: machine.Attempt, keys: dict[str, Any], row: Any) -> machine.Attempt:
    """Note the cancel and open the attempt of the new settlement in one transaction, so that no crash leaves it between."""
    hot.run(stated.REVERSED, keys)
    asked = {**keys, **_rest_message(attempt, row, keys["at"]), "document": attempt.document_id}
    [made] = hot.run_last(stated.ASK, asked)
    return attempt_of(attempt.tenant_id, attempt.facility_id, attempt.document_id, asked, made)


def _finish(hot: Hot, keys: dict[str, Any], split: messages.Split | None) -> bool:
    """The money goes back as it is known now, sheets and medicines are free, the center is told."""
    [row] = hot.run(stated.AS_ASKED, keys)
    paid, lines = hot.run_all([(stated.PAID_NOW, {**keys, "bill": row.bill_id}), (stated.GOING_BACK, keys)])
    shares, own_fen = shares_of(split, row.rest_fen)
    changes = changes_of(paid, shares, own_fen)
    number, _, name = str(row.who).partition(" ")
    settlement = {"reversed_setl_id": row.reversed_setl_id, "new_setl_id": split.setl_id if split else None}
    facts = _fact(row, lines, keys["at"], f"{number} {mask_name(name)}", settlement)
    return _give(hot, {**keys, **_written(changes, split, row.rest_fen, row), "facts": facts})


machine.register("bill_refund", Refunds(), forward=True)
