"""The audit trail 审计日志: who did what to what, from where, with which result. Rows are only added.

`record` writes inside the act it tells about, so that neither exists without the other. Facts carry no personal data:
ids, counts and codes only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import current_app, has_request_context, request

from app.core import clock, signin

if TYPE_CHECKING:
    from app.core.db import Database

# Columns are the same in both wings but for the person's id and the facility.
_FACILITY = """
insert into audit_trail (at, facility_id, staff_id, name, act, object, result, address, terminal, facts)
values ({at}, {facility_id}, {person_id}, {name}, {act}, {object}, {result}, {address}, {terminal}, cast({facts} as jsonb))
"""
_CENTER = """
insert into audit_trail (at, officer_id, name, act, object, result, address, terminal, facts)
values ({at}, {person_id}, {name}, {act}, {object}, {result}, {address}, {terminal}, cast({facts} as jsonb))
"""
_NAMES = ("at", "facility_id", "person_id", "name", "act", "object", "result", "address", "terminal", "facts")
_TEXTS = {"facility": _FACILITY, "center": _CENTER}

# For `db.run` (:named) and for hot transactions (%(named)s); parameters come from `row`.
STATEMENTS = {wing: text.format(**{name: f":{name}" for name in _NAMES}) for wing, text in _TEXTS.items()}
HOT_STATEMENTS = {wing: text.format(**{name: f"%({name})s" for name in _NAMES}) for wing, text in _TEXTS.items()}


def record(
    act: str, target: str = "", result: str = "done", *, by: tuple[int | None, str] | None = None, **facts: Any
) -> None:
    """Write one row of the trail in the current transaction. `by` names the person when nobody is signed in yet."""
    database: Database = current_app.extensions["sqlalchemy"]
    values = row(act, target, result, by=by, **facts)
    if database.wing == "center":
        values.pop("facility_id")
    database.run(STATEMENTS[database.wing], **values)


def row(
    act: str, target: str = "", result: str = "done", *, by: tuple[int | None, str] | None = None, **facts: Any
) -> dict[str, Any]:
    """Make the parameters of one row for a hot transaction, whose statement is in HOT_STATEMENTS."""
    assert result in {"done", "refused"}
    who = signin.me_or_none()
    person_id, name = by or ((who.staff_id, who.name) if who else (None, "system"))
    return {
        "at": clock.now(),
        "facility_id": who.facility_id if who else None,
        "person_id": person_id,
        "name": name,
        "act": act,
        "object": target,
        "result": result,
        "address": (request.remote_addr or "") if has_request_context() else "",
        "terminal": who.terminal if who else "",
        "facts": json.dumps(facts, ensure_ascii=False, separators=(",", ":")),
    }
