"""S002, our own transaction: what the fund would pay of what a doctor is writing. Reads the wire, lets the fund reckon, writes the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.fund.actions import MOST_LINES, Credential, Purchase
from app.center.fund.visit_settling import estimate_visit
from app.center.interface.asked import text
from app.center.interface.settling import read_line
from app.core.errors import WrongInput
from app.national import amounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.center.interface.asked import Asked

REGISTERED = Credential("", b"", None)  # Nothing is read again: the registration says who it is.


def estimate(asked: Asked) -> bytes:
    """S002: the split of a draft's lines, as 2206 will give it for the same lines; nothing is stored."""
    data, rows = asked.node("data"), asked.rows("feedetail") if asked.request.input.get("feedetail") else []
    if not 1 <= len(rows) <= MOST_LINES:
        raise WrongInput(what="feedetail", why=f"要有 1 到 {MOST_LINES} 行")
    draft = estimate_visit(asked.message, _purchase(data, rows))
    split = draft.split
    told = {
        "medfee_sumamt": split.total_fen, "fulamt_ownpay_amt": split.full_fen, "overlmt_selfpay": split.over_fen, "preselfpay_amt": split.pre_fen,
        "inscp_scp_amt": split.inscope_fen, "fund_pay_sumamt": split.fund_fen, "psn_part_amt": split.person_fen,
    }  # fmt: skip
    return asked.accepted({"setlinfo": {name: amounts.yuan_of(fen) for name, fen in told.items()}})


def _purchase(data: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Purchase:
    flag = text(data, "acct_used_flag")
    return Purchase(
        psn_no=text(data, "psn_no"),
        insutype="",  # As the visit was registered.
        med_type=text(data, "med_type"),
        total_fen=amounts.fen_of(data.get("medfee_sumamt")),
        credential=REGISTERED,
        use_own=flag == "1",
        use_mutual=flag in {"1", "2"},
        lines=tuple(read_line(row) for row in rows),
        disease=text(data, "dise_codg"),
        mdtrt_id=text(data, "mdtrt_id"),
    )
