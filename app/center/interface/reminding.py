"""3101 looks at a draft and reminds, 3103 keeps what was done with it. Reads the wire, lets the audit work, writes the wire."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from app.center.audit.line_rules import OrderLine
from app.center.audit.reminding import MOST_ANSWERS, MOST_ORDERS, Answered, Checked, Warned, keep_answers, remind
from app.center.interface.asked import text
from app.core.errors import WrongInput
from app.national import amounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.center.interface.asked import Asked

GONE_ON, CHANGED = "1", "2"  # dspo_way
MOST_REASON = 200
MOST_DAYS = 999
NOW_WRITTEN = "1"  # curr_drord_flag


def check_draft(asked: Asked) -> bytes:
    """3101: what the rules find in a draft, with this patient's fact; nothing found is an empty list."""
    checked = _checked(asked)
    warned = remind(asked.message, checked)
    return asked.accepted({"result": [_result(each, checked) for each in warned]})


def keep_feedback(asked: Asked) -> bytes:
    """3103: what was done with each warning; going on all the same needs a reason."""
    rows = _rows(asked.node("data"), "warns", MOST_ANSWERS)
    keep_answers(asked.message, [_answered(row) for row in rows])
    return asked.accepted(None)


def _rows(node: Mapping[str, Any], name: str, most: int) -> list[Mapping[str, Any]]:
    given = node.get(name)
    sent: list[Any] = given if isinstance(given, list) else [given]
    rows: list[Mapping[str, Any]] = [row for row in sent if isinstance(row, dict)]
    if not rows or len(rows) != len(sent):
        raise WrongInput(what=name, why="至少要有一行")
    if len(rows) > most:
        raise WrongInput(what=name, why=f"最多 {most} 行")
    return rows


def _checked(asked: Asked) -> Checked:
    patient = _rows(asked.node("data"), "patient_dtos", 1)[0]
    mdtrt_id = text(patient, "curr_mdtrt_id")
    encounters = _rows(patient, "fsi_encounter_dtos", MOST_ORDERS)
    encounter = next((row for row in encounters if text(row, "mdtrt_id") == mdtrt_id), encounters[0])
    orders = _rows(encounter, "fsi_order_dtos", MOST_ORDERS)
    written = [row for row in orders if text(row, "curr_drord_flag") == NOW_WRITTEN] or orders
    return Checked(
        psn_no=text(patient, "patn_id"),
        mdtrt_id=mdtrt_id,
        med_type=text(encounter, "med_type"),
        sex=text(patient, "gend"),
        born_on=date.fromisoformat(text(patient, "brdy")[:10]),
        lines=tuple(_line(row) for row in written),
    )


def _line(row: Mapping[str, Any]) -> OrderLine:
    return OrderLine(
        rx_id=text(row, "rx_id"),
        code=text(row, "hilist_code"),
        name=text(row, "hilist_name"),
        amount_fen=amounts.fen_of(row.get("sumamt")),
        days=_days(row.get("extend_order_map")),
    )


def _days(extra: object) -> int | None:
    """The days of a line (o_prdDays), which no field rule has looked at; what is no number of days is none."""
    told = extra.get("o_prdDays") if isinstance(extra, dict) else None
    try:
        days = Decimal(str(told)) if isinstance(told, (str, int, Decimal)) else None
    except InvalidOperation:
        return None
    return math.ceil(days) if days is not None and days.is_finite() and 0 < days <= MOST_DAYS else None


def _result(warned: Warned, checked: Checked) -> dict[str, Any]:
    finding = warned.finding
    amount = amounts.yuan_of(finding.line.amount_fen)
    return {
        "jr_id": warned.jr_id,
        "rule_id": finding.rule_id,
        "rule_name": finding.rule_name,
        "vola_cont": finding.text[:500],
        "patn_id": checked.psn_no,
        "mdtrt_id": checked.mdtrt_id,
        "judge_result_detail_dtos": [
            {
                "jrd_id": warned.jr_id,
                "patn_id": checked.psn_no,
                "mdtrt_id": checked.mdtrt_id,
                "rx_id": finding.line.rx_id,
                "vola_item_type": "1",
                "vola_amt": amount,
            }
        ],
        "vola_amt": amount,
        "vola_amt_stas": "1",
        "sev_deg": finding.severity,
        "vola_evid": "",
        "vola_bhvr_type": "2",
    }


def _answered(row: Mapping[str, Any]) -> Answered:
    way, reason = text(row, "dspo_way"), text(row, "dspo_way_rea").strip()
    if way not in {GONE_ON, CHANGED}:
        raise WrongInput(what="dspo_way", why="应为 1 或 2")
    if way == GONE_ON and not reason:
        raise WrongInput(what="dspo_way_rea", why="继续执行时要写原因")
    if len(reason) > MOST_REASON:
        raise WrongInput(what="dspo_way_rea", why=f"最多 {MOST_REASON} 个字")
    return Answered(text(row, "warn_rslt_id"), way, reason)
