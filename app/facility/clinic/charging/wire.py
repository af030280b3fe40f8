"""What is said to the center of a visit and its bill (2203–2208). Plain values in, plain values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.facility.insurance.messages import NOT_IN_CATALOG
from app.national import amounts, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.facility.clinic.charging.rules import Line
    from app.facility.insurance.messages import Person

DIAGNOSIS_TYPES = {"WESTERN": "1", "TCM_DISEASE": "2", "TCM_SYNDROME": "3"}


def description(bill: Any, psn_no: str, diagnoses: Sequence[Any], doctor: Any) -> dict[str, Any]:
    """The input of 2203: what the visit is for, and what it was found to be. What the patient told stays in the clinic."""
    begun = envelope.wire_time(bill.began_at or doctor.signed_at)
    info = {
        "mdtrt_id": bill.mdtrt_id, "psn_no": psn_no, "med_type": bill.med_type, "begntime": begun, "main_cond_dscr": "",
        "dise_codg": bill.dise_code or "-", "dise_name": bill.dise_name or "-",
    }  # fmt: skip
    found = [
        {
            "diag_type": DIAGNOSIS_TYPES[row.kind], "diag_srt_no": row.line_no, "diag_code": row.code[:20], "diag_name": row.name[:100],
            "diag_dept": doctor.department_name[:50], "dise_dor_no": _code(doctor), "dise_dor_name": doctor.name[:50],
            "diag_time": envelope.wire_time(doctor.signed_at), "vali_flag": "1",
        }
        for row in diagnoses
    ]  # fmt: skip
    return {"mdtrtinfo": info, "diseinfo": found}


def charges(
    bill: Any, psn_no: str, lines: Sequence[Line], doctors: Mapping[str, Any], batch: str = ""
) -> dict[str, Any]:
    """The input of 2204: the bill's lines as one batch under the bill's number, or what stays of them under another."""
    return {"feedetail": [_charge(bill, psn_no, line, doctors[line.order_id], batch or bill.number) for line in lines]}


def _charge(bill: Any, psn_no: str, line: Line, doctor: Any, batch: str) -> dict[str, Any]:
    about = line.described
    row: dict[str, Any] = {
        "feedetl_sn": f"{batch}-{line.line_no}", "mdtrt_id": bill.mdtrt_id, "psn_no": psn_no, "chrg_bchno": batch, "rx_circ_flag": "0",
        "rxno": line.order_number if line.is_goods else "", "fee_ocur_time": envelope.wire_time(doctor.signed_at),
        "med_list_codg": NOT_IN_CATALOG if line.self_paid else about["national"] or NOT_IN_CATALOG, "medins_list_codg": about["code"],
        "det_item_fee_sumamt": amounts.yuan_of(line.amount_fen), "cnt": f"{line.units:.4f}", "pric": f"{line.price:.6f}",
        "bilg_dept_codg": doctor.department, "bilg_dept_name": doctor.department_name, "bilg_dr_codg": _code(doctor), "bilg_dr_name": doctor.name[:50],
        "hosp_appr_flag": "0",
    }  # fmt: skip
    if line.dose:
        row |= {"sin_dos_dscr": f"{line.dose}{line.dose_unit}"}
    if line.frequency:
        row |= {"used_frqu_dscr": line.frequency}
    if line.route:
        row |= {"medc_way_dscr": line.route}
    return row | ({"prd_days": f"{min(line.days, 99)}"} if line.days else {})


def _code(doctor: Any) -> str:
    return str(doctor.national_code or doctor.doctor_id)


def batch(bill: Any, psn_no: str, number: str) -> dict[str, Any]:
    """The input of 2205: a batch of this visit is taken back."""
    return {"data": {"mdtrt_id": bill.mdtrt_id, "chrg_bchno": number, "psn_no": psn_no}}


def settlement(
    bill: Any, person: Person, extra: Mapping[str, Any], *, account: bool, shown: Mapping[str, Any] | None = None, rest: tuple[str, int] | None = None
) -> dict[str, Any]:  # fmt: skip
    """The input of 2206, and of 2207 with the four amounts that 2206 gave (`shown`). `rest`: batch and sum of what stays of a bill."""
    batch, total_fen = rest or (bill.number, bill.total_fen)
    data = {
        "psn_no": person.psn_no, "mdtrt_cert_type": person.mdtrt_cert_type, "mdtrt_cert_no": person.mdtrt_cert_no,
        "card_sn": person.mdtrt_cert_no if person.mdtrt_cert_type == "03" else "", "psn_cert_type": person.psn_cert_type, "certno": person.certno,
        "psn_type": person.psn_type[:6], "psn_name": person.name[:50], "med_type": bill.med_type, "medfee_sumamt": amounts.yuan_of(total_fen),
        "psn_setlway": "01", "mdtrt_id": bill.mdtrt_id, "chrg_bchno": batch, "acct_used_flag": "1" if account else "0",
        "insutype": bill.insutype or person.insutype, "exp_content": envelope.extension_text(extra),
    }  # fmt: skip
    if shown is not None:
        data |= {
            "fulamt_ownpay_amt": amounts.yuan_of(shown["full_fen"]), "overlmt_selfpay": amounts.yuan_of(shown["over_fen"]),
            "preselfpay_amt": amounts.yuan_of(shown["pre_fen"]), "inscp_scp_amt": amounts.yuan_of(shown["in_scope_fen"]),
        }  # fmt: skip
    return {"data": data}


def expected(shown: Mapping[str, Any]) -> dict[str, str]:
    """The split the patient was told; the center refuses when its own differs."""
    return amounts.wire_shares(
        amounts.Shares(shown["fund_fen"], shown["account_fen"], shown["mutual_fen"], shown["cash_fen"])
    )


def reversal(setl_id: str, mdtrt_id: str, psn_no: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The input of 2208."""
    return {
        "data": {
            "setl_id": setl_id,
            "mdtrt_id": mdtrt_id,
            "psn_no": psn_no,
            "exp_content": envelope.extension_text(extra),
        }
    }
