"""What the statements of the settling path ask with, and the rows that a settlement is written as."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from app.center.fund import statements
from app.center.fund.answering import head_of, sealed
from app.center.fund.rules import allocate_to_lines
from app.core.clock import CHINA, business_date

if TYPE_CHECKING:
    from app.center.fund.documents import Draft, Message, Purchase
    from app.center.fund.rules import Split

_json = msgspec.json.Encoder(decimal_format="string").encode


def questions(message: Message, purchase: Purchase) -> dict[str, Any]:
    """What the reading statement asks with. Numbers go as text, so that the statement is prepared once."""
    at = message.arrived_at
    local = at.astimezone(CHINA)
    return head_of(message) | {
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


def rows_of(message: Message, draft: Draft, answer: bytes) -> dict[str, Any]:
    """Everything the writing statement needs."""
    credential = draft.purchase.credential
    token = credential.lookup if credential.kind == "01" and not draft.purchase.replaces else None
    return {
        "answer": sealed(answer),
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
