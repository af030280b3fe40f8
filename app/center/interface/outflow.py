"""S010-S015, our own transactions: out-flow prescriptions from the clinic that signs to the pharmacy that dispenses."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.center.interface.asked import text
from app.center.outflow import fetching, issuing, rules
from app.center.outflow.papers import Line, Paper, Patient
from app.core import personal
from app.core.errors import WrongInput
from app.national import amounts, envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.center.interface.asked import Asked
    from app.center.outflow.papers import Seen


def issue(asked: Asked) -> bytes:
    """S010: keep a signed and reviewed prescription; its code comes back."""
    made = issuing.issue(asked.message, asked.institution.kind, _paper(asked))
    told = {
        "rx_no": made.number,
        "rx_trace_code": made.code,
        "vali_end_date": envelope.wire_date(made.valid_until),
        "rx_stas": made.state,
    }
    return asked.accepted({"data": told})


def _paper(asked: Asked) -> Paper:
    data, found = asked.node("data"), _rows(asked, "diseinfo", rules.MOST_DIAGNOSES)
    patient = Patient(
        text(data, "psn_name"),
        text(data, "certno"),
        text(data, "gend"),
        text(data, "brdy"),
        tuple((text(row, "diag_code"), text(row, "diag_name")) for row in found),
    )
    return Paper(
        document=_document(data), rxno=text(data, "rxno"), patient=patient, department=text(data, "dept_name"), doctor=text(data, "dr_codg"),
        doctor_name=text(data, "dr_name"), reviewer=text(data, "phar_codg"), reviewer_name=text(data, "phar_name"), signed_at=_moment(data, "prsc_time"),
        reviewed_at=_moment(data, "rx_chk_time"), valid_until=_day(data, "vali_end_date"),
        lines=tuple(_line(row) for row in _rows(asked, "rxdetail", rules.MOST_LINES)),
    )  # fmt: skip


def _rows(asked: Asked, name: str, most: int) -> list[Mapping[str, Any]]:
    rows = asked.rows(name) if asked.request.input.get(name) else []
    if len(rows) > most:
        raise WrongInput(what=name, why=f"最多 {most} 行")
    return rows


def _line(row: Mapping[str, Any]) -> Line:
    days = text(row, "prd_days")
    return Line(
        line_no=_whole(row, "rx_detl_sn"), code=text(row, "med_list_codg"), name=text(row, "drug_genname"), spec=text(row, "drug_spec"),
        form=text(row, "drug_dosform"), quantity=_whole(row, "cnt"), pack_size=_whole(row, "min_pac_cnt"), pack_unit=text(row, "min_pacunt"),
        base_unit=text(row, "min_prepunt"), dose=text(row, "sin_dos_dscr"), frequency=text(row, "used_frqu_dscr"), route=text(row, "medc_way_dscr"),
        days=_whole(row, "prd_days") if days else None, note=text(row, "memo"),
    )  # fmt: skip


def _whole(row: Mapping[str, Any], name: str) -> int:
    value = amounts.decimal_of(row.get(name))
    if value != value.to_integral_value() or not 0 <= value < 10**9:
        raise WrongInput(what=name, why="应为整数")
    return int(value)


def _document(data: Mapping[str, Any]) -> UUID:
    try:
        return UUID(text(data, "rx_docm_id"))
    except ValueError:
        raise WrongInput(what="rx_docm_id", why="应为 UUID") from None


def _moment(data: Mapping[str, Any], name: str) -> datetime:
    at = envelope.read_time(text(data, name))
    if not 2000 <= at.year <= 2100:
        raise WrongInput(what=name, why="年份不对")
    return at


def _day(data: Mapping[str, Any], name: str) -> date:
    found = _moment({name: f"{text(data, name)[:10]} 00:00:00"}, name)
    return found.date()


def fetch(asked: Asked) -> bytes:
    """S011: what a prescription says, for a pharmacy that holds its code; the patient's name is masked."""
    seen = fetching.fetch(asked.message, asked.institution.kind, text(asked.node("data"), "rx_trace_code"))
    return asked.accepted(_told(asked, seen))


def lock(asked: Asked) -> bytes:
    """S012: take it on for this pharmacy alone; now it is told whose it is."""
    seen = fetching.lock(asked.message, asked.institution.kind, text(asked.node("data"), "rx_trace_code"))
    told = _told(asked, seen)
    told["data"] |= {"psn_name": seen.patient.name, "certno": seen.patient.certno}
    return asked.accepted(told)


def statuses(asked: Asked) -> bytes:
    """S013: how the asking institution's own prescriptions stand, by its own documents."""
    rows = asked.rows("data")
    if len(rows) > rules.MOST_ASKED:
        raise WrongInput(what="data", why=f"最多 {rules.MOST_ASKED} 行")
    found = issuing.look_at_own(asked.message, [_document(row) for row in rows])
    return asked.accepted({"result": [_standing(seen) for seen in found]})


def let_go(asked: Asked) -> bytes:
    """S014: a pharmacy gives back what it locked."""
    data = asked.node("data")
    state = fetching.let_go(asked.message, text(data, "rx_no"), _whole(data, "lock_sn"))
    return asked.accepted({"data": {"rx_no": text(data, "rx_no"), "rx_stas": state}})


def make_void(asked: Asked) -> bytes:
    """S015: the issuing institution makes it void while no pharmacy has it."""
    data = asked.node("data")
    seen = issuing.make_void(asked.message, _document(data), text(data, "memo"))
    return asked.accepted({"data": _standing(seen)})


def _standing(seen: Seen) -> dict[str, Any]:
    row = seen.row
    return {
        "rx_docm_id": str(row.document),
        "rx_no": row.number,
        "rx_stas": seen.state,
        "fixmedins_name": row.keeper or "",
        "chg_time": envelope.wire_time(row.changed_at),
        "rxdetail": [{"rx_detl_sn": str(line.line_no), "cnt": str(line.dispensed)} for line in seen.lines],
    }


def _told(asked: Asked, seen: Seen) -> dict[str, Any]:
    row, patient = seen.row, seen.patient
    own = row.lock_institution == asked.institution.code and seen.state == "LOCKED"
    return {
        "data": {
            "rx_no": row.number, "rx_stas": seen.state, "rxno": row.rxno, "psn_name": personal.mask_name(patient.name), "gend": patient.sex, "brdy": patient.born_on,
            "fixmedins_name": row.institution, "dept_name": row.department, "dr_name": row.doctor_name, "phar_name": row.reviewer_name,
            "prsc_time": envelope.wire_time(row.signed_at), "rx_chk_time": envelope.wire_time(row.reviewed_at), "vali_end_date": envelope.wire_date(row.valid_until),
            "lock_flag": "1" if own else "0", "lock_sn": str(row.lock_no), "lock_end_date": envelope.wire_date(row.locked_until) if row.locked_until else "",
        },
        "diseinfo": [{"diag_code": code, "diag_name": name} for code, name in patient.diagnoses],
        "rxdetail": _drugs(seen.lines),
    }  # fmt: skip


def _drugs(lines: Sequence[Any]) -> list[dict[str, Any]]:
    return [
        {
            "rx_detl_sn": str(line.line_no), "med_list_codg": line.code, "drug_genname": line.name, "drug_spec": line.spec, "drug_dosform": line.form,
            "cnt": str(line.quantity), "left_cnt": str(max(0, line.quantity - line.dispensed)), "min_pac_cnt": str(line.pack_size), "min_pacunt": line.pack_unit,
            "min_prepunt": line.base_unit, "sin_dos_dscr": line.dose, "used_frqu_dscr": line.frequency, "medc_way_dscr": line.route,
            "prd_days": "" if line.days is None else str(line.days), "memo": line.note,
        }
        for line in lines
    ]  # fmt: skip
