"""S001, our own transaction: a person's visits, diagnoses and drugs of a year, for the doctor who has them in front."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.center.fund.history import look_at_history
from app.center.interface.asked import text
from app.national import envelope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.center.interface.asked import Asked


def read_history(asked: Asked) -> bytes:
    """S001: the last twelve months anywhere; each look at another institution's records is kept and told them."""
    data = asked.node("data")
    history = look_at_history(asked.message, asked.institution.name, text(data, "mdtrt_id"), text(data, "psn_no"))
    here = asked.institution.code
    return asked.accepted(
        {
            "mdtrtinfo": [_visit(row, here) for row in history.visits],
            "feedetail": [_drug(row, here) for row in history.drugs],
        }
    )


def _place(row: Mapping[str, Any], here: str) -> dict[str, Any]:
    own = row["institution_code"] == here
    return {
        "fixmedins_name": row["institution_name"],
        "own_flag": "1" if own else "0",
        "mdtrt_id": row["mdtrt_id"] if own else "",
    }


def _visit(row: Mapping[str, Any], here: str) -> dict[str, Any]:
    return _place(row, here) | {
        "begntime": _time(row["begun_at"]),
        "med_type": row["med_type"],
        "dept_name": row["department_name"],
        "dr_name": row["doctor_name"],
        "dise_codg": row["disease"],
        "dise_name": row["disease_name"],
        "diseinfo": [
            {
                "diag_type": told["kind"],
                "diag_code": told["code"],
                "diag_name": told["name"],
                "diag_time": _time(told["diagnosed_at"]),
            }
            for told in row["diagnoses"]
        ],
    }


def _drug(row: Mapping[str, Any], here: str) -> dict[str, Any]:
    return _place(row, here) | {
        "setl_time": _time(row["settled_at"]),
        "med_list_codg": row["code"],
        "hilist_name": row["name"],
        "cnt": row["quantity"],
        "rxno": row["rxno"],
        "sin_dos_dscr": row["dose"] or "",
        "used_frqu_dscr": row["frequency"] or "",
        "medc_way_dscr": row["route"] or "",
        "prd_days": "" if row["days"] is None else str(row["days"]),
        "supply_until": row["supply_until"] or "",
    }


def _time(told: str) -> str:
    return envelope.wire_time(datetime.fromisoformat(told))
