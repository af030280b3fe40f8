"""S001 as an act: a person's last year for the doctor who has them in front (跨机构就诊用药).

Only with a registration of today at the asking institution. Whose records were in the answer is written down at every look
and told to each other institution once a visit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.center.db import transaction
from app.center.fund import history_statements as statements
from app.center.fund.answering import NOTHING, tried
from app.center.fund.visit_errors import NotRegisteredToday
from app.core.clock import CHINA
from central_sync import news_contract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.center.fund.documents import Message

A_YEAR = timedelta(days=365)
MOST_DOCUMENTS = 50


@dataclass(frozen=True, slots=True)
class History:
    """A person's visits with their diagnoses, and the drugs that were settled; newest first, both bounded."""

    visits: Sequence[Mapping[str, Any]]
    drugs: Sequence[Mapping[str, Any]]


def look_at_history(message: Message, viewer: str, mdtrt_id: str, psn_no: str) -> History:
    """Read a person's last year anywhere, and write down whose records were looked at. `viewer` is the institution's name.

    Raises NotRegisteredToday. Two statements at most.
    """

    def act() -> History:
        at = message.arrived_at
        keys = {
            "mdtrt_id": mdtrt_id,
            "psn_no": psn_no,
            "institution": message.institution,
            "district": message.district,
            "operator": message.operator,
            "operator_name": message.operator_name,
            "now": at,
            "since": at - A_YEAR,
            "midnight": at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0),
        }
        with transaction("interface", NOTHING) as hot:
            [found] = hot.run(statements.HISTORY, keys)
            if not found.registered:
                raise NotRegisteredToday
            history = History(found.visits, found.drugs)
            if seen := _seen(message, viewer, history):
                hot.run_last(statements.LOOK, keys | {"seen": json.dumps(seen)})
        return history

    return tried(act)


def _seen(message: Message, viewer: str, history: History) -> list[dict[str, Any]]:
    """What of each other institution was in the answer, with what it is told: its own documents, nobody's name."""
    seen: dict[str, dict[str, Any]] = {}
    for kind, rows in (("visits", history.visits), ("drugs", history.drugs)):
        for row in rows:
            if row["institution_code"] == message.institution:
                continue
            told = seen.setdefault(row["institution_code"], {"visits": 0, "drugs": 0, "documents": {}})
            told[kind] += 1
            told["documents"][row["mdtrt_id"]] = None
    return [
        {"institution": code, "visits": told["visits"], "drugs": told["drugs"], "body": _body(message, viewer, told)}
        for code, told in sorted(seen.items())
    ]


def _body(message: Message, viewer: str, told: Mapping[str, Any]) -> str:
    body = {
        "viewed_at": message.arrived_at.isoformat(),
        "viewer": viewer,
        "visits": told["visits"],
        "drugs": told["drugs"],
        "documents": list(told["documents"])[:MOST_DOCUMENTS],
    }
    return news_contract.compose("record.viewed", body).decode()
