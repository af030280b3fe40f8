"""What becomes of a bill that was asked for: settled by the request that asked or by the recovery worker, or open again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from app.core import faults
from app.core.errors import Refusal
from app.core.personal import mask_name
from app.facility.clinic.charging import bills, events, statements
from app.facility.db import hot_action, transaction
from app.facility.insurance import machine, messages
from app.facility.stock.ledger import as_json
from app.facility.till.tenders import Tender, settle_tenders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.clinic.charging import rules
    from app.national.envelope import Answer


def finish_cash(
    hot: Hot, desk: Desk, params: dict[str, Any], bill: Any, lines: Sequence[rules.Line], tenders: Sequence[Tender]
) -> None:
    """A self-paid bill is settled in the transaction that asked for it."""
    paid, _change = settle_tenders(bill.total_fen, tenders)
    facts = events.bill_settled(
        bill.id, bill.number, bill.visit_number, params["at"], desk.operator, desk.terminal, bill.total_fen, lines, None
    )
    written = params | {"cash_fen": cash_of(paid), "tenders": as_json(paid), "facts": facts}
    hot.run_all([(statements.CONFIRM_CASH, written), (statements.TELL, written)], last=True)


def cash_of(paid: Sequence[Tender]) -> int:
    """What of it lies in the drawer."""
    return sum(tender.amount_fen for tender in paid if tender.kind == "cash")


class Bills:
    """How the machine confirms and releases bills."""

    @hot_action
    def confirm(self, attempt: machine.Attempt, answer: Answer, was: machine.Was) -> bool:
        """The center settled it: money is noted, the sheets are charged, the center is told."""
        split = messages.read_split(answer.output)
        faults.at("bill.confirming")
        with transaction(settings=attempt.settings) as hot:
            keys = {**machine.outcome(attempt, was, "accepted"), "bill": attempt.document_id}
            [bill], rows = hot.run_all([(statements.AS_ASKED, keys), (statements.LINES, keys)])
            paid = _tenders(split, msgspec.convert(bill.tendered, type=list[Tender]))
            written = {
                **keys, "setl_id": split.setl_id, "money": as_json(bills.money_of(split)), "cash_fen": cash_of(paid), "tenders": as_json(paid),
                "facts": _fact(attempt, keys, bill, bills.lines_of(rows), split),
            }  # fmt: skip
            if not hot.run(statements.CONFIRM, written):
                return False
            hot.run_last(statements.TELL, written)
        faults.at("bill.confirmed")
        return True

    @hot_action
    def release(self, attempt: machine.Attempt, code: str, why: str, was: machine.Was) -> bool:
        """The center refused it, or took it back: the medicines are free again, the bill is open again and says why."""
        faults.at("bill.releasing")
        state = "reversed" if code == "REVERSED" else "refused"
        with transaction(settings=attempt.settings) as hot:
            keys = machine.outcome(attempt, was, state, {"code": code, "text": why[:500]})
            return bool(hot.run_last(statements.RELEASE, keys))


def _tenders(split: messages.Split, given: Sequence[Tender]) -> list[Tender]:
    """What insurance pays, and how the person's own part was paid. The split was shown beforehand; were it short, cash is owed."""
    insured = [Tender("fund", split.fund_fen), Tender("account", split.account_fen), Tender("mutual", split.mutual_fen)]
    try:
        own = settle_tenders(split.cash_fen, given)[0]
    except Refusal:
        own = [Tender("cash", split.cash_fen)] if split.cash_fen else []
    return [*insured, *own]


def _fact(
    attempt: machine.Attempt, keys: dict[str, Any], bill: Any, lines: Sequence[rules.Line], split: messages.Split
) -> str:
    number, _, name = str(bill.who).partition(" ")
    settlement = {
        "setl_id": split.setl_id, "msgid": attempt.message_id, "fund_fen": split.fund_fen, "account_fen": split.account_fen,
        "mutual_fen": split.mutual_fen, "cash_fen": split.cash_fen,
    }  # fmt: skip
    operator = f"{number} {mask_name(name)}"
    return events.bill_settled(
        bill.id, bill.number, bill.visit_number, keys["at"], operator, bill.terminal, bill.total_fen, lines, settlement
    )


machine.register("bill", Bills())
