"""What becomes of a sale that was asked for: confirmed by the request that asked or by the recovery worker, or released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from app.core import faults
from app.core.errors import Refusal
from app.core.personal import mask_name
from app.facility.counter import drafts, events, rules, statements
from app.facility.db import hot_action, transaction
from app.facility.insurance import machine, messages
from app.facility.stock.ledger import as_json
from app.facility.till.tenders import Tender, settle_tenders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.national.envelope import Answer


@dataclass(frozen=True)
class AsAsked:
    """A sale whose outcome is awaited: what its fact and its tenders will say."""

    id: UUID
    receipt: str
    terminal: str
    staff_id: int
    operator: str
    total_fen: int
    given: list[Tender]
    basket: rules.Basket
    picks: list[rules.Pick]


def finish_cash(
    hot: Hot, desk: Desk, keys: dict[str, Any], basket: rules.Basket, picks: Sequence[rules.Pick], row: Any, tenders: Sequence[Tender]
) -> None:  # fmt: skip
    """A cash sale is confirmed in the transaction that asked for it."""
    paid, _change = settle_tenders(basket.total_fen, tenders)
    lines = events.sold_lines(basket.lines, picks)
    facts = events.sale_sold(
        keys["document"], row.receipt, keys["at"], desk.operator, desk.terminal, basket.total_fen, lines, None
    )
    sale = {**keys, "attempt": None, "cash_fen": _cash(paid), "tenders": paid, **_goods(basket, picks)}
    hot.run_last(statements.CONFIRM, {"sale": as_json(sale), "facts": facts})


def _goods(basket: rules.Basket, picks: Sequence[rules.Pick]) -> dict[str, Any]:
    """What leaves the shelf: the ledger's rows, which give back what was reserved, and the codes."""
    movements = [
        {"line_no": pick.line_no, "lot_id": pick.lot_id, "zone": pick.zone, "kind": "SA", "quantity": -pick.quantity, "release": pick.quantity}
        for pick in picks
    ]  # fmt: skip
    return {"movements": movements, "codes": drafts.codes_of(basket)}


def _cash(paid: Sequence[Tender]) -> int:
    return sum(tender.amount_fen for tender in paid if tender.kind == "cash")


class Sales:
    """How the machine confirms and releases sales."""

    @hot_action
    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """The center settled it: goods leave, money is noted, the center is told."""
        split = messages.read_split(answer.output)
        faults.at("settle.confirming")
        with transaction(settings=attempt.settings) as hot:
            keys = machine.outcome(attempt, was, "accepted")
            params = _confirmation(attempt, keys, attempt.known or _read_again(hot, keys), split)
            written = hot.run_last(statements.CONFIRM, params)
        faults.at("settle.confirmed")
        return bool(written)

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """The center refused it, or took it back: the goods are free again, the basket lives on."""
        faults.at("settle.releasing")
        state = "reversed" if code == "REVERSED" else "refused"
        with transaction(settings=attempt.settings) as hot:
            written = hot.run_last(
                statements.RELEASE, machine.outcome(attempt, was, state, {"code": code, "text": why[:500]})
            )
        faults.at("settle.released")
        return bool(written)


def _read_again(hot: Hot, keys: dict[str, Any]) -> AsAsked:
    """A sale as it was asked for, when somebody else than its own request confirms it."""
    rows, picks = hot.run_all([(statements.SALE_AS_ASKED, keys), (statements.PICKS, keys)])
    sale = rows[0]
    number, _, name = str(sale.who).partition(" ")
    given = msgspec.convert(sale.tendered, type=list[Tender])
    basket = msgspec.json.decode(sale.content, type=rules.Basket)
    operator = f"{number} {mask_name(name)}"
    return AsAsked(
        sale.id,
        sale.receipt,
        sale.terminal,
        sale.staff_id,
        operator,
        sale.total_fen,
        given,
        basket,
        [rules.Pick(*pick) for pick in picks],
    )


def _confirmation(
    attempt: machine.Attempt, keys: dict[str, Any], sale: AsAsked, split: messages.Split
) -> dict[str, Any]:
    """All parameters of CONFIRM."""
    paid = _own_part(split.cash_fen, sale.given)
    insured = [
        Tender("fund", split.fund_fen),
        Tender("account", split.account_fen),
        Tender("mutual", split.mutual_fen),
    ]
    settlement = {
        "setl_id": split.setl_id, "msgid": attempt.message_id, "fund_fen": split.fund_fen, "account_fen": split.account_fen,
        "mutual_fen": split.mutual_fen, "cash_fen": split.cash_fen,
    }  # fmt: skip
    lines = events.sold_lines(sale.basket.lines, sale.picks)
    facts = events.sale_sold(
        sale.id, sale.receipt, keys["at"], sale.operator, sale.terminal, sale.total_fen, lines, settlement
    )
    written = {
        **keys, "staff": sale.staff_id, "setl_id": split.setl_id, "mdtrt_id": split.mdtrt_id, "money": money_of(split),
        "cash_fen": _cash(paid), "tenders": [*insured, *paid], **_goods(sale.basket, sale.picks),
    }  # fmt: skip
    return {"sale": as_json(written), "facts": facts}


def _own_part(due_fen: int, given: Sequence[Tender]) -> list[Tender]:
    """How the person's own part was paid. The split was agreed beforehand, so this cannot fail; were it short, cash is owed."""
    try:
        return settle_tenders(due_fen, given)[0]
    except Refusal:
        return [Tender("cash", due_fen)] if due_fen else []


def money_of(split: messages.Split) -> dict[str, Any]:
    """The split as it stays on the sale, for receipts and for the day's totals."""
    kept = msgspec.to_builtins(split)
    kept.pop("identity", None)
    return {**kept, "fund_fen": split.fund_fen}


machine.register("sale", Sales())
