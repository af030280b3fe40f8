"""What screens and other rooms may read of the fund."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app.center.db import transaction
from app.center.fund import statements
from app.center.fund.errors import UnknownSettlement
from app.core.clock import CHINA


def get_settlement(institution: str, setl_id: str, mdtrt_id: str, psn_no: str) -> Any:
    """Read one settlement of an institution with its person; `reversed_by` names its reversal (结算信息查询)."""
    ask = {"setl_id": setl_id, "institution": institution, "psn_no": psn_no}
    with transaction("interface", {}) as hot:
        found = hot.run(statements.SETTLEMENT_WITH_PERSON, ask)
    if not found or found[0].mdtrt_id != mdtrt_id:
        raise UnknownSettlement
    return found[0]


RECENT_USE = """
select
    (select count(distinct s.institution_code) from settlement s
    where s.psn_no = %(psn_no)s and s.settled_at >= %(midnight)s and s.institution_code <> %(institution)s) as others_today,
    (select jsonb_build_object(
        'at', s.settled_at, 'latitude', i.latitude::text, 'longitude', i.longitude::text,
        'here', s.institution_code = %(institution)s
    ) from settlement s join institution i on i.code = s.institution_code
    where s.psn_no = %(psn_no)s and s.settled_at >= %(day_ago)s and s.reverses_setl_id is null
    order by s.settled_at desc limit 1) as last_visit
"""


def recent_use(psn_no: str, institution: str, at: datetime) -> Any:
    """Say where a person's insurance was used today, for the identity score."""
    midnight = at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    ask = {"psn_no": psn_no, "institution": institution, "midnight": midnight, "day_ago": at - timedelta(days=1)}
    with transaction("interface", {}) as hot:
        return hot.run(RECENT_USE, ask)[0]
