"""Read a settlement back from the center (5203) and lay it beside ours: a difference of one cent is said, never overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from flask_babel import gettext as _

from app.core import personal
from app.facility.insurance import desk as desks
from app.facility.insurance import messages
from app.facility.insurance.errors import RefusedByCenter
from app.national import amounts

if TYPE_CHECKING:
    from app.core.tenancy import Desk


@dataclass(frozen=True)
class Compared:
    """One figure on both sides, in fen."""

    name: str
    ours_fen: int
    theirs_fen: int

    @property
    def equal(self) -> bool:
        return self.ours_fen == self.theirs_fen


@dataclass(frozen=True)
class Found:
    """What the center holds."""

    setl_id: str
    setl_time: str
    reversed: bool
    figures: tuple[Compared, ...]

    @property
    def equal(self) -> bool:
        return not self.reversed and all(figure.equal for figure in self.figures)


def read_settlement(desk: Desk, sale: Any) -> Found:
    """Ask the center for a sale's settlement. `sale` has setl_id, mdtrt_id, money, sealed, sign_no. Raises RefusedByCenter, Outage."""
    person = msgspec.json.decode(personal.unseal_bytes(str(desk.tenant_id), bytes(sale.sealed)), type=messages.Person)
    question = {"data": {"psn_no": person.psn_no, "setl_id": sale.setl_id, "mdtrt_id": sale.mdtrt_id}}
    answer = desks.ask_once(desk, "5203", question, insuplc_admdvs=person.admdvs, sign_no=sale.sign_no or "")
    if not answer.accepted:
        raise RefusedByCenter(why=answer.message)
    info, ours = answer.output["setlinfo"], sale.money
    theirs = {
        _("合计"): ("total_fen", amounts.fen_of(info.get("medfee_sumamt"))),
        _("基金支付"): ("fund_fen", amounts.fen_of(info.get("fund_pay_sumamt"))),
        _("个人账户"): (
            "account_fen",
            amounts.fen_of(info.get("acct_pay")) - amounts.fen_of(info.get("acct_mulaid_pay")),
        ),
        _("共济账户"): ("mutual_fen", amounts.fen_of(info.get("acct_mulaid_pay"))),
        _("个人现金"): ("cash_fen", amounts.fen_of(info.get("cash_payamt"))),
    }
    figures = tuple(Compared(name, int(ours[key]), fen) for name, (key, fen) in theirs.items())
    return Found(
        str(info["setl_id"]), str(info.get("setl_time") or ""), str(info.get("refd_setl_flag")) == "1", figures
    )
