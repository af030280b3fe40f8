"""Give a bill back, whole or by line (退费). Self-paid it is one transaction. By card the center reverses the whole settlement
(2208) and settles what stays anew (2207), with a state of its own between them; it only goes forward.

What stays is uploaded beforehand as a batch of its own (2204) and split (2206), which changes nothing: a center that will not
settle it is known of before anything is reversed. The batch that was reversed is taken back afterwards (2205).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import errors as pg

from app.core import clock, faults
from app.core.errors import DocumentChanged, NotFound, Outage, WrongInput, words
from app.facility.clinic.charging import bills, refund_outcomes, rules, statements, wire
from app.facility.clinic.charging import refund_statements as stated
from app.facility.clinic.charging.errors import (
    BillMovedOn,
    BillNotRefundable,
    RefundNeedsApproval,
    RefundNotSettled,
    TillNotOpen,
)
from app.facility.clinic.charging.refund_plans import Back, Plan, plan_lines, plan_whole, why_second
from app.facility.clinic.charging.settling import Outcome
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import machine, messages
from app.facility.organizations import parameters
from app.facility.stock import ledger
from app.facility.stock.ledger import as_json
from app.facility.till.giving_back import shares_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from app.core.errors import Words
    from app.core.hot import Hot
    from app.core.tenancy import Desk


def refund_bill(
    desk: Desk, refund_id: UUID, bill_id: UUID, reason: str, back: Sequence[Back] | None = None, approver_id: int | None = None
) -> Outcome:  # fmt: skip
    """Give a settled bill back (退费): all of it, or these lines. Money goes the way it came; what was held is free again.

    The same refund again does it once. Raises BillNotRefundable, RefundTooMuch, RefundNeedsApproval (another day, or part of an
    insured bill), RefundNotSettled, BillMovedOn, TillNotOpen, Outage. "unknown": the worker goes on.
    """
    if reason not in rules.REASONS:
        raise WrongInput(what=words("退费原因"), why=words("要选一项"))
    chosen = None if back is None else tuple(sorted(back, key=lambda one: one.line_no))
    split = None if chosen is None else _trial(desk, refund_id, bill_id, chosen)
    asked = _ask(desk, refund_id, bill_id, reason, chosen, approver_id, split)
    if isinstance(asked, Outcome):
        return asked
    machine.ask(asked)
    outcome = find_refund(desk, refund_id)
    if outcome.kind == "settled":
        _clear(desk, bill_id)
    return outcome


def find_refund(desk: Desk, refund_id: UUID) -> Outcome:
    """What became of a refund. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(stated.KNOWN, {**desk.keys, "refund": refund_id})
    if not rows:
        raise NotFound
    return _known(rows[0])


def _known(row: Any) -> Outcome:
    kind: Any = {"refunded": "settled", "refused": "refused"}.get(row.state, "unknown")
    return Outcome(kind, row.id, row.number, row.refusal or "")


def _clear(desk: Desk, bill_id: UUID) -> None:
    """What was reversed lies at the center as uploaded: take it back now; if it does not answer, the next bill of the visit does."""
    with transaction(settings=desk.settings) as hot:
        [bill] = hot.run_last(statements.READ, {**desk.keys, "bill": bill_id, "station": desk.station})
    if bill.uploaded_at is not None:
        bills.clear(desk, bill)


# ---- what would stay -----------------------------------------------------------------------------------------------


def net_of(desk: Desk, refund_id: UUID, bill_id: UUID, back: Sequence[Back]) -> dict[str, Any]:
    """What would go back to each, and who has to agree, before anything is changed (F8). Raises what refund_bill raises, save approval."""
    split = _trial(desk, refund_id, bill_id, tuple(back))
    bill, plan, paid = _plan(desk, bill_id, back)
    shares, own_fen = shares_of(split, plan.rest_fen)
    changes = refund_outcomes.changes_of(paid, shares, own_fen)
    needs = _second(desk, bill, plan)
    return {
        "refund_fen": plan.refund_fen,
        "rest_fen": plan.rest_fen,
        "changes": changes,
        "needs": needs,
        "resettled": split is not None,
    }


def _plan(desk: Desk, bill_id: UUID, back: Sequence[Back] | None) -> tuple[Any, Plan, Sequence[Any]]:
    """A plan without locks: for a look."""
    keys = {**desk.keys, "bill": bill_id, "station": desk.station}
    asked = [(one, keys) for one in (statements.READ, stated.LINES, stated.PAID_NOW)]
    with transaction(settings=desk.settings) as hot:
        found, rows, paid = hot.run_all(asked, last=True)
    bill = _settled(found)
    return bill, _worked_out(bill, rows, (), back), paid


def _worked_out(bill: Any, rows: Sequence[Any], picks: Sequence[Any], back: Sequence[Back] | None) -> Plan:
    plan = plan_whole(bill.number, rows, picks) if back is None else plan_lines(bill.number, rows, picks, back)
    if (
        bill.standing_setl_id
        and not plan.whole
        and clock.business_date(bill.settled_at).year != clock.business_date().year
    ):
        raise BillNotRefundable(number=bill.number, why=words("跨年的医保单只能整单退，请联系医保中心办理"))
    return plan


def _settled(found: Sequence[Any]) -> Any:
    if not found:
        raise NotFound
    if found[0].state != "settled":
        raise BillMovedOn(number=found[0].number, state=rules.STATES[found[0].state], act=words("退费"))
    return found[0]


def _trial(desk: Desk, refund_id: UUID, bill_id: UUID, back: Sequence[Back]) -> messages.Split | None:
    """Upload what would stay of an insured bill as a batch of its own and have it split; None where nothing is settled anew."""
    with transaction(settings=desk.settings) as hot:
        known = hot.run_last(stated.KNOWN, {**desk.keys, "refund": refund_id})
    if known:  # It was asked for before: what stays is settled or being settled.
        return None
    bill, plan, _paid = _plan(desk, bill_id, back)
    if not bill.standing_setl_id or plan.whole:
        return None
    batch = batch_of(bill, refund_id)
    with transaction(settings=desk.settings) as hot:
        keys = {**desk.keys, "bill": bill_id, "batch": batch}
        if not hot.run(stated.NOTE_BATCH, keys):
            raise BillMovedOn(number=bill.number, state=rules.STATES[bill.state], act=words("退费"))
        rows, doctors = hot.run_all([(statements.LINES, keys), (statements.DOCTORS, keys)], last=True)
    faults.at("bill_refund.trying")
    person = bills.sealed_person(desk.tenant_id, bill)
    by_order = {row.order_id: row for row in doctors}
    lines = [_rest_of(line, plan) for line in bills.lines_of(rows) if plan.left.get(line.line_no)]
    _again(desk, bill, person, "2205", wire.batch(bill, person.psn_no, batch))
    _asked(desk, bill, person, "2204", wire.charges(bill, person.psn_no, lines, by_order, batch))
    faults.at("bill_refund.uploaded")
    extra = refund_outcomes.extra_of(desk.terminal, person, bill.standing_setl_id)
    question = wire.settlement(bill, person, extra, account=_account(bill), rest=(batch, plan.rest_fen))
    return messages.read_split(_asked(desk, bill, person, "2206", question))


def batch_of(bill: Any, refund_id: UUID) -> str:
    """The batch of what stays, by the refund that leaves it."""
    return f"{bill.number}-{refund_id.hex[:6]}"


def _account(bill: Any) -> bool:
    return bool((bill.preview or {}).get("account", True))


def _rest_of(line: rules.Line, plan: Plan) -> rules.Line:
    from app.core.money import fen

    left = plan.left[line.line_no]
    if left == line.quantity:
        return line
    rest = msgspec.structs.replace(line, quantity=left)
    return msgspec.structs.replace(rest, amount_fen=fen(rest.price, rest.units))


def _asked(desk: Desk, bill: Any, person: messages.Person, infno: str, content: dict[str, Any]) -> dict[str, Any]:
    answer = desks.ask_once(desk, infno, content, insuplc_admdvs=person.admdvs, sign_no=bill.sign_no or "")
    if not answer.accepted:
        raise RefundNotSettled(why=answer.message)
    return dict(answer.output or {})


def _again(desk: Desk, bill: Any, person: messages.Person, infno: str, content: dict[str, Any]) -> None:
    """Take an earlier trial of the same batch away; a center that knows of none says so, and that is well."""
    answer = desks.ask_once(desk, infno, content, insuplc_admdvs=person.admdvs, sign_no=bill.sign_no or "")
    if not answer.accepted and answer.code != "UNKNOWN_BATCH":
        raise Outage(f"{infno}: {answer.code} {answer.message}")


# ---- ask -----------------------------------------------------------------------------------------------------------


@hot_action
def _ask(
    desk: Desk, refund_id: UUID, bill_id: UUID, reason: str, back: tuple[Back, ...] | None, approver_id: int | None, split: messages.Split | None
) -> Outcome | machine.Attempt:  # fmt: skip
    told = [[one.line_no, one.units] for one in back] if back is not None else None
    digest = hashlib.sha256(msgspec.json.encode([str(bill_id), reason, told])).digest()
    at = clock.now()
    keys = {**desk.keys, "refund": refund_id, "bill": bill_id, "at": at, "station": desk.station}
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(stated.KNOWN, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return _known(known[0])
        bill, plan, paid = _locked(hot, keys, back)
        _check(desk, bill, plan, approver_id, split)
        number = ledger.number_for(hot, desk, "T", clock.business_date())
        resettles = split is not None
        params = {
            **keys, "number": number, "reason": reason, "digest": digest, "terminal": desk.terminal, "shift": bill.open_shift, "approver": approver_id,
            "refund_fen": plan.refund_fen, "reversed_setl_id": bill.standing_setl_id, "whole": plan.whole, "picks": as_json(plan.picks),
            "preview": as_json({**bills.money_of(split), "account": _account(bill)}) if split else None,
            "rest_batch": batch_of(bill, refund_id) if resettles else None, "rest_fen": plan.rest_fen, "lines": as_json(plan.lines),
        }  # fmt: skip
        try:
            hot.run(stated.MAKE, params)
        except pg.UniqueViolation as other:
            raise BillNotRefundable(number=bill.number, why=words("另一台正在退这张单")) from other
        faults.at("bill_refund.reserved")
        if not bill.standing_setl_id:
            refund_outcomes.finish_self(hot, desk, params, plan, paid)
            return Outcome("settled", refund_id, number)
        return _attempt(hot, desk, params, bill)


def _locked(hot: Hot, keys: dict[str, Any], back: tuple[Back, ...] | None) -> tuple[Any, Plan, Sequence[Any]]:
    asked = (statements.LOCK, stated.LOCK_LINES, stated.LOCK_PICKS, stated.PAID_NOW, stated.PENDING)
    found, rows, picks, paid, pending = hot.run_all([(one, keys) for one in asked])
    bill = _settled(found)
    if pending:
        raise BillNotRefundable(number=bill.number, why=words("另一台正在退这张单"))
    return bill, _worked_out(bill, rows, picks, back), paid


def _check(desk: Desk, bill: Any, plan: Plan, approver_id: int | None, split: messages.Split | None) -> None:
    if bill.open_shift is None:
        raise TillNotOpen
    if (why := _second(desk, bill, plan)) and approver_id in {None, desk.staff_id}:
        raise RefundNeedsApproval(why=why)
    if bill.standing_setl_id and not plan.whole and (split is None or split.total_fen != plan.rest_fen):
        raise BillNotRefundable(number=bill.number, why=words("刚才有药发出或退回，请按 F8 重新试算"))


def _second(desk: Desk, bill: Any, plan: Plan) -> Words | None:
    late = _days_since(bill.settled_at) > parameters.of(desk.tenant_id).days("refund_alone_days")
    return why_second(late=late, resettles=bool(bill.standing_setl_id) and not plan.whole)


def _days_since(at: Any) -> int:
    today: date = clock.business_date()
    return (today - clock.business_date(at)).days


def _attempt(hot: Hot, desk: Desk, params: dict[str, Any], bill: Any) -> machine.Attempt:
    """The question that takes the settlement back (2208), committed with the refund before it is sent."""
    person = bills.sealed_person(desk.tenant_id, bill)
    content = wire.reversal(bill.standing_setl_id, bill.mdtrt_id, person.psn_no, {"operator_terminal": desk.terminal})
    message = refund_outcomes.message(
        desk.tenant_id, desk.facility_id, desks.operator_of(desk), person, content, "2208", params["at"], bill.sign_no or ""
    )  # fmt: skip
    asked = {**params, **message, "document": params["refund"]}
    [row] = hot.run_last(stated.ASK, asked)
    return refund_outcomes.attempt_of(desk.tenant_id, desk.facility_id, params["refund"], asked, row)
