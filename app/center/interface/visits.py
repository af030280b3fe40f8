"""2201-2205: an outpatient visit is registered, described and charged, and taken back. Reads the wire, writes the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.fund.actions import MOST_LINES, PurchaseLine
from app.center.fund.visiting import (
    MOST_DIAGNOSES,
    ChargeLine,
    Description,
    Diagnosis,
    Registration,
    cancel_lines,
    cancel_visit,
    charge_lines,
    describe_visit,
    register_visit,
)
from app.center.interface.asked import text
from app.center.interface.people import identified, judged_by_credential
from app.center.interface.settling import GRADES, charge_type, ratio_text
from app.center.registry.errors import CredentialMismatch, NotCovered
from app.core import personal
from app.core.errors import WrongInput
from app.national import amounts, codes, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.center.fund.visiting import Charged
    from app.center.interface.asked import Asked

FIRST_YEAR, LAST_YEAR = 2000, 2100  # What a clock set wrong still says; beyond lies a slip of the hand.


def register(asked: Asked) -> bytes:
    """2201: register a visit; who stands there is judged as in 1101, and the score comes back in exp_content."""
    data = asked.node("data")
    row = identified(asked, data)
    if row.psn_no != text(data, "psn_no"):
        raise CredentialMismatch(what="人员编号")
    insutype = text(data, "insutype")
    if not any(cover["insutype"] == insutype and cover["status"] != "stopped" for cover in row.covers):
        raise NotCovered(insutype=codes.name("insutype", insutype))
    judged = judged_by_credential(asked, data, row)
    mdtrt_id = register_visit(asked.message, _registration(data))
    told = {
        "mdtrt_id": mdtrt_id,
        "psn_no": row.psn_no,
        "ipt_otp_no": text(data, "ipt_otp_no"),
        "exp_content": envelope.extension_text({"identity": judged}),
    }
    return asked.accepted({"data": told})


def _registration(data: Mapping[str, Any]) -> Registration:
    return Registration(
        psn_no=text(data, "psn_no"),
        insutype=text(data, "insutype"),
        number=text(data, "ipt_otp_no"),
        begun_at=_moment(data, "begntime"),
        department=text(data, "dept_code"),
        department_name=text(data, "dept_name"),
        caty=text(data, "caty"),
        doctor=text(data, "atddr_no"),
        doctor_name=text(data, "dr_name"),
    )


def _moment(row: Mapping[str, Any], name: str) -> datetime:
    at = envelope.read_time(text(row, name))
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise WrongInput(what=name, why="年份不对")
    return at


def cancel_registration(asked: Asked) -> bytes:
    """2202: cancel a registration nothing of which is settled."""
    data = asked.node("data")
    cancel_visit(asked.message, text(data, "mdtrt_id"), text(data, "psn_no"), text(data, "ipt_otp_no"))
    return asked.accepted(None)


def describe(asked: Asked) -> bytes:
    """2203: what the visit is for and its diagnoses; one sent again with vali_flag 0 is void."""
    info = asked.node("mdtrtinfo")
    rows = asked.rows("diseinfo") if asked.request.input.get("diseinfo") else []
    if len(rows) > MOST_DIAGNOSES:
        raise WrongInput(what="diseinfo", why=f"最多 {MOST_DIAGNOSES} 行")
    condition = text(info, "main_cond_dscr")
    told = Description(
        med_type=text(info, "med_type"),
        disease=text(info, "dise_codg"),
        disease_name=text(info, "dise_name"),
        condition=personal.seal("center", condition) if condition else None,
        seen_at=_moment(info, "begntime"),
        diagnoses=tuple({(d.kind, d.code): d for d in map(_diagnosis, rows)}.values()),
    )
    describe_visit(asked.message, text(info, "mdtrt_id"), text(info, "psn_no"), told)
    return asked.accepted(None)


def _diagnosis(row: Mapping[str, Any]) -> Diagnosis:
    return Diagnosis(
        kind=text(row, "diag_type"),
        code=text(row, "diag_code"),
        position=abs(int(amounts.decimal_of(row.get("diag_srt_no")))),
        name=text(row, "diag_name"),
        department=text(row, "diag_dept"),
        doctor=text(row, "dise_dor_no"),
        doctor_name=text(row, "dise_dor_name"),
        diagnosed_at=_moment(row, "diag_time"),
        valid=text(row, "vali_flag") == "1",
    )


def charge(asked: Asked) -> bytes:
    """2204: take the lines of a visit's batches; each is answered with what the catalog makes of it."""
    rows = asked.rows("feedetail")
    if len(rows) > MOST_LINES:
        raise WrongInput(what="feedetail", why=f"最多 {MOST_LINES} 行")
    visits = {(text(row, "mdtrt_id"), text(row, "psn_no")) for row in rows}
    if len(visits) != 1:
        raise WrongInput(what="feedetail", why="一次只能上传一次就诊的明细")
    [(mdtrt_id, psn_no)] = visits
    charged = charge_lines(asked.message, mdtrt_id, psn_no, _lines(rows))
    return asked.accepted({"result": [_answered(each) for each in charged]})


def _lines(rows: Sequence[Mapping[str, Any]]) -> list[ChargeLine]:
    return [_line(row) for row in rows]


def _line(row: Mapping[str, Any]) -> ChargeLine:
    days = row.get("prd_days")
    return ChargeLine(
        batch=text(row, "chrg_bchno"),
        bought=PurchaseLine(
            number=text(row, "feedetl_sn"),
            code=text(row, "med_list_codg"),
            own_code=text(row, "medins_list_codg"),
            price=amounts.decimal_of(row.get("pric")),
            quantity=amounts.decimal_of(row.get("cnt")),
            amount_fen=amounts.fen_of(row.get("det_item_fee_sumamt")),
            rxno=text(row, "rxno"),
        ),
        occurred_at=_moment(row, "fee_ocur_time"),
        department=text(row, "bilg_dept_codg"),
        department_name=text(row, "bilg_dept_name"),
        doctor=text(row, "bilg_dr_codg"),
        doctor_name=text(row, "bilg_dr_name"),
        dose=text(row, "sin_dos_dscr"),
        frequency=text(row, "used_frqu_dscr"),
        route=text(row, "medc_way_dscr"),
        days=None if days in (None, "") else amounts.decimal_of(days),
        performing_department=text(row, "acord_dept_codg"),
        performer=text(row, "orders_dr_code"),
    )


def _answered(each: Charged) -> dict[str, Any]:
    bought, item, split = each.line.bought, each.item, each.split
    return {
        "feedetl_sn": bought.number,
        "det_item_fee_sumamt": amounts.yuan_of(split.amount_fen),
        "cnt": str(bought.quantity),
        "pric": f"{bought.price:.6f}",
        "pric_uplmt_amt": f"{item.ceiling:.6f}" if item.ceiling is not None else "0",
        "selfpay_prop": ratio_text(item.selfpay),
        "fulamt_ownpay_amt": amounts.yuan_of(split.full_fen),
        "overlmt_amt": amounts.yuan_of(split.over_fen),
        "preselfpay_amt": amounts.yuan_of(split.pre_fen),
        "inscp_scp_amt": amounts.yuan_of(split.inscope_fen),
        "chrgitm_lv": GRADES[item.grade],
        "med_chrgitm_type": charge_type(bought.code),
        "lmt_used_flag": "1" if each.restricted else "0",
        "memo": "超出目录限定的性别或年龄" if item.contrary else item.name or "目录外",
    }


def cancel_charges(asked: Asked) -> bytes:
    """2205: take back the unsettled lines of one batch, or of the visit."""
    data = asked.node("data")
    cancel_lines(asked.message, text(data, "mdtrt_id"), text(data, "psn_no"), text(data, "chrg_bchno"))
    return asked.accepted(None)
