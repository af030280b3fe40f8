"""What screens and other rooms may read of the fund."""

from __future__ import annotations

from typing import Any

from app.center.db import transaction
from app.center.fund import statements
from app.center.fund.errors import UnknownSettlement


def get_settlement(institution: str, setl_id: str, mdtrt_id: str, psn_no: str) -> Any:
    """Read one settlement of an institution with its person; `reversed_by` names its reversal (结算信息查询)."""
    ask = {"setl_id": setl_id, "institution": institution, "psn_no": psn_no}
    with transaction("interface", {}) as hot:
        found = hot.run(statements.SETTLEMENT_WITH_PERSON, ask)
    if not found or found[0].mdtrt_id != mdtrt_id:
        raise UnknownSettlement
    return found[0]
