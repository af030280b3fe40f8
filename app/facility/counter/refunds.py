"""Take back by original line (退货退款). Money and goods are two decisions; by card it is a cancel, and for a part of a sale a
new settlement of the rest (ARCHITECTURE 6): 2103, then 2102, with a state of its own between them that a crash cannot lose.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec
from psycopg import errors as pg

from app.core import clock, faults, personal
from app.core.errors import DocumentChanged, NotFound
from app.core.personal import mask_name
from app.facility.counter import events, refund_statements, rules
from app.facility.counter.confirming import money_of
from app.facility.counter.drafts import wire_line
from app.facility.counter.errors import ApprovalNeeded, NoShift, RefundNotPossible, SettlementPending
from app.facility.counter.refund_plans import Back, Plan, check_approval, plan_refund
from app.facility.counter.settling import Outcome
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import machine, messages
from app.facility.stock.ledger import as_json
from app.facility.till.giving_back import INSURERS, cash_back, give_back, shares_of
from app.facility.till.tenders import Tender
from app.national import amounts, envelope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.national.envelope import Answer


def refund_sale(
    desk: Desk,
    refund_id: UUID,
    sale_id: UUID,
    back: Sequence[Back],
    reason: str,
    approver_id: int | None = None,
) -> Outcome:
    """Give money back for lines of a sale, and say what becomes of the goods (退货). Sending it again does it once.

    `goods`: kept (the customer keeps them or they never left), quarantine (came back, never straight to the shelf), shelf (not
    handed over). Raises RefundTooMuch, RefundNotPossible, ApprovalNeeded (another day, or the patient has to pay), NoShift,
    SettlementPending. "unknown": the center has not said yet, the worker goes on.
    """
    asked = _ask(desk, refund_id, sale_id, tuple(back), reason, approver_id)
    if isinstance(asked, Outcome):
        return asked
    machine.ask(asked)
    return find_refund(desk, refund_id)


def find_refund(desk: Desk, refund_id: UUID) -> Outcome:
    """What became of a refund, now. Raises NotFound."""
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(refund_statements.KNOWN, {**desk.keys, "refund": refund_id})
    if not rows:
        raise NotFound
    return _known(rows[0])


def _known(row: Any) -> Outcome:
    kind: Any = {"refunded": "settled", "refused": "refused"}.get(row.state, "unknown")
    return Outcome(kind, row.id, row.receipt, row.refusal or "")


@hot_action
def _ask(
    desk: Desk, refund_id: UUID, sale_id: UUID, back: tuple[Back, ...], reason: str, approver_id: int | None
) -> Outcome | machine.Attempt:
    digest = hashlib.sha256(msgspec.json.encode([str(sale_id), back, reason])).digest()
    at, today = clock.now(), clock.business_date()
    keys = {**desk.keys, "refund": refund_id, "sale": sale_id, "at": at, "today": today, "station": desk.station}
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(refund_statements.KNOWN, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return _known(known[0])
        plan = plan_refund(hot, keys, back, reason)
        check_approval(plan, desk, today, approver_id)
        shift = hot.run(refund_statements.SHIFT, keys)
        if not shift:
            raise NoShift
        params = {
            **keys, "shift": shift[0].id, "terminal": desk.terminal, "approver": approver_id, "digest": digest, "reason": reason,
            "whole": plan.whole, "refund_fen": plan.refund_fen, "lines": as_json(plan.rows), "codes": as_json(plan.codes),
            "reversed_setl_id": plan.sale.setl_id,
            **(_cancel_message(desk, plan, at) if plan.sale.paid == "insured" else _no_message(at)),
        }  # fmt: skip
        try:
            row = hot.run(refund_statements.ASK, params)[0]
        except pg.UniqueViolation as other:
            raise SettlementPending(receipt=plan.sale.receipt) from other
        faults.at("refund.reserved")
        if plan.sale.paid == "self":
            return _finish_cash(hot, desk, params, plan, row)
    return _attempt_of(desk.tenant_id, desk.facility_id, refund_id, params, row, "2103")


def _no_message(at: datetime) -> dict[str, Any]:
    return {
        "attempt": None,
        "document_kind": "refund",
        "infno": None,
        "institution": "",
        "message_digest": b"",
        "sealed": b"",
        "deadline": at,
    }


def _cancel_message(desk: Desk, plan: Plan, at: datetime) -> dict[str, Any]:
    person = _person(desk.tenant_id, plan.sale)
    content = messages.cancel(person, plan.sale.setl_id, plan.sale.mdtrt_id, {"operator_terminal": desk.terminal})
    return _message(
        desk.tenant_id, desk.facility_id, desks.operator_of(desk), person, content, "2103", at, plan.sale.sign_no or ""
    )


def _message(
    tenant_id: int,
    facility_id: int,
    operator: Any,
    person: messages.Person,
    content: dict[str, Any],
    infno: str,
    at: datetime,
    sign_no: str,
) -> dict[str, Any]:
    here = desks.institution(tenant_id, facility_id)
    stored = machine.Sealed(
        here.wire, operator, person.admdvs, sign_no, person.psn_no, msgspec.json.encode(content).decode()
    )
    return {
        "attempt": uuid4(), "document_kind": "refund", "infno": infno, "institution": here.wire.code, "sealed": machine.seal(tenant_id, stored),
        "message_digest": hashlib.sha256(stored.content.encode()).digest(), "deadline": machine.deadline(at), "_stored": stored,
    }  # fmt: skip


def _attempt_of(
    tenant_id: int, facility_id: int, refund_id: UUID, params: dict[str, Any], row: Any, infno: str
) -> machine.Attempt:
    stored: machine.Sealed = params["_stored"]
    return machine.Attempt(
        id=params["attempt"], tenant_id=tenant_id, facility_id=facility_id, document_kind="refund", document_id=refund_id, infno=infno,
        message_id=row.message_id, asked_at=params["at"], body=stored.body(infno, row.message_id, params["at"]), psn_no=stored.psn_no,
    )  # fmt: skip


def _person(tenant_id: int, sale: Any) -> messages.Person:
    return msgspec.json.decode(personal.unseal_bytes(str(tenant_id), bytes(sale.sealed)), type=messages.Person)


# ---- cash ----------------------------------------------------------------------------------------------------------


def _finish_cash(hot: Hot, desk: Desk, params: dict[str, Any], plan: Plan, row: Any) -> Outcome:
    tenders = give_back([Tender("cash", plan.refund_fen)], {}, 0)
    params = {
        **params,
        "cash_fen": plan.refund_fen,
        "tenders": as_json(tenders),
        "rows": as_json(_movements(plan.rows)),
    }
    params["facts"] = _fact(params, plan.sale, row.receipt, plan, desk.operator, None)
    hot.run_all([(refund_statements.CONFIRM_CASH, params), (refund_statements.TELL, params)], last=True)
    return Outcome("settled", params["refund"], row.receipt)


def _movements(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """SR movements of what came back; goods the customer keeps move nothing."""
    return [
        {
            "line_no": row["line_no"],
            "lot_id": row["lot_id"],
            "zone": row["zone"] if row["goods"] == "shelf" else "QUARANTINE",
            "kind": "SR",
            "quantity": row["quantity"],
        }
        for row in rows
        if row["goods"] != "kept"
    ]


def _fact(
    params: dict[str, Any], sale: Any, receipt: str, plan: Plan, operator: str, settlement: dict[str, Any] | None
) -> str:
    first: set[int] = set()
    lines = []
    for row in plan.rows:
        line = plan.basket.line(row["line_no"])
        assert line is not None
        codes = (
            []
            if row["line_no"] in first
            else [code["code"] for code in plan.codes if code["line_no"] == row["line_no"]]
        )
        first.add(row["line_no"])
        lines.append(
            {
                "line": row["line_no"], "original_line": row["line_no"], "product": events.product(line.about), "lot": row["lot_number"],
                "quantity": row["quantity"], "amount_fen": row["amount_fen"], "goods": row["goods"], "codes": codes,
            }
        )  # fmt: skip
    return events.sale_refunded(
        {
            "document": str(params["refund"]), "receipt": receipt, "original": {"document": str(sale.id), "receipt": sale.receipt}, "at": params["at"].isoformat(),
            "operator": operator, "reason": params["reason"], "total_fen": plan.refund_fen, "settlement": settlement, "lines": lines,
        }
    )  # fmt: skip


# ---- by card -------------------------------------------------------------------------------------------------------


class Refunds:
    """How the machine confirms and releases the legs of a refund."""

    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """2103 was done: a whole refund is complete, a part goes on to its new settlement. 2102 was done: complete."""
        faults.at("refund.confirming")
        written, rest = _confirm(attempt, answer, was)
        faults.at("refund.confirmed")
        if rest:
            machine.ask(rest)  # Its attempt is stored already: if we end here, the recovery worker goes on.
        return written

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """Refused. Before the cancel nothing happened; after it the rest is settled by the patient: cash for the whole rest."""
        faults.at("refund.releasing")
        with transaction(settings=attempt.settings) as hot:
            keys = machine.outcome(attempt, was, "refused", {"code": code, "text": why[:500]}) | {
                "refund": attempt.document_id,
                "today": clock.business_date(),
            }
            if attempt.infno == "2103":
                return bool(hot.run_last(refund_statements.RELEASE, keys))
            sale, plan = _stored_plan(hot, keys)
            params = _confirmation(keys, sale, plan, None, self_paid=True)
            return bool(
                hot.run_all([(refund_statements.CONFIRM, params), (refund_statements.TELL, params)], last=True)[0]
            )


def _stored_plan(hot: Hot, keys: dict[str, Any]) -> tuple[Any, Plan]:
    """The refund as it was asked for, from its rows."""
    sale = hot.run(refund_statements.STORED, keys)[0]
    lines, codes, others = hot.run_all(
        [
            (refund_statements.STORED_LINES, keys),
            (refund_statements.STORED_CODES, keys),
            (refund_statements.REFUNDED, {**keys, "sale": sale.id}),
        ]
    )
    basket = msgspec.json.decode(sale.content, type=rules.Basket)
    rows = [row._asdict() | {"expires_on": str(row.expires_on)} for row in lines]
    gone: dict[int, int] = {row.line_no: int(row.quantity) for row in others}
    for row in rows:
        gone[row["line_no"]] = gone.get(row["line_no"], 0) + row["quantity"]
    left = {line.line_no: line.quantity - gone.get(line.line_no, 0) for line in basket.lines}
    return sale, Plan(sale, basket, rows, [row._asdict() for row in codes], sale.refund_fen, left, whole=sale.whole)


def _confirmation(
    keys: dict[str, Any], sale: Any, plan: Plan, split: messages.Split | None, *, self_paid: bool = False
) -> dict[str, Any]:
    """What goes back to each payer: what the sale paid less what the rest pays now."""
    paid = sale.money
    shares, rest_cash = shares_of(split, sale.total_left_fen - plan.refund_fen if self_paid else 0)
    tenders = give_back([Tender(kind, paid[f"{kind}_fen"]) for kind in (*INSURERS, "cash")], shares, rest_cash)
    number, _, name = str(sale.who).partition(" ")
    settlement = {"reversed_setl_id": sale.reversed_setl_id, "new_setl_id": split.setl_id if split else None}
    params = {
        **keys, "staff": sale.staff_id, "reason": sale.reason, "cash_fen": cash_back(tenders), "rows": as_json(_movements(plan.rows)),
        "tenders": as_json(tenders), "new_setl_id": split.setl_id if split else None, "new_mdtrt_id": split.mdtrt_id if split else None,
        "money": as_json(money_of(split) if split else {**dict.fromkeys(paid, 0), "cash_fen": rest_cash} | {"setl_id": "", "mdtrt_id": ""}), "sale": sale.id,
    }  # fmt: skip
    params["facts"] = _fact(params, sale, sale.refund_receipt, plan, f"{number} {mask_name(name)}", settlement)
    return params


@hot_action
def _confirm(attempt: machine.Attempt, answer: Answer, was: machine.Was) -> tuple[bool, machine.Attempt | None]:
    with transaction(settings=attempt.settings) as hot:
        keys = machine.outcome(attempt, was, "accepted") | {
            "refund": attempt.document_id,
            "today": clock.business_date(),
        }
        sale, plan = _stored_plan(hot, keys)
        if attempt.infno == "2103" and not plan.whole:
            return _reverse_and_ask_rest(hot, attempt, keys, sale, plan)
        split = messages.read_split(answer.output) if attempt.infno == "2102" else None
        params = _confirmation(keys, sale, plan, split)
        return bool(
            hot.run_all([(refund_statements.CONFIRM, params), (refund_statements.TELL, params)], last=True)[0]
        ), None


def _reverse_and_ask_rest(
    hot: Hot, attempt: machine.Attempt, keys: dict[str, Any], sale: Any, plan: Plan
) -> tuple[bool, machine.Attempt | None]:
    """Note the cancel and open the attempt of the new settlement in one transaction, so that no crash leaves it between."""
    if not hot.run(refund_statements.REVERSED, keys):
        return False, None
    params = {**keys, "document": attempt.document_id, **_rest_message(attempt.tenant_id, sale, plan, keys["at"])}
    row = hot.run_last(refund_statements.ASK_REST, params)[0]
    return True, _attempt_of(attempt.tenant_id, attempt.facility_id, attempt.document_id, params, row, "2102")


def _rest_message(tenant_id: int, sale: Any, plan: Plan, at: datetime) -> dict[str, Any]:
    person = _person(tenant_id, sale)
    lines = []
    for line in plan.basket.lines:
        kept = plan.left[line.line_no]
        if kept > 0:
            gone = {code["code"] for code in plan.codes}
            rest = msgspec.structs.replace(
                line, quantity=kept, codes=[code for code in line.codes if code.code not in gone]
            )
            lines.append(wire_line(rest))
    extra = {
        "operator_terminal": sale.terminal,
        "credential": person.read_how,
        "replaces_setl_id": sale.reversed_setl_id,
    }
    content = messages.purchase(person, lines, at, extra, codes=True)
    number, _, name = str(sale.who).partition(" ")
    return _message(
        tenant_id,
        sale.facility_id,
        envelope.Operator(number[:30], mask_name(name)),
        person,
        content,
        "2102",
        at,
        sale.sign_no or "",
    )


def net_of(desk: Desk, sale_id: UUID, back: Sequence[Back], reason: str) -> dict[str, Any]:
    """What would go back to each payer, before anything is sent. By card the rest is estimated by the center (2101)."""
    keys = {**desk.keys, "sale": sale_id, "at": clock.now(), "today": clock.business_date()}
    with transaction(settings=desk.settings) as hot:
        plan = plan_refund(hot, keys, back, reason)
    needs = ""
    try:
        check_approval(plan, desk, keys["today"], None)
    except ApprovalNeeded as needed:
        needs = needed.facts["why"]
    found: dict[str, Any] = {"refund_fen": plan.refund_fen, "approval": needs, "estimated": False}
    if plan.sale.paid == "self":
        return found | {"cash_fen": plan.refund_fen, "fund_fen": 0, "account_fen": 0, "mutual_fen": 0}
    paid = plan.sale.money
    if plan.whole:
        return found | {f"{kind}_fen": paid[f"{kind}_fen"] for kind in ("fund", "account", "mutual", "cash")}
    params = _rest_message(desk.tenant_id, _with_names(plan.sale, desk), plan, clock.now())
    content = msgspec.json.decode(params["_stored"].content)
    for line in content["drugdetail"]:
        line.pop("durg_trac_info", None)
    answer = desks.ask_once(
        desk, "2101", content, insuplc_admdvs=params["_stored"].insuplc_admdvs, sign_no=params["_stored"].sign_no
    )
    if not answer.accepted:
        raise RefundNotPossible(why=answer.message)
    shares = amounts.shares_of(answer.output["setlinfo"])
    return found | {
        "estimated": True, "fund_fen": paid["fund_fen"] - shares.fund_fen, "account_fen": paid["account_fen"] - shares.account_fen,
        "mutual_fen": paid["mutual_fen"] - shares.mutual_fen, "cash_fen": paid["cash_fen"] - shares.cash_fen,
    }  # fmt: skip


def _with_names(sale: Any, desk: Desk) -> Any:
    return type(
        "SaleForRest",
        (),
        {**sale._asdict(), "reversed_setl_id": sale.setl_id, "who": desk.operator, "terminal": desk.terminal},
    )


machine.register("refund", Refunds())
