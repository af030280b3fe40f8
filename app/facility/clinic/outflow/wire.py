"""A sheet as the center is told it (S010). Plain values in, plain values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.core.errors import words
from app.facility.clinic.terms.dictionaries import FREQUENCIES, ROUTES
from app.national import envelope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from uuid import UUID

    from app.core.errors import Words
    from app.facility.clinic.patients.rules import Person

TAGS = frozenset({"ordinary", "emergency", "paediatric"})


def problem(sheet: Any, lines: Sequence[Any], today: date) -> Words | None:
    """Why a sheet stays in the house."""
    odd = not_whole(lines)
    coded = [line.described["name"] for line in lines if not line.described.get("national")]
    wrong = {
        words("只有西药和中成药处方可以外配"): sheet.kind != "WESTERN",
        words("麻醉、精神药品处方不外配"): sheet.tag not in TAGS,
        words("已经在收费单上"): sheet.bill_id is not None,
        words("要先由药师审方通过"): sheet.state != "PASSED" or sheet.reviewer_id is None,
        words("处方有效至 {day}，已过期", day=sheet.valid_until): sheet.valid_until < today,
        words("{names}没有国家医保编码", names="、".join(coded[:3])): bool(coded),
        words("{names}不是整盒，外配要开整盒", names="、".join(odd[:3])): bool(odd),
        words("医师或审方药师没有登记国家编码，请负责人在「人员」里补上"): not (sheet.doctor_code and sheet.reviewer_code),
    }  # fmt: skip
    return next((why for why, holds in wrong.items() if holds), None)


def not_whole(lines: Sequence[Any]) -> list[str]:
    """The drugs that are not in whole packs: a pharmacy traces and settles packs."""
    return [line.described["name"] for line in lines if line.split or line.quantity % int(line.described["pack_size"])]


def prescription(
    document: UUID, sheet: Any, person: Person, diagnoses: Sequence[Any], lines: Sequence[Any]
) -> dict[str, Any]:
    """The input of S010."""
    data = {
        "rx_docm_id": str(document), "rxno": sheet.number, "psn_name": person.name, "certno": person.citizen_id, "gend": person.sex,
        "brdy": envelope.wire_date(person.born_on) if person.born_on else "", "dept_name": sheet.department, "dr_codg": sheet.doctor_code,
        "dr_name": sheet.doctor, "phar_codg": sheet.reviewer_code, "phar_name": sheet.reviewer, "prsc_time": envelope.wire_time(sheet.signed_at),
        "rx_chk_time": envelope.wire_time(sheet.reviewed_at), "vali_end_date": envelope.wire_date(sheet.valid_until),
    }  # fmt: skip
    return {
        "data": data,
        "diseinfo": [{"diag_code": row.code, "diag_name": row.name} for row in diagnoses],
        "rxdetail": [_drug(line) for line in lines],
    }


def _drug(line: Any) -> dict[str, Any]:
    """A pharmacy reads words, not the letters a doctor types."""
    about = line.described
    frequency, route = FREQUENCIES.get(line.frequency), ROUTES.get(line.route)
    return {
        "rx_detl_sn": str(line.line_no), "med_list_codg": about["national"], "drug_genname": about["name"], "drug_spec": about.get("spec") or "",
        "drug_dosform": about.get("form") or "", "cnt": str(line.quantity), "min_pac_cnt": str(about["pack_size"]), "min_pacunt": about["pack_unit"],
        "min_prepunt": about["base_unit"], "sin_dos_dscr": f"{line.dose}{line.dose_unit}", "used_frqu_dscr": str(frequency.word) if frequency else line.frequency, "medc_way_dscr": str(route.word) if route else line.route,
        "prd_days": "" if line.days is None else str(line.days), "memo": line.note[:200],
    }  # fmt: skip


def voiding(document: UUID, reason: str) -> dict[str, Any]:
    """The input of S015."""
    return {"data": {"rx_docm_id": str(document), "memo": reason}}
