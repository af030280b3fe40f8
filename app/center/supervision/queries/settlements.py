"""What the center's own fund knows of the settlements that facts name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 200


def settlements_by_id(setl_ids: Sequence[str]) -> dict[str, Any]:
    """Read settlements by their ids; the person masked to the last four characters (参保人 ···4471)."""
    wanted = sorted({each for each in setl_ids if each})[:MOST]
    if not wanted:
        return {}
    rows = run(
        """
        select s.setl_id, s.institution_code, s.settled_at, s.total_fen, s.fund_fen,
            s.current_fen + s.prior_fen as account_fen, s.mutual_fen, s.cash_fen, right(s.psn_no, 4) as person,
            s.agent_lookup is not null as by_agent,
            exists (select from settlement r where r.reverses_setl_id = s.setl_id) as is_reversed
        from settlement s where s.setl_id = any(:ids)
        """,
        ids=wanted,
    )
    return {row.setl_id: row for row in rows}
